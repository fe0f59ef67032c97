"""Inputs with parts: which text is fixed (F), which varies (V), and the frame that both stand in."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from aide.errors import InputError
from aide.records import WHOLE, Parts, find_varying_name, make_frame
from aide.seeds.shapes import RowContent
from aide.seeds.sql_rows import split_schema
from aide.seeds.values import BadRowError, is_missing, read_text_value
from aide.text.programming import is_sql


def make_part_name(name: str) -> str:
    """The name of a part as a frame can hold it: letters, digits, underscores, no digit in front."""
    name = re.sub(r"\W+", "_", name).strip("_") or "part"
    return f"part_{name}" if name[0].isdigit() else name


def keep_fields(
    content: RowContent, kept: Sequence[tuple[str, str]], inputs: Sequence[str] = ()
) -> tuple[str, Parts]:
    """Fixed parts in fields of their own: those of the shape, and those that the person keeps; else a schema within it.

    They stand in front of the varying part, a blank line between, unless the person named the input's fields
    in another order. Raises `BadRowError` where nothing is left to vary.
    """
    fixed = {make_part_name(name): text for name, text in (*content.fixed, *kept)}
    if not fixed:
        name = make_part_name(content.roles.get("input") or content.varying)
        text = content.draft.input
        return (is_sql(content.draft.output) and split_schema(text, name)) or (text, WHOLE)
    if empty := [name for name, text in fixed.items() if is_missing(text)]:
        raise BadRowError(f"has an empty {empty[0]}")
    varying = make_part_name(content.roles.get("input") or content.varying)
    if varying in fixed:
        raise BadRowError(f"has nothing besides {varying} that may vary")
    order = [make_part_name(name) for name in inputs]
    names = [*fixed, varying]
    if varying in order:
        names.sort(key=lambda name: order.index(name) if name in order else -1)
    frame = "\n\n".join(f"{{{name}}}" for name in names)
    return content.draft.input, Parts(tuple(fixed.items()), varying, frame)


@lru_cache(maxsize=16)
def _compile_pattern(pattern: str, keep: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[str, ...], str]:
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except re.error as fault:
        raise InputError(f"--input-pattern is no regular expression: {fault}") from fault
    names = tuple(compiled.groupindex)
    if len(names) < 2:
        raise InputError(
            "--input-pattern needs at least two named groups",
            hint="such as 'Clause: (?P<clause>.*)\\nQuestion: (?P<question>.*)'",
        )
    if unknown := [name for name in keep if name not in names]:
        raise InputError(
            f"--keep {unknown[0]} is no group of --input-pattern", hint=f"its groups are {', '.join(names)}"
        )
    free = [name for name in names if name not in keep] if keep else [names[-1]]
    if len(free) != 1:
        raise InputError(
            f"exactly one part may vary, but these would: {', '.join(free) or 'none'}",
            hint="give --keep for all others",
        )
    return compiled, tuple(name for name in names if name != free[0]), free[0]


def split_by_pattern(text: str, pattern: str, keep: tuple[str, ...] = ()) -> tuple[str, Parts]:
    """The varying part and the parts of a text that a pattern with named groups splits.

    All groups but the last are fixed, or those in `keep`. What stands between the groups belongs to the frame.

    Raises:
        BadRowError: the text does not match, or a group is empty.
        InputError: the pattern itself is of no use.
    """
    compiled, fixed, varying = _compile_pattern(pattern, keep)
    match = compiled.search(text)
    if match is None:
        raise BadRowError("does not match --input-pattern")
    for name in (*fixed, varying):
        if not match[name]:
            raise BadRowError(f"has an empty {name}")
    spans = sorted((match.span(name), name) for name in (*fixed, varying))
    if any(after[0] < before[1] for (before, _), (after, _) in pairwise(spans)):
        raise BadRowError("has parts that overlap")
    return match[varying], Parts(
        tuple((name, match[name]) for name in fixed), varying, make_frame(text, spans)
    )


def read_record_parts(row: Mapping[str, Any], text: str, keep: tuple[str, ...] = ()) -> tuple[str, Parts]:
    """The parts of a row in our own shape with the whole input `text`; those in `keep` are fixed, else all but one.

    Raises:
        BadRowError: not exactly one part is left to vary, or one is empty.
    """
    texts = {make_part_name(name): read_text_value(value) for name, value in row["parts"].items()}
    kept = [make_part_name(name) for name in keep if make_part_name(name) in texts]
    free = [name for name in texts if name not in kept] if kept else [make_part_name(find_varying_name(row))]
    if len(free) != 1 or not all(texts.values()):
        raise BadRowError("has parts of which not exactly one may vary")
    return texts[free[0]], Parts.locate(text, texts, free[0])
