"""`aide sample`: a random sample of the records."""

from typing import TYPE_CHECKING, Annotated

import typer

from aide.cli.arguments import Quiet, Sources, parse_size
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aide.dataset.lines import RecordLine


Size = Annotated[
    str,
    typer.Option("--size", "-n", metavar="N|SHARE%", help="Number of records, or a share such as 10%."),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="FIELD,…",
        help="Keep the shares of this field's values: hop, operation, output, difficulty, …",
    ),
]
Evenly = Annotated[bool, typer.Option("--evenly", help="With --by: equally many of each value.")]
Difficulty = Annotated[
    str | None,
    typer.Option(
        "--difficulty",
        metavar="easy|hard|spread|LOW-HIGH",
        help="Only what a student finds so (aide grade --student); spread: equally many of each difficulty.",
    ),
]
Order = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="FIELD",
        help="Write the smallest of this field first, such as difficulty: a curriculum. "
        "The values of --by take turns.",
    ),
]
RandomSeed = Annotated[
    int, typer.Option("--random-seed", metavar="INT", help="Another number draws another sample.")
]


def sample(
    sources: Sources = None,
    size: Size = "100",
    by: By = None,
    evenly: Evenly = False,
    difficulty: Difficulty = None,
    order: Order = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Draw a random sample, the same one each time, and write it in the order of the records.

    At most N records of each value of --by are held in memory. A share is drawn record by record; with --order all that
    are drawn are held.
    """
    from aide.dataset.difficulty import DIFFICULTY, SPREAD, order_lines
    from aide.dataset.lines import STDOUT, read_lines, write_lines
    from aide.dataset.sampling import sample_share
    from aide.dataset.sampling import sample_size as draw

    fields = [name.strip() for each in by or () for name in each.split(",")]
    if evenly and not fields:
        raise InputError("--evenly goes with --by", hint="such as --by hop --evenly")
    number = parse_size(size)
    strata = [*fields, *([DIFFICULTY] if difficulty == SPREAD else [])]
    if isinstance(number, float) and (evenly or difficulty == SPREAD or (strata and not order)):
        flag = "--difficulty spread" if difficulty == SPREAD else "--by"
        raise InputError(f"{flag} needs a number, not a share", hint=f"such as -n 200 {flag}")
    lines = _keep_difficulty(read_lines(sources or ()), difficulty)
    drawn = (
        sample_share(lines, number, seed=random_seed)
        if isinstance(number, float)
        else draw(lines, number, seed=random_seed, by=strata, evenly=evenly or difficulty == SPREAD)
    )
    kept = write_lines(STDOUT, order_lines(drawn, order, fields) if order else drawn)
    make_stderr_console(quiet=quiet).print(f"drew {format_plural(kept, 'record')}")


def _keep_difficulty(lines: "Iterable[RecordLine]", wanted: str | None) -> "Iterable[RecordLine]":
    """The lines of a difficulty, or all.

    Raises:
        InputError: no line has one.
    """
    from aide.dataset.difficulty import make_difficulty_condition

    if wanted is None:
        return lines
    condition = make_difficulty_condition(wanted)

    def keep() -> "Iterable[RecordLine]":
        read = 0
        for line in lines:
            read += 1
            if condition(line.record):
                yield line
        if read and not condition.seen:
            raise InputError(
                "no record has a difficulty", hint="aide grade FILE --student URL gives each record one"
            )

    return keep()
