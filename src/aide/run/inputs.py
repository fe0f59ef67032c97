"""Before the first record: seeds, format, task card, demonstrations; fixed once, and journaled with the seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aide.card import (
    card_from_toml,
    card_to_toml,
    choose_demonstrations,
    count_card,
    describe_card,
    make_demonstration,
    rank_confusable_labels,
    read_labels,
)
from aide.config.spec import RunSpec
from aide.dedup.contamination import Contamination
from aide.dedup.test_sets import read_test_items
from aide.errors import InputError
from aide.formats import Demonstration, Format, TaskCard, detect_format
from aide.journal import Journal
from aide.parsing import clean_text
from aide.prompts import Prompts, list_variants
from aide.records import Ask, Seed, rng
from aide.run.folder import RunFolder
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds
from aide.shards import write_atomic

SEED = "seed"
POOL = 100  # demonstrations are chosen among at most so many seeds, so that the cost of a seed stays flat
DEMONSTRATION_TOKENS = 1500
SAME = 0.9  # from this share of a test item on a seed is the item itself


@dataclass(frozen=True, slots=True)
class PreparedInputs:
    """Seeds and task as a run takes them: `seeds` without doubles, `format` found or given, test sets to `avoid`."""

    loaded: LoadedSeeds
    seeds: tuple[Seed, ...]
    format: Format
    labels: tuple[Any, ...]
    avoid: Contamination | None = None

    @property
    def fixed_parts(self) -> bool:
        """Whether inputs have parts that are never rewritten."""
        return any(seed.parts.fixed for seed in self.seeds)


def read_seeds(spec: RunSpec, paths: Sequence[str], stdin: Any = None) -> PreparedInputs:
    """Seeds from files, their format, and the labels given beside them.

    Raises:
        InputError: a file, a line or the format is wrong; nothing was spent.
    """
    mapping = SeedMapping(
        input_fields=spec.input_field,
        output_field=spec.output_field,
        choices_field=spec.choices_field,
        keep=spec.keep,
        input_pattern=spec.input_pattern,
        encoding=spec.encoding,
        skip_bad=spec.skip_bad,
    )
    _check_files(spec)
    loaded = load_seeds(paths, mapping, stdin)
    seeds = tuple({seed.id: seed for seed in loaded.seeds}.values())
    labels = read_labels(spec.labels)
    drafts = [seed.draft for seed in seeds]
    format = detect_format(drafts, spec.format, labels, hint=loaded.format_hint)
    ground = PreparedInputs(loaded, seeds, format, labels, _avoided(spec, seeds))
    prompts = Prompts(spec.prompts)
    for operation in spec.operations:  # an operation without a prompt is told before anything is spent
        prompts.first(*list_variants(operation, format.prompt_names, parts=ground.fixed_parts))
    return ground


def _avoided(spec: RunSpec, seeds: Sequence[Seed]) -> Contamination | None:
    """The test sets of `--avoid`; a seed that is an item of one would hand it on to all that grows from it."""
    if not spec.avoid:
        return None
    known = Contamination(read_test_items([str(path) for path in spec.avoid], spec.input_field, spec.keep))
    for seed in seeds:
        hit = known.find(seed.draft.input, seed.draft.choices, seed.parts.fixed_text)
        if hit and hit.share >= SAME:
            raise InputError(
                f"seed {seed.name or seed.id} is the test item {hit.where}: {seed.draft.input[:60]!r}",
                hint="take it out of the seeds, or out of the file of --avoid",
            )
    return known


def _check_files(spec: RunSpec) -> None:
    """What settings point at is there, before a call is paid for or a folder is made."""
    read_contexts(spec)
    if spec.reuse is not None and not RunFolder(spec.reuse).journal.exists():
        raise InputError(
            f"--reuse: {spec.reuse} is no run folder: it has no journal",
            hint="name the folder of an earlier run",
        )


def count_inputs_card(spec: RunSpec, ground: PreparedInputs) -> TaskCard:
    """The half of the card that is counted, without a call."""
    return count_card(ground.seeds, ground.format, ground.labels, task=spec.task or ground.loaded.sentence)


async def fix_card(
    spec: RunSpec, ground: PreparedInputs, folder: RunFolder, journal: Journal, ask: Ask
) -> TaskCard:
    """The task card: from the journal, from the person's edit of `task.toml`, or drawn with one call and kept.

    Raises:
        InputError: `task.toml` was edited after the first record, or a new seed has a label the card lacks.
    """
    kept = journal.meta("card")
    if kept is None:
        if folder.card.exists():
            card = card_from_toml(folder.card.read_text(encoding="utf-8"))
        else:
            drafts, counted = [seed.draft for seed in ground.seeds], count_inputs_card(spec, ground)
            card = await describe_card(ask, drafts, counted, spec.task or ground.loaded.sentence)
    else:
        card = card_from_toml(kept)
        # Cards are compared and not their files: another version may lay the same card out in another way.
        edited = card_from_toml(folder.card.read_text(encoding="utf-8")) if folder.card.exists() else card
        if edited != card:
            if journal.counts().get("accepted"):
                raise InputError(
                    f"{folder.card} was edited after the first record",
                    hint="undo the edit, or begin a new folder with -o DIR",
                )
            card = edited
    text = card_to_toml(card)
    if text != kept:
        journal.set_meta("card", text)
    if not folder.card.exists():
        write_atomic(folder.card, text)
    _check_labels(card, ground)
    return card


def _check_labels(card: TaskCard, ground: PreparedInputs) -> None:
    if not ground.format.labelled:
        return
    known = set(card.label_names)
    for seed in ground.seeds:
        if seed.draft.output not in known:
            raise InputError(
                f"seed {seed.name or seed.id} has the label {seed.draft.output!r}, which the task card lacks",
                hint=f"the labels are {', '.join(card.label_names)}; a new set of labels needs a new folder",
            )


class SeedPool:
    """The seeds a run has known, by when they came: D_T of a seed is chosen among those that were there with it.

    A seed and the pool it is planted in are journaled when it is first seen; so later seeds change nothing for it, and
    the choice itself can wait until the seed is grown.
    """

    def __init__(self, spec: RunSpec, ground: PreparedInputs, journal: Journal) -> None:
        self._count, self._format = spec.demonstrations, ground.format
        rows = dict(journal.decisions(SEED))
        self._seeds = {id: Seed.from_dict(id, row) for id, row in rows.items()}
        self._batch = {id: row["batch"] for id, row in rows.items()}
        batch = 1 + max(self._batch.values(), default=0)
        for seed in ground.seeds:
            if seed.id not in rows:
                journal.decide(SEED, seed.id, {**seed.as_dict(), "batch": batch})
                self._seeds[seed.id], self._batch[seed.id] = seed, batch
        self._pools: dict[int, list[Seed]] = {}
        self._chosen: dict[str, tuple[Demonstration, ...]] = {}

    def demonstrations(self, seed: Seed) -> tuple[Demonstration, ...]:
        """D_T of this seed's whole tree."""
        if seed.id not in self._chosen:
            self._chosen[seed.id] = self._choose(seed) if self._count else ()
        return self._chosen[seed.id]

    def _choose(self, seed: Seed) -> tuple[Demonstration, ...]:
        batch = self._batch[seed.id]
        if batch not in self._pools:
            self._pools[batch] = [self._seeds[id] for id, when in self._batch.items() if when <= batch]
        pool = self._pools[batch]
        if len(pool) > POOL:
            pool = rng("demonstrations", seed.id).sample(pool, POOL)
        chosen = choose_demonstrations(
            seed, pool, self._format, k=self._count, max_tokens=DEMONSTRATION_TOKENS
        )
        return tuple(make_demonstration(each.draft, self._format) for each in chosen)


def find_gone_seeds(ground: PreparedInputs, journal: Journal) -> list[str]:
    """Names of seeds that the folder knows and the files no longer have: their records stay."""
    here = {seed.id for seed in ground.seeds}
    return [row["name"] or id for id, row in journal.decisions(SEED) if id not in here]


def rank_near_labels(card: TaskCard, ground: PreparedInputs) -> Mapping[str, Sequence[str]]:
    """For each label the others, the most easily confused first."""
    return (
        rank_confusable_labels(card, [seed.draft for seed in ground.seeds]) if ground.format.labelled else {}
    )


def read_contexts(spec: RunSpec) -> tuple[str, ...]:
    """Further fixed parts from the files of `--contexts`: JSONL with one text field, or plain text, a file each.

    Raises:
        InputError: a file can't be read, or a line of it holds no text.
    """
    texts: list[str] = []
    for path in spec.contexts:
        try:
            whole = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as fault:
            raise InputError(f"{path} can't be read: {fault}", hint="--contexts takes UTF-8 files") from fault
        texts += _jsonl_texts(path.name, whole) if path.suffix == ".jsonl" else [clean_text(whole)]
    return tuple(text for text in texts if text)


def _jsonl_texts(name: str, whole: str) -> list[str]:
    texts = []
    for number, line in enumerate(whole.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as fault:
            raise InputError(f"{name}:{number} is not JSON", hint="one object or string a line") from fault
        found = (
            row
            if isinstance(row, str)
            else next((v for v in row.values() if isinstance(v, str)), "")
            if isinstance(row, dict)
            else ""
        )
        if not found:
            raise InputError(f"{name}:{number} holds no text", hint='such as {"text": "…"}')
        texts.append(clean_text(found))
    return texts
