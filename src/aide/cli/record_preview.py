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
    words = {1: "one record", 2: "two records", 3: "three records"}
    console.print(f"\n{words.get(len(previews), f'{len(previews)} records')}, beside what they came from:")
    if console.is_terminal and console.width >= WIDE:
        _print_columns(console, previews)
    else:
        _print_stacked(console, previews)


def _print_columns(console: "Console", previews: Sequence["RecordPreview"]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 2, 1, 0))
    for heading in ("seed", "parent", "record"):
        table.add_column(heading, ratio=1, overflow="fold")
    for each in previews:
        origin, record, answer = map(_shorten, (each.origin, each.record, each.answer))
        own = f"[dim]{origin}[/dim]\n{record}\n[bold]answer[/bold] {answer}"
        table.add_row(_shorten(each.seed), _shorten(each.parent), own)
    console.print(table)


def _print_stacked(console: "Console", previews: Sequence["RecordPreview"]) -> None:
    for each in previews:
        console.print()
        texts = {
            "grown by": each.origin,
            "seed": each.seed,
            "parent": each.parent,
            "record": each.record,
            "answer": each.answer,
        }
        print_pairs(console, [(name, _shorten(text)) for name, text in texts.items()])


def _shorten(text: str) -> str:
    return escape_for_console(text, LONGEST)
