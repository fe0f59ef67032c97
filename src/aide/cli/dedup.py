"""`aide dedup`: let the first of each group of duplicates through."""

from typing import Annotated, Any, Literal

import typer

from aide.cli.console import stderr
from aide.cli.sources import Quiet, Sources, numbers

Mode = Annotated[
    Literal["near", "exact"],
    typer.Option("--mode", help="near: similar wording too; exact: equal but for case and punctuation."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="SHARE",
        min=0.3,
        max=1.0,
        help="Similarity from which on two are one (default 0.7, or what the seeds teach).",
    ),
]
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seeds",
        metavar="FILE",
        help="Seeds, whose repetitions go too; how alike they are teaches the threshold. "
        "Those of a run folder are found.",
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option("--against", metavar="FILE", help="Records that are there already and are not written."),
]
Mark = Annotated[bool, typer.Option("--mark", help="Keep duplicates, with a field `duplicate`.")]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write every hit with its twin, as JSON lines."),
]


def dedup(
    sources: Sources = None,
    mode: Mode = "near",
    threshold: Threshold = None,
    seeds: Seeds = None,
    against: Against = None,
    mark: Mark = False,
    report: Report = None,
    quiet: Quiet = False,
) -> None:
    """Let records through that repeat none before them, by the same rules that watch a run as it grows.

    Compared is the part that varies; of multiple choice also the right option. A record that stays takes
    about 300 bytes of memory.
    """
    from aide.filters.content import name_of
    from aide.filters.seedfiles import seeds_of
    from aide.filters.stream import STDIN, Line, lines, opened, write
    from aide.filters.twins import among, without_twins
    from aide.quality.duplicates import Twin
    from aide.shards import to_line

    known = among(seeds_of(sources or (), seeds or ()), mode, threshold)
    for line in lines(against) if against else ():
        known.enter(line)
    counts = {"read": 0, "exact": 0, "near": 0}
    hits: Any = None

    def told(line: Line, twin: Twin) -> Line | dict[str, Any] | None:
        counts[twin.how] += 1
        found = {"of": twin.id, "how": twin.how, "similarity": twin.similarity}
        if hits is not None:
            hits.write(to_line({"id": name_of(line), "where": line.where, **found}))
        return {**line.record, "duplicate": found} if mark else None

    def counted() -> Any:
        for line in lines(sources or ()):
            counts["read"] += 1
            yield line

    if report:
        with opened(report) as hits:
            write(STDIN, without_twins(counted(), known, told))
    else:
        write(STDIN, without_twins(counted(), known, told))
    dropped = counts["exact"] + counts["near"]
    done = "marked" if mark else "dropped"
    told_of = f"{counts['exact']:,} exact, {counts['near']:,} near"
    stderr(quiet=quiet).print(f"{done} {dropped:,} of {numbers(counts['read'], 'record')}: {told_of}")
