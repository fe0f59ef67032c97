"""Column types for rows of JSON: for each field one type that fits all its values, found by reading every row.

A field whose values have no type in common, and an object without fields, are kept as JSON text.
"""

import json
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, Final

JSON: Final = "json"
NULL: Final = "null"

ColumnType = str | list[Any] | dict[str, Any]
"""`null`, `bool`, `int`, `float`, `string` or `json`; a list `[type]`; an object `{name: type}`."""

_INT64: Final = range(-(2**63), 2**63)
_SCALARS: Final = {type(None): NULL, bool: "bool", int: "int", float: "float", str: "string"}


def infer_type(value: Any) -> ColumnType:
    """The type of one value."""
    if isinstance(value, Mapping):
        return {str(name): infer_type(inner) for name, inner in value.items()}
    if isinstance(value, list):
        unknown: ColumnType = NULL
        return [reduce(widen_type, map(infer_type, value), unknown)]
    if type(value) is int and value not in _INT64:
        return JSON
    return _SCALARS.get(type(value), JSON)


def widen_type(one: ColumnType, other: ColumnType) -> ColumnType:
    """The narrowest type that holds values of both."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: widen_type(one.get(name, NULL), other.get(name, NULL)) for name in names}
    if isinstance(one, list) and isinstance(other, list):
        return [widen_type(one[0], other[0])]
    # A float holds whole numbers up to 2**53 exactly; larger ones are rare and lose digits in most readers too.
    numbers = ("int", "float")
    return "float" if one in numbers and other in numbers else JSON


def infer_columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, ColumnType]:
    """The type of every field that occurs, in the order of first occurrence."""
    columns: ColumnType = {}
    for row in rows:
        columns = widen_type(columns, infer_type(row))
    return {name: _settle(kind) for name, kind in columns.items()} if isinstance(columns, dict) else {}


def _settle(kind: ColumnType) -> ColumnType:
    """A type that a file can have: a column of nulls becomes text, an object without fields JSON."""
    if kind == NULL:
        return "string"
    if isinstance(kind, list):
        return [_settle(kind[0])]
    if isinstance(kind, dict):
        return {name: _settle(inner) for name, inner in kind.items()} or JSON
    return kind


def fit_value(value: Any, kind: ColumnType) -> Any:
    """A value as its column holds it; lone surrogates become question marks, as in a shard."""
    if value is None:
        return None
    if kind == JSON:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    if isinstance(kind, dict):
        return {name: fit_value(value.get(name), inner) for name, inner in kind.items()}
    if isinstance(kind, list):
        return [fit_value(each, kind[0]) for each in value]
    if kind == "float":
        return float(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def to_arrow_type(kind: ColumnType) -> Any:
    """The Arrow type of a column."""
    import pyarrow as pa

    if isinstance(kind, dict):
        return pa.struct([pa.field(name, to_arrow_type(inner)) for name, inner in kind.items()])
    if isinstance(kind, list):
        return pa.list_(to_arrow_type(kind[0]))
    plain = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    return plain.get(kind, pa.string())
