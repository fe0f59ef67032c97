"""`aide records`: read records in the pager."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aide.cli.arguments import Sources, parse_size
from aide.cli.console import Output, format_json_line, make_stderr_console
from aide.cli.pager import show_lines
from aide.cli.record_text import describe_record
from aide.errors import InputError
from aide.records.field_names import look_up_field
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aide.dataset.conditions import FilterCounts
    from aide.dataset.lines import RecordLine

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="EXPR", help="Show only records that meet it, as for `aide filter`; repeatable."
    ),
]
Size = Annotated[
    str | None,
    typer.Option("--size", "-n", metavar="N|SHARE%", help="Show a random sample, the same one each time."),
]
RandomSeed = Annotated[
    int, typer.Option("--random-seed", metavar="INT", help="Another number draws another sample.")
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--fields", metavar="FIELD,…", help="Show these fields only, such as input,output,scores.relevance."
    ),
]
Rejects = Annotated[
    bool, typer.Option("--rejects", help="Show what the run refused instead, with the reasons.")
]


def records(
    sources: Sources = None,
    where: Where = None,
    size: Size = None,
    random_seed: RandomSeed = 0,
    fields: Fields = None,
    rejects: Rejects = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print JSON lines; with --fields, of these only.")
    ] = False,
) -> None:
    """Read records: where each comes from, its grades, and its texts.

    On a terminal they are shown in $PAGER, or else in less; in a pipe or a file each text is one line. Fields are
    named as for `aide filter`.
    """
    from aide.dataset import conditions
    from aide.dataset.lines import read_lines

    noun = "reject" if rejects else "record"
    names = [name.strip() for each in fields or () for name in each.split(",") if name.strip()]
    wanted = [conditions.compile_where(each) for each in where or ()]
    given = _list_rejects(sources or ()) if rejects else list(sources or ())
    count = conditions.FilterCounts()
    lines = _draw(conditions.filter_lines(read_lines(given), wanted, count), size, random_seed)
    first = next(lines, None)  # before a pager opens: bad input is told on the screen
    if count.read and not count.kept:
        conditions.check_fields(wanted, count.example)
    shown = _Counted(() if first is None else chain([first], lines))
    if json_:
        _print_json(shown, names)
    else:
        show_lines(_describe_all(shown, names, count, noun))
    if not sys.stdout.isatty() or first is None:
        make_stderr_console().print(_summarise(shown.count, count.read, noun))


class _Counted:
    """Lines, counted as they are shown."""

    def __init__(self, lines: "Iterable[RecordLine]") -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> "Iterator[RecordLine]":
        for line in self._lines:
            self.count += 1
            yield line


def _draw(lines: "Iterator[RecordLine]", size: str | None, random_seed: int) -> "Iterator[RecordLine]":
    from aide.dataset.sampling import sample_share, sample_size

    if size is None:
        return lines
    number = parse_size(size)
    if isinstance(number, float):
        return sample_share(lines, number, seed=random_seed)
    return iter(sample_size(lines, number, seed=random_seed))


def _list_rejects(sources: Sequence[str]) -> list[str]:
    """The files of rejects of these run folders."""
    from aide.config.partition import list_part_folders

    folders = [Path(each) for each in sources]
    files = [
        folder / "rejects.jsonl"
        for root in folders
        for folder in (
            [root] if (root / "shards").is_dir() else [*list_part_folders(root).values()] or [root]
        )
    ]
    if missing := [file for file in files if not file.parent.is_dir()]:
        raise InputError(f"{missing[0].parent} is no run folder", hint="--rejects reads run folders only")
    if not files:
        raise InputError("no run folder is named", hint="such as `aide records seeds.aide --rejects`")
    return [str(file) for file in files if file.exists()] or [os.devnull]


def _print_json(lines: "Iterable[RecordLine]", names: Sequence[str]) -> None:
    output = Output()
    for line in lines:
        chosen = {name: look_up_field(line.record, name) for name in names} if names else line.record
        if not output.line(format_json_line(chosen)):
            return


def _describe_all(lines: _Counted, names: Sequence[str], count: "FilterCounts", noun: str) -> Iterator[str]:
    screen = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if screen else None
    colour = screen and not os.environ.get("NO_COLOR")
    for number, line in enumerate(lines, 1):
        yield from describe_record(line.record, number, names, width=width, colour=colour)
    if screen:
        yield _summarise(lines.count, count.read, noun)


def _summarise(shown: int, read: int, noun: str) -> str:
    return format_plural(read, noun) if shown == read else f"{shown:,} of {format_plural(read, noun)}"
