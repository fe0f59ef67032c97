"""What the commands that pipe have in common: where their lines come from, and how they count."""

from typing import Any, Final

import typer

SOURCES: Final[Any] = typer.Argument(
    metavar="[FILE…]", help="Files of JSON lines, run folders, - for stdin (the default).", show_default=False
)


def numbers(count: int, noun: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


__all__ = ["SOURCES", "numbers"]
