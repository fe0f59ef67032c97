"""Pairs for DPO: a right and a wrong answer to the same input, and never anything less certain.

Of multiple choice any other option is wrong, of a fixed label set any other label. Of worked solutions the
run's journal knows wrong ones: what was answered to the very input of the record, with another final result.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aide.dataset.lines import RecordLine, write_lines
from aide.dataset.record_content import name_record, read_draft
from aide.dataset.seed_sources import find_run_folders
from aide.errors import Unusable
from aide.exporters.base import ExportJob, ExportResult
from aide.formats.convention import apply_convention, read_result
from aide.journal import AnsweredCall, Journal
from aide.parsing import read_completion
from aide.records import Draft, read_varying, rng

ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True)
class PairsExporter:
    """`prompt`, `chosen`, `rejected`, one pair a line."""

    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write one pair for each record that has one."""
        written = ExportResult()
        with ExitStack() as stack:
            journals = [
                stack.enter_context(Journal.open(folder.journal, readonly=True))
                for folder in find_run_folders(job.sources)
                if folder.journal.exists()
            ]
            written.count = write_lines(job.dest, _pairs(lines, job, journals, written))
        return written


def _pairs(
    lines: Iterable[RecordLine], job: ExportJob, journals: list[Journal], written: ExportResult
) -> Iterator[dict[str, Any]]:
    for line in lines:
        draft = read_draft(line)
        wrong = sorted(_wrong(line, draft, job, journals))
        if not wrong:
            written.skip("no wrong answer to the same input is known")
            continue
        example = job.rendering.example(line)
        rejected = rng("pair", name_record(line)).choice(wrong)
        if not example.system:
            yield {"prompt": example.user, "chosen": example.answer, "rejected": rejected}
            continue
        *prompt, chosen = example.messages()
        yield {"prompt": prompt, "chosen": [chosen], "rejected": [{**chosen, "content": rejected}]}


def _wrong(line: RecordLine, draft: Draft, job: ExportJob, journals: list[Journal]) -> set[str]:
    format = job.rendering.format(line, draft)
    if known := format.list_wrong_outputs(draft, job.rendering.labels):
        return {job.rendering.wrong(line, output) for output in known}
    convention = job.rendering.card.convention if job.rendering.card else ""
    if not convention:
        return set()
    right = _folded(read_result(job.rendering.example(line).answer, convention) or draft.output)
    found = set()
    for journal in journals:
        for call in journal.calls(node=name_record(line)):
            if call.step == ANSWER and _asks(call, line):
                said = apply_convention(_said(call), convention)
                value = _folded(read_result(said, convention))
                if value and value != right:
                    found.add(said)
    return found


def _said(call: AnsweredCall) -> str:
    """What the model answered; nothing where it refused or was cut off."""
    try:
        return read_completion(orjson.loads(call.body)).text
    except Unusable:
        return ""


def _asks(call: AnsweredCall, line: RecordLine) -> bool:
    """Whether the call was about the record's input as it is now, not about an earlier draft of it."""
    varying = read_varying(line.record)
    return varying in call.user or orjson.dumps(varying).decode()[1:-1] in call.user


def _folded(value: str) -> str:
    """A result without what two ways of writing it differ by."""
    return value.casefold().replace(",", "").replace(" ", "").rstrip(".")


__all__ = ["PairsExporter"]
