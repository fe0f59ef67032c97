"""`aide grade`: the judge on any records, also those written by people; or how hard they are for a student."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.asking import JOURNAL, SEEDS, write_results
from aide.cli.options import with_asking_options
from aide.config.resolve import Settings, resolve_settings
from aide.errors import InputError

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.formats import TaskCard
    from aide.run.inputs import PreparedInputs
    from aide.run.single_steps import StepRunner

_STUDENT = "A student"


@with_asking_options()
def grade(
    sources: Annotated[list[str], typer.Argument(help="Records; - is stdin.", metavar="FILE…")],
    seeds: SEEDS = None,
    journal: JOURNAL = None,
    student: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Endpoint of a student: its own answers tell the difficulty. The judge is not asked.",
            rich_help_panel=_STUDENT,
        ),
    ] = None,
    student_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the student (unset: the one model that its endpoint lists).",
            rich_help_panel=_STUDENT,
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            metavar="N",
            help="Answers of the student to each input (default 4); more later cost the difference.",
            rich_help_panel=_STUDENT,
        ),
    ] = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Grade records as the judge of a run does. Each gets `scores` and `verdict`; none is dropped.

    A record is compared with the seed that it names, or else with the nearest one. To drop records by their
    grades, pipe the output into `aide filter - --min relevance=7`.

    With --student URL a student answers each input several times. Each record gets `difficulty` in its `scores`,
    the share of these answers that differ from its output, and what was said in `student`.
    """
    if student is None:
        if student_model is not None or draws is not None:
            flag = "--draws" if student_model is None else "--student-model"
            raise InputError(
                f"{flag} has no effect without --student URL", hint="it concerns a student's answers"
            )
        settings = resolve_settings(spec_flags, environ=os.environ, config=config)
        write_results(settings, sources, seeds, journal, grade_record)
        return
    settings = _resolve_student(spec_flags, config, student, student_model, journal)
    _write_difficulty(settings, sources, seeds, journal, 4 if draws is None else draws)


async def grade_record(runner: "StepRunner", line: "RecordLine") -> dict[str, Any]:
    """The record with the judge's verdict."""
    from aide.dataset.record_content import read_draft
    from aide.judging.verdict import apply_thresholds

    verdict = await runner.grade(line.record, read_draft(line))
    judgement = apply_thresholds(verdict, runner.context.recipe_context.thresholds)
    said = {
        "accepted": judgement.accepted,
        "reason": judgement.reason,
        "critique": judgement.critique,
        **verdict.as_dict(),
    }
    scores = {**verdict.as_scores(), "correct": said["correct"]}
    return {**line.record, "scores": {**line.record.get("scores", {}), **scores}, "verdict": said}


def _write_difficulty(
    settings: Settings, sources: list[str], seeds: list[str] | None, journal: Path | None, draws: int
) -> None:
    """Write the records with their difficulty, and say on stderr how hard they were."""
    from aide.cli.console import make_stderr_console
    from aide.dataset.record_content import read_draft
    from aide.dataset.seed_sources import load_card_of
    from aide.run.student import choose_student_card, describe_trials

    spec, found = settings.spec, list[float]()

    async def work(runner: "StepRunner", line: "RecordLine") -> dict[str, Any]:
        trial = await runner.try_student(line.record, read_draft(line), draws)
        found.append(trial.difficulty)
        scores = {**line.record.get("scores", {}), "difficulty": trial.difficulty}
        return {**line.record, "scores": scores, "student": {"model": spec.model, **trial.as_dict()}}

    def find_card(inputs: "PreparedInputs") -> "TaskCard":
        return choose_student_card(spec, inputs, None if seeds else load_card_of(sources))

    write_results(settings, sources, seeds, journal, work, find_card=find_card, kind="student")
    if told := describe_trials(found):
        make_stderr_console(quiet=spec.quiet).print(told, markup=False)


def _resolve_student(
    flags: dict[str, Any], config: str | None, url: str, model: str | None, journal: Path | None
) -> Settings:
    """The settings with the student alone to be asked: no endpoint or model of the run, whatever names one.

    Raises:
        InputError: the command names an endpoint or a model for a run, or the student's model can't be told.
        EndpointUnusable: its endpoint can't be asked for it.
    """
    from dataclasses import replace

    from aide.cli.offers import name_model
    from aide.config.spec import SIMULATOR, StepSpecs
    from aide.run.folder import RunFolder

    for name, instead in (("base_url", "--student URL"), ("model", "--student-model NAME")):
        if flags.get(name):
            raise InputError(
                f"--{name.replace('_', '-')} is not asked with --student",
                hint=f"{instead} is all that is needed",
            )
    if not url.startswith((SIMULATOR, "http://", "https://")):
        raise InputError(f"--student: {url!r} is no URL", hint="such as http://localhost:8000/v1")
    named = {"model": model} if model else {}
    environ = {
        name: value for name, value in os.environ.items() if name not in ("AIDE_MODEL", "AIDE_BASE_URL")
    }
    settings = resolve_settings(
        {**flags, "base_url": [url], **named}, environ=environ, config=config, model_needed=False
    )
    spec = settings.spec
    # A config file may name models for a run, and for its steps.
    steps = {
        name: getattr(spec.steps, name).model_copy(update={"model": ""}) for name in StepSpecs.model_fields
    }
    own = model or (spec.model if all(each.simulated for each in spec.list_endpoints()) else "")
    spec = spec.model_copy(update={"model": own, "steps": spec.steps.model_copy(update=steps)})
    folder = RunFolder(journal) if journal is not None else RunFolder(Path(os.devnull))
    return name_model(replace(settings, spec=spec), folder, named_by="--student-model NAME")
