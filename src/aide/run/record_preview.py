"""A few records of a run, beside the seed and the parent they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from aide.journal import Journal
from aide.records import PLAIN, Lineage
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


def read_previews(folder: RunFolder, count: int = 3) -> list[RecordPreview]:
    """Records of the deepest hops, each of another seed and another operation."""
    journal = Journal.open(folder.journal, readonly=True)
    try:
        seeds = dict(journal.read_decisions(SEED))
        seen: set[str] = set()
        chosen: list[Mapping[str, Any]] = []
        rows = sorted(journal.read_outcomes("accepted", payload=False), key=lambda row: -row.depth)
        for row in rows:
            if len(chosen) == count:
                break
            if row.seed in seeds and row.seed not in seen and row.operation not in seen:
                seen |= {row.seed, row.operation}
                outcome = journal.get_outcome(row.node)
                if outcome is not None:
                    chosen.append(orjson.loads(outcome.payload))
        return [_make_preview(line, seeds, journal) for line in chosen]
    finally:
        journal.close()


def _make_preview(line: Mapping[str, Any], seeds: Mapping[str, Any], journal: Journal) -> RecordPreview:
    lineage = Lineage.from_dict(line["lineage"])
    parent = journal.get_outcome(lineage.parent_id)
    above = orjson.loads(parent.payload)["input"] if parent else "(the seed)"
    if lineage.operation == PLAIN:
        above = "(none)"
    origin = f"{lineage.describe()}{' (anchored)' if lineage.anchored else ''}"
    return RecordPreview(seeds[lineage.seed_id]["input"], above, line["input"], line["output"], origin)
