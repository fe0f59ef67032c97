"""A few records of a run beside the seed and the parent they came from."""

from collections.abc import Mapping
from typing import Any

import orjson

from aide.journal import Journal
from aide.run.folder import RunFolder
from aide.run.seed_pool import SEED


def read_previews(folder: RunFolder, count: int = 3) -> list[tuple[str, str, str, str, str]]:
    """Seed, parent, record, answer and how it was grown; the deepest hops first, each of another seed and operation."""
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
        return [_shown(line, seeds, journal) for line in chosen]
    finally:
        journal.close()


def _shown(
    line: Mapping[str, Any], seeds: Mapping[str, Any], journal: Journal
) -> tuple[str, str, str, str, str]:
    lineage = line["lineage"]
    parent = journal.get_outcome(lineage["parent_id"])
    above = orjson.loads(parent.payload)["input"] if parent else "(the seed)"
    triple = lineage["triple"]
    along = (
        f"{triple['topic']} / {triple['relation']} / {triple['attribute']}" if triple else lineage["persona"]
    )
    grown = (
        f"hop {lineage['hop']}, {lineage['operation']}: {along}{' (anchored)' if lineage['anchored'] else ''}"
    )
    return seeds[lineage["seed_id"]]["input"], above, line["input"], line["output"], grown
