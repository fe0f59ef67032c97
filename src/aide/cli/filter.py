"""`aide filter`: let records through that are as they should be."""

from typing import Annotated

import typer

from aide.cli.console import make_stderr_console
from aide.cli.sources import Quiet, Sources
from aide.errors import InputError
from aide.text.figures import format_plural

Least = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="NAME=N", help="The score or field is at least N, such as relevance=7."),
]
Most = Annotated[
    list[str] | None,
    typer.Option("--max", metavar="NAME=N", help="It is at most N, such as revisions=0."),
]
Hop = Annotated[list[str] | None, typer.Option("--hop", metavar="N,…", help="Grown at one of these hops.")]
Operation = Annotated[
    list[str] | None,
    typer.Option("--operation", metavar="NAME,…", help="Grown by one of these; persona is one."),
]
Format = Annotated[
    list[str] | None, typer.Option("--format", metavar="NAME,…", help="Of one of these formats.")
]
Match = Annotated[
    list[str] | None,
    typer.Option("--match", metavar="NAME=REGEX", help="The expression is found in the field."),
]
NotMatch = Annotated[
    list[str] | None, typer.Option("--not-match", metavar="NAME=REGEX", help="It is not found there.")
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="EXPR", help="Such as 'scores.relevance > scores.diversity'."),
]
Invert = Annotated[bool, typer.Option("--invert", help="Let the others through instead.")]


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
    invert: Invert = False,
    quiet: Quiet = False,
) -> None:
    """Let records through for which every condition holds, each as soon as it comes, unchanged.

    A field is named as in the record, dots leading into objects (lineage.triple.topic); a bare name is looked
    for in scores and lineage too. true counts as 1, an agreement of 2/3 as 0.67; a missing field fails.
    """
    from aide.dataset import conditions as ask
    from aide.dataset.lines import STDIN, read_lines, write_lines

    asked = [
        *(ask.make_bound(each, least=True) for each in least or ()),
        *(ask.make_bound(each, least=False) for each in most or ()),
        *([ask.match_any_value("lineage.hop", hop)] if hop else []),
        *([ask.match_any_value("lineage.operation", operation)] if operation else []),
        *([ask.match_any_value("format", format)] if format else []),
        *(ask.match_regex(each, wanted=True) for each in match or ()),
        *(ask.match_regex(each, wanted=False) for each in not_match or ()),
        *(ask.compile_where(each) for each in where or ()),
    ]
    if not asked:
        raise InputError(
            "no condition was given", hint="such as --min relevance=7, or --where 'lineage.hop == 2'"
        )
    count = ask.FilterCounts()
    write_lines(STDIN, ask.filter_lines(read_lines(sources or ()), asked, count, invert=invert))
    console = make_stderr_console(quiet=quiet)
    console.print(f"kept {count.kept:,} of {format_plural(count.read, 'record')}")
    if count.read and (unknown := ask.find_unknown_fields(asked)):
        console.print(f"no record has {', '.join(unknown)}", markup=False)
