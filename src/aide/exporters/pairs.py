"""Pairs for DPO: a right and a wrong answer to the same input, and never anything less certain.

For multiple choice any other option is wrong, for a fixed label set any other label. For worked solutions the
run's journal has wrong ones: answers to the very input of the record that have another final result.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aide.completion import read_completion
from aide.dataset.lines import RecordLine, write_lines
from aide.dataset.record_content import name_record, read_draft
from aide.dataset.seed_sources import find_run_folders
from aide.errors import Unusable
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.thoughts import is_about
from aide.formats.convention import apply_convention, read_result
from aide.journal import AnsweredCall, Journal
from aide.records import rng

_ANSWER_STEP: Final = "answer"


@dataclass(frozen=True, slots=True)
class PairsExporter:
    """`prompt`, `chosen` and `rejected`, one pair a line."""

    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write one pair for each record that has a wrong answer."""
        result = ExportResult()
        with ExitStack() as stack:
            journals = [
                stack.enter_context(Journal.open(folder.journal, readonly=True))
                for folder in find_run_folders(job.sources)
                if folder.journal.exists()
            ]
            result.count = write_lines(job.dest, _make_pairs(lines, job, journals, result))
        return result


def _make_pairs(
    lines: Iterable[RecordLine], job: ExportJob, journals: Sequence[Journal], result: ExportResult
) -> Iterator[dict[str, Any]]:
    for line in lines:
        # Sorted, and drawn by the record's id: the same pair in every export.
        wrong = sorted(_find_wrong_answers(line, job, journals))
        if not wrong:
            result.skipped["no wrong answer to the same input is known"] += 1
            continue
        example = job.rendering.example(line, thoughts=False)
        rejected = rng("pair", name_record(line)).choice(wrong)
        yield dict(
            zip(
                ("prompt", "chosen", "rejected"),
                example.as_completions(example.answer, rejected),
                strict=True,
            )
        )


def _find_wrong_answers(line: RecordLine, job: ExportJob, journals: Sequence[Journal]) -> set[str]:
    rendering, draft = job.rendering, read_draft(line)
    if known := rendering.format(line, draft).list_wrong_outputs(draft, rendering.labels):
        return {rendering.wrong(line, output) for output in known}
    convention = rendering.card.convention if rendering.card else ""
    if not convention:  # without one, two results can't be told apart from two ways of writing one
        return set()
    right = _fold(read_result(rendering.example(line, thoughts=False).answer, convention) or draft.output)
    answers = (
        apply_convention(_read_answer(call), convention)
        for journal in journals
        for call in journal.read_calls(node=name_record(line))
        if call.step == _ANSWER_STEP and is_about(call, line)
    )
    return {answer for answer in answers if _fold(read_result(answer, convention)) not in ("", right)}


def _read_answer(call: AnsweredCall) -> str:
    """What the model answered; empty if it refused or was cut off."""
    try:
        return read_completion(orjson.loads(call.body))
    except Unusable:
        return ""


def _fold(value: str) -> str:
    """A result without what two ways of writing it differ by."""
    return value.casefold().replace(",", "").replace(" ", "").rstrip(".")
