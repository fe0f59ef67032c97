"""Step 6, self-reflection: what the judge is asked, what it says, and what follows from it.

Part one is blind: the judge sees real examples and a text, neither its answer nor the label it was meant for, its
parent or its seed. It answers the text itself, and code compares. Shown an answer, a judge agrees with it: of 390 that
it saw, it called 390 correct. Part two, where there is something to compare, shows parent and answer.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from aide.errors import Unusable
from aide.parsing import ReplyModel, build_closed_schema, find_places, parse_json
from aide.records import Comparison, Reading, Verdict
from aide.text.structure import is_shallow, write_structure

Grade = Annotated[int, Field(ge=1, le=10)]
# The bound stands in the schema alone: a longer sentence is read all the same.
Sentence = Annotated[str, Field(json_schema_extra={"maxLength": 400})]


def _write_value(said: object) -> object:
    """An answer that is a JSON value, as text; nothing of one that is nested without end."""
    if not isinstance(said, dict | list):
        return said
    return write_structure(said) if is_shallow(said) else ""


class ReadingReply(ReplyModel):
    """Part one of one text. The order of the fields is the order of the judge's work: it answers before it grades."""

    n: int
    working: str = ""
    answer: Annotated[str, BeforeValidator(_write_value)] = ""
    second: str = ""
    fault: Sentence = ""
    on_task: bool
    in_style: bool
    plausible: bool
    answerable: bool
    gives_away: bool
    relevance: Grade


class ComparisonReply(ReplyModel):
    """Part two of one text."""

    n: int
    fault: Sentence = ""
    correct: bool = True
    residue: bool
    diversity: Grade


class VerdictsPayload:
    """A list of `count` verdicts, one a text, in the order of the texts; `None` where one is missing."""

    def __init__(self, name: str, model: type[ReplyModel], fields: Mapping[str, Any], count: int) -> None:
        """`fields` are the schemas of those fields of `model` that are asked for, by name, in order."""
        self.name = name
        self.count = count
        self._model = model
        item = {
            "type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False,
        }  # fmt: skip
        self.schema: Mapping[str, Any] | None = {
            "type": "object",
            "properties": {
                "verdicts": {"type": "array", "items": item, "minItems": count, "maxItems": count}
            },
            "required": ["verdicts"],
            "additionalProperties": False,
        }

    def read(self, text: str) -> list[Any]:
        """The replies by place; raises `Unusable` where not one can be read."""
        value = parse_json(text)
        if isinstance(value, Mapping):
            value = value.get("verdicts", [value] if "relevance" in value or "diversity" in value else [])
        rows = value if isinstance(value, list) else []
        found: list[Any] = [None] * self.count
        told = [row for row in rows if isinstance(row, Mapping)]
        numbers = [
            _read_number(row.get("n"), place) for place, row in enumerate(rows) if isinstance(row, Mapping)
        ]
        for row, place in zip(told, find_places(numbers, self.count), strict=True):
            with suppress(ValueError):
                if place >= 0:
                    found[place] = self._model.model_validate({**row, "n": place + 1})
        if not any(found):
            raise Unusable(
                "invalid", f'"verdicts" must be a list of {self.count} objects with all keys.', said=text
            )
        return found


@lru_cache(maxsize=64)
def make_reading_payload(
    answer: str, labels: tuple[str, ...], count: int, schema: str = ""
) -> VerdictsPayload:
    """What part one asks of `count` texts. `answer` is what the format has the judge answer: see `Format.reading`.

    `schema` is that of the answer, as JSON text, where it is a JSON value.
    """
    fields = dict(_list_fields(ReadingReply))
    for name in ("working", "answer", "second"):
        if name not in _ANSWERS[answer]:
            del fields[name]
    if answer == "labels":
        fields["answer"] = {"type": "string", "enum": list(labels)}
        fields["second"] = {"type": "string", "enum": [*labels, ""]}
    if schema:
        fields["answer"] = json.loads(schema)
    return VerdictsPayload("readings", ReadingReply, fields, count)


@lru_cache(maxsize=32)
def make_comparison_payload(answers: bool, count: int) -> VerdictsPayload:
    """What part two asks of `count` texts; `answers` says whether their answers are shown, too."""
    fields = dict(_list_fields(ComparisonReply))
    if not answers:
        del fields["fault"], fields["correct"]
    return VerdictsPayload("comparisons", ComparisonReply, fields, count)


def _list_fields(model: type[ReplyModel]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = build_closed_schema(model)["properties"]
    return {
        name: {key: value for key, value in each.items() if key != "default"}
        for name, each in properties.items()
    }


_ANSWERS: Final[Mapping[str, Sequence[str]]] = {
    "labels": ("answer", "second"),
    "options": ("answer",),
    "worked": ("working", "answer"),
    "text": ("answer",),
    "object": ("answer",),
    "label_set": ("answer",),
    "": (),
}


def to_reading(reply: ReadingReply, own_answer: str, second_answer: str = "") -> Reading:
    """Part one as a value; both answers are the judge's, as its format compares them."""
    return Reading(
        own_answer, second_answer, _clean_fault(reply.fault), reply.on_task, reply.in_style, reply.plausible,
        reply.answerable, reply.gives_away, reply.relevance,
    )  # fmt: skip


def to_comparison(reply: ComparisonReply) -> Comparison:
    """Part two as a value."""
    return Comparison(reply.correct, reply.residue, reply.diversity, _clean_fault(reply.fault))


def _read_number(said: Any, place: int) -> int:
    """The number that a row gives itself, else that of its place."""
    try:
        return int(str(said).strip(" .#"))
    except ValueError:
        return place + 1


def _clean_fault(fault: str) -> str:
    """A fault in words; models also write "none" where they were asked for nothing."""
    return (
        ""
        if fault.strip().rstrip(".").casefold() in ("", "none", "null", "n/a", "no", "-")
        else fault.strip()
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least grades, 1 to 10."""

    min_relevance: int = 7
    """Of relevance to the examples."""
    min_diversity: int = 5
    """Of diversity from the parent."""
    keep_ambiguous: bool = False
    """Whether a text that a second answer fits nearly as well is kept."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a verdict."""

    accepted: bool
    reason: str = ""
    """The first thing that failed."""
    critique: str = ""
    """What has to be mended, for the model that writes it again."""
    answer_only: bool = False
    """True where nothing but the answer is wrong, so that the text need not be written again."""


def apply_thresholds(verdict: Verdict, thresholds: Thresholds) -> Judgement:
    """What a verdict means: every question in the candidate's favour, both grades at their minimum, no fatal fault."""
    reading, comparison = verdict.reading, verdict.comparison or Comparison()
    low_relevance = f"It could not stand among the examples: relevance {reading.relevance} of 10."
    low_diversity = f"It repeats its parent too closely: diversity {comparison.diversity} of 10."
    checks = (
        ("off_task", reading.on_task, "It is not of the kind that the task asks for."),
        ("off_style", reading.in_style, "It is not written as the examples are."),
        ("implausible", reading.plausible, "Nobody would really write this, or it could not happen."),
        ("unanswerable", reading.answerable, "It has no single right answer, or needs a fact that it does not state."),
        ("ambiguous", thresholds.keep_ambiguous or not reading.second_answer,
         f"{reading.second_answer!r} fits it nearly as well."),
        ("gives_away", not reading.gives_away, "It gives its own answer away."),
        ("residue", not comparison.residue, "A rest of its parent is left in it that makes no sense there."),
        ("wrong_answer", comparison.correct, "The answer is wrong or does not fit."),
        ("low_relevance", reading.relevance >= thresholds.min_relevance, low_relevance),
        ("low_diversity", comparison.diversity >= thresholds.min_diversity, low_diversity),
    )  # fmt: skip
    failed = {reason: fault for reason, passed, fault in checks if not passed}
    if not failed:
        return Judgement(accepted=True)
    faults = [*failed.values(), reading.fault, comparison.fault]
    critique = "\n".join(filter(None, map(str.strip, faults)))
    return Judgement(False, next(iter(failed)), critique, answer_only=list(failed) == ["wrong_answer"])
