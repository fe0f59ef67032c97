"""How new inputs come back from the writer: one as plain text, several as JSON or in tags, with answers or without.

JSON only where a text is a line or an option: worked answers inside JSON cost weak models their reasoning, and strong
ones their line breaks.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from aide.errors import Unusable
from aide.formats import Format, TaskCard
from aide.formats.evidence import find_quote, split_evidence
from aide.judging.passage import is_short
from aide.parsing import TextPayload, find_places, parse_json
from aide.records import Draft, Hop, replace

EVIDENCE: Final = "evidence"
"""The reply of a label that rests on a fixed part: the input with the passage that decides it."""

Drafts = dict[int, Draft]
"""By place, from 0. What was not written, or can't be read, is missing."""

_ITEM: Final = re.compile(r"<item n=[\"']?(\d{1,6})[\"']?>(.*?)(?=</item>|<item n=|\Z)", re.DOTALL)
_ANSWER: Final = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL)
_TEXT: Final = TextPayload("text")
_STRING: Final = {"type": "string"}


class OnePayload:
    """A single new input as plain text."""

    name = "text"
    schema: Mapping[str, Any] | None = None

    def read(self, text: str) -> Drafts:
        """The draft; raises `Unusable`."""
        return {0: Draft(_TEXT.read(text))}


class TextsPayload:
    """Several new inputs as a JSON list of strings."""

    name = "texts"

    def __init__(self, count: int) -> None:
        self.count = count
        texts = {"type": "array", "items": {"type": "string"}, "minItems": count, "maxItems": count}
        self.schema: Mapping[str, Any] | None = _make_object({"texts": texts})

    def read(self, text: str) -> Drafts:
        """The drafts; raises `Unusable` where there is none."""
        found: Drafts = {}
        for place, said in _read_list(text, "texts", self.count):
            inner = next(iter(said.values()), "") if isinstance(said, Mapping) and len(said) == 1 else said
            if written := _read_text(inner):
                found[place] = Draft(written)
        return _check_any(found, f'"texts" must be a list of {self.count} strings.', text)


class ItemsPayload:
    """Several new inputs as JSON, each with the passage that decides it, or with its options, or with both."""

    name = "items"

    def __init__(self, count: int, what: str, *, options: int = 0, evidence: bool = False) -> None:
        """`what` is the key of the input."""
        self.count = count
        self.what = what
        self.options = options
        fields: dict[str, Any] = {what: _STRING}
        if evidence:
            fields["evidence"] = _STRING
        if options:
            wrong = {"type": "array", "items": _STRING, "minItems": options - 1, "maxItems": options - 1}
            fields |= {"correct": _STRING, "wrong": wrong}
        items = {"type": "array", "items": _make_object(fields), "minItems": count, "maxItems": count}
        self.schema: Mapping[str, Any] | None = _make_object({"items": items})

    def read(self, text: str) -> Drafts:
        """The drafts, the right option first; raises `Unusable` where there is none."""
        found: Drafts = {}
        for place, item in _read_list(text, "items", self.count):
            if not isinstance(item, Mapping):
                continue
            stem, right, wrong = _read_text(item.get(self.what)), item.get("correct"), item.get("wrong")
            evidence = str(item.get("evidence") or "")
            if stem and not self.options:
                found[place] = Draft(stem, evidence=evidence)
            elif stem and isinstance(right, str) and isinstance(wrong, list):
                options = [each.strip() for each in (right, *wrong) if isinstance(each, str)]
                found[place] = Draft(stem, options[0], tuple(options), evidence=evidence)
        return _check_any(found, f'"items" must be a list of {self.count} objects with all keys.', text)


class WorkedPayload:
    """Several new inputs with worked answers, in tags."""

    name = "worked"
    schema: Mapping[str, Any] | None = None

    def __init__(self, count: int) -> None:
        self.count = count

    def read(self, text: str) -> Drafts:
        """The drafts, whose outputs are as the writer wrote them; raises `Unusable` where there is none."""
        found: Drafts = {}
        items = _ITEM.findall(text)
        for (_, body), place in zip(items, find_places([int(n) for n, _ in items], self.count), strict=True):
            answer = _ANSWER.search(body)
            written = _read_text(body[: answer.start()]) if answer else ""
            if place >= 0 and written and answer and answer[1].strip():
                # Evidence stands behind the answer, in its tag or behind it.
                _, evidence = split_evidence(body[answer.start() :])
                said, _ = split_evidence(answer[1])
                found[place] = Draft(written, said.strip(), evidence=evidence)
        problem = f'Write {self.count} items, each as <item n="1">the text<answer>its answer</answer></item>.'
        return _check_any(found, problem, text)


Written = OnePayload | TextsPayload | ItemsPayload | WorkedPayload


def choose_payload(card: TaskCard, count: int, reply: str) -> Written:
    """How `count` new inputs are asked for; `reply` says with what of their answers."""
    evidence = bool(card.fixed)
    if reply == "options":
        return ItemsPayload(count, name_input(card), options=card.options, evidence=evidence)
    if reply == EVIDENCE:
        return ItemsPayload(count, name_input(card), evidence=True)
    if reply == "worked":
        return WorkedPayload(count)
    return OnePayload() if count == 1 else TextsPayload(count)


def name_input(card: TaskCard) -> str:
    """What a prompt calls a new input."""
    return "text" if card.varying == "input" else card.varying


def finish_draft(format: Format, card: TaskCard, hop: Hop, draft: Draft) -> Draft:
    """A draft as the writer wrote it, in the form of its format: options shuffled, the ending as the seeds'.

    An answer is left out, so that it is asked for, where its evidence does not stand in a fixed part; or where it says
    that a long part is silent, for then the judge is shown nothing to hold that against.
    """
    parts = hop.parent.parts
    if not parts.fixed:
        return format.finish(draft, card, hop.id) if draft.output else draft
    output = hop.label if format.labelled else draft.output
    try:
        quote = find_quote(draft.evidence, parts) if output and draft.evidence else None
    except Unusable:
        quote = None
    if not output or quote is None or not (quote or is_short(parts)):
        return Draft(draft.input)
    finished = format.finish(replace(draft, output=output), card, hop.id)
    return replace(finished, evidence=quote)


def _read_text(said: object) -> str:
    """A text freed of what models wrap around it; empty where nothing is left, which costs that one alone."""
    try:
        return _TEXT.read(said) if isinstance(said, str) else ""
    except Unusable:
        return ""


def _make_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _read_list(text: str, key: str, count: int) -> list[tuple[int, Any]]:
    value = parse_json(text)
    if isinstance(value, Mapping):
        value = value.get(key, next((each for each in value.values() if isinstance(each, list)), []))
    return list(enumerate(value[:count])) if isinstance(value, list) else []


def _check_any(found: Drafts, problem: str, said: str) -> Drafts:
    if not found:
        raise Unusable("invalid", problem, said=said)
    return found
