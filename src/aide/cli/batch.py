"""`aide batch`: the batches of a run folder: list them, end them."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, format_json_line, make_printable
from aide.cli.helptext import PlainCommand, PlainGroup, format_examples, print_help_and_exit
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aide.journal import Wave

batch = typer.Typer(
    cls=PlainGroup,
    callback=print_help_and_exit,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@batch.command(
    "list",
    cls=PlainCommand,
    epilog=format_examples("aide batch list seeds.aide", "aide batch list seeds.aide --json"),
)
def list_batches(folder: Folder, json_: AsJson = False) -> None:
    """List all batches of a run folder: what each holds, and what came back."""
    from aide.run.batches import read_waves
    from aide.run.folder import RunFolder

    _require_run(RunFolder(folder).manifest.exists(), str(folder))
    _print(read_waves(RunFolder(folder)), as_json=json_)


@batch.command("cancel", cls=PlainCommand, epilog=format_examples("aide batch cancel seeds.aide"))
def cancel_batches(folder: Folder, json_: AsJson = False) -> None:
    """End the pending batches. What was answered by then is kept and paid for; the rest can be asked again."""
    from aide.config.spec import RunSpec
    from aide.engines.local import LocalModels
    from aide.run import batches
    from aide.run.folder import RunFolder
    from aide.run.session import RunRequest

    run = RunFolder(folder)
    manifest = run.read_manifest()
    _require_run(bool(manifest), str(folder))
    spec = RunSpec(**{**manifest["spec"], "batch": ""})

    async def cancel() -> "Sequence[Wave]":
        models = LocalModels(spec)
        try:
            return await batches.cancel_batches(RunRequest(spec, {}, (), run), models)
        finally:
            await models.close()

    _print(asyncio.run(cancel()), as_json=json_)


def _require_run(there: bool, folder: str) -> None:
    if not there:
        raise InputError(
            f"{folder} is no run folder: it has no run.json", hint="name the folder that `aide expand` wrote"
        )


def _print(waves: "Sequence[Wave]", *, as_json: bool) -> None:
    output = Output()
    if as_json:
        output.line(format_json_line({"batches": [asdict(wave) for wave in waves]}))
        return
    for wave in waves:
        back = f"{wave.answered:,} answered, {wave.failed:,} failed"
        told = f"{wave.outcome}, {back}" if wave.state == "ended" else "pending"
        calls = format_plural(wave.calls, "call")
        output.line(f"{wave.batch or '-':34} {calls:12} {make_printable(wave.model, 40):24} {told}")
    if not waves:
        output.line("no batches")
