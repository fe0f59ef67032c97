"""`aide plan`: what a run would cost, and what is odd about its seeds; it spends nothing."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import AsJson, SeedFiles
from aide.cli.console import Output, format_json_line, make_printable
from aide.cli.folding import fold_line
from aide.cli.options import with_spec_options
from aide.cli.preview import write_command
from aide.cli.recipe_choice import take_recipe
from aide.config.resolve import DEFAULT, Settings, resolve_settings
from aide.errors import InputError
from aide.text.figures import format_duration, format_plural

if TYPE_CHECKING:
    from aide.config.spec import RunSpec
    from aide.run.folder import RunFolder
    from aide.run.inputs import PreparedInputs
    from aide.run.plan import RunPlan

MARGIN = 8
"""Columns before a text."""
LONGEST = 1000
"""Columns of a message that is shown."""


@with_spec_options
def plan(
    seeds: SeedFiles,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", help="Run folder; the estimate uses what earlier runs in it took.", metavar="DIR"
        ),
    ] = None,
    json_: AsJson = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Estimate a run: records, calls, tokens, money and time, by step and hop. Nothing is spent.

    All options of `aide expand` are accepted. The seeds are checked too; what is odd about them is reported
    and never changes the exit code.
    """
    settings = take_recipe(
        resolve_settings(spec_flags, environ=os.environ, config=config, endpoint_needed=False), seeds
    )
    output = Output()
    facts = collect_plan(settings, tuple(seeds), out)
    if json_:
        output.line(format_json_line(facts))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in _describe(facts):
        for row in [line] if width is None else fold_line(line, width, MARGIN):
            output.line(row)
    if not facts["refused"]:
        output.line(f"\nnext: {make_printable(write_command(sys.argv[1:]), LONGEST)}")


def collect_plan(settings: Settings, seeds: tuple[str, ...], out: str | None) -> dict[str, Any]:
    """Plan and findings as JSON values.

    Raises:
        InputError: a file, a line or a setting is wrong.
    """
    from aide.cli.run_folders import choose_run_folder
    from aide.dataset.seed_lint import lint_seeds
    from aide.run.folder import RunFolder, hash_inputs, resume_spec, take_kept_endpoint
    from aide.run.inputs import count_inputs_card, read_inputs
    from aide.run.parts import foresee_part
    from aide.run.plan import make_plan, read_experience
    from aide.run.plan.measured_speed import read_speed, speed_file

    folder = RunFolder(choose_run_folder(settings, seeds, out))
    spec = take_kept_endpoint(folder, resume_spec(folder, settings.spec, settings.origins))
    spec = foresee_part(spec, folder) if spec.part else spec
    inputs = read_inputs(spec, seeds)
    lint = lint_seeds(inputs)
    hashed = replace(inputs, hashes=hash_inputs(spec, seeds))
    refused, other_seeds = _find_refusals(folder, spec, hashed)
    past = None if other_seeds else read_experience(folder)
    # A run that takes answers from another folder will probably go as that one did.
    if past is None and spec.reuse:
        past = read_experience(RunFolder(spec.reuse))
    speed = read_speed(spec, speed_file())
    origin = settings.origins["expect_yield"]
    yield_from = f"what the recipe {spec.recipe} expects" if origin == DEFAULT else origin
    estimate: RunPlan = make_plan(spec, inputs, count_inputs_card(spec, inputs), past, speed, yield_from)
    return {
        **_describe_request(spec, inputs, folder),
        "target": estimate.target,
        **estimate.as_dict(spec),
        "done": None if other_seeds else _read_done(folder, spec),
        "refused": refused,
        "lint": [finding.as_dict() for finding in lint],
    }


def _describe_request(spec: "RunSpec", inputs: "PreparedInputs", folder: "RunFolder") -> dict[str, Any]:
    return {
        "folder": str(folder.path),
        "seeds": len(inputs.seeds),
        "shape": inputs.loaded.shape,
        "notes": inputs.notes,
        "format": inputs.format.name,
        "hops": spec.hops,
        "skipped": [str(problem) for problem in inputs.loaded.problems],
    }


def _find_refusals(folder: "RunFolder", spec: "RunSpec", inputs: "PreparedInputs") -> tuple[str | None, bool]:
    """Why `aide expand` would not go on in this folder, if so, and whether it is for other seeds than it grew from."""
    from aide.run.parts import require_merged
    from aide.run.same_run import check_seeds, check_settings

    kept = folder.read_manifest().get("spec") or {}
    if not spec.model and kept.get("model"):  # as `aide expand` takes it over
        spec = spec.model_copy(update={"model": kept["model"]})
    checks: list[tuple[Callable[[RunFolder, RunSpec], object], bool]]
    checks = [(partial(check_seeds, inputs=inputs), True), (check_settings, False)]
    if spec.engine == "local":
        checks.append((lambda folder, _: require_merged(folder.path), False))
    for check, others in checks:
        try:
            check(folder, spec)
        except InputError as fault:
            return f"{fault}{f'; {fault.hint}' if fault.hint else ''}", others
    return None, False


def _read_done(folder: "RunFolder", spec: "RunSpec") -> dict[str, Any] | None:
    """What this same run has done already; `None` if the folder holds no such run."""
    from aide.config.fingerprint import compare_fingerprints
    from aide.run.folder import compute_identity
    from aide.run.parts_progress import list_left_out, read_root_progress

    kept = folder.read_manifest().get("fingerprint")
    if not kept or compare_fingerprints(kept, compute_identity(spec)):
        return None
    progress = read_root_progress(
        folder
    )  # the summary is of an earlier session where the last one was killed
    tokens = progress.get("tokens", {})
    return {
        "records": progress.get("accepted", 0),
        "calls": progress.get("calls", 0),
        "tokens": tokens.get("prompt", 0) + tokens.get("completion", 0),
        "cost": progress.get("cost"),
        "missing_parts": list_left_out(folder),
    }


def _describe(facts: Mapping[str, Any]) -> list[str]:
    expected, most, basis = facts["expected"], facts["at_most"], facts["basis"]
    wanted = format_plural(facts["target"], "record") if facts["target"] is not None else "the whole tree"
    share = basis["yield_from"]
    rows = [
        f"seeds   {make_printable(facts['shape'])} Format: {facts['format']}.",
        *(f"note    {make_printable(note)}" for note in facts["notes"]),
        f"asked   {wanted} over {format_plural(facts['hops'], 'hop')} into {facts['folder']}",
        f"basis   yield {basis['yield']:.0%} ({share}); tokens from {basis['tokens_from']}",
        "",
        _format_row("step", "calls", "tokens in", "tokens out", "USD", "at most: calls", "USD"),
    ]
    for step, spent in expected["steps"].items():
        rows.append(_format_step(step, spent, most["steps"].get(step)))
    rows += [_format_step("total", expected, most), ""]
    rows.append(_format_row("hop", "records", "candidates", "calls", "", "at most: records", "calls"))
    bounds = {hop["hop"]: hop for hop in most["hops"]}
    for hop in expected["hops"][1:]:
        bound = bounds[hop["hop"]]
        counts = [f"{value:,}" for value in (hop["records"], hop["candidates"], hop["calls"])]
        rows.append(_format_row(str(hop["hop"]), *counts, "", f"{bound['records']:,}", f"{bound['calls']:,}"))
    if expected["seconds"] is not None:
        rows += ["", f"time    about {format_duration(expected['seconds'])} ({basis['time_from']})"]
    if facts["done"]:
        done = facts["done"]
        left = max(0, expected["calls"] - done["calls"])
        rows += [
            "",
            "total   the figures above are of the whole run, with what is done",
            f"done    the folder already has {format_plural(done['records'], 'record')}, "
            f"from {format_plural(done['calls'], 'call')}",
            f"left    about {format_plural(max(0, expected['records'] - done['records']), 'record')}, "
            f"{format_plural(left, 'call')}",
        ]
    if facts["done"] and facts["done"]["missing_parts"]:
        rows.append(f"lacks   {', '.join(facts['done']['missing_parts'])}")
    if facts["refused"]:
        rows += ["", f"refused aide expand would not go on here: {make_printable(facts['refused'], LONGEST)}"]
    rows += [""] if facts["lint"] or facts["skipped"] else []
    rows += [f"skipped {make_printable(problem)}" for problem in facts["skipped"]]
    rows += [f"look    {make_printable(finding['message'])}" for finding in facts["lint"]]
    return rows


def _format_step(step: str, spent: Mapping[str, Any], bound: Mapping[str, Any] | None) -> str:
    counts = [f"{spent[name]:,}" for name in ("calls", "prompt_tokens", "completion_tokens")]
    most = f"{bound['calls']:,}" if bound else ""
    return _format_row(
        step, *counts, _format_money(spent["cost"]), most, _format_money(bound["cost"]) if bound else ""
    )


def _format_money(money: float | None) -> str:
    return "?" if money is None else f"{money:,.2f}"


def _format_row(name: str, *cells: str) -> str:
    widths = (9, 11, 10, 7, 15, 9)  # of what a thousand records take; more moves the rest to the right
    return f"{name:12}" + "".join(f" {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
