"""Inputs as a folder takes them that holds a run already: in its format, of its task, with the labels of its card."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aide.card import card_from_toml
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.formats import FORMATS, TaskCard
from aide.journal import Journal
from aide.records import Seed
from aide.run.folder import COLUMNS, RunFolder
from aide.run.inputs import PreparedInputs
from aide.run.seed_pool import SEED
from aide.seeds import shape_chats

IGNORE: Final = "ignore"
STOP: Final = "stop"


def fit_to_folder(inputs: PreparedInputs, journal: Journal, spec: RunSpec) -> PreparedInputs:
    """The inputs in the format of the folder's card; seeds of labels that the card lacks wait, unless they are wanted.

    Raises:
        errors.InputError: the folder grew from seeds of another kind, or labels are new and `--new-labels stop` stands,
            or no seed has a label of the card.
    """
    text = journal.get_meta("card")
    if text is None:
        return inputs
    card = card_from_toml(text)
    if spec.format == "auto" and card.format != inputs.format.name:
        found, inputs = inputs.format.name, keep_format(inputs, card)
        _refuse_another_task(inputs, found, journal)
    if inputs.format.labelled and journal.count_outcomes().get("accepted"):
        inputs = _meet_new_labels(inputs, card, spec)
    return inputs


def refuse_other_columns(
    inputs: PreparedInputs, folder: RunFolder, spec: RunSpec, manifest: Mapping[str, Any]
) -> None:
    """Refuse the file that the folder grew from where other columns of it are read, so that no seed is known.

    Raises:
        errors.InputError: the message names the settings that changed.
    """
    kept, now = manifest.get("spec") or {}, spec.as_dict()
    changed = [name for name in COLUMNS if name in kept and kept[name] != now[name]]
    files = {each.get("hash") for each in manifest.get("seeds", ())}
    if not changed or not files.intersection(inputs.hashes.values()) or not folder.journal.exists():
        return
    with Journal.open(folder.journal, readonly=True) as journal:
        known = {id for id, _ in journal.read_decisions(SEED)}
    if known and not any(seed.id in known for seed in inputs.seeds):
        then, today = (
            " ".join(_write_option(name, values[name]) for name in changed) for values in (kept, now)
        )
        raise InputError(
            f"{folder.path} grew from this file with {then}; with {today} every row of it is another example",
            hint=f"go on with {then}, or name another folder with -o",
        )


def _write_option(name: str, value: Any) -> str:
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return option if value else option.replace("--", "--no-", 1)
    values = list(value) if isinstance(value, list | tuple) else [value] if value else []
    return " ".join(f"{option} {each}" for each in values) or f"no {option}"


def list_new_labels(seed: Seed, card: TaskCard, inputs: PreparedInputs) -> list[str]:
    """The labels of a seed that the card lacks."""
    known = set(card.label_names)
    return [name for name in inputs.format.list_labels(seed.draft) if name not in known]


def keep_format(inputs: PreparedInputs, card: TaskCard) -> PreparedInputs:
    """The inputs in the card's format: another version may have told formats otherwise."""
    format = FORMATS[card.format]
    loaded = shape_chats(inputs.loaded, as_chats=format.chats)
    seeds = loaded.seeds if loaded.seeds != inputs.loaded.seeds else inputs.seeds
    return replace(
        inputs, format=format, loaded=loaded, seeds=tuple({seed.id: seed for seed in seeds}.values())
    )


def _refuse_another_task(inputs: PreparedInputs, found: str, journal: Journal) -> None:
    """Refuse seeds of which the folder knows none and that look like another format: its records would be of two tasks.

    `found` is the format that the seeds look like.
    """
    known = {id for id, _ in journal.read_decisions(SEED)}
    if known and not any(seed.id in known for seed in inputs.seeds):
        raise InputError(
            f"the folder grew from other seeds, of the format {inputs.format.name}; these are {found}",
            hint="name a folder of their own with -o",
        )


def _meet_new_labels(inputs: PreparedInputs, card: TaskCard, spec: RunSpec) -> PreparedInputs:
    new = {seed.id: names for seed in inputs.seeds if (names := list_new_labels(seed, card, inputs))}
    if not new or spec.new_labels not in (IGNORE, STOP):
        return inputs
    if spec.new_labels == STOP:
        seed = next(seed for seed in inputs.seeds if seed.id in new)
        raise InputError(
            f"seed {seed.name or seed.id} has the label {new[seed.id][0]!r}, which the task card lacks",
            hint=f"the labels are {', '.join(card.label_names)}; --new-labels add takes it in, ignore lets it wait",
        )
    waiting = Counter(name for names in new.values() for name in names)
    if len(new) == len(inputs.seeds):
        raise InputError(
            f"no seed has a label of the folder's task card: they have {', '.join(sorted(waiting)[:5])}",
            hint=f"the labels are {', '.join(card.label_names)}; --new-labels add takes the others in",
        )
    return replace(
        inputs,
        seeds=tuple(seed for seed in inputs.seeds if seed.id not in new),
        waiting_labels=dict(sorted(waiting.items())),
    )
