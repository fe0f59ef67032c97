"""What the commands have in common that ask a model about records: seeds, folder, loop, counts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.console import Output, make_stderr_console
from aide.config.resolve import Settings
from aide.errors import InputError, NodeError

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.run.single_steps import StepRunner

SEEDS = Annotated[
    list[str] | None,
    typer.Option(
        "--seeds",
        metavar="FILE",
        help="Examples of the task; those of a run folder are found, else the records stand for themselves.",
    ),
]
JOURNAL = Annotated[
    Path | None,
    typer.Option("--journal", metavar="DIR", help="Where answers are kept, so that none is paid for twice."),
]
Work = Callable[["StepRunner", "RecordLine"], Coroutine[Any, Any, dict[str, Any]]]


def write_results(
    settings: Settings, sources: list[str], seeds: list[str] | None, journal: Path | None, work: Work
) -> None:
    """`ask` with each result written to stdout as it comes, in the order of the records."""
    import orjson

    output = Output()

    def write(record: dict[str, Any]) -> None:
        if not output.line(orjson.dumps(record).decode()):
            raise BrokenPipeError

    process_records(settings, sources, seeds, journal, work, write)


def process_records(
    settings: Settings,
    sources: list[str],
    seeds: list[str] | None,
    journal: Path | None,
    work: Work,
    take: Callable[[dict[str, Any]], None],
    read: "Callable[[list[str]], Iterator[RecordLine]] | None" = None,
) -> None:
    """Do `work` for every record, hand each result to `take`, and tell on stderr what was dropped and why.

    `read` gives the records of the sources; by default all of them.
    """
    from aide.dataset.lines import read_lines
    from aide.dataset.seed_sources import find_seed_files
    from aide.engines import local
    from aide.run.folder import RunFolder
    from aide.run.inputs import read_seeds
    from aide.run.single_steps import map_in_order, open_step_runner

    spec = settings.spec
    named = find_seed_files(sources, seeds or ())
    if named is None and (sources == ["-"] or not sources):
        raise InputError("standard input alone tells no task", hint="give examples of it with --seeds FILE")
    paths = tuple(named.paths) if named else tuple(sources)
    ground = read_seeds(spec, paths)
    pool = local.open_pool(spec)
    order = local.order(
        spec, settings.origins, paths, RunFolder(journal or default_journal_folder(settings, paths)), pool
    )
    dropped: Counter[str] = Counter()
    done = 0

    async def one(desk: "StepRunner", line: "RecordLine") -> dict[str, Any] | NodeError:
        try:
            return await work(desk, line)
        except NodeError as fault:
            return fault

    async def main() -> None:
        nonlocal done
        try:
            async with open_step_runner(order, ground) as desk:
                found: AsyncIterator[dict[str, Any] | NodeError] = map_in_order(
                    (read or read_lines)(sources), lambda line: one(desk, line), at_once=order.room
                )
                async for each in found:
                    if isinstance(each, NodeError):
                        dropped[each.reason] += 1
                    else:
                        done += 1
                        take(each)
                told = f"{desk.calls.made:,} calls"
        finally:
            await pool.close()
        why = ", ".join(f"{reason} {n:,}" for reason, n in dropped.most_common())
        lost = f"; dropped {dropped.total():,} ({why})" if dropped else ""
        make_stderr_console(quiet=spec.quiet).print(f"{done:,} records, {told}{lost}", markup=False)

    asyncio.run(main())


def default_journal_folder(settings: Settings, seeds: Iterable[str]) -> Path:
    """A folder of its own for each task and setting, below the user's state folder."""
    from hashlib import sha256

    import platformdirs

    name = sha256(repr((sorted(settings.spec.fingerprint().items()), tuple(seeds))).encode()).hexdigest()[:12]
    return Path(platformdirs.user_state_path("aide")) / "desk" / f"{name}.aide"
