"""What a record must be to pass: bounds on its scores, where it came from, words in it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.dataset.expression import compile_expression
from aide.dataset.expression import read_path as value_at
from aide.dataset.lines import RecordLine
from aide.errors import InputError

_NAMED: Final = re.compile(r"([\w.]+)=(.*)", re.DOTALL)
_FRACTION: Final = re.compile(r"(\d+)/([1-9]\d*)")


@dataclass(slots=True)
class Condition:
    """One thing asked of a record: `names` are the fields it looks at, `seen` those that some record had."""

    told: str
    names: frozenset[str]
    holds: Callable[[Mapping[str, Any]], bool]
    seen: set[str] = field(default_factory=set)

    def __call__(self, record: Mapping[str, Any]) -> bool:
        """Whether it holds."""
        if len(self.seen) < len(self.names):
            self.seen.update(name for name in self.names if look_up_field(record, name) is not None)
        return self.holds(record)


def look_up_field(record: Mapping[str, Any], name: str) -> Any:
    """A field by its name: dots lead into objects; a bare name may stand in `scores` or `lineage` too."""
    path = tuple(name.split("."))
    found = value_at(record, path)
    for outer in ("scores", "lineage"):
        if found is None and len(path) == 1:
            found = value_at(record, (outer, name))
    return found


def value_as_text(value: Any) -> str:
    """A value as text: a string as it is, all else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def value_as_number(value: Any) -> float | None:
    """A value as a number: `true` is 1, `"2/3"` is a share; `None` where it is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str) and (share := _FRACTION.fullmatch(value)):
        return int(share[1]) / int(share[2])
    return None


def make_bound(text: str, *, least: bool) -> Condition:
    """`NAME=NUMBER`: the field is a number, and at least (else at most) this one.

    Raises:
        InputError: it is written otherwise.
    """
    option = "--min" if least else "--max"
    name, given = _pair(text, option, "relevance=7")
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

    return Condition(f"{option} {text}", frozenset({name}), holds)


def match_any_value(name: str, allowed: Sequence[str], option: str) -> Condition:
    """The field, as text, is one of these."""
    wanted = frozenset(part.strip() for each in allowed for part in each.split(","))

    def holds(record: Mapping[str, Any]) -> bool:
        value = look_up_field(record, name)
        return value is not None and value_as_text(value) in wanted

    return Condition(f"{option} {','.join(allowed)}", frozenset({name}), holds)


def match_regex(text: str, *, wanted: bool) -> Condition:
    """`NAME=REGEX`: the expression is found (else not found) in the field.

    Raises:
        InputError: it is written otherwise, or is no regular expression.
    """
    option = "--match" if wanted else "--not-match"
    name, given = _pair(text, option, "input='(?i)invoice'")
    try:
        pattern = re.compile(given)
    except re.error as fault:
        raise InputError(f"{option} {text}: is no regular expression: {fault}") from fault

    def holds(record: Mapping[str, Any]) -> bool:
        value = look_up_field(record, name)
        return (value is not None and pattern.search(value_as_text(value)) is not None) == wanted

    return Condition(f"{option} {text}", frozenset({name}), holds)


def compile_where(text: str) -> Condition:
    """An expression over the fields, such as `scores.relevance >= 8 and lineage.hop == 2`.

    Raises:
        InputError: it can't be read or holds what is not allowed.
    """
    expression = compile_expression(text)
    return Condition(f"--where {text}", expression.names, expression)


@dataclass(slots=True)
class FilterCounts:
    """What a command did so far."""

    read: int = 0
    kept: int = 0


def filter_lines(
    lines: Iterable[RecordLine], conditions: Sequence[Condition], count: FilterCounts, *, invert: bool = False
) -> Iterator[RecordLine]:
    """The lines for which all conditions hold, or with `invert` the others."""
    for line in lines:
        count.read += 1
        verdicts = [condition(line.record) for condition in conditions]  # all are to see the record's fields
        if all(verdicts) != invert:
            count.kept += 1
            yield line


def find_unknown_fields(conditions: Iterable[Condition]) -> list[str]:
    """Fields that are asked for and that no record had."""
    return sorted({name for condition in conditions for name in condition.names - condition.seen})


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(text)
    if not found:
        raise InputError(f"{option} {text}: has no field and value", hint=f"such as {option} {example}")
    return found[1], found[2]


__all__ = [
    "Condition",
    "FilterCounts",
    "compile_where",
    "filter_lines",
    "find_unknown_fields",
    "look_up_field",
    "make_bound",
    "match_any_value",
    "match_regex",
    "value_as_number",
    "value_as_text",
]
