"""`aide doctor`: which endpoints there are, what they support, and what to correct."""

import asyncio
import os
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from aide.cli.arguments import AsJson
from aide.cli.console import (
    ENDPOINT,
    OK,
    Output,
    escape_for_console,
    format_json_line,
    make_printable,
    make_stderr_console,
)
from aide.cli.hosts import HOSTED
from aide.cli.options import with_spec_options
from aide.config.resolve import Settings, resolve_settings
from aide.errors import AideError, EndpointUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aide.config.spec import EndpointSpec, RunSpec
    from aide.judging.precheck import Precheck
    from aide.llm.diagnosis import Diagnosis, DoctorFinding

MARKS: Final = {"ok": "ok", "note": "note", "bad": "BAD"}
LONGEST: Final = 800
"""Columns of what a server said."""


@partial(with_spec_options, shown=("task", "models", "endpoint", "request", "seeds"))
def doctor(
    seeds: Annotated[
        list[str] | None,
        typer.Argument(
            help="Seed files: the speed is measured on their texts, and the model tried on them.",
            metavar="[SEEDS…]",
        ),
    ] = None,
    json_: AsJson = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Find endpoints and test what they support, with about twenty small calls to each.

    Without --base-url (or its environment variables) the usual ports of this machine are tried. With seeds,
    the speed is measured on their texts, and `aide plan` uses it; then the model is tried on the seeds, as at the
    beginning of a run: one that is too weak for the task shows here. All options of `aide expand` are accepted.

    Exit codes: 0 if a run can use every endpoint, 4 if not.
    """
    settings = resolve_settings(spec_flags, environ=os.environ, config=config, endpoint_needed=False)
    output = Output()
    diagnoses = asyncio.run(_examine_all(settings, tuple(seeds or ()), quiet=settings.spec.quiet))
    usable = all(each.usable for each in diagnoses)
    if json_:
        facts = [{**asdict(each), "usable": each.usable} for each in diagnoses]
        output.line(format_json_line({"usable": usable, "endpoints": facts}))
    else:
        for line in _describe(diagnoses):
            output.line(line)
    raise typer.Exit(OK if usable else ENDPOINT)


async def _examine_all(settings: Settings, seeds: tuple[str, ...], *, quiet: bool) -> "list[Diagnosis]":
    from aide.engines.local import make_endpoint, make_transport
    from aide.llm.doctor import examine_endpoint
    from aide.run.plan.measured_speed import save_speed, speed_file

    spec = settings.spec
    if not spec.list_endpoints():
        spec = spec.model_copy(update={"base_url": await _find_local_urls()})
    texts, longest = await asyncio.to_thread(_read_seed_texts, spec, seeds) if seeds else ((), 0)
    console = make_stderr_console(quiet=quiet)
    diagnoses = []
    for each in spec.list_endpoints():
        console.print(f"asking {escape_for_console(each.base_url)} …")
        found = await examine_endpoint(
            make_endpoint(each, spec.model),
            each.model,
            texts=texts,
            longest=longest,
            extra=spec.extra,
            timeout=min(spec.timeout, 120.0),  # somebody waits for the result
            transport=make_transport(each),
            clock=time.monotonic,
        )
        if seeds and found.usable:
            found.findings.append(await _try_seeds(settings, each, found.model, seeds))
        diagnoses.append(found)
        # The simulator's speed is a setting and says nothing about later runs.
        if found.measured is not None and found.usable and not each.simulated:
            save_speed(each, found.model, found.measured, path=speed_file())
    return diagnoses


class _PrecheckObserver:
    """Keeps the precheck of a run that ends with it."""

    def __init__(self) -> None:
        self.precheck: Precheck | None = None

    def on_card(self, card: object, traits: object) -> None:
        """Of no interest here."""

    def on_precheck(self, precheck: "Precheck") -> None:
        self.precheck = precheck

    def tell(self, line: str, event: str = "note", **facts: object) -> None:
        """Nothing beside the card is of interest."""

    def on_trouble(self, trouble: object) -> None:
        """A failure ends the trial, and is told."""

    def on_progress(self, progress: object) -> None:
        """There is none."""


async def _try_seeds(
    settings: Settings, endpoint: "EndpointSpec", model: str, seeds: tuple[str, ...]
) -> "DoctorFinding":
    """Have the model write the card and be tried on the seeds, as a run begins, in a folder that is thrown away.

    A model that is too weak for the task shows here, before anything is grown.
    """
    from aide.engines import Job
    from aide.engines.local import LocalEngine
    from aide.llm.diagnosis import DoctorFinding
    from aide.run.folder import RunFolder
    from aide.run.inputs import SeedSource
    from aide.run.session import RunRequest

    alone = {"base_url": (), "endpoints": (endpoint,), "model": model, "card_only": True}
    spec = settings.spec.model_copy(update={**alone, "exam": True, "min_exam": None})
    observer = _PrecheckObserver()
    with TemporaryDirectory(prefix="aide-doctor-") as folder:
        request = RunRequest(spec, settings.origins, seeds, RunFolder(Path(folder) / "run"))
        try:
            source = SeedSource(spec, seeds, sys.stdin.buffer)
            await LocalEngine(Job(request, source, observer)).run()
        except AideError as fault:
            return DoctorFinding("seeds", "note", str(fault), fault.hint)
    precheck = observer.precheck
    if precheck is None:
        return DoctorFinding("seeds", "ok", "the model describes the task")
    warnings = precheck.list_warnings()
    told = precheck.describe().removeprefix("precheck: ")
    return DoctorFinding("seeds", "note" if warnings else "ok", told, "; ".join(hint for _, hint in warnings))


async def _find_local_urls() -> tuple[str, ...]:
    """Base URLs of endpoints on this machine.

    Raises:
        EndpointUnusable: there are none; the hint names providers whose keys are set.
    """
    from aide.llm.doctor import find_local

    found = await find_local()
    if found:
        return tuple(found)
    keys = [
        f"{name} is set: --base-url {url}{'' if name == 'OPENAI_API_KEY' else f' --api-key-env {name}'}"
        for name, url in HOSTED.items()
        if os.environ.get(name)
    ]
    raise EndpointUnusable(
        "no endpoint is named, and none answers on the usual ports of this machine",
        hint="; ".join(keys) or "start a server, or name one with --base-url URL",
    )


def _read_seed_texts(spec: "RunSpec", seeds: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """The texts of the seeds, and the tokens that the longest prompt and its answer may have together."""
    from aide.run.inputs import count_inputs_card, read_inputs
    from aide.run.plan import find_longest_call

    inputs = read_inputs(spec, seeds)
    longest = find_longest_call(spec, inputs, count_inputs_card(spec, inputs))
    texts = (f"{seed.parts.whole(seed.draft.input)}\n{seed.draft.output}" for seed in inputs.seeds)
    return tuple(texts), longest


def _describe(diagnoses: "Sequence[Diagnosis]") -> list[str]:
    rows: list[str] = []
    for each in diagnoses:
        state = "usable" if each.usable else "NOT USABLE"
        rows += [""] if rows else []
        rows.append(f"{make_printable(each.base_url)}  model {make_printable(each.model or '?')}: {state}")
        for finding in each.findings:
            rows.append(
                f"  {finding.name:13} {MARKS[finding.verdict]:5} {make_printable(finding.told, LONGEST)}"
            )
            rows += (
                [f"  {'':13} {'':5} → {make_printable(finding.advice, LONGEST)}"] if finding.advice else []
            )
        rows.append(f"  {each.calls} calls were made")
    return rows
