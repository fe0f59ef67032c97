"""Arguments that several commands have, and shares as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

from aide.cli.missing_parts import watch_sources
from aide.cli.samples import complete_seeds
from aide.errors import InputError

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE…]",
        help="Files of JSON lines, run folders, - for stdin (the default).",
        show_default=False,
        callback=watch_sources,
    ),
]
SeedFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="SEEDS…",
        help="Seed files; - is stdin; sample:NAME is one that comes with aide.",
        autocompletion=complete_seeds,
    ),
]
InputFields = Annotated[
    list[str] | None,
    typer.Option(
        "--input-field",
        metavar="F",
        help="Column of the input in human data and seeds, if it is not recognised; repeatable.",
    ),
]
OutputField = Annotated[
    str, typer.Option("--output-field", metavar="F", help="Column of the output, if it is not recognised.")
]
Folder = Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]


def parse_fraction(text: str, option: str) -> float:
    """`0.1` or `10%` as 0.1.

    Raises:
        InputError: it is no share between 0 and 1.
    """
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError as fault:
        raise InputError(f"{option} {text!r} is no share", hint="such as 0.1 or 10%") from fault
    if not 0 <= value <= 1:
        raise InputError(f"{option} {text} is out of range", hint="such as 0.1 or 10%")
    return value


def parse_size(size: str) -> int | float:
    """A count as a whole number, or `10%` as the fraction 0.1.

    Raises:
        InputError: it is neither.
    """
    if size.endswith("%"):
        return parse_fraction(size, "--size")
    if not size.isdecimal():
        raise InputError(f"--size {size!r} is no number", hint="such as 200 or 10%")
    return int(size)
