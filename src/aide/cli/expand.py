"""`aide expand`: grow seeds into records; rerun to resume."""

import asyncio
import gc
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.console import Output, escape_for_console, make_stderr_console, report_crash, report_error
from aide.cli.display import Display
from aide.cli.options import with_spec_options
from aide.cli.streaming import StdoutStream
from aide.config.resolve import Settings, resolve_settings
from aide.errors import AideError, FolderHeld, InputError, Interrupted

ASK_ABOVE = 5.0  # US dollars


@with_spec_options
def expand(
    seeds: Annotated[list[str], typer.Argument(help="Seed files; - is stdin.", metavar="SEEDS…")],
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="Run folder; - streams records to stdout.", metavar="DIR"),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")
    ] = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Grow seed examples into many records. The same command again resumes; a finished run costs nothing.

    Exit codes: 0 done, 2 bad input, 3 budget reached, 4 endpoint unusable, 5 folder in use, 6 short of
    the target, 130 interrupted. 3, 4 and 130 can be resumed by running the same command again.
    """
    signal.signal(signal.SIGTERM, _end_early)
    settings = resolve_settings(spec_flags, environ=os.environ, config=config)
    raise typer.Exit(_expand(settings, tuple(seeds), out, as_json=json_))


def _expand(settings: Settings, seeds: tuple[str, ...], out: str | None, *, as_json: bool) -> int:
    from aide.run.budget import check_priced
    from aide.run.folder import RunFolder, read_finished

    spec = settings.spec
    console = make_stderr_console(quiet=spec.quiet)
    folder = RunFolder(choose_run_folder(settings, seeds, out))
    display = Display(console, folder, log_format=spec.log_format)
    stream = StdoutStream() if out == "-" else None
    output = stream or Output()
    if stream:
        display.tell(f"run folder: {escape_for_console(str(folder.path))}", "folder", path=str(folder.path))
    elif (summary := read_finished(folder, spec, seeds)) is not None:
        display.already(summary)
        return _end(summary, output, as_json=as_json)
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
    if output.open:
        gc.collect()  # the run is over: the report takes its place in memory, not a place beside it
        display.report()
    return _end(summary, output, as_json=as_json)


def _end_early(*_: object) -> None:
    """SIGTERM before there is a run to drain ends like Ctrl-C."""
    raise KeyboardInterrupt


def _run(
    settings: Settings,
    seeds: tuple[str, ...],
    folder: Any,
    display: Display,
    stream: StdoutStream | None,
) -> dict[str, Any]:
    """Everything from reading the seeds to the summary; what is heavy to import is imported here."""
    from aide.engines import local
    from aide.run.inputs import count_inputs_card, read_seeds
    from aide.run.session import Stage

    spec = settings.spec
    ground = read_seeds(spec, seeds, sys.stdin.buffer)
    display.plan(spec, ground, count_inputs_card(spec, ground))
    _confirm(settings, display)
    folder.create()
    pool = local.open_pool(spec)
    order = local.order(spec, settings.origins, seeds, folder, pool, _emitter(stream) if stream else None)
    return _drive(Stage(replace(order, plan=display.totals)), ground, pool, display, stream)


def _drive(
    stage: Any, ground: Any, pool: Any, display: Display, stream: StdoutStream | None
) -> dict[str, Any]:
    """Run on an event loop with signals and display attached; a stop is told, and its exit code kept."""
    from aide.engines import local

    stage.carded, stage.prechecked = display.card, display.precheck

    async def main() -> dict[str, Any]:
        _on_signals(stage, display)
        watch = asyncio.create_task(display.watch(stage, stream))
        try:
            try:
                return await local.run_locally(stage, ground, pool)
            finally:
                if stream:
                    await stream.caught_up()  # also after a stop: what was accepted is read before the end
        finally:
            watch.cancel()
            display.close()

    try:
        summary: dict[str, Any] = _loop_runner(main())
    except AideError as stop:
        if stage.run is None and not isinstance(stop, Interrupted):
            raise
        if stream and not stream.open and isinstance(stop, Interrupted):
            return {"exit_code": 0}  # the reader had enough; everything that was answered is in the journal
        kept: dict[str, Any] = stage.order.folder.read_summary()
        display.stopped(stop, kept)
        # The summary on the disk may be an older one: a full disk takes no new one.
        return {**kept, "exit_code": stop.exit_code}
    display.done(summary)
    return summary


def _loop_runner(main: Any) -> Any:
    gc.set_threshold(20_000, 20, 20)  # each call makes much and drops it, next to nothing of it in cycles
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def _on_signals(stage: Any, display: Display) -> None:
    """The first Ctrl-C or SIGTERM drains, a second stops at once; nothing answered is lost either way."""
    loop = asyncio.get_running_loop()
    asked: list[int] = []

    def interrupt(number: int) -> None:
        asked.append(number)
        if len(asked) == 1:
            stage.drain(
                Interrupted(
                    "interrupted; what was on the wire is written", hint="run the same command again to go on"
                )
            )
            display.draining()
        else:
            display.close()
            os._exit(130)  # the journal holds every answer that came; nothing else need be saved

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)


def _emitter(stream: StdoutStream) -> Any:
    import orjson

    async def emit(record: dict[str, Any]) -> None:
        await stream.put(orjson.dumps(record))

    return emit


def choose_run_folder(settings: Settings, seeds: tuple[str, ...], out: str | None) -> Path:
    """Where the run lives: `-o DIR`, else beside the shell; for a stream in the user's state folder."""
    spec = settings.spec
    if out not in (None, "-"):
        if spec.run_dir is not None:
            raise InputError("--run-dir goes with -o -", hint="give the folder as -o DIR alone")
        return Path(str(out))
    if spec.run_dir is not None:
        return Path(str(spec.run_dir))
    stem = "seeds" if seeds[0] == "-" else Path(seeds[0]).name.split(".")[0] or "seeds"
    if out is None:
        return Path(f"{stem}.aide")
    from hashlib import sha256

    import platformdirs

    name = sha256(repr((sorted(spec.fingerprint().items()), seeds)).encode()).hexdigest()[:12]
    return Path(platformdirs.user_state_path("aide")) / "runs" / f"{stem}-{name}.aide"


def _confirm(settings: Settings, display: Display) -> None:
    """Before real money is spent without a cap, a person at a terminal is asked."""
    spec = settings.spec
    capped = any(
        cap is not None
        for cap in (spec.max_calls, spec.max_total_tokens, spec.max_cost, spec.max_cost_per_run)
    )
    if spec.yes or capped or not sys.stdin.isatty() or not sys.stderr.isatty() or _all_local(spec):
        return
    money = display.expected_money
    if money is not None and money <= ASK_ABOVE:
        return
    told = "an unknown amount" if money is None else f"about {money:.2f} USD"
    if not typer.confirm(f"This may spend {told}. Go on?", err=True):
        raise InputError("nothing was started", hint="--max-cost caps what is spent; --yes does not ask")


def _all_local(spec: Any) -> bool:
    from urllib.parse import urlsplit

    hosts = {urlsplit(each.base_url).hostname or "sim" for each in spec.served_by()}
    return hosts <= {"sim", "localhost", "127.0.0.1", "::1"}


def _end(summary: dict[str, Any], output: Output, *, as_json: bool) -> int:
    if as_json:
        import orjson

        output.line(orjson.dumps(summary).decode())
    return int(summary.get("exit_code", 0))


__all__ = ["expand"]
