"""`aide calibrate`: compare the judge with a person."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import AsJson
from aide.cli.asking import JOURNAL, SEEDS, process_records
from aide.cli.console import Output, format_json_line, make_printable
from aide.cli.options import with_asking_options
from aide.config.resolve import resolve_settings
from aide.errors import InputError

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.judging.calibration import ReviewedGrade, ThresholdFit
    from aide.run.single_steps import StepRunner

SHOWN = 10
"""Disagreements that are named; `--json` has all of them."""

MARKS = {"good": True, "accept": True, "bad": False, "reject": False}


@with_asking_options()
def calibrate(
    source: Annotated[
        Path | None,
        typer.Argument(help="Records that a person judged, or a run folder with reviews.", metavar="FILE"),
    ] = None,
    seeds: SEEDS = None,
    journal: JOURNAL = None,
    json_: AsJson = False,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Compare the judge with a person: how often they agree, and which thresholds would agree best.

    Each record needs a field `mark`, good or bad (or `verdict`, accept or reject). Of a run folder, the
    records are used that its reviews.jsonl accepts or rejects.
    """
    from aide.dataset.reviewed import find_reviewed_run, read_reviewed_records
    from aide.judging.calibration import ReviewedGrade, find_best_fit, measure_fit

    if source is None:
        source = _take_old_option(spec_flags)
    settings = resolve_settings(spec_flags, environ=os.environ, config=config)
    rows: list[dict[str, Any]] = []
    run = find_reviewed_run(str(source))  # by its folder the seeds are found too
    process_records(
        settings,
        [str(run.path if run else source)],
        seeds,
        journal,
        _judge_record,
        rows.append,
        read_reviewed_records,
    )
    if not rows:
        raise InputError(
            f"{source} holds no record that could be judged",
            hint="the line above says why records were dropped",
        )
    found = [ReviewedGrade(row["good"], row["sound"], row["relevance"], row["diversity"]) for row in rows]
    spec = settings.spec
    now = measure_fit(found, spec.min_relevance, spec.min_diversity)
    best = find_best_fit(found, spec.min_relevance, spec.min_diversity)
    against = [
        row
        for row, each in zip(rows, found, strict=True)
        if each.passes(now.relevance, now.diversity) != each.good
    ]
    output = Output()
    if json_:
        facts = {"now": now.as_dict(), "best": best.as_dict(), "disagreements": against}
        output.line(format_json_line(facts))
        return
    for line in _describe(now, best, found, against):
        output.line(line)


def _take_old_option(spec_flags: dict[str, Any]) -> Path:
    """The file that `--labels` names, as older versions had it: today these are the labels of the task."""
    match spec_flags.get("labels"):
        case [str(name)] if Path(name).exists():
            del spec_flags["labels"]
            return Path(name)
    raise InputError("no records are named", hint="such as `aide calibrate marked.jsonl`, or a run folder")


def _describe(
    now: "ThresholdFit", best: "ThresholdFit", found: "list[ReviewedGrade]", against: list[dict[str, Any]]
) -> Iterator[str]:
    good = sum(each.good for each in found)
    at = f"--min-relevance {now.relevance} --min-diversity {now.diversity}"
    yield f"judge and person agree on {now.agreed} of {now.of} (kappa {now.kappa:.2f}) at {at}"
    yield f"  accepted: {now.good_taken} of {good} good ones, {now.bad_taken} of {now.of - good} bad ones"
    for row in against[:SHOWN]:
        verdict = "good" if row["good"] else "bad"
        yield f"  {make_printable(row['name'], 40)}: {verdict}, but the judge: {make_printable(row['critique'], 80)}"
    if best.agreed > now.agreed:
        fits = f"--min-relevance {best.relevance} --min-diversity {best.diversity}"
        yield f"best: {fits} agree on {best.agreed} of {best.of} (kappa {best.kappa:.2f})"
    else:
        yield "no other thresholds agree better"


async def _judge_record(runner: "StepRunner", line: "RecordLine") -> dict[str, Any]:
    said = line.record.get("mark", line.record.get("verdict"))
    if isinstance(said, dict):
        said = said.get("mark")
    if not isinstance(said, str) or said not in MARKS:
        raise InputError(f"{line.where}: is not marked", hint='give it "mark": "good" or "mark": "bad"')
    from aide.dataset.record_content import name_record, read_draft
    from aide.judging.verdict import Thresholds, apply_thresholds

    verdict = await runner.grade(line.record, read_draft(line))
    thresholds = runner.context.recipe_context.thresholds
    whatever_grades = Thresholds(1, 1, thresholds.keep_ambiguous)
    assert verdict.comparison is not None
    return {
        "name": name_record(line), "good": MARKS[said], "sound": apply_thresholds(verdict, whatever_grades).accepted,
        "relevance": verdict.reading.relevance, "diversity": verdict.comparison.diversity,
        "critique": apply_thresholds(verdict, thresholds).critique,
    }  # fmt: skip
