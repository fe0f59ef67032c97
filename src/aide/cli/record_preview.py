"""A few records beside the seed and the parent they came from: in columns or, on a narrow screen, stacked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aide.cli.console import escape_for_console, print_pairs

if TYPE_CHECKING:
    from rich.console import Console

    from aide.run.record_preview import RecordPreview

WIDE: Final = 110
"""Columns of a terminal from which three texts fit side by side."""

LONGEST: Final = 280
"""Columns of a text that are shown."""


def print_previews(console: "Console", previews: Sequence["RecordPreview"]) -> None:
    """Print records, each with its seed, its parent and how it was grown."""
    if not previews:
        return
    words = ("no record", "one record", "two records", "three records", "four records", "five records")
    named = words[len(previews)] if len(previews) < len(words) else f"{len(previews)} records"
    console.print(f"\n{named}, beside what {'it' if len(previews) == 1 else 'they'} came from:")
    if console.is_terminal and console.width >= WIDE:
        _print_columns(console, previews)
    else:
        _print_stacked(console, previews)


def _print_columns(console: "Console", previews: Sequence["RecordPreview"]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), leading=1
    )
    grown = _has_parents(previews)
    headings = ("seed", "parent", "record") if grown else ("seed", "record")
    width = console.width // len(headings) - 2
    for heading in headings:
        table.add_column(heading, ratio=1, overflow="fold")
    for each in previews:
        origin, record, answer = map(_shorten, (each.origin, each.record, each.answer))
        grades = f"\n[dim]{_break_between(_shorten(each.grades), width)}[/dim]" if each.grades else ""
        own = f"[dim]{origin}[/dim]\n{record}\n[bold]answer[/bold] {answer}{grades}"
        parent = [_shorten(each.parent)] if grown else []
        table.add_row(_shorten(each.seed), *parent, own)
    console.print(table)


def _break_between(items: str, width: int) -> str:
    """Items with commas between them, in lines that break no item: a grade and its name stay together."""
    lines = [""]
    for item in items.split(", "):
        joined = f"{lines[-1]}, {item}" if lines[-1] else item
        if len(joined) < width or not lines[-1]:
            lines[-1] = joined
        else:
            lines[-1] += ","
            lines.append(item)
    return "\n".join(lines)


def _print_stacked(console: "Console", previews: Sequence["RecordPreview"]) -> None:
    grown = _has_parents(previews)
    for each in previews:
        console.print()
        texts = {
            "grown by": each.origin,
            "seed": each.seed,
            "parent": each.parent if grown else "",
            "record": each.record,
            "answer": each.answer,
            "grades": each.grades,
        }
        print_pairs(console, [(name, _shorten(text)) for name, text in texts.items() if text])


def _has_parents(previews: Sequence["RecordPreview"]) -> bool:
    """False where all are of the first hop: their parents are the seeds."""
    return any(not each.parent.startswith("(") for each in previews)


def _shorten(text: str) -> str:
    return escape_for_console(text, LONGEST)
