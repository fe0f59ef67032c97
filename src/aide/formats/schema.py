"""The schema of structured answers: inferred from the seeds or given by a person, and what goes over the wire of it.

It is JSON Schema with three keywords more, which a person may edit on the task card: `x-quote` (stands in the text word
for word), `x-offset` (a place that code finds) and `x-agree` (answers that differ here are two answers).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aide.errors import InputError
from aide.formats.quotes import OCCURRENCE, OFFSET, QUOTE, find_offsets, list_offsets, stands_in

AGREE: Final = "x-agree"
"""Keyword of a schema: independent answers must be the same here."""
COPIED: Final = "copied word for word from the"
"""The beginning of a quote's description, as a model reads it; the name of the part follows, or `text`."""

Schema = dict[str, Any]

_CLOSED_LETTERS: Final = 40
_CLOSED_WORDS: Final = 5
_SEEN_OFTEN: Final = 3
_CLOSED_SEEN: Final = 4  # values from which a closed set can be told
_MOST_CLOSED: Final = 100
_SHORT_WORDS: Final = 5  # up to so many on average two answers say in the same words, or differ
# What people rate by. Bounds are the narrowest of these that hold all ratings of the seeds.
_SCALES: Final = ((0, 1), (1, 3), (1, 4), (1, 5), (0, 5), (1, 7), (1, 10), (0, 10))
_RATING: Final = re.compile(
    r"scor|rating|grad|stars?\b|mark|level|sever|priorit|urgen|confiden|probab|quality|relevan|difficult|sentiment",
    re.IGNORECASE,
)
_DEEPEST: Final = 40


def infer_schema(values: Sequence[Any], texts: Sequence[Mapping[str, str]]) -> Schema:
    """The schema of these answers; order of keys, closed sets, bounds and quotes as they have them.

    `texts` are what each answers to, part by part; the last one varies.
    """
    return _infer([(value, text) for value, text in zip(values, texts, strict=True)])


_Samples = Sequence[tuple[Any, Mapping[str, str]]]


def _infer(samples: _Samples, name: str = "") -> Schema:
    told = [(value, text) for value, text in samples if value is not None]
    kinds = {_name_kind(value) for value, _ in told}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) != 1:
        return {"type": sorted(kinds | ({"null"} if len(told) < len(samples) else set()))} if kinds else {}
    kind = kinds.pop()
    schema = _infer_number(told, name) if kind in ("integer", "number") else _BY_KIND[kind](told)
    if len(told) < len(samples):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _infer_object(samples: _Samples) -> Schema:
    names = list(dict.fromkeys(name for value, _ in samples for name in value))
    properties = {
        name: _infer([(value[name], text) for value, text in samples if name in value], name)
        for name in names
    }
    places = [find_offsets(value, list(texts.values())[-1]) for value, texts in samples]
    if (first := places[0]) is not None and all(place == first for place in places):
        quote, starts, ends = first
        properties[quote] = {"type": "string", QUOTE: True, AGREE: True}
        properties |= {name: {"type": "integer", OFFSET: "start"} for name in starts}
        properties |= {name: {"type": "integer", OFFSET: "end"} for name in ends}
        for name in names:  # what is said of a marked passage is of a closed set, however few there are
            if name not in (quote, *starts, *ends) and properties[name].get("type") == "string":
                seen = list(dict.fromkeys(value[name] for value, _ in samples if name in value))
                if _are_short(seen):
                    properties[name] = {"type": "string", "enum": seen, AGREE: True}
    if OCCURRENCE in properties and any(each.get(QUOTE) for each in properties.values()):
        properties[OCCURRENCE] = {"type": "integer", "minimum": 1}
    required = [name for name in names if all(name in value for value, _ in samples)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _infer_array(samples: _Samples) -> Schema:
    items = [(item, text) for value, text in samples for item in value]
    schema: Schema = {"type": "array", "items": _infer(items) if items else {}}
    if all(value for value, _ in samples):
        schema["minItems"] = 1
    if "enum" in schema["items"] and all(len(set(map(str, value))) == len(value) for value, _ in samples):
        schema["uniqueItems"] = True
    return schema


def _infer_string(samples: _Samples) -> Schema:
    texts = [value for value, _ in samples]
    filled = [(value, parts) for value, parts in samples if value.strip()]
    kinds = len(set(texts))
    # Labels may be words that texts with them have, too; what is copied out of texts seldom comes three times.
    named = is_closed(texts) and _SEEN_OFTEN * kinds <= len(texts)
    if not named and (quoted := _find_quoted_part(filled)):
        least = {"minLength": 1} if len(filled) == len(samples) else {}
        return {"type": "string", **least, QUOTE: quoted, AGREE: True}
    if is_closed(texts):
        return {"type": "string", "enum": list(dict.fromkeys(texts)), AGREE: True}
    schema: Schema = {"type": "string"}
    if len(filled) == len(samples):
        schema["minLength"] = 1
    if sum(len(text.split()) for text in texts) <= _SHORT_WORDS * len(texts) and "\n" not in "".join(texts):
        schema[AGREE] = True
    return schema


def _find_quoted_part(samples: _Samples) -> str | bool:
    """The part in which all these texts stand word for word; true where inputs have one part or it varies which.

    False where they are no quotes.
    """
    if len(samples) < 2 or not all(
        any(stands_in(said, text) for text in parts.values()) for said, parts in samples
    ):
        return False
    names = list(samples[0][1])
    whole = (name for name in names if all(stands_in(said, parts.get(name, "")) for said, parts in samples))
    return next(whole, True) if len(names) > 1 else True


def _are_short(texts: Sequence[str]) -> bool:
    return all(len(text) <= _CLOSED_LETTERS and len(text.split()) <= _CLOSED_WORDS for text in texts)


def add_labels(schema: Schema, labels: Sequence[str]) -> Schema:
    """The schema with these labels of marked passages beside those that were seen; of tags, without `B-` and `I-`."""
    if isinstance(schema.get("items"), dict):
        return {**schema, "items": add_labels(schema["items"], labels)}
    if not list_offsets(schema, "start"):
        return schema
    names = [label.split("-", 1)[-1] if label[1:2] == "-" else label for label in labels if label != "O"]
    properties = {
        name: {**each, "enum": list(dict.fromkeys([*each["enum"], *names]))} if "enum" in each else each
        for name, each in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def is_closed(texts: Sequence[str]) -> bool:
    """True for short texts that come again and again: twice each or more, on average."""
    kinds = len(set(texts))
    return (
        _are_short(texts) and len(texts) >= _CLOSED_SEEN and 2 * kinds <= len(texts) and kinds <= _MOST_CLOSED
    )


def _infer_number(samples: _Samples, name: str) -> Schema:
    numbers = [value for value, _ in samples]
    whole = all(isinstance(number, int) for number in numbers)
    schema: Schema = {"type": "integer" if whole else "number", AGREE: True}
    low, high = min(numbers), max(numbers)
    rated = 2 * len(set(numbers)) <= len(numbers) or not whole or bool(_RATING.search(name))
    if (
        scale := next((each for each in _SCALES if each[0] <= low and high <= each[1]), None)
        if rated
        else None
    ):
        schema |= {"minimum": scale[0], "maximum": scale[1]}
    elif low >= 0:
        schema["minimum"] = 0
    return schema


def _infer_boolean(samples: _Samples) -> Schema:
    return {"type": "boolean", AGREE: True}


_BY_KIND: Final = {
    "object": _infer_object, "array": _infer_array, "string": _infer_string, "boolean": _infer_boolean,
}  # fmt: skip


def _name_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = ((dict, "object"), (list, "array"), (str, "string"), (int, "integer"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "number")


# --- a person's own -------------------------------------------------------------------------------------


def read_schema(text: str, where: str) -> Schema:
    """The schema in a file, its references resolved.

    Raises:
        InputError: it is no JSON Schema of an object or an array.
    """
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator

    hint = 'it needs a JSON Schema such as {"type": "object", "properties": {…}}'
    try:
        schema = json.loads(text)
    except ValueError as fault:
        raise InputError(f"{where}:{getattr(fault, 'lineno', 1)}: is no JSON", hint=hint) from fault
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as fault:
        raise InputError(f"{where}: is no JSON Schema: {fault.message[:200]}", hint=hint) from fault
    found = _resolve(schema, schema, 0, where) if isinstance(schema, dict) else {}
    if not ({"properties", "items"} & found.keys() or found.get("type") in ("object", "array")):
        raise InputError(f"{where}: describes neither an object nor an array", hint=hint)
    return found


def _resolve(schema: Any, whole: Mapping[str, Any], depth: int, where: str) -> Any:
    if depth > _DEEPEST:
        raise InputError(f"{where}: refers to itself", hint="write a schema that is not nested without end")
    if isinstance(schema, list):
        return [_resolve(each, whole, depth + 1, where) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    target: Any = schema.get("$ref")
    if isinstance(target, str):
        found: Any = whole
        for step in target.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        if not target.startswith("#") or found is None:
            raise InputError(f"{where}: there is no {target} in it", hint="keep all definitions in one file")
        return _resolve(
            {**found, **{k: v for k, v in schema.items() if k != "$ref"}}, whole, depth + 1, where
        )
    skipped = {"$defs", "definitions", "$schema", "$id"} if depth == 0 else set()
    return {
        name: _resolve(each, whole, depth + 1, where) for name, each in schema.items() if name not in skipped
    }


def adopt_marks(schema: Mapping[str, Any], inferred: Mapping[str, Any]) -> Schema:
    """A person's schema with the marks of quotes, places and agreement that the seeds show, where it has none."""
    own = {QUOTE, OFFSET, AGREE} & schema.keys()
    marked = dict(schema)
    if not own:
        marked |= {mark: inferred[mark] for mark in (QUOTE, OFFSET, AGREE) if mark in inferred}
    elif schema.get(QUOTE):
        marked.setdefault(AGREE, True)
    if isinstance(schema.get("properties"), Mapping):
        theirs = inferred.get("properties") or {}
        marked["properties"] = {
            name: adopt_marks(each, theirs.get(name) or {}) if isinstance(each, Mapping) else each
            for name, each in schema["properties"].items()
        }
    if isinstance(schema.get("items"), Mapping):
        marked["items"] = adopt_marks(schema["items"], inferred.get("items") or {})
    return marked


def name_agreeing(schema: Schema, fields: Sequence[str]) -> Schema:
    """The schema with `x-agree` under these fields alone; a dot leads into an object, items need none.

    Raises:
        InputError: there is no such field.
    """
    known = list(list_fields(schema))
    if unknown := [field for field in fields if field not in known]:
        raise InputError(
            f"--agree-on {unknown[0]}: the answers have no such field",
            hint=f"those that are there: {', '.join(known)}",
        )
    return _mark_agreeing(schema, "", fields, on=False)


def list_fields(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The names of all fields, those inside of others with dots."""
    if isinstance(schema.get("items"), Mapping):
        yield from list_fields(schema["items"], above)
    for name, each in (schema.get("properties") or {}).items():
        yield f"{above}{name}"
        if isinstance(each, Mapping):
            yield from list_fields(each, f"{above}{name}.")


def describe_fields(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Each field with its kind in brackets: `day (quote)`, `stars (1 to 5)`, `by (bus, train)`."""
    if isinstance(schema.get("items"), Mapping):
        yield from describe_fields(schema["items"], above)
    for name, each in (schema.get("properties") or {}).items():
        inner = list(describe_fields(each, f"{above}{name}.")) if isinstance(each, Mapping) else []
        yield from inner or [f"{above}{name} ({_describe_kind(each)})"]


def _describe_kind(schema: Mapping[str, Any]) -> str:
    if schema.get(QUOTE):
        return "quote"
    if schema.get(OFFSET):
        return f"{schema[OFFSET]} of the quote"
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"][:4]) + (
            ", …" if len(schema["enum"]) > 4 else ""
        )
    if {"minimum", "maximum"} <= schema.keys():
        return f"{schema['minimum']} to {schema['maximum']}"
    kind = schema.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _mark_agreeing(schema: Schema, path: str, fields: Sequence[str], *, on: bool) -> Schema:
    marked = {name: each for name, each in schema.items() if name != AGREE}
    on = on or path in fields
    if isinstance(schema.get("items"), Mapping):
        marked["items"] = _mark_agreeing(schema["items"], path, fields, on=on)
    elif isinstance(schema.get("properties"), Mapping):
        marked["properties"] = {
            name: _mark_agreeing(each, f"{path}.{name}".lstrip("."), fields, on=on)
            for name, each in schema["properties"].items()
        }
    elif on:
        marked[AGREE] = True
    return marked


# --- over the wire --------------------------------------------------------------------------------------


def make_wire_schema(schema: Mapping[str, Any]) -> Schema:
    """What a model is asked for: closed, every key required, places left out and occurrences asked for in their stead.

    Servers demand that every key is required, so one that may be missing may be null.
    """
    wire = {name: each for name, each in schema.items() if not name.startswith("x-")}
    if schema.get(QUOTE):
        named = schema[QUOTE] if isinstance(schema[QUOTE], str) else "text"
        wire.setdefault("description", f"{COPIED} {named}")
    if isinstance(schema.get("items"), Mapping):
        wire["items"] = make_wire_schema(schema["items"])
    if isinstance(schema.get("properties"), Mapping):
        places = [*list_offsets(schema, "start"), *list_offsets(schema, "end")]
        needed = schema.get("required") or ()
        properties: Schema = {}
        for name, each in schema["properties"].items():
            if name in places or not isinstance(each, Mapping):
                continue
            inner = make_wire_schema(each)
            properties[name] = inner if name in needed else _allow_null(inner)
            if each.get(QUOTE) and places and OCCURRENCE not in schema["properties"]:
                properties.setdefault(OCCURRENCE, {"type": "integer", "minimum": 1})
        wire |= {"properties": properties, "required": list(properties), "additionalProperties": False}
    return wire


def _allow_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None or kind == "null" or (isinstance(kind, list) and "null" in kind):
        return schema
    kinds = [*kind, "null"] if isinstance(kind, list) else [kind, "null"]
    closed = {"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {}
    return {**schema, "type": kinds, **closed}


def drop_nulls(value: Any, schema: Mapping[str, Any]) -> Any:
    """An answer without the keys that are null because they may be missing."""
    if isinstance(value, list):
        return [drop_nulls(each, schema.get("items") or {}) for each in value]
    if not isinstance(value, dict):
        return value
    properties, needed = schema.get("properties") or {}, schema.get("required") or ()
    return {
        name: drop_nulls(each, properties.get(name) or {})
        for name, each in value.items()
        if each is not None or name in needed or _takes_null(properties.get(name) or {})
    }


def _takes_null(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind is None or kind == "null" or (isinstance(kind, list) and "null" in kind)


def find_schema_fault(value: Any, schema: Mapping[str, Any]) -> str:
    """The first thing in which a value breaks its schema, in a sentence; empty where it breaks nothing."""
    from jsonschema.validators import Draft202012Validator

    fault = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    if fault is None:
        return ""
    where = ".".join(str(step) for step in fault.absolute_path)
    told = " ".join(fault.message[:200].split())
    return f"`{where}`: {told}." if where else f"{told}."
