"""Conditions on a record, as a person types them: `scores.relevance < 6 and lineage.hop == 2`.

The text is parsed as a Python expression and never run as one. It may hold comparisons (chained ones too),
`in`, `and`, `or`, `not`, brackets, numbers, strings, lists, `True`, `False`, `None` (or JSON's words),
`len(…)` and names with dots, which are fields of the record. Nothing else is understood.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aide.errors import InputError

LONGEST: Final = 10_000
HINT: Final = "for example: scores.relevance < 6 and lineage.operation in ('persona', 'reasoning')"

_WORDS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, whole: item in whole,
    ast.NotIn: lambda item, whole: item not in whole,
}

Value = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that is ready to be asked of records.

    Attributes:
        text: as it was typed.
        names: the fields it speaks of, with their dots; where no record has one, it was likely mistyped.
    """

    text: str
    names: frozenset[str]
    holds: Value

    def __call__(self, record: Mapping[str, Any]) -> bool:
        """Whether it holds for a record.

        A field that is not there is `None`. An order between values that have none (`None < 3`) does not
        hold, nor does `in` or `not in` a thing that has no members.
        """
        return bool(self.holds(record))


def compile_expression(text: str) -> Expression:
    """The condition that a text spells.

    Raises:
        InputError: it can't be read, or holds what is not allowed; the message names it and where it stands.
    """
    if len(text) > LONGEST:
        raise InputError(f"the expression has {len(text):,} characters, more than {LONGEST:,}", hint=HINT)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names: set[str] = set()
        holds = _value(tree, names)
    except SyntaxError as fault:
        told = f"{fault.msg} (at character {fault.offset})" if fault.offset else fault.msg
        raise InputError(f"the expression {_short(text)!r} can't be read: {told}", hint=HINT) from fault
    except (ValueError, RecursionError, MemoryError) as fault:
        raise InputError(f"the expression {_short(text)!r} can't be read: {fault}", hint=HINT) from fault
    return Expression(text, frozenset(names), holds)


def read_path(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path of names; `None` where there is none."""
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _value(node: ast.expr, names: set[str]) -> Value:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as constant):
            return lambda record: constant
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return lambda record: -number
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _value(operand, names)
            return lambda record: not inner(record)
        case ast.BoolOp(op=op, values=operands):
            parts = [_value(each, names) for each in operands]
            quantifier = all if isinstance(op, ast.And) else any
            return lambda record: quantifier(part(record) for part in parts)
        case ast.Compare():
            return _comparison(node, names)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            members = [_value(each, names) for each in elements]
            return lambda record: [member(record) for member in members]
        case ast.Call(func=ast.Name(id="len"), args=[argument], keywords=[]):
            measured = _value(argument, names)
            return lambda record: _length(measured(record))
        case ast.Name(id=word) if word in _WORDS:
            return lambda record: _WORDS[word]
        case ast.Name() | ast.Attribute():
            path = _path(node)
            names.add(".".join(path))
            return lambda record: read_path(record, path)
        case _:
            raise _refused(node)


def _comparison(node: ast.Compare, names: set[str]) -> Value:
    """`a < b <= c` and its like; every operand is taken once a record."""
    operands = [_value(each, names) for each in (node.left, *node.comparators)]
    compare = [_COMPARE[type(op)] for op in node.ops]

    def holds(record: Mapping[str, Any]) -> bool:
        values = [operand(record) for operand in operands]
        try:
            return all(op(a, b) for op, a, b in zip(compare, values, values[1:], strict=False))
        except TypeError:  # an order between values that have none
            return False

    return holds


def _length(value: Any) -> int:
    """Characters of a text, members of a list; 0 of what has no length."""
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 0


def _path(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_path(node.value), node.attr)
    raise _refused(node)


def _refused(node: ast.expr) -> InputError:
    told = f"{_short(ast.unparse(node))!r} (at character {node.col_offset + 1})"
    return InputError(
        f"the expression holds {told}, which is not allowed in a condition",
        hint="it may have comparisons, in, and, or, not, len(), names with dots, numbers and strings",
    )


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


__all__ = ["Expression", "compile_expression", "read_path"]
