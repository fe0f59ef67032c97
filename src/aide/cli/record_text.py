"""A record as lines of text: where it comes from, its grades, and what it says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import typer

from aide.cli.console import make_printable
from aide.cli.folding import fold_line
from aide.records import Lineage, read_varying, show_chat
from aide.records.field_names import look_up_field

INDENT: Final = 10
"""Columns before a text."""
LONGEST_FIXED: Final = 300
"""Columns of a fixed part that are shown: all records of a seed have it in common."""


def describe_record(
    record: Mapping[str, Any],
    number: int,
    fields: Sequence[str] = (),
    *,
    width: int | None = None,
    colour: bool = False,
) -> Iterator[str]:
    """The lines of a record or a reject; of `fields` alone where some are named.

    With `width` texts keep their own lines and are folded to so many columns. Without it each text is one line, for a
    program that reads on.
    """
    head = f"{number}  {make_printable(str(record.get('id', '')), 40)}".rstrip()
    if not fields:
        head = "  ".join(filter(None, (head, _describe_origin(record), _describe_grades(record))))
    rows = list(fold_line(head, width, INDENT)) if width else [head]
    yield from (typer.style(row, bold=True) if colour else row for row in rows)
    texts = [(name, look_up_field(record, name)) for name in fields] if fields else list(_list_texts(record))
    for name, value in texts:
        for label, line in _lay_out(name, value, keep_lines=bool(width)):
            shown = typer.style(f"  {label:{INDENT - 3}}", dim=True) if colour else f"  {label:{INDENT - 3}}"
            if not width:
                yield f"{shown} {line}".rstrip()
                continue
            first, *rest = fold_line(f"{' ' * (max(INDENT - 1, 2 + len(label)))} {line}", width, INDENT)
            yield (shown + first[max(INDENT - 1, 2 + len(label)) :]).rstrip()
            yield from rest
    yield ""


def _describe_origin(record: Mapping[str, Any]) -> str:
    lineage = record.get("lineage")
    if not isinstance(lineage, Mapping):
        return ""
    try:
        return make_printable(Lineage.from_dict(lineage).describe(), 160)
    except (TypeError, ValueError, KeyError, AttributeError):  # the lineage of another program
        return ""


def _describe_grades(record: Mapping[str, Any]) -> str:
    scores = record.get("scores")
    shown = (
        {name: each for name, each in scores.items() if name != "fault"}
        if isinstance(scores, Mapping)
        else {}
    )
    words = [f"{make_printable(name, 40)} {format_score(value)}" for name, value in shown.items()]
    return f"[{', '.join(words)}]" if words else ""


def format_score(value: Any) -> str:
    """A score as it is read; of shares each with its name."""
    if isinstance(value, Mapping):
        return " / ".join(
            f"{make_printable(str(name), 40)} {format_score(each)}" for name, each in value.items()
        )
    return ("yes" if value else "no") if isinstance(value, bool) else make_printable(str(value), 40)


def _list_texts(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a person reads of a record, in the order in which it is read; of a row of another kind all that it has."""
    if "input" not in record:
        yield from ((name, value) for name, value in record.items() if name != "id")
        return
    parts = record.get("parts")
    varying = read_varying({"input": "", **record})
    if isinstance(parts, Mapping):
        for name, text in parts.items():
            if text != varying:
                yield name, make_printable(str(text), LONGEST_FIXED)
    yield "input", show_chat(record) or varying or record["input"]
    if choices := record.get("choices"):
        options = choices if isinstance(choices, list) else [choices]
        yield (
            "options",
            "\n".join(f"{'*' if each == record.get('output') else ' '} {each}" for each in options),
        )
    for name in ("output", "tests"):
        if (value := record.get(name)) not in (None, "", []):
            yield name, value
    for text in record.get("negatives") or ():
        yield "not", make_printable(str(text), LONGEST_FIXED)
    if reason := record.get("reason"):
        yield "refused", f"{record.get('step', '?')}: {reason}; {record.get('detail') or ''}".rstrip("; ")


def _lay_out(name: str, value: Any, *, keep_lines: bool) -> Iterator[tuple[str, str]]:
    """The label and text of each line of a value; only the first has its label."""
    text = value if isinstance(value, str) else "-" if value is None else _write(value, keep_lines=keep_lines)
    lines = text.splitlines() or [""] if keep_lines else [text]
    for place, line in enumerate(lines):
        # A line's own indentation is part of code, and of JSON.
        margin = line[: len(line) - len(line.lstrip(" "))] if keep_lines else ""
        yield make_printable(name, 40) if place == 0 else "", margin + make_printable(line)


def _write(value: Any, *, keep_lines: bool) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ("\n" if keep_lines else " | ").join(value)
    wide = isinstance(value, Mapping | list) and keep_lines
    return json.dumps(value, ensure_ascii=False, indent=2 if wide else None, default=str)
