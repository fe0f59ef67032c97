"""Several labels for one input: the set comes first, and a blind answer has to find the same one."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any, Final

from aide.errors import InputError, Rejection, Unusable
from aide.formats.base import Format
from aide.formats.comparing import fold_label
from aide.formats.labels import find_label
from aide.formats.schema import is_closed
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import parse_json
from aide.records import Ask, Draft, rng
from aide.text.structure import read_structure, write_structure

LABELS: Final = "labels"
"""Key of the array that is asked for."""
_SEEN_AGAIN: Final = 3  # in a share of so many of all labels of the seeds there is one that came before
_SEEN_WEIGHT: Final = 4  # of a set that seeds have, against 1 of a set that only their pairs allow


def read_label_set(output: str) -> tuple[str, ...] | None:
    """The labels in an output; `None` where it is no array of texts."""
    value = read_structure(output)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    return tuple(value)


def write_label_set(labels: Sequence[str]) -> str:
    """A set in the one way in which it is written, so that equal sets are equal texts."""
    return write_structure(sorted(dict.fromkeys(labels)))


class LabelSetPayload:
    """Some of `labels`, none twice. Case and punctuation around a label are forgiven."""

    name = "label_set"

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self.schema: Mapping[str, Any] | None = {
            "type": "object", "properties": {LABELS: make_set_schema(labels)}, "required": [LABELS],
            "additionalProperties": False,
        }  # fmt: skip

    def read(self, text: str) -> tuple[str, ...]:
        """The labels as the card spells them; raises `Unusable`."""
        value = parse_json(text)
        if isinstance(value, dict):
            value = value.get(LABELS, next(iter(value.values()), None) if len(value) == 1 else None)
        if not isinstance(value, list) or not all(isinstance(each, str | int | float) for each in value):
            raise Unusable("invalid", f"`{LABELS}` must be a list of labels.", said=text)
        found = [find_label(self._labels, str(each)) for each in value]
        if None in found:
            raise Unusable("invalid", f"Each label must be one of: {', '.join(self._labels)}.", said=text)
        return tuple(dict.fromkeys(each for each in found if each is not None))


@lru_cache(maxsize=16)
def make_label_set_payload(labels: tuple[str, ...]) -> LabelSetPayload:
    """The payload of one set of labels, the same however they are shuffled: each schema costs servers a grammar."""
    return LabelSetPayload(labels)


def make_set_schema(labels: Sequence[str]) -> Mapping[str, Any]:
    """An array of some of these labels."""
    return {"type": "array", "items": {"type": "string", "enum": list(labels)}, "uniqueItems": True}


class MultiLabel(Format):
    """All labels of a closed set that apply: one, several, or none."""

    name = "multi_label"
    labelled = True
    comparable = True
    structured = True
    reading = "label_set"
    judge_prompt = "reflect/blind.multi_label"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Every output is an array of short texts, which come again and do not simply stand in the inputs."""
        sets = [read_label_set(draft.output) for draft in drafts]
        if any(each is None for each in sets):
            return False
        labels = [label for each in sets for label in each or ()]
        kinds, again = len(set(labels)), len(labels) - len(set(labels))
        copied = sum(
            label.casefold() in draft.input.casefold()
            for draft, each in zip(drafts, sets, strict=True)
            for label in each or ()
        )
        short = all(len(label) <= 60 and len(label.split()) <= 5 for label in labels)
        return (
            kinds > 1
            and short
            and again * _SEEN_AGAIN >= len(labels)
            and (2 * copied < len(labels) or is_closed(labels))
        )

    def normalise(self, draft: Draft) -> Draft:
        """The set in the one way in which it is written."""
        found = read_label_set(draft.output)
        return draft if found is None else replace(draft, output=write_label_set(found))

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """The labels that a person gave, else those that the seeds use, in order of their first use."""
        used = list(dict.fromkeys(label for draft in drafts for label in self.list_labels(draft)))
        if not labels:
            if len(used) < 2:
                raise InputError("all seeds have the same label", hint="give all labels with --labels A,B,…")
            labels = tuple(map(Label, used))
        names = {label.name for label in labels}
        if unknown := [name for name in used if name not in names]:
            raise InputError(
                f"the seeds have the label {unknown[0]!r}, which --labels lacks",
                hint=f"its labels are {', '.join(sorted(names))}",
            )
        return TaskCard(format=self.name, labels=tuple(labels))

    def check_card(self, card: TaskCard) -> tuple[str, str] | None:
        """There are two labels and no label twice."""
        enough = len(set(card.label_names)) >= max(2, len(card.labels))
        return None if enough else ("labels", "a fixed label set has at least two labels, all different")

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The set that a blind answer gives, from the input and the labels alone, shuffled: the one that was meant.

        Raises:
            errors.Rejection: step `answer`, reason `label_mismatch`.
            errors.NodeError: where the model gave nothing usable.
        """
        labels = list(card.labels)
        rng(question.id, str(question.draw)).shuffle(labels)

        def build(said: tuple[str, ...]) -> Draft:
            return Draft(question.input, write_label_set(said))

        payload = make_label_set_payload(card.label_names)
        found = await self.ask_draft(ask, card, question, payload, build, labels)
        if question.label is not None and not self.compare(found.output, question.label):
            told = f"meant {question.label}, answered {found.output}"
            raise Rejection("answer", "label_mismatch", told)
        return found

    def check(self, draft: Draft, card: TaskCard) -> str:
        """The output is an array of the card's labels."""
        found = read_label_set(draft.output)
        if found is not None and set(found) <= set(card.label_names) and len(set(found)) == len(found):
            return ""
        return f"The answer must be a list of labels, each once: {', '.join(card.label_names)}."

    def list_labels(self, draft: Draft) -> tuple[str, ...]:
        """Each label of the set."""
        return read_label_set(draft.output) or ()

    def weigh_labels(self, card: TaskCard, drafts: Sequence[Draft]) -> Mapping[str, int]:
        """How often each set is to come, relative to the others.

        Sets come as often as the seeds have them. A set that no seed has may come, too, where it has a size that seeds
        have and all its labels stand together in pairs in seeds. A label that no seed has comes alone.
        """
        sets = [self.list_labels(draft) for draft in drafts]
        weights = Counter({text: _SEEN_WEIGHT * n for text, n in Counter(map(write_label_set, sets)).items()})
        pairs = {pair for each in sets for pair in combinations(sorted(each), 2)}
        together = sorted({label for pair in pairs for label in pair})
        for size in sorted({len(each) for each in sets if len(each) > 2}):
            for made in combinations(together, size) if len(together) <= _MOST_COMBINED else ():
                if all(pair in pairs for pair in combinations(made, 2)):
                    weights.setdefault(write_label_set(made), 1)
        seen = {label for each in sets for label in each}
        for name in card.label_names:
            if name not in seen:
                weights.setdefault(write_label_set([name]), _SEEN_WEIGHT)
        return dict(weights)

    def show_label(self, card: TaskCard, label: str | None) -> Label | None:
        """A set under the names of its labels, described by each."""
        if not label:
            return None
        asked = self.find_asked(card, label)
        names = " and ".join(each.name for each in asked) or "none of the labels"
        return Label(
            names, "; ".join(f"{each.name}: {each.description}" for each in asked if each.description)
        )

    def find_asked(self, card: TaskCard, label: str | None) -> tuple[Label, ...]:
        """The labels of a set, as the card has them."""
        names = read_label_set(label or "") or ()
        return tuple(each for each in card.labels if each.name in names)

    def make_reading_schema(self, card: TaskCard) -> Mapping[str, Any] | None:
        """An array of the card's labels."""
        return make_set_schema(card.label_names)

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The set as the card spells it; empty where the judge gave none."""
        try:
            return write_label_set(make_label_set_payload(card.label_names).read(said))
        except Unusable:
            return ""

    def extract_final_answer(self, draft: Draft, card: TaskCard) -> str:
        """The set, in the one way in which it is written."""
        return self.normalise(draft).output.strip()

    def compare(self, one: str, other: str) -> bool:
        """True for the same labels, in whatever order."""
        left, right = read_label_set(one), read_label_set(other)
        if left is None or right is None:
            return one == other
        return {fold_label(each) for each in left} == {fold_label(each) for each in right}

    def list_wrong_outputs(self, draft: Draft, labels: Sequence[str]) -> list[str]:
        """The set with one label exchanged or left out."""
        own = self.list_labels(draft)
        others = [name for name in labels if name not in own]
        swapped = [[*own[:at], other, *own[at + 1 :]] for at in range(len(own)) for other in others]
        fewer = [[*own[:at], *own[at + 1 :]] for at in range(len(own)) if len(own) > 1]
        return [
            write_label_set(each)
            for each in (*swapped, *fewer, *([[other] for other in others] if not own else []))
        ]

    def make_wrong(
        self, draft: Draft, card: TaskCard, others: Sequence[str], dice: random.Random
    ) -> Draft | None:
        """The draft with a set that differs in one label."""
        wrong = self.list_wrong_outputs(draft, card.label_names)
        return replace(draft, output=dice.choice(wrong)) if wrong else None

    def render_for_training(self, draft: Draft) -> str:
        """The array alone."""
        return draft.output


_MOST_COMBINED: Final = 20  # labels of which all combinations are looked at
