"""`aide expand`: grow seeds into records; rerun to resume."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from aide.cli.arguments import SeedFiles
from aide.cli.console import Output, escape_for_console, make_stderr_console, report_crash, report_error
from aide.cli.display import Display
from aide.cli.engine_choice import LOCAL, choose_display, enter_run, read_finished_run
from aide.cli.hosts import check_keys
from aide.cli.offers import check_windows, name_model
from aide.cli.options import with_spec_options
from aide.cli.recipe_choice import take_recipe
from aide.cli.refill import free_refused_places
from aide.cli.run_folders import choose_run_folder
from aide.cli.streaming import StdoutStream
from aide.config.resolve import Settings, resolve_settings
from aide.config.spec import BATCH_API, SIMULATOR, RunSpec
from aide.errors import AideError, BatchesPending, FolderHeld, InputError, Interrupted
from aide.stop import StopSwitch
from aide.text.figures import format_duration

if TYPE_CHECKING:
    from aide.engines import Engine
    from aide.engines.local import LocalModels
    from aide.run.folder import RunFolder
    from aide.run.inputs import PreparedInputs, SeedSource
    from aide.run.loop import Emit

T = TypeVar("T")

ASK_ABOVE: Final = 5.0  # US dollars
POLL: Final = 0.2  # seconds between two looks at whether anybody reads standard output


@with_spec_options
def expand(
    seeds: SeedFiles,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="Run folder; - streams records to stdout.", metavar="DIR"),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")
    ] = False,
    refill: Annotated[
        bool, typer.Option("--refill", help="Make up for the records that a review refused.")
    ] = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Grow seed examples into many records. The same command again resumes; a finished run costs nothing.

    Exit codes: 0 done, 2 bad input, 3 budget reached, 4 endpoint unusable, 5 folder in use, 6 short of
    the target, 7 batches are pending, 130 interrupted. 3, 4, 7 and 130 can be resumed by running the same
    command again.
    """
    for number in _list_signals():
        if number != signal.SIGINT:
            signal.signal(number, _end_early)
    settings = resolve_settings(spec_flags, environ=os.environ, config=config, model_needed=False)
    raise typer.Exit(_expand(take_recipe(settings, seeds), tuple(seeds), out, as_json=json_, refill=refill))


def _expand(
    settings: Settings, seeds: tuple[str, ...], out: str | None, *, as_json: bool, refill: bool
) -> int:
    from aide.run.budget import check_priced
    from aide.run.folder import RunFolder, resume_spec
    from aide.run.journal_check import refuse_cut

    folder = RunFolder(choose_run_folder(settings, seeds, out))
    refuse_cut(folder.journal)
    if not settings.spec.model and not folder.manifest.exists():
        check_keys(settings.spec)  # before its models are asked for
    settings = name_model(settings, folder)
    spec = enter_run(resume_spec(folder, settings.spec, settings.origins), folder, seeds, out)
    settings = replace(settings, spec=spec)
    stream = StdoutStream() if out == "-" else None
    display = choose_display(spec)(
        make_stderr_console(quiet=spec.quiet),
        folder,
        stream,
        log_format=spec.log_format,
        progress=spec.progress,
    )
    output = stream or Output()
    if stream:
        display.tell(f"run folder: {escape_for_console(str(folder.path))}", "folder", path=str(folder.path))
    if refill:
        free_refused_places(folder, display)
    if not stream and (finished := read_finished_run(settings, folder, seeds)) is not None:
        display.already(finished, spec.target if isinstance(spec.target, int) else None)
        return _end(finished, output, as_json=as_json)
    check_keys(spec)
    check_priced(spec)
    try:
        summary = _run(settings, seeds, folder, display, stream)
    except AideError as error:
        if display.json:
            display.stopped(error, {})
        else:
            report_error(error)
        begun = not isinstance(error, InputError | FolderHeld)
        kept = {**(folder.read_summary() if begun else {}), "exit_code": error.exit_code}
        return _end(kept, output, as_json=as_json and begun)
    except Exception as fault:  # noqa: BLE001 - told, logged with its traceback, and the end of the run
        return report_crash(fault, log=display.keep(fault))
    if output.open and not spec.card_only:
        gc.collect()  # the run is over: the report takes its place in memory, not a place beside it
        display.report()
    return _end(summary, output, as_json=as_json)


_early: Final[list[int]] = []
"""Signals that came while no loop listened. An exception that a handler raises is lost in a destructor or a callback of
the interpreter's own, so whoever begins to listen looks here first.
"""


def _end_early(number: int, _: object) -> None:
    """SIGTERM or SIGHUP before there is a run to drain ends like Ctrl-C."""
    _early.append(number)
    raise KeyboardInterrupt


def _remember(number: int, _: object) -> None:
    """Between here and the first turn of the loop nothing waits, and nothing may be torn."""
    _early.append(number)


def _run(
    settings: Settings,
    seeds: tuple[str, ...],
    folder: "RunFolder",
    display: Display,
    stream: StdoutStream | None,
) -> Mapping[str, Any]:
    """Everything from reading the seeds to the summary; what is heavy to import is imported here."""
    from aide.engines import ENGINES, Job
    from aide.engines.local import LocalModels, make_transport
    from aide.run.inputs import SeedSource, count_inputs_card
    from aide.run.parts_progress import read_root_progress
    from aide.run.preview import list_previews, preview_root
    from aide.run.service import SYSTEM_CLOCK
    from aide.run.session import RunRequest

    spec = settings.spec
    _require_lasting_batches(spec)
    source = SeedSource(spec, seeds, sys.stdin.buffer)
    inputs = _read_inputs(source, spec, folder)
    card = count_inputs_card(spec, inputs)
    display.plan(spec, inputs, card)
    check_windows(spec, inputs, card, folder)
    display.resumed(read_root_progress(folder))
    _confirm(spec, display)
    if all(each.simulated for each in spec.list_endpoints()):
        display.tell(
            "the simulator answers: its texts mean nothing, and no model learns from them", "simulated"
        )
    previews = list_previews(preview_root(), inputs)
    display.previewed = bool(previews) and spec.reuse is None
    given: set[str] = set()  # records that the reader has: each session begins with those before it
    # A simulator in this process has its batches in memory: all sessions of this command share it.
    transports = {each.name: make_transport(each) for each in spec.list_endpoints() if each.simulated}
    until = SYSTEM_CLOCK.monotonic() + spec.batch_wait
    while True:
        job = Job(
            RunRequest(spec, settings.origins, seeds, folder, previews),
            source,
            display,
            emit=partial(_make_emit, stream, given) if stream else None,
            expected=display.totals,
            transports=transports,
        )
        waits = until > SYSTEM_CLOCK.monotonic()
        summary = _drive(ENGINES[spec.engine](job), spec, display, stream, waits=waits)
        display.note_reused(summary.get("this_run", {}).get("reused", 0))
        # The loop that has ended leaves these to nobody, and between two sessions a signal would be lost.
        for number in _list_signals():
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _end_early)
        left = until - SYSTEM_CLOCK.monotonic()
        if summary.get("exit_code") != BatchesPending.exit_code or left <= 0:
            return summary
        display.tell(f"waiting for batches, {format_duration(left)} at most", "waiting", seconds=round(left))
        if not _wait(LocalModels(spec, transports=transports), folder, left):
            hint = "run the same command again to go on"
            display.stopped(BatchesPending(str(summary.get("stopped")), hint=hint), summary)
            return summary


def _read_inputs(source: "SeedSource", spec: RunSpec, folder: "RunFolder") -> "PreparedInputs":
    """The seeds, refused where the folder is of another run: the run itself looks again, once the folder is its own."""
    from aide.run.same_run import check_seeds, check_settings

    inputs = source.read()
    if spec.engine == LOCAL:
        check_settings(folder, spec)
        check_seeds(folder, spec, inputs)
    return inputs


def _require_lasting_batches(spec: RunSpec) -> None:
    """Refuse batches that would end with this process."""
    if (
        spec.batch == BATCH_API
        and not spec.batch_wait
        and any(each.simulated for each in spec.list_endpoints())
    ):
        raise InputError(
            f"the simulator behind {SIMULATOR} forgets its batches when the command ends",
            hint="add --batch-wait 60, or start `aide simulate` and name its URL",
        )


def _wait(models: "LocalModels", folder: "RunFolder", seconds: float) -> bool:
    """Wait for batches; false where none came back in time. Raises `Interrupted` on Ctrl-C or SIGTERM."""
    from aide.run.batches import wait_for_batches
    from aide.run.service import SYSTEM_CLOCK

    async def wait() -> bool:
        waiting = asyncio.ensure_future(wait_for_batches(folder, models, seconds, SYSTEM_CLOCK))
        for number in _list_signals():
            asyncio.get_running_loop().add_signal_handler(number, waiting.cancel)
        try:
            return await waiting
        except asyncio.CancelledError:
            hint = "run the same command again to go on"
            raise Interrupted("interrupted; the batches are answered meanwhile", hint=hint) from None
        finally:
            await models.close()

    return _run_loop(wait())


def _drive(
    engine: "Engine", spec: RunSpec, display: Display, stream: StdoutStream | None, *, waits: bool
) -> Mapping[str, Any]:
    """Run on an event loop with signals attached; a stop is told, and its exit code kept.

    Where the command `waits` for batches, they are no stop worth telling.
    """

    async def main() -> dict[str, Any]:
        _listen_to_signals(engine.stop, display, spec.drain_seconds)
        watch = asyncio.create_task(_watch_reader(stream, engine.stop)) if stream else None
        try:
            try:
                return await engine.run()
            finally:
                if stream:  # also after a stop: what was accepted is read before the end
                    interrupted = isinstance(engine.stop.reason, Interrupted)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(spec.drain_seconds if interrupted else None):
                            await stream.caught_up()
        finally:
            if watch:
                watch.cancel()
            display.close()

    for number in _list_signals():
        signal.signal(number, _remember)
    try:
        summary = _run_loop(main())
    except AideError as stop:
        if not engine.growing and not isinstance(stop, Interrupted | BatchesPending):
            raise
        if stream and not stream.open and isinstance(stop, Interrupted):
            return {"exit_code": 0}  # the reader had enough; everything that was answered is in the journal
        kept = engine.read_totals()
        if not (waits and isinstance(stop, BatchesPending)):
            display.stopped(stop, kept)
        # The summary on the disk may be an older one: a full disk takes no new one.
        return {**kept, "exit_code": stop.exit_code}
    if spec.card_only:
        display.card_ready()
    else:
        display.done(summary)
    return summary


def _run_loop(main: Coroutine[Any, Any, T]) -> T:
    gc.set_threshold(20_000, 20, 20)  # each call makes much and drops it, next to nothing of it in cycles
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def _list_signals() -> list[signal.Signals]:
    """What asks a run to end. Whoever starts it with nohup wants no SIGHUP to be heeded."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *(() if ignored else (signal.SIGHUP,))]


def _listen_to_signals(stop: StopSwitch, display: Display, drain_seconds: float) -> None:
    """The first signal drains, a second gives up what is on the wire, a third ends the process where it stands.

    Nothing answered is lost in any case: it is in the journal.
    """
    loop = asyncio.get_running_loop()
    heard: list[int] = []

    def interrupt(number: int) -> None:
        heard.append(number)
        if len(heard) == 1:
            hint = "run the same command again to go on"
            reason = Interrupted("interrupted; every answer that came is written", hint=hint)
            stop.request(reason, seconds=drain_seconds)
            display.draining(drain_seconds)
        elif len(heard) == 2:
            stop.request(Interrupted("interrupted twice"), seconds=0.0)
        else:
            display.close()
            os._exit(130)

    for number in _list_signals():
        loop.add_signal_handler(number, interrupt, number)
    while _early:
        interrupt(_early.pop(0))


async def _watch_reader(stream: StdoutStream, stop: StopSwitch) -> None:
    """Stop the run once nobody reads its records any more."""
    while stream.listened():  # noqa: ASYNC110 - a pipe whose reader leaves tells only whoever looks
        await asyncio.sleep(POLL)
    stop.request(Interrupted("the reader of stdout has gone"))


def _make_emit(stream: StdoutStream, given: set[str], stop: StopSwitch) -> "Emit":
    """Hands on the records that are not `given` yet. Its wait for a slow reader ends with a stop."""
    from aide.jsonl import encode_json

    async def emit(record: dict[str, Any]) -> None:
        if record["id"] in given:
            return
        given.add(record["id"])
        stream.queue(encode_json(record))
        try:
            with stop.waiting():
                await stream.caught_up(stream.lag)
        except AideError as fault:
            if fault is not stop.reason:
                raise

    return emit


def _confirm(spec: RunSpec, display: Display) -> None:
    """Before real money is spent without a cap, a person at a terminal is asked."""
    capped = any(
        cap is not None
        for cap in (spec.max_calls, spec.max_total_tokens, spec.max_cost, spec.max_cost_per_run)
    )
    if (
        spec.yes
        or capped
        or spec.card_only
        or not sys.stdin.isatty()
        or not sys.stderr.isatty()
        or _is_all_local(spec)
    ):
        return
    money = display.expected_money
    if money is not None and money <= ASK_ABOVE:
        return
    amount = "an unknown amount" if money is None else f"about {money:.2f} USD"
    if not typer.confirm(f"This may spend {amount}. Go on?", err=True):
        raise InputError("nothing was started", hint="--max-cost caps what is spent; --yes does not ask")


def _is_all_local(spec: RunSpec) -> bool:
    from urllib.parse import urlsplit

    asked = (*spec.list_endpoints(), *filter(None, (spec.embeddings_endpoint,)))
    hosts = {urlsplit(each.base_url).hostname or "sim" for each in asked}
    return hosts <= {"sim", "localhost", "127.0.0.1", "::1"}


def _end(summary: Mapping[str, Any], output: Output, *, as_json: bool) -> int:
    if as_json:
        from aide.jsonl import encode_json

        output.line(encode_json(summary).decode())
    return int(summary.get("exit_code", 0))
