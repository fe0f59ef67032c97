"""A few records of a run, beside the seed and the parent they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aide.journal import Journal, Outcome
from aide.records import PLAIN, Lineage, read_output, read_varying, show_chat
from aide.run.document_report import name_document
from aide.run.folder import RunFolder
from aide.run.seed_pool import SEED


@dataclass(frozen=True, slots=True)
class RecordPreview:
    """The texts of a record and of what it came from."""

    seed: str
    parent: str
    record: str
    answer: str
    origin: str
    """How it was grown, in one line."""
    grades: str = ""
    """What the judge and the checks said, in one line."""


def read_previews(folder: RunFolder, count: int = 3, *, fill: bool = False) -> list[RecordPreview]:
    """Records of the deepest hops, each of another seed and another operation.

    With `fill` there are `count` of them where the folder has so many: other operations go before other seeds.
    """
    journal = Journal.open(folder.journal, readonly=True)
    try:
        seeds = dict(journal.read_decisions(SEED))
        rows = sorted(journal.read_outcomes("accepted", payload=False), key=lambda row: -row.depth)
        chosen = _choose([row for row in rows if row.seed in seeds], count, fill=fill)
        outcomes = [journal.get_outcome(row.node) for row in chosen]
        return [_make_preview(orjson.loads(each.payload), seeds, journal) for each in outcomes if each]
    finally:
        journal.close()


def _choose(rows: Sequence[Outcome], count: int, *, fill: bool) -> list[Outcome]:
    chosen: list[Outcome] = []
    seen: set[str] = set()
    for needed in (2, 1, 0) if fill else (2,):  # of seed and operation, how many must be new
        for row in rows:
            new = 0 if row.operation in seen else 2 - (row.seed in seen)
            if len(chosen) < count and new >= needed and row not in chosen:
                chosen.append(row)
                seen |= {row.seed, row.operation}
    return chosen


def _make_preview(line: Mapping[str, Any], seeds: Mapping[str, Any], journal: Journal) -> RecordPreview:
    lineage = Lineage.from_dict(line["lineage"])
    parent = journal.get_outcome(lineage.parent_id)
    above = _show_input(orjson.loads(parent.payload)) if parent else "(the seed)"
    if lineage.operation == PLAIN:
        above = "(none)"
    origin = f"{lineage.describe()}{' (anchored)' if lineage.anchored else ''}"
    if document := name_document(line):
        origin += f", in {document}"
    grades = ", ".join(f"{name} {_format_grade(value)}" for name, value in line["scores"].items())
    return RecordPreview(
        _show_input(seeds[lineage.seed_id]), above, _show_input(line), read_output(line), origin, grades
    )


def _format_grade(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _show_input(line: Mapping[str, Any]) -> str:
    """What was asked; of a text with fixed parts the part that varies, since a document would fill the screen."""
    return show_chat(line) or read_varying(line)
