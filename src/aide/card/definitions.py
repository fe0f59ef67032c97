"""Definitions of labels: written once from names and seeds, and again where a blind reading of the seeds went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from aide.card.demos import make_demonstration
from aide.card.replies import find_field_faults, join_lines
from aide.errors import NodeError, Unusable
from aide.formats import FORMATS, Demonstration, Label, TaskCard
from aide.formats.comparing import fold_label
from aide.llm.usage import estimate_tokens
from aide.parsing import parse_json
from aide.records import WHOLE, Ask, Draft

BATCH: Final = 40
"""Labels that one call defines: beyond it models skip some."""
_NEAR: Final = 2
_EXAMPLES_A_LABEL: Final = 3
_TOKENS: Final = 4000  # of examples
_TOKENS_A_LABEL: Final = 60  # a definition, one or two names and their JSON
_ROOM: Final = 300
_MISTAKES: Final = 30  # shown at once; more of them teach nothing new


@dataclass(frozen=True, slots=True)
class LabelMistake:
    """A seed that came out wrong when it was labelled without sight of its label."""

    text: str
    right: str
    given: str


async def define_labels(ask: Ask, drafts: Sequence[Draft], card: TaskCard) -> TaskCard:
    """The card with a one-line definition, and the labels nearest to it, for every label that has none."""
    lacking = _find_lacking(card)
    for begin in range(0, len(lacking), BATCH):
        card = await _ask_definitions(ask, drafts, card, lacking[begin : begin + BATCH], ())
    return card


async def rewrite_labels(
    ask: Ask, card: TaskCard, mistakes: Sequence[LabelMistake], drafts: Sequence[Draft] = ()
) -> TaskCard:
    """The card with new definitions of the labels that were mistaken for each other; `drafts` are shown as examples."""
    involved = {name for mistake in mistakes for name in (mistake.right, mistake.given)}
    labels = [label for label in card.labels if label.name in involved]
    for begin in range(0, len(labels), BATCH):
        batch = labels[begin : begin + BATCH]
        names = {label.name for label in batch}
        shown = [mistake for mistake in mistakes if {mistake.right, mistake.given} & names][:_MISTAKES]
        card = await _ask_definitions(ask, drafts, card, batch, shown)
    return card


def find_label_mistakes(drafts: Sequence[Draft], given: Sequence[str | None]) -> tuple[LabelMistake, ...]:
    """The examples that got another label than their own, in order; `None` is a reading that gave none."""
    pairs = zip(drafts, given, strict=True)
    return tuple(
        LabelMistake(draft.input, draft.output, label)
        for draft, label in pairs
        if label is not None and label != draft.output
    )


def count_batches(card: TaskCard) -> int:
    """How many calls it takes to define the labels that have no definition."""
    return -(-len(_find_lacking(card)) // BATCH)


def _find_lacking(card: TaskCard) -> list[Label]:
    return [label for label in card.labels if not label.description]


async def _ask_definitions(
    ask: Ask,
    drafts: Sequence[Draft],
    card: TaskCard,
    labels: Sequence[Label],
    mistakes: Sequence[LabelMistake],
) -> TaskCard:
    """The card with what one call says of some of its labels; as it was where nothing usable comes."""
    names = tuple(label.name for label in labels)
    try:
        said = await ask(
            "card",
            DefinitionsPayload(names, card.label_names),
            template="card_labels",
            max_output=_ROOM + _TOKENS_A_LABEL * len(labels),
            parts=WHOLE,
            demos=_show_labelled(drafts, card, names),
            task=card.task,
            source=card.source,
            language=card.language,
            labels=labels,
            names=card.label_names,
            mistakes=mistakes,
        )
    except NodeError:
        return card
    return replace(card, labels=tuple(said.get(label.name, label) for label in card.labels))


@dataclass(frozen=True, slots=True)
class DefinitionsPayload:
    """One object with a key for each of the labels `names`, read as labels by name; `every` are all of the set.

    Labels are keys, so that a server which holds to the schema can leave none out. Half of them are enough.
    """

    names: tuple[str, ...]
    every: tuple[str, ...]
    name: str = "label_definitions"

    @property
    def schema(self) -> Mapping[str, Any]:
        """A closed schema with the labels as properties."""
        near = {"type": "array", "items": {"type": "string"}, "maxItems": _NEAR}
        one = _close({"definition": {"type": "string"}, "near": near})
        return _close(dict.fromkeys(self.names, one))

    def read(self, text: str) -> Mapping[str, Label]:
        """The labels that are defined in words of their own; raises `Unusable` where most are not."""
        value = parse_json(text)
        if isinstance(value, dict) and len(value) == 1 < len(self.names):
            value = next(iter(value.values()))
        told = self._find_definitions(value if isinstance(value, dict) else {})
        faults = find_field_faults({name: label.description for name, label in told.items()})
        found = {
            name: label
            for name, label in told.items()
            if name not in faults and fold_label(label.description) != fold_label(name)
        }
        if 2 * len(found) < len(self.names):
            missing = ", ".join(name for name in self.names if name not in found)
            raise Unusable("invalid", f"Define each of these in words of its own: {missing}.", said=text)
        return found

    def _find_definitions(self, value: Mapping[str, Any]) -> dict[str, Label]:
        wanted = {fold_label(name): name for name in self.names}
        known = {fold_label(name): name for name in self.every}
        found = {}
        for key, said in value.items():
            if name := wanted.get(fold_label(key)):
                fields = said if isinstance(said, dict) else {"definition": said}
                near = fields.get("near")
                others = (
                    known.get(fold_label(str(other)), name)
                    for other in (near if isinstance(near, list) else ())
                )
                nearest = tuple(dict.fromkeys(other for other in others if other != name))
                found[name] = Label(name, join_lines(str(fields.get("definition") or "")), nearest[:_NEAR])
        return found


def _close(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _show_labelled(drafts: Sequence[Draft], card: TaskCard, names: Sequence[str]) -> list[Demonstration]:
    """A few examples of each of these labels, label by label."""
    format, left = FORMATS[card.format], _TOKENS
    shown: list[Demonstration] = []
    told: list[Draft] = []  # of several labels it is shown with the first
    for name in names:
        labelled = [draft for draft in drafts if name in format.list_labels(draft) and draft not in told]
        for draft in labelled[:_EXAMPLES_A_LABEL]:
            size = estimate_tokens(draft.input) + estimate_tokens(draft.output)
            if size <= left:
                shown.append(make_demonstration(draft, format))
                told.append(draft)
                left -= size
    return shown
