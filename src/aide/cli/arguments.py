"""Arguments that several commands have, and shares as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

from aide.errors import InputError

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE…]",
        help="Files of JSON lines, run folders, - for stdin (the default).",
        show_default=False,
    ),
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
