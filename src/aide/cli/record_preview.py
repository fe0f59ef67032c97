"""A few records beside the seed and parent they came from: in columns or, on a narrow screen, stacked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aide.cli.console import escape_for_console, print_pairs

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 110  # columns of a terminal from which three texts stand side by side
LONGEST = 280  # columns of a text that are shown
HEADINGS = ("seed", "parent", "record", "answer")


def print_previews(console: "Console", chosen: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Show records as `run.record_preview` gives them: seed, parent, record, answer, and how it was grown."""
    if not chosen:
        return
    count = {1: "one record", 2: "two records", 3: "three records"}.get(len(chosen), f"{len(chosen)} records")
    console.print(f"\n{count}, beside what they came from:")
    if console.is_terminal and console.width >= WIDE:
        _side_by_side(console, chosen)
    else:
        _stacked(console, chosen)


def _side_by_side(console: "Console", chosen: Sequence[tuple[str, str, str, str, str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 2, 1, 0))
    for heading in HEADINGS[:3]:
        table.add_column(heading, ratio=1, overflow="fold")
    for seed, parent, record, answer, grown in chosen:
        answered = f"[bold]answer[/bold] {escape_for_console(answer, LONGEST)}"
        told = f"[dim]{escape_for_console(grown, LONGEST)}[/dim]\n{escape_for_console(record, LONGEST)}\n{answered}"
        table.add_row(escape_for_console(seed, LONGEST), escape_for_console(parent, LONGEST), told)
    console.print(table)


def _stacked(console: "Console", chosen: Sequence[tuple[str, str, str, str, str]]) -> None:
    for *texts, grown in chosen:
        console.print()
        named = zip(HEADINGS, texts, strict=True)
        print_pairs(
            console,
            [
                ("grown by", escape_for_console(grown, LONGEST)),
                *((name, escape_for_console(text, LONGEST)) for name, text in named),
            ],
        )


__all__ = ["print_previews"]
