"""`aide filter`: keep records that meet conditions."""

from typing import Annotated

import typer

from aide.cli.arguments import Quiet, Sources
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

Least = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="NAME=N", help="Score or field is at least N, such as relevance=7."),
]
Most = Annotated[
    list[str] | None,
    typer.Option("--max", metavar="NAME=N", help="Score or field is at most N, such as revisions=0."),
]
Hop = Annotated[list[str] | None, typer.Option("--hop", metavar="N,…", help="Hop is one of these.")]
Operation = Annotated[
    list[str] | None,
    typer.Option("--operation", metavar="NAME,…", help="Operation is one of these; persona counts as one."),
]
Format = Annotated[
    list[str] | None, typer.Option("--format", metavar="NAME,…", help="Format is one of these.")
]
Match = Annotated[
    list[str] | None,
    typer.Option("--match", metavar="NAME=REGEX", help="Regular expression is found in the field."),
]
NotMatch = Annotated[
    list[str] | None,
    typer.Option("--not-match", metavar="NAME=REGEX", help="Regular expression is not found in the field."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="EXPR", help="Expression holds, such as 'scores.relevance > scores.diversity'."
    ),
]
Difficulty = Annotated[
    str | None,
    typer.Option(
        "--difficulty",
        metavar="easy|hard|LOW-HIGH",
        help="A student finds it so (aide grade --student): easy if right in more than half of its answers.",
    ),
]
Invert = Annotated[bool, typer.Option("--invert", help="Keep the other records instead.")]


def filter(
    sources: Sources = None,
    least: Least = None,
    most: Most = None,
    hop: Hop = None,
    operation: Operation = None,
    format: Format = None,
    match: Match = None,
    not_match: NotMatch = None,
    where: Where = None,
    difficulty: Difficulty = None,
    invert: Invert = False,
    quiet: Quiet = False,
) -> None:
    """Keep records that meet all conditions; they are written unchanged, each as soon as it is read.

    Fields are named as in the record, with dots for nested ones (lineage.triple.topic); a simple name is also
    looked up in scores and lineage. true counts as 1, an agreement of 2/3 as 0.67. A missing field meets no
    condition but --not-match; in --where it is None.
    """
    from aide.dataset import conditions
    from aide.dataset.difficulty import SPREAD, make_difficulty_condition
    from aide.dataset.lines import STDOUT, read_lines, write_lines

    if difficulty == SPREAD:
        raise InputError("--difficulty spread draws a sample", hint="aide sample --difficulty spread -n 200")
    wanted = [
        *(conditions.make_bound(each, least=True) for each in least or ()),
        *(conditions.make_bound(each, least=False) for each in most or ()),
        *([conditions.match_any_value("lineage.hop", hop)] if hop else []),
        *([conditions.match_any_value("lineage.operation", operation)] if operation else []),
        *([conditions.match_any_value("format", format)] if format else []),
        *(conditions.match_regex(each, wanted=True) for each in match or ()),
        *(conditions.match_regex(each, wanted=False) for each in not_match or ()),
        *(conditions.compile_where(each) for each in where or ()),
        *([make_difficulty_condition(difficulty)] if difficulty else []),
    ]
    if not wanted:
        raise InputError(
            "no condition was given", hint="such as --min relevance=7, or --where 'lineage.hop == 2'"
        )
    count = conditions.FilterCounts()
    write_lines(STDOUT, conditions.filter_lines(read_lines(sources or ()), wanted, count, invert=invert))
    console = make_stderr_console(quiet=quiet)
    console.print(f"kept {count.kept:,} of {format_plural(count.read, 'record')}")
    if count.read and (missing := conditions.check_fields(wanted, count.example)):
        console.print(f"no record has {', '.join(missing)}", markup=False)
