"""The task card of a run: counted, described by a few calls, edited by a person, fixed with the first record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from aide.atomic import write_atomic
from aide.card import TraitPool, card_from_toml, card_to_toml, describe_card, rank_confusable_labels
from aide.config import resources
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.formats import Label, TaskCard
from aide.recipes import find_recipe
from aide.records import Draft, digest
from aide.run.folder_inputs import list_new_labels
from aide.run.inputs import PreparedInputs, count_inputs_card
from aide.run.session import Session

ADD: Final = "add"
"""The value of `--new-labels` with which the card takes in the labels of seeds that came later."""
DESCRIBED: Final = "card as described"
"""The card as the model described it: while it is the folder's card, no person has edited it."""


async def fix_card(session: Session, inputs: PreparedInputs, known: TaskCard | None = None) -> TaskCard:
    """The task card: from the journal, from a person's edit of `task.toml`, or described by a few calls and kept.

    `known` stands for the one that would be described.

    Raises:
        errors.InputError: `task.toml` was edited after the first record, or a seed has a label the card lacks.
    """
    folder, journal = session.folder, session.journal
    kept = journal.get_meta("card")
    edited = card_from_toml(folder.card.read_text(encoding="utf-8")) if folder.card.exists() else None
    if kept is None:
        card = edited or known or await _describe(session, inputs)
        if edited is None and known is None:
            journal.set_meta(DESCRIBED, card_to_toml(card))
    else:
        card = card_from_toml(kept)
        # Cards are compared and not their files: another version may lay the same card out in another way.
        if edited is not None and edited != card:
            if journal.count_outcomes().get("accepted"):
                raise InputError(
                    f"{folder.card} was edited after the first record",
                    hint="undo the edit, or begin a new folder with -o DIR",
                )
            card = edited
    extended = _add_new_labels(card, inputs) if session.spec.new_labels == ADD else card
    text = card_to_toml(extended)
    if text != kept:
        journal.set_meta("card", text)
    if not folder.card.exists() or extended != card:
        card = extended
        write_atomic(
            folder.card, card_to_toml(card, list_trait_rows(card, inputs), inputs.loaded.column_notes)
        )
    _check_labels(card, inputs)
    return card


def keep_card(session: Session, inputs: PreparedInputs, card: TaskCard) -> None:
    """Put a card that the model described again in the place of the one that it described before."""
    text = card_to_toml(card)
    session.journal.set_meta("card", text)
    session.journal.set_meta(DESCRIBED, text)
    write_atomic(
        session.folder.card, card_to_toml(card, list_trait_rows(card, inputs), inputs.loaded.column_notes)
    )


async def _describe(session: Session, inputs: PreparedInputs) -> TaskCard:
    drafts = [seed.draft for seed in inputs.seeds]
    named = ("card.md", "card_topics.md", "card_labels.md")
    instructions = "\n".join(resources.read_file("prompts", name, session.spec.prompts) for name in named)
    counted = count_inputs_card(session.spec, inputs)
    topics = find_recipe(session.spec.recipe).deals_topics
    return await describe_card(session.ask_for(digest("card")), drafts, counted, instructions, topics=topics)


def list_trait_rows(card: TaskCard, inputs: PreparedInputs) -> list[tuple[str, str]]:
    """Names and words for what the seeds' inputs are like; the first thousand stand for all."""
    return TraitPool(inputs.seeds[:1000], card.unit, inputs.format).list_rows() if inputs.seeds else []


def _add_new_labels(card: TaskCard, inputs: PreparedInputs) -> TaskCard:
    """The card with the labels of all seeds; those that a person described with `--labels` have their description."""
    if not inputs.format.labelled:
        return card
    given = {label.name: label for label in inputs.labels}
    new = dict.fromkeys(name for seed in inputs.seeds for name in list_new_labels(seed, card, inputs))
    return replace(card, labels=(*card.labels, *(given.get(name, Label(name)) for name in new)))


def _check_labels(card: TaskCard, inputs: PreparedInputs) -> None:
    if not inputs.format.labelled:
        return
    for seed in inputs.seeds:
        if unknown := list_new_labels(seed, card, inputs):
            raise InputError(
                f"seed {seed.name or seed.id} has the label {unknown[0]!r}, which the task card lacks",
                hint=f"the labels are {', '.join(card.label_names)}; a new set of labels needs a new folder",
            )


@dataclass(frozen=True, slots=True)
class HopLabels:
    """What hops may bring along as their label."""

    names: tuple[str, ...] = ()
    near: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each the others, the most easily confused first."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """How often each comes; empty where `--balance` and the seeds decide."""


def list_hop_labels(spec: RunSpec, card: TaskCard, inputs: PreparedInputs) -> HopLabels:
    """The labels of a task as its format has them: those of the card, or sets of these; none where the recipe asks for
    the label of each new text.
    """
    if not find_recipe(spec.recipe).deals_labels:
        return HopLabels()
    if not inputs.format.labelled:
        return HopLabels(card.label_names)
    drafts = [seed.draft for seed in inputs.seeds]
    if weights := inputs.format.weigh_labels(card, drafts):
        return HopLabels(tuple(weights), _rank_near_sets(tuple(weights), inputs), weights)
    return HopLabels(card.label_names, rank_confusable_labels(card, drafts))


def _rank_near_sets(names: Sequence[str], inputs: PreparedInputs) -> Mapping[str, Sequence[str]]:
    """For each set of labels the others, those that share most with it first."""
    sets = {name: set(inputs.format.list_labels(Draft("", name))) for name in names}

    def rank(name: str) -> list[str]:
        return sorted(
            (other for other in names if other != name),
            key=lambda other: (-len(sets[name] & sets[other]), len(sets[other]), other),
        )

    return {name: rank(name) for name in names}
