"""Conditions on a record, as a person types them: `scores.relevance < 6 and lineage.hop == 2`.

The text is parsed as a Python expression, but never evaluated as one: an expression may come from somebody
else's notes, and must not be able to run code. Allowed are comparisons (also chained), `in`, `and`, `or`, `not`,
brackets, numbers, strings, lists, `True`, `False`, `None` (or JSON's words), `len(…)`, and names with dots, which
are fields of the record.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aide.errors import InputError
from aide.records.field_names import look_up_field

LONGEST: Final = 10_000
"""Characters of an expression: Python's parser takes quadratic time and much memory for nested ones."""

EQUALS: Final = "two values are compared with ==, such as lineage.hop == 2"
_LONE_EQUALS: Final = re.compile(r"(?<![=!<>])=(?!=)")
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
    """A compiled condition; called with a record, it is true if the record meets it."""

    text: str
    """The expression as it was typed."""
    names: frozenset[str]
    """The fields it reads, with their dots. A field that no record has was probably mistyped."""
    holds: Value

    def __call__(self, record: Mapping[str, Any]) -> bool:
        """True if the record meets the condition.

        A missing field is `None`. Comparing values that have no order (`None < 3`) is false, and so are `in`
        and `not in` for a value without members.
        """
        return bool(self.holds(record))


def compile_expression(text: str) -> Expression:
    """Compile an expression.

    Raises:
        InputError: it can't be parsed, or holds something that is not allowed; the message says what and where.
    """
    if len(text) > LONGEST:
        raise InputError(f"the expression has {len(text):,} characters, more than {LONGEST:,}", hint=HINT)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names: set[str] = set()
        holds = _compile(tree, names)
    except SyntaxError as fault:
        reason = f"{fault.msg} (at character {fault.offset})" if fault.offset else fault.msg
        hint = EQUALS if _LONE_EQUALS.search(text) else HINT
        raise InputError(f"the expression {_shorten(text)!r} can't be read: {reason}", hint=hint) from fault
    except (ValueError, RecursionError, MemoryError) as fault:
        raise InputError(f"the expression {_shorten(text)!r} can't be read: {fault}", hint=HINT) from fault
    return Expression(text, frozenset(names), holds)


def _compile(node: ast.expr, names: set[str]) -> Value:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as constant):
            return lambda record: constant
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return lambda record: -number
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _compile(operand, names)
            return lambda record: not inner(record)
        case ast.BoolOp(op=op, values=operands):
            parts = [_compile(each, names) for each in operands]
            quantifier = all if isinstance(op, ast.And) else any
            return lambda record: quantifier(part(record) for part in parts)
        case ast.Compare():
            return _compile_comparison(node, names)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            members = [_compile(each, names) for each in elements]
            return lambda record: [member(record) for member in members]
        case ast.Call(func=ast.Name(id="len"), args=[argument], keywords=[]):
            measured = _compile(argument, names)
            return lambda record: _measure_length(measured(record))
        case ast.Name(id=word) if word in _WORDS:
            return lambda record: _WORDS[word]
        case ast.Name() | ast.Attribute():
            name = ".".join(_read_name(node))
            names.add(name)
            return lambda record: look_up_field(record, name)
        case _:
            raise _refuse(node)


def _compile_comparison(node: ast.Compare, names: set[str]) -> Value:
    """`a < b <= c` and the like; every operand is evaluated once."""
    operands = [_compile(each, names) for each in (node.left, *node.comparators)]
    compare = [_COMPARE[type(op)] for op in node.ops]

    def holds(record: Mapping[str, Any]) -> bool:
        values = [operand(record) for operand in operands]
        try:
            return all(op(a, b) for op, a, b in zip(compare, values, values[1:], strict=False))
        except TypeError:  # the values have no order
            return False

    return holds


def _measure_length(value: Any) -> int:
    """Characters of a text, members of a list; 0 for a value without length."""
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 0


def _read_name(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_read_name(node.value), node.attr)
    raise _refuse(node)


def _refuse(node: ast.expr) -> InputError:
    part = f"{_shorten(ast.unparse(node))!r} (at character {node.col_offset + 1})"
    return InputError(
        f"the expression holds {part}, which is not allowed in a condition",
        hint="allowed are comparisons, in, and, or, not, len(), names with dots, numbers and strings",
    )


def _shorten(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
