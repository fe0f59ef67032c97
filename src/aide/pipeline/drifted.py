"""The drift meter of a run folder: how like its seed each record still is, by hop."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import orjson

from aide.journal import Journal
from aide.pipeline.points import draft_of
from aide.quality.drift import Drift
from aide.records import Seed

MEASURED: Final = (
    5000  # of more records every n-th is measured: half a second at the end of a run, whatever its size
)


def drift_of(
    journal: Journal, seeds: Sequence[Seed], out: Collection[str] = (), most: int = MEASURED
) -> dict[str, Any]:
    """Likeness by hop over the accepted records but those in `out`; `every` n-th was measured."""
    known = {seed.id: seed for seed in seeds}
    rows = journal.outcomes("accepted", payload=False)
    nodes = [row.node for row in rows if row.node not in out and row.seed in known]
    step = max(1, -(-len(nodes) // most))
    meter = Drift.of([seed.draft.input for seed in seeds])
    for node in nodes[::step]:
        outcome = journal.outcome(node)
        if outcome is not None:
            seed = known[outcome.seed]
            text = draft_of(orjson.loads(outcome.payload), seed.parts).input
            meter.add(outcome.depth, text, seed.draft.input)
    return {**meter.as_dict(), "every": step}


__all__ = ["MEASURED", "drift_of"]
