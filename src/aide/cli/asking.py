"""What the commands have in common that ask a model about records: seeds, folder, loop, counts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.console import Output, make_stderr_console
from aide.cli.hosts import check_keys
from aide.config.fingerprint import compute_fingerprint
from aide.config.resolve import Settings
from aide.config.spec import RunSpec
from aide.errors import InputError, NodeError

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.formats import TaskCard
    from aide.run.inputs import PreparedInputs, SeedSource
    from aide.run.session import RunRequest
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
    settings: Settings,
    sources: list[str],
    seeds: list[str] | None,
    journal: Path | None,
    work: Work,
    **how: Any,
) -> None:
    """`process_records` with each result written to stdout as it comes, in the order of the records."""
    from aide.jsonl import encode_json

    output = Output()

    def write(record: Mapping[str, Any]) -> None:
        if not output.line(encode_json(record).decode()):
            raise BrokenPipeError

    process_records(settings, sources, seeds, journal, work, write, **how)


def process_records(
    settings: Settings,
    sources: list[str],
    seeds: list[str] | None,
    journal: Path | None,
    work: Work,
    take: Callable[[dict[str, Any]], None],
    read: "Callable[[list[str]], Iterator[RecordLine]] | None" = None,
    *,
    find_card: "Callable[[PreparedInputs], TaskCard] | None" = None,
    kind: str = "",
) -> None:
    """Do `work` for every record, hand each result to `take`, and tell on stderr what was dropped and why.

    `read` gives the records of the sources; by default all of them. `find_card` gives a task card that no model need
    describe, and may refuse the task before anything is spent. Work of another `kind` has a folder of its own.
    """
    from aide.dataset.lines import read_lines
    from aide.engines.local import LocalModels
    from aide.run.single_steps import map_in_order, open_step_runner

    settings = _leave_out_recipe(settings)
    spec = settings.spec
    check_keys(spec)
    request, source, inputs = _make_request(settings, sources, seeds, journal, kind)
    card = find_card(inputs) if find_card else None
    models = LocalModels(spec)
    results = _Results(take)

    async def work_on(runner: "StepRunner", line: "RecordLine") -> dict[str, Any] | NodeError:
        try:
            return await work(runner, line)
        except NodeError as fault:
            return fault

    async def main() -> int:
        try:
            async with open_step_runner(request, models, source, card) as runner:
                found = map_in_order(
                    (read or read_lines)(sources),
                    lambda line: work_on(runner, line),
                    at_once=2 * models.capacity,
                )
                async for each in found:
                    results.add(each)
                return runner.calls_made
        finally:
            await models.close()

    calls = asyncio.run(main())
    make_stderr_console(quiet=spec.quiet).print(results.describe(calls), markup=False)


def _leave_out_recipe(settings: Settings) -> Settings:
    """The settings without the recipe that a file or the environment names, and what it grows from: nothing grows."""
    grown = {name: RunSpec.model_fields[name].default for name in ("recipe", "contexts", "corpus")}
    return replace(settings, spec=settings.spec.model_copy(update=grown))


def _make_request(
    settings: Settings, sources: list[str], seeds: list[str] | None, journal: Path | None, kind: str
) -> "tuple[RunRequest, SeedSource, PreparedInputs]":
    """What to ask for, of which seeds, and these as they were read: bad ones are refused before there is a folder.

    Raises:
        InputError: a file or a line is wrong, or nothing tells the task.
    """
    from aide.dataset.seed_sources import find_seed_files
    from aide.run.folder import RunFolder
    from aide.run.inputs import SeedSource
    from aide.run.session import RunRequest

    named = find_seed_files(sources, seeds or ())
    if named is None and (sources == ["-"] or not sources):
        raise InputError("standard input alone tells no task", hint="give examples of it with --seeds FILE")
    paths = tuple(named.paths) if named else tuple(sources)
    source = SeedSource(settings.spec, paths)
    inputs = source.read()
    folder = journal or default_journal_folder(settings, (*paths, *([kind] if kind else [])))
    return RunRequest(settings.spec, settings.origins, paths, RunFolder(folder)), source, inputs


class _Results:
    """Counts of what was done and what was dropped."""

    def __init__(self, take: Callable[[dict[str, Any]], None]) -> None:
        self._take = take
        self._done = 0
        self._dropped: Counter[str] = Counter()

    def add(self, result: dict[str, Any] | NodeError) -> None:
        if isinstance(result, NodeError):
            self._dropped[result.reason] += 1
        else:
            self._done += 1
            self._take(result)

    def describe(self, calls: int) -> str:
        why = ", ".join(f"{reason} {n:,}" for reason, n in self._dropped.most_common())
        dropped = f"; dropped {self._dropped.total():,} ({why})" if self._dropped else ""
        return f"{self._done:,} records, {calls:,} calls{dropped}"


def default_journal_folder(settings: Settings, seeds: Iterable[str]) -> Path:
    """A folder of its own for each task and setting, below the user's state folder."""
    from hashlib import sha256

    import platformdirs

    name = sha256(
        repr((sorted(compute_fingerprint(settings.spec).items()), tuple(seeds))).encode()
    ).hexdigest()[:12]
    return Path(platformdirs.user_state_path("aide")) / "desk" / f"{name}.aide"
