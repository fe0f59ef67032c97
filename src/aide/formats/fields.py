"""Structured answers field by field: what has to agree, what is prose, and which wrong answer lies near a right one."""

import random
from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Any, Final

from aide.formats.comparing import fold_label, is_same_answer
from aide.formats.quotes import OCCURRENCE, OFFSET, QUOTE
from aide.formats.schema import AGREE

_TENTHS: Final = 10
_ROUNDING: Final = 1e-9  # of what Python makes of decimal fractions
_EXACT: Final = 2**53  # beyond it nothing is a score, and a float can't hold every whole number
_MOST_ITEMS: Final = 500  # of an array that are held against each other
NOTHING: Final = object()


def pick_agreeing(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value with nothing left but the fields that must agree; `NOTHING` where there are none."""
    if schema.get(AGREE):
        return _round_score(value, schema)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        if not has_agreeing(schema["items"]):
            return NOTHING
        picked = [pick_agreeing(each, schema["items"]) for each in value]
        return [each for each in picked if each is not NOTHING]
    if isinstance(value, dict) and isinstance(schema.get("properties"), Mapping):
        picked_fields = {
            name: pick_agreeing(value[name], each)
            for name, each in schema["properties"].items()
            if name in value and isinstance(each, Mapping)
        }
        left = {name: each for name, each in picked_fields.items() if each is not NOTHING}
        return left if left or has_agreeing(schema) else NOTHING
    return value if value is None and has_agreeing(schema) else NOTHING


def _round_score(value: Any, schema: Mapping[str, Any]) -> Any:
    """A score on a scale to a tenth of it: 0.82 and 0.8 are one impression. Whole numbers and amounts stay exact."""
    bounded = schema.get("type") == "number" and {"minimum", "maximum"} <= schema.keys()
    if not bounded or isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _EXACT:
        return value
    step = (schema["maximum"] - schema["minimum"]) / _TENTHS
    return round(round(value / step) * step, 6) if step > 0 else value


def has_agreeing(schema: Mapping[str, Any]) -> bool:
    """True when a field of the schema must agree."""
    return any(each.get(AGREE) for each in _list_leaves(schema))


def has_prose(schema: Mapping[str, Any]) -> bool:
    """True when a field of the schema is one that code does not compare, places and occurrences apart."""
    return any(not each.get(AGREE) and OFFSET not in each for each in _list_leaves(schema))


def _list_leaves(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if schema.get(AGREE):
        yield schema
    elif isinstance(schema.get("items"), Mapping):
        yield from _list_leaves(schema["items"])
    elif isinstance(schema.get("properties"), Mapping):
        for name, each in schema["properties"].items():
            if isinstance(each, Mapping) and name != OCCURRENCE:
                yield from _list_leaves(each)
    else:
        yield schema


def is_same_value(one: Any, other: Any) -> bool:
    """True when two values say the same: keys and items in any order, texts but for case and edges."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_value(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and _are_same_items(one, other)
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        # Whole numbers of any size stay exact.
        rounded = float in {type(one), type(other)} and max(abs(one), abs(other)) <= _EXACT
        return one == other or (rounded and isclose(one, other, rel_tol=_ROUNDING))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or (fold_label(one) == fold_label(other) != "") or _are_same_number(one, other)
    return False


def _are_same_number(one: str, other: str) -> bool:
    """True for `1,200` and `1200`; a number among words, as in `7 am`, is part of what they say."""
    return not any(letter.isalpha() for letter in one + other) and is_same_answer(one, other)


def _are_same_items(one: Sequence[Any], other: Sequence[Any]) -> bool:
    left = list(other)
    if len(left) > _MOST_ITEMS:
        return list(one) == left
    for each in one:
        place = next((at for at, theirs in enumerate(left) if is_same_value(each, theirs)), None)
        if place is None:
            return False
        del left[place]
    return True


def list_prose(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """The texts of an answer that are in words of its own: no quotes, and nothing from a closed set."""
    if isinstance(value, str):
        if not schema.get(QUOTE) and "enum" not in schema:
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from list_prose(each, schema.get("items") or {})
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from list_prose(each, (schema.get("properties") or {}).get(name) or {})


def list_variants_of(value: Any, schema: Mapping[str, Any], text: str, dice: random.Random) -> Iterator[Any]:
    """Values of the same form that differ from `value` in one field that must agree, in a drawn order."""
    if schema.get(AGREE):
        yield from _list_others(value, schema, text, dice)
    elif isinstance(value, list):
        inner = schema.get("items") or {}
        for place in dice.sample(range(len(value)), len(value)):
            for each in list_variants_of(value[place], inner, text, dice):
                yield [*value[:place], each, *value[place + 1 :]]
        least = schema.get("minItems", 0)
        yield from (value[:size] for size in dict.fromkeys((len(value) - 1, 0)) if least <= size < len(value))
    elif isinstance(value, dict):
        known = schema.get("properties") or {}
        for name in dice.sample(list(value), len(value)):
            for each in list_variants_of(value[name], known.get(name) or {}, text, dice):
                yield {**value, name: each}


def _list_others(value: Any, schema: Mapping[str, Any], text: str, dice: random.Random) -> Iterator[Any]:
    if "enum" in schema:
        others = [each for each in schema["enum"] if each != value]
        yield from dice.sample(others, len(others))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + step for step in (1, -1))
    elif isinstance(value, str) and schema.get(QUOTE):
        words, size = text.split(), len(value.split()) or 1
        for at in dice.sample(range(len(words)), len(words)):
            said = " ".join(words[at : at + size]).strip(".,;:!?\"'()")
            if said and fold_label(said) != fold_label(value):
                yield said
