"""`aide answer`: the answer step on given inputs."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.asking import JOURNAL, SEEDS, write_results
from aide.cli.options import with_asking_options
from aide.config.resolve import resolve_settings
from aide.records import CONTENT, REASONING_MARKS

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.run.single_steps import StepRunner


@with_asking_options("agreement", "run_code", "reasoning")
def answer(
    sources: Annotated[list[str], typer.Argument(help="Records; - is stdin.", metavar="FILE…")],
    seeds: SEEDS = None,
    journal: JOURNAL = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Answer given inputs as a run does, with its checks and agreement. Inputs without an answer are dropped.

    Records are written to stdout in their order, with a new `output`. If a record has options, one of them is
    chosen; no options are invented.
    """
    settings = resolve_settings(spec_flags, environ=os.environ, config=config)
    write_results(settings, sources, seeds, journal, answer_record)


async def answer_record(runner: "StepRunner", line: "RecordLine") -> dict[str, Any]:
    """The record with its answer."""
    from aide.text.structure import read_structure

    draft, scores = await runner.answer(line.record)
    # A chat in another layout becomes a record of ours, whose input is what the user says in it.
    names = {*CONTENT, *REASONING_MARKS} - ({"input"} if not runner.context.inputs.format.chats else set())
    answer = {name: value for name, value in draft.as_dict().items() if name in names}
    if runner.context.inputs.format.structured:
        answer["output"] = read_structure(draft.output)
    kept = {name: value for name, value in line.record.items() if name not in REASONING_MARKS}
    record = {**kept, **answer}
    return {**record, "scores": {**line.record.get("scores", {}), **scores}} if scores else record
