"""`aide grade`: the judge on any records, also those written by people."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.asking import JOURNAL, SEEDS, write_results
from aide.cli.options import with_asking_options
from aide.config.resolve import resolve_settings

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.run.single_steps import StepRunner


@with_asking_options()
def grade(
    sources: Annotated[list[str], typer.Argument(help="Records; - is stdin.", metavar="FILE…")],
    seeds: SEEDS = None,
    journal: JOURNAL = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Grade records as the judge of a run does. Each gets `scores` and `verdict`; none is dropped.

    A record is compared with the seed that it names, or else with the nearest one. To drop records by their
    grades, pipe the output into `aide filter - --min relevance=7`.
    """
    settings = resolve_settings(spec_flags, environ=os.environ, config=config)
    write_results(settings, sources, seeds, journal, grade_record)


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
