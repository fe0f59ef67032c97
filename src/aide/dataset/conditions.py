"""Conditions that a record must meet to pass: bounds on its scores, its origin, words in it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.dataset.expression import compile_expression
from aide.dataset.lines import RecordLine
from aide.errors import InputError
from aide.records.field_names import explain_unknown_field, is_known_field, look_up_field

_NAMED: Final = re.compile(r"([\w.]+)=(.*)", re.DOTALL)
_FRACTION: Final = re.compile(r"(\d+)/([1-9]\d*)")


@dataclass(slots=True)
class Condition:
    """One condition; called with a record, it is true if the record meets it."""

    names: frozenset[str]
    """The fields it looks at."""
    holds: Callable[[Mapping[str, Any]], bool]
    seen: set[str] = field(default_factory=set)
    """Those of its fields that at least one record had: a field that none has was probably mistyped."""

    def __call__(self, record: Mapping[str, Any]) -> bool:
        """True if the record meets the condition."""
        if len(self.seen) < len(self.names):
            self.seen.update(name for name in self.names if look_up_field(record, name) is not None)
        return self.holds(record)


def value_as_text(value: Any) -> str:
    """A value as text: a string unchanged, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def value_as_number(value: Any) -> float | None:
    """A value as a number: `true` is 1, `"2/3"` is a fraction; `None` if it is no number."""
    if isinstance(value, bool | int | float):
        return float(value)
    # An agreement is written "2/3". Other texts are no numbers: "8" may be a label.
    if isinstance(value, str) and (share := _FRACTION.fullmatch(value)):
        return int(share[1]) / int(share[2])
    return None


def make_bound(text: str, *, least: bool) -> Condition:
    """`NAME=NUMBER`: the field is a number and at least (otherwise at most) this one.

    Raises:
        InputError: `text` is not of this form.
    """
    option = "--min" if least else "--max"
    name, given = _split_pair(text, option, "relevance=7")
    limit = value_as_number(given)
    if limit is None:
        try:
            limit = float(given)
        except ValueError as fault:
            raise InputError(
                f"{option} {text}: {given!r} is no number", hint="such as relevance=7"
            ) from fault

    def holds(record: Mapping[str, Any]) -> bool:
        value = value_as_number(look_up_field(record, name))
        return value is not None and (value >= limit if least else value <= limit)

    return Condition(frozenset({name}), holds)


def match_any_value(name: str, allowed: Sequence[str]) -> Condition:
    """The field, as text, is one of these; each of them may hold several, separated by commas."""
    values = frozenset(part.strip() for each in allowed for part in each.split(","))

    def holds(record: Mapping[str, Any]) -> bool:
        value = look_up_field(record, name)
        return value is not None and value_as_text(value) in values

    return Condition(frozenset({name}), holds)


def match_regex(text: str, *, wanted: bool) -> Condition:
    """`NAME=REGEX`: the expression is found (otherwise not found) in the field.

    Raises:
        InputError: `text` is not of this form, or is no regular expression.
    """
    option = "--match" if wanted else "--not-match"
    name, given = _split_pair(text, option, "input='(?i)invoice'")
    try:
        pattern = re.compile(given)
    except re.error as fault:
        raise InputError(f"{option} {text}: is no regular expression: {fault}") from fault

    def holds(record: Mapping[str, Any]) -> bool:
        value = look_up_field(record, name)
        return (value is not None and pattern.search(value_as_text(value)) is not None) == wanted

    return Condition(frozenset({name}), holds)


def compile_where(text: str) -> Condition:
    """An expression over the fields, such as `scores.relevance >= 8 and lineage.hop == 2`.

    Raises:
        InputError: it can't be read or holds what is not allowed.
    """
    expression = compile_expression(text)
    return Condition(expression.names, expression)


@dataclass(slots=True)
class FilterCounts:
    """Lines read and kept so far."""

    read: int = 0
    kept: int = 0
    example: Mapping[str, Any] = field(default_factory=dict)
    """The last record read."""


def filter_lines(
    lines: Iterable[RecordLine], conditions: Sequence[Condition], count: FilterCounts, *, invert: bool = False
) -> Iterator[RecordLine]:
    """The lines that meet all conditions, or with `invert` the others."""
    for line in lines:
        count.read += 1
        count.example = line.record
        # A list, not a generator: every condition must see the record to learn which fields there are.
        verdicts = [condition(line.record) for condition in conditions]
        if all(verdicts) != invert:
            count.kept += 1
            yield line


def check_fields(conditions: Iterable[Condition], example: Mapping[str, Any]) -> list[str]:
    """Fields that a condition looks at and no record had, though records may have them.

    `example` is one of the records.

    Raises:
        InputError: there is another such field, which was probably mistyped.
    """
    missing = sorted({name for condition in conditions for name in condition.names - condition.seen})
    for name in missing:
        if not is_known_field(name):
            raise InputError(
                f"no record has the field {name!r}{explain_unknown_field(name, example)}",
                hint="such as scores.relevance, lineage.hop or lineage.operation",
            )
    return missing


def _split_pair(text: str, option: str, example: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(text)
    if not found:
        raise InputError(f"{option} {text}: has no field and value", hint=f"such as {option} {example}")
    return found[1], found[2]
