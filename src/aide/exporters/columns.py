"""Columns for rows of JSON: one type for each field that fits all its values, found by looking at every row.

A field whose values have no type in common, or objects without any field, is kept as JSON text.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

JSON: Final = "json"
NULL: Final = "null"

# A kind is `null`, `bool`, `int`, `float`, `string`, `json`, a list `[kind]`, or an object `{name: kind}`.
Kind = str | list[Any] | dict[str, Any]

_INT64: Final = range(-(2**63), 2**63)


def infer_kind(value: Any) -> Kind:
    """The kind of one value."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if value in _INT64 else JSON
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return {str(name): infer_kind(inner) for name, inner in value.items()}
    if isinstance(value, list):
        inner: Kind = NULL
        for each in value:
            inner = widen_kind(inner, infer_kind(each))
        return [inner]
    return JSON


def widen_kind(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds values of both."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: widen_kind(one.get(name, NULL), other.get(name, NULL)) for name in names}
    if isinstance(one, list) and isinstance(other, list):
        return [widen_kind(one[0], other[0])]
    numbers = ("int", "float")
    return "float" if one in numbers and other in numbers else JSON


def infer_columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, Kind]:
    """The kind of every field that occurs, in the order in which they first do."""
    columns: Kind = {}
    for row in rows:
        columns = widen_kind(columns, infer_kind(row))
    return {name: _settled(kind) for name, kind in columns.items()} if isinstance(columns, dict) else {}


def _settled(kind: Kind) -> Kind:
    """A kind that files can have: nothing but nulls is text, an object without fields is JSON."""
    if kind == NULL:
        return "string"
    if isinstance(kind, list):
        return [_settled(kind[0])]
    if isinstance(kind, dict):
        return {name: _settled(inner) for name, inner in kind.items()} or JSON
    return kind


def fit_value(value: Any, kind: Kind) -> Any:
    """A value as its column has it; lone surrogates become question marks, as in a shard."""
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


def to_arrow_type(kind: Kind) -> Any:
    """The kind in Arrow's terms."""
    import pyarrow as pa

    if isinstance(kind, dict):
        return pa.struct([pa.field(name, to_arrow_type(inner)) for name, inner in kind.items()])
    if isinstance(kind, list):
        return pa.list_(to_arrow_type(kind[0]))
    plain = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    return plain.get(kind, pa.string())


__all__ = ["JSON", "Kind", "fit_value", "infer_columns", "infer_kind", "to_arrow_type", "widen_kind"]
