"""The drift meter of a run folder: how like its seed each record still is, by hop."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from aide.journal import Journal
from aide.quality.drift import Drift

MEASURED: Final = (
    5000  # of more records every n-th is measured: half a second at the end of a run, whatever its size
)


def drift_of(
    journal: Journal, seeds: Mapping[str, str], out: Collection[str] = (), most: int = MEASURED
) -> dict[str, Any]:
    """Likeness by hop over the accepted records but those in `out`; `every` n-th was measured.

    `seeds` are the inputs of the seeds by id; records of other seeds are left out.
    """
    rows = journal.outcomes("accepted", payload=False)
    nodes = [row.node for row in rows if row.node not in out and row.seed in seeds]
    step = max(1, -(-len(nodes) // most))
    meter = Drift.of(list(seeds.values()))
    for node in nodes[::step]:
        outcome = journal.outcome(node)
        if outcome is not None:
            meter.add(outcome.depth, varying(orjson.loads(outcome.payload)), seeds[outcome.seed])
    return {**meter.as_dict(), "every": step}


def varying(line: Mapping[str, Any]) -> str:
    """The part of a record's input that varies, from its line: of several parts it is the last."""
    parts = line.get("parts")
    return str(list(parts.values())[-1]) if parts else str(line["input"])


__all__ = ["MEASURED", "drift_of", "varying"]
