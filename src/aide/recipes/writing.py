"""How new inputs come back from the writer: one as plain text, several as JSON or in tags, with answers or without.

JSON only where a text is a line or an option: worked answers inside JSON cost weak models their reasoning, and strong
ones their line breaks.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from aide.errors import Unusable
from aide.formats import Format, TaskCard
from aide.parsing import TextPayload, parse_json
from aide.records import Draft, Hop

Drafts = dict[int, Draft]
"""By place, from 0. What was not written, or can't be read, is missing."""

_ITEM: Final = re.compile(r"<item n=[\"']?(\d+)[\"']?>(.*?)(?=</item>|<item n=|\Z)", re.DOTALL)
_ANSWER: Final = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL)
_TEXT: Final = TextPayload("text")


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
            if isinstance(inner, str) and inner.strip():
                found[place] = Draft(_TEXT.read(inner))
        return _check_any(found, f'"texts" must be a list of {self.count} strings.', text)


class OptionsPayload:
    """Several new questions as JSON, each with its right option and the wrong ones."""

    name = "items"

    def __init__(self, count: int, options: int, what: str) -> None:
        """`what` is the key of the question."""
        self.count = count
        self.what = what
        wrong = {
            "type": "array",
            "items": {"type": "string"},
            "minItems": options - 1,
            "maxItems": options - 1,
        }
        item = _make_object({what: {"type": "string"}, "correct": {"type": "string"}, "wrong": wrong})
        items = {"type": "array", "items": item, "minItems": count, "maxItems": count}
        self.schema: Mapping[str, Any] | None = _make_object({"items": items})

    def read(self, text: str) -> Drafts:
        """The drafts, the right option first; raises `Unusable` where there is none."""
        found: Drafts = {}
        for place, item in _read_list(text, "items", self.count):
            if not isinstance(item, Mapping):
                continue
            stem, right, wrong = item.get(self.what), item.get("correct"), item.get("wrong")
            if isinstance(stem, str) and stem.strip() and isinstance(right, str) and isinstance(wrong, list):
                options = [each.strip() for each in (right, *wrong) if isinstance(each, str)]
                found[place] = Draft(_TEXT.read(stem), options[0], tuple(options))
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
        for n, body in _ITEM.findall(text):
            answer = _ANSWER.search(body)
            written = body[: answer.start()].strip() if answer else ""
            if 1 <= int(n) <= self.count and written and answer and answer[1].strip():
                found[int(n) - 1] = Draft(_TEXT.read(written), answer[1].strip())
        problem = f'Write {self.count} items, each as <item n="1">the text<answer>its answer</answer></item>.'
        return _check_any(found, problem, text)


Written = OnePayload | TextsPayload | OptionsPayload | WorkedPayload


def choose_payload(format: Format, card: TaskCard, count: int, *, joint: bool) -> Written:
    """How `count` new inputs are asked for; `joint`: with their answers."""
    if joint and format.reply == "options":
        return OptionsPayload(count, card.options, name_input(card))
    if joint and format.reply == "worked":
        return WorkedPayload(count)
    return OnePayload() if count == 1 else TextsPayload(count)


def name_input(card: TaskCard) -> str:
    """What a prompt calls a new input."""
    return "text" if card.varying == "input" else card.varying


def finish_draft(format: Format, card: TaskCard, hop: Hop, draft: Draft) -> Draft:
    """A draft as the writer wrote it, in the form of its format: options shuffled, the ending as the seeds'."""
    return format.finish(draft, card, hop.id) if draft.output else draft


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
