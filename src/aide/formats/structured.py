"""Answers that are JSON: an object or an array whose schema the seeds show, or a person gave."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from aide.errors import InputError, Unusable
from aide.formats.base import Format
from aide.formats.fields import (
    NOTHING,
    has_agreeing,
    has_prose,
    is_same_value,
    list_prose,
    list_variants_of,
    pick_agreeing,
)
from aide.formats.quotes import QUOTE, drop_places, find_places, find_quote_fault, locate_quotes
from aide.formats.schema import (
    add_labels,
    adopt_marks,
    drop_nulls,
    find_schema_fault,
    infer_schema,
    make_wire_schema,
    name_agreeing,
)
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import parse_json
from aide.records import Ask, Draft, Parts
from aide.text.structure import (
    clean_structure,
    is_shallow,
    read_fenced_structure,
    read_structure,
    strip_fence,
    write_structure,
)

ITEMS: Final = "items"
"""Key of an array that is asked for alone: servers want an object on the outside."""
_LIST: Final = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s+\]")
_BREAK: Final = re.compile(r"\n\s+")
_NEITHER: Final = "The answer must be one JSON object or array, and nothing else."


@lru_cache(maxsize=16)
def load_card_schema(text: str) -> Mapping[str, Any]:
    """The schema on a card; empty where there is none."""
    found: Mapping[str, Any] = json.loads(text) if text.strip() else {}
    return found


@dataclass(slots=True)
class StructurePayload:
    """A JSON value of a schema, its quotes found in `texts`: the value as it is kept."""

    full: Mapping[str, Any]
    texts: Mapping[str, str]
    schema: Mapping[str, Any] | None
    name: str = "structure"

    def read(self, text: str) -> Any:
        """The value with its places.

        Raises:
            Unusable: with the reason `not_json`, `broken_format` or `quote_missing`.
        """
        value = unwrap(parse_json(text), self.full)
        if not isinstance(value, dict | list) or not is_shallow(value):
            raise Unusable("broken_format", _NEITHER, said=text)
        found = locate_quotes(drop_nulls(clean_structure(value), self.full), self.full, self.texts)
        if problem := find_schema_fault(found, self.full):
            raise Unusable("broken_format", problem, said=text)
        return found


@lru_cache(maxsize=16)
def make_asked_schema(text: str) -> Mapping[str, Any] | None:
    """What a model is asked for by the schema on a card: an object, which may hold an array."""
    if not (schema := load_card_schema(text)):
        return None
    wire = make_wire_schema(schema)
    if wire.get("type") == "object" or "properties" in wire:
        return wire
    return {
        "type": "object", "properties": {ITEMS: wire}, "required": [ITEMS], "additionalProperties": False,
    }  # fmt: skip


def unwrap(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value itself, where a model put it into an object or a list of one that the schema does not know."""
    listed = schema.get("type") == "array" or ("items" in schema and "type" not in schema)
    known = schema.get("properties") or {}
    if isinstance(value, dict) and len(value) == 1:
        (name, inner), *_ = value.items()
        if (listed and isinstance(inner, list)) or (
            isinstance(inner, dict) and known and name not in known and known.keys() & inner.keys()
        ):
            return inner
    if isinstance(value, list) and len(value) == 1 and known and isinstance(value[0], dict):
        return value[0]
    return [value] if listed and isinstance(value, dict) and value and "items" in schema else value


class Structured(Format):
    """A JSON object or array."""

    name = "json"
    comparable = True
    structured = True
    reading = "object"
    judge_prompt = "reflect/blind.json"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Every output is the text of an object or of an array."""
        return all(
            read_fenced_structure(draft.output) is not None and not draft.tests and not draft.choices
            for draft in drafts
        )

    def normalise(self, draft: Draft) -> Draft:
        """The JSON without the code fence that it may stand in."""
        return replace(draft, output=strip_fence(draft.output)[1])

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """The schema that the outputs have in common."""
        values = [read_structure(draft.output) for draft in drafts]
        for draft, value in zip(drafts, values, strict=True):
            if value is None:
                raise InputError(
                    f"an output is no JSON object or array: {draft.output[:60]!r}",
                    hint="mend it, or say --format free_text",
                )
        if not any(values):
            raise InputError(
                "every output is an empty list or object", hint="give seeds that show what stands in one"
            )
        schema = infer_schema(values, [{"": draft.input} for draft in drafts])
        schema = add_labels(schema, [label.name for label in labels])
        return TaskCard(format=self.name, schema=_show_schema(schema))

    def adopt_parts(self, card: TaskCard, drafts: Sequence[Draft], parts: Sequence[Parts]) -> TaskCard:
        """The card with quotes that stand in fixed parts, each under the name of its part."""
        values = [read_structure(draft.output) for draft in drafts]
        texts = [each.texts(draft.input) for each, draft in zip(parts, drafts, strict=True)]
        return replace(card, schema=_show_schema(infer_schema(values, texts)))

    def adopt_schema(
        self,
        card: TaskCard,
        drafts: Sequence[Draft],
        schema: Mapping[str, Any] | None,
        agree_on: Sequence[str],
    ) -> TaskCard:
        """The card with a person's schema, in which seeds mark the quotes, and the fields that must agree.

        Raises:
            InputError: a seed breaks the schema, or there is no such field.
        """
        found = dict(load_card_schema(card.schema))
        if schema is not None:
            found = adopt_marks(dict(schema), found)
            for draft in drafts:
                value = read_structure(draft.output)
                if problem := find_schema_fault(value, found):
                    raise InputError(
                        f"the seed {draft.input[:40]!r} breaks --schema: {problem}", hint="mend one of them"
                    )
        if agree_on:
            found = name_agreeing(found, agree_on)
        return replace(card, schema=_show_schema(found))

    def check_card(self, card: TaskCard) -> tuple[str, str] | None:
        """The schema is JSON, and one that a validator takes."""
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import Draft202012Validator

        try:
            schema = json.loads(card.schema) if card.schema.strip() else {}
            Draft202012Validator.check_schema(schema)
        except (ValueError, RecursionError):
            return "schema", "the schema is no JSON"
        except SchemaError as fault:
            return "schema", f"the schema is no JSON Schema: {' '.join(fault.message[:200].split())}"
        return None if isinstance(schema, dict) else ("schema", "the schema is no JSON object")

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The value, its quotes found in the fixed parts or in the question."""
        texts = question.parts.texts(question.input)
        payload = StructurePayload(load_card_schema(card.schema), texts, make_asked_schema(card.schema))

        def build(value: Any) -> Draft:
            quote = self._find_evidence(value, card, question.parts)
            return Draft(question.input, write_structure(value), evidence=quote)

        return await self.ask_draft(ask, card, question, payload, build)

    def _find_evidence(self, value: Any, card: TaskCard, parts: Parts) -> str:
        """The first quote of a fixed part: around it the judge sees a long one."""
        if not parts.fixed:
            return ""
        quotes = _list_quotes(value, load_card_schema(card.schema))
        return next((quote for quote in quotes if find_places(quote, parts.fixed_text)), "")

    def check(self, draft: Draft, card: TaskCard) -> str:
        """The output is JSON of the card's schema; its quotes stand in the input, where that is all there is."""
        value = read_structure(draft.output)
        if value is None:
            return _NEITHER
        schema = load_card_schema(card.schema)
        if problem := find_schema_fault(value, schema):
            return problem
        return "" if card.fixed else find_quote_fault(value, schema, {"": draft.input})

    def render(self, draft: Draft) -> str:
        """The JSON without the places of its quotes."""
        value = read_structure(draft.output)
        if value is None:
            return draft.output
        shown = drop_places(value, draft.input)
        return draft.output if shown == value else write_structure(shown)

    def is_comparable(self, card: TaskCard) -> bool:
        """True when a field must agree."""
        return has_agreeing(load_card_schema(card.schema))

    def shows_answer(self, card: TaskCard) -> bool:
        """True when a field is prose, or none must agree: then the judge sees the whole answer, too."""
        schema = load_card_schema(card.schema)
        return has_prose(schema) or not has_agreeing(schema)

    def wants_votes(self, card: TaskCard) -> bool:
        """Always: of many fields one is soon read differently."""
        return True

    def make_reading_schema(self, card: TaskCard) -> Mapping[str, Any] | None:
        """What an answer is asked for by."""
        schema = load_card_schema(card.schema)
        return make_wire_schema(schema) if schema else None

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The fields that must agree of what the judge answered; empty where it is no such value."""
        try:
            value = parse_json(said)
        except Unusable:
            return ""
        if not is_shallow(value):
            return ""
        schema = load_card_schema(card.schema)
        return self._write_final(drop_nulls(unwrap(clean_structure(value), schema), schema), schema)

    def extract_final_answer(self, draft: Draft, card: TaskCard) -> str:
        """The fields that must agree."""
        value = read_structure(draft.output)
        return "" if value is None else self._write_final(value, load_card_schema(card.schema))

    def _write_final(self, value: Any, schema: Mapping[str, Any]) -> str:
        picked = pick_agreeing(value, schema) if schema else value
        return "" if picked is NOTHING else write_structure(picked)

    def compare(self, one: str, other: str) -> bool:
        """Field by field; the order of keys and items says nothing."""
        left, right = read_structure(one), read_structure(other)
        return one == other if left is None or right is None else is_same_value(left, right)

    def make_wrong(
        self, draft: Draft, card: TaskCard, others: Sequence[str], dice: random.Random
    ) -> Draft | None:
        """The draft with another value in one field; where none must agree, with an answer to something else."""
        value, schema = read_structure(draft.output), load_card_schema(card.schema)
        for variant in list_variants_of(value, schema, draft.input, dice) if value is not None else ():
            try:
                placed = locate_quotes(variant, schema, {"": draft.input})
            except Unusable:
                continue
            wrong = replace(draft, output=write_structure(placed), reasoning="")
            if not self.check(wrong, card) and not is_same_value(value, placed):
                return wrong
        for other in dice.sample(list(others), len(others)):
            wrong = replace(draft, output=other, reasoning="")
            if not find_schema_fault(read_structure(other), schema):
                return wrong
        return None

    def read_prose(self, draft: Draft, card: TaskCard) -> str:
        """The texts that are in words of their own, a line each."""
        value = read_structure(draft.output)
        return "" if value is None else "\n".join(list_prose(value, load_card_schema(card.schema)))

    def render_for_training(self, draft: Draft) -> str:
        """The JSON alone."""
        return draft.output


def _show_schema(schema: Mapping[str, Any]) -> str:
    """The schema as a person reads and edits it: a line a key, a closed set on one line."""
    shown = json.dumps(schema, ensure_ascii=False, indent=2)
    return _LIST.sub(lambda found: f"[{_BREAK.sub(' ', found[1])}]", shown)


def _list_quotes(value: Any, schema: Mapping[str, Any]) -> list[str]:
    if isinstance(value, str):
        return [value] if schema.get(QUOTE) and value.strip() else []
    if isinstance(value, list):
        return [quote for each in value for quote in _list_quotes(each, schema.get("items") or {})]
    if isinstance(value, dict):
        known = schema.get("properties") or {}
        return [quote for name, each in value.items() for quote in _list_quotes(each, known.get(name) or {})]
    return []


__all__ = [
    "ITEMS",
    "StructurePayload",
    "Structured",
    "load_card_schema",
    "make_asked_schema",
    "unwrap",
]
