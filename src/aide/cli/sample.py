"""`aide sample`: a random sample of the records."""

from typing import Annotated

import typer

from aide.cli.arguments import Quiet, Sources, parse_size
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural


def sample(
    sources: Sources = None,
    size: Annotated[
        str,
        typer.Option("--size", "-n", metavar="N|SHARE%", help="Number of records, or a share such as 10%."),
    ] = "100",
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="FIELD,…",
            help="Keep the shares of this field's values: hop, operation, output, …",
        ),
    ] = None,
    evenly: Annotated[bool, typer.Option("--evenly", help="With --by: equally many of each value.")] = False,
    random_seed: Annotated[
        int, typer.Option("--random-seed", metavar="INT", help="Another number draws another sample.")
    ] = 0,
    quiet: Quiet = False,
) -> None:
    """Draw a random sample, the same one each time, and write it in the order of the records.

    At most N records of each value of --by are held in memory. A share is drawn record by record.
    """
    from aide.dataset.lines import STDOUT, read_lines, write_lines
    from aide.dataset.sampling import sample_share
    from aide.dataset.sampling import sample_size as draw

    fields = [name.strip() for each in by or () for name in each.split(",")]
    if evenly and not fields:
        raise InputError("--evenly goes with --by", hint="such as --by hop --evenly")
    number = parse_size(size)
    if isinstance(number, float):
        if fields:
            raise InputError("--by needs a number, not a share", hint="such as -n 200 --by hop")
        kept = write_lines(STDOUT, sample_share(read_lines(sources or ()), number, seed=random_seed))
    else:
        kept = write_lines(
            STDOUT, draw(read_lines(sources or ()), number, seed=random_seed, by=fields, evenly=evenly)
        )
    make_stderr_console(quiet=quiet).print(f"drew {format_plural(kept, 'record')}")
