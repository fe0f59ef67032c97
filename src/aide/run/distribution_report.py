"""The distribution of a run folder's records beside the seeds and, where there are any, human data."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

import orjson

from aide.formats import FORMATS, TaskCard
from aide.journal import Journal
from aide.metrics.distribution import DistributionMeter
from aide.metrics.references import HUMAN, SEEDS
from aide.metrics.similarity import MOST, measure_coverage
from aide.metrics.trait_shares import make_trait_counter
from aide.records import Draft, Seed, read_varying
from aide.vectors import Vector

MEASURED: Final = 5000
"""Of more records every n-th is measured: half a second at the end of a run, whatever its size."""

EMBEDDED: Final = 200
"""The same for vectors, which are read back from the journal and compared number by number."""

Recall = Callable[[str], Vector | None]


def measure_run_distribution(
    journal: Journal,
    seeds: Sequence[Seed],
    card: TaskCard,
    *,
    human: Sequence[Draft] = (),
    out: Collection[str] = (),
    recall: Recall | None = None,
    most: int = MEASURED,
) -> dict[str, Any]:
    """What `summary.json` holds as `distribution`, over the accepted records but those in `out`.

    Args:
        journal: of the run.
        seeds: the seeds of the run.
        card: its unit and format say what is counted.
        human: examples that people wrote, as a second reference.
        out: ids of records that were pruned.
        recall: the vector of a text that was embedded before; with it cover and like are measured, beside the seeds.
        most: records that are measured, spread evenly.

    Returns:
        The figures by reference; empty without records.
    """
    seed_drafts = [seed.draft for seed in seeds]
    references = {SEEDS: seed_drafts, HUMAN: list(human)}
    drafts = list(_read_drafts(journal, out, most))
    count = make_trait_counter(card.unit, FORMATS[card.format])
    meter = DistributionMeter.of(references, card.unit, count, len(drafts))
    for draft in drafts:
        meter.add(draft)
    if recall is None:
        return meter.as_dict()
    mine, theirs = _recall(recall, drafts, EMBEDDED), _recall(recall, seed_drafts, MOST)
    return meter.as_dict({SEEDS: measure_coverage(mine, theirs)} if mine and theirs else None)


def _read_drafts(journal: Journal, out: Collection[str], most: int) -> Iterator[Draft]:
    """The content of every n-th accepted record."""
    rows = journal.read_outcomes("accepted", payload=False)
    nodes = [row.node for row in rows if row.node not in out]
    for node in nodes[:: max(1, -(-len(nodes) // most))]:
        outcome = journal.get_outcome(node)
        if outcome is not None:
            line = orjson.loads(outcome.payload)
            yield Draft.from_dict({**line, "input": read_varying(line)})


def _recall(recall: Recall, drafts: Sequence[Draft], most: int) -> list[Vector]:
    step = max(1, -(-len(drafts) // most))
    return [vector for draft in drafts[::step] if (vector := recall(draft.input))]


__all__ = ["EMBEDDED", "MEASURED", "measure_run_distribution"]
