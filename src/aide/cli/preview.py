"""`aide preview`: a few records for a few cents, before the run."""

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import AsJson, SeedFiles
from aide.cli.console import (
    Output,
    escape_for_console,
    format_json_line,
    make_stderr_console,
    make_stdout_console,
)
from aide.cli.display import Display
from aide.cli.hosts import check_keys
from aide.cli.offers import check_windows, name_model
from aide.cli.options import with_spec_options
from aide.cli.recipe_choice import take_recipe
from aide.config.resolve import Settings, resolve_settings
from aide.errors import BudgetSpent, Interrupted
from aide.text.figures import format_count, format_duration

if TYPE_CHECKING:
    from aide.run.folder import RunFolder
    from aide.run.inputs import PreparedInputs, SeedSource
    from aide.run.progress import Progress
    from aide.run.record_preview import RecordPreview


@with_spec_options
def preview(
    seeds: SeedFiles,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="Run folder of the run to come; it is not touched.", metavar="DIR"),
    ] = None,
    json_: AsJson = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Make five records of different operations, show each beside its seed, and say what the run would cost.

    These are the run's own first calls. `aide expand` takes over the answers to all that it asks in the same words, so
    that nothing is paid for twice, and everything may still be changed. All options of `aide expand` are accepted.
    """
    from aide.run.folder import RunFolder
    from aide.run.inputs import SeedSource
    from aide.run.preview import find_preview_folder, forget_old_previews, preview_root
    from aide.run.service import SYSTEM_CLOCK

    root = preview_root()
    settings = take_recipe(
        resolve_settings(spec_flags, environ=os.environ, config=config, model_needed=False), seeds
    )
    check_keys(settings.spec)
    settings = name_model(settings, RunFolder(root / "none"))
    source = SeedSource(settings.spec, tuple(seeds), sys.stdin.buffer)
    inputs = source.read()
    forget_old_previews(root, SYSTEM_CLOCK.now())
    folder = find_preview_folder(root, settings.spec, inputs)
    display = PreviewDisplay(make_stderr_console(quiet=settings.spec.quiet), folder)
    grow_preview(settings, tuple(seeds), source, inputs, folder, display)
    facts = read_facts(settings, inputs, folder)
    command = write_command(sys.argv[1:])
    if json_:
        from dataclasses import asdict

        shown = [asdict(each) for each in facts.pop("previews")]
        Output().line(format_json_line({**facts, "records": shown, "command": command}))
        return
    show_facts(facts, command)


class PreviewDisplay(Display):
    """The card, the precheck and troubles as in a run; of the run's progress one line that is written anew."""

    def on_progress(self, progress: "Progress") -> None:
        """Show that something happens."""
        if self.console.is_terminal and not self.console.quiet:
            self.console.print(
                f"asking … {progress.usage.calls:,} calls, {progress.accepted:,} records",
                end="\r",
                highlight=False,
            )

    def _head_card(self) -> str:
        return "task card (`aide expand --card-only` writes it down for you to edit):"

    def close(self) -> None:
        """Clear the line."""
        if self.console.is_terminal and not self.console.quiet:
            self.console.print(" " * min(60, self.console.width - 1), end="\r")


def grow_preview(
    settings: Settings,
    seeds: tuple[str, ...],
    source: "SeedSource",
    inputs: "PreparedInputs",
    folder: "RunFolder",
    display: PreviewDisplay,
) -> None:
    """Make the first calls of the run, unless the folder has them from an earlier preview.

    Raises:
        AideError: the endpoint or a setting is at fault.
    """
    from aide.engines import Job
    from aide.engines.local import LocalEngine
    from aide.run.inputs import count_inputs_card
    from aide.run.plan import make_plan
    from aide.run.preview import PreviewLimit, list_previews, make_preview_spec, preview_root
    from aide.run.session import RunRequest

    if "finished" in folder.read_manifest():
        return
    card = count_inputs_card(settings.spec, inputs)
    check_windows(settings.spec, inputs, card, folder)
    expected = make_plan(settings.spec, inputs, card).expected.as_dict(settings.spec)
    spec = make_preview_spec(settings.spec, expected["steps"])
    others = tuple(path for path in list_previews(preview_root(), inputs) if path != folder.journal)
    request = RunRequest(spec, settings.origins, seeds, folder, others)
    engine = LocalEngine(Job(request, source, display, limit=PreviewLimit()))
    try:
        asyncio.run(engine.run())
    except BudgetSpent:
        if spec.max_calls == settings.spec.max_calls or not engine.growing:
            raise
    except KeyboardInterrupt:
        raise Interrupted("interrupted; every answer that came is kept for the run") from None
    finally:
        display.close()


def read_facts(settings: Settings, inputs: "PreparedInputs", folder: "RunFolder") -> dict[str, Any]:
    """The records of a preview, what they took, and what the whole run would take."""
    from aide.journal import Journal
    from aide.run.inputs import count_inputs_card
    from aide.run.plan import make_plan, read_experience
    from aide.run.plan.measured_speed import read_speed, speed_file
    from aide.run.preview import SHOWN
    from aide.run.record_preview import read_previews

    spec = settings.spec
    plan = make_plan(
        spec, inputs, count_inputs_card(spec, inputs), read_experience(folder), read_speed(spec, speed_file())
    )
    with Journal.open(folder.journal, readonly=True) as journal:
        rows = journal.sum_usage()
    costs = [cost for *_, cost in rows]
    return {
        "previews": read_previews(folder, SHOWN, fill=True),
        "calls": sum(usage.calls for _, _, usage, _ in rows),
        "tokens": sum(usage.prompt + usage.completion for _, _, usage, _ in rows),
        "cost": None if None in costs else sum(cost for cost in costs if cost is not None),
        "run": {
            "target": spec.compute_target(len(inputs.seeds)),
            **{
                name: value
                for name, value in plan.expected.as_dict(spec).items()
                if name not in ("steps", "hops")
            },
        },
        "folder": str(folder.path),
    }


def show_facts(facts: Mapping[str, Any], command: str) -> None:
    """Print them: the records on the person's screen, like everything here that is to be read and not piped on."""
    from aide.cli.record_preview import print_previews

    console = make_stdout_console()
    previews: list[RecordPreview] = facts["previews"]
    print_previews(console, previews)
    run = facts["run"]
    if not previews:
        console.print("no record was accepted; `aide records --rejects` on the folder below says why")
        console.print(f"  {escape_for_console(facts['folder'])}")
    wanted = "the whole tree" if run["target"] is None else f"{run['target']:,} records"
    time = "" if run["seconds"] is None else f", {format_duration(run['seconds'])}"
    spent = f"{facts['calls']:,} calls, {format_count(facts['tokens'])} tokens, {_format_cost(facts['cost'])}"
    console.print(f"\nthis preview: {spent}")
    console.print(
        f"the run: {wanted}; about {run['calls']:,} calls, {format_count(run['tokens'])} tokens, "
        f"{_format_cost(run['cost'])}{time}; it takes over what the preview was answered"
    )
    console.print(f"next: {escape_for_console(command)}", soft_wrap=True)


def write_command(words: list[str]) -> str:
    """The command of the run: what was typed, with `expand`."""
    rest = [word for word in words[1:] if word != "--json"]
    return shlex.join(["aide", "expand", *rest])


def _format_cost(cost: float | None) -> str:
    return "cost ? (--price tells)" if cost is None else f"{cost:.2f} USD"
