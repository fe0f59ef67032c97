"""The drift meter of a run folder: how like its seed each record still is, by hop."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from aide.journal import Journal
from aide.metrics.drift import SEEDS, DriftMeter
from aide.records import read_varying
from aide.vectors import Vector, cosine, pack_vector

MEASURED: Final = (
    5000  # of more records every n-th is measured: half a second at the end of a run, whatever its size
)
MEANT: Final = 500  # the same for embeddings, which are read back from the journal
_HELD: Final = 128  # vectors in memory at once; the seeds' stay, since each record is held against them


def measure_drift(
    journal: Journal, seeds: Mapping[str, str], out: Collection[str] = (), most: int = MEASURED
) -> dict[str, Any]:
    """Likeness by hop over the accepted records but those in `out`; `every` n-th was measured.

    `seeds` are the inputs of the seeds by id; records of other seeds are left out.
    """
    every, rows = _sampled(journal, seeds, out, most)
    meter = DriftMeter.of(list(seeds.values()))
    for hop, text, seed in rows:
        meter.add(hop, text, seed)
    return {**meter.as_dict(), "every": every}


def measure_embedding_drift(
    journal: Journal,
    seeds: Mapping[str, str],
    embedded: Callable[[str], Vector | None],
    out: Collection[str] = (),
    most: int = MEANT,
) -> dict[str, Any]:
    """The same by the cosine of embeddings, over what was embedded; empty where nothing was."""

    @lru_cache(maxsize=_HELD)
    def vector(text: str) -> Vector:
        return pack_vector(embedded(text) or ())

    def alike(one: str, other: str) -> float:
        return cosine(vector(one), vector(other))

    every, rows = _sampled(journal, seeds, out, most)
    meter = DriftMeter.of([text for text in list(seeds.values())[:SEEDS] if vector(text)], alike)
    for hop, text, seed in rows:
        if vector(text) and vector(seed):
            meter.add(hop, text, seed)
    told = meter.as_dict()
    return {**told, "every": every} if told["by_hop"] else {}


def _sampled(
    journal: Journal, seeds: Mapping[str, str], out: Collection[str], most: int
) -> tuple[int, Iterator[tuple[int, str, str]]]:
    """Every how many-th record, and of each its hop, its text and its seed's."""
    rows = journal.read_outcomes("accepted", payload=False)
    nodes = [row.node for row in rows if row.node not in out and row.seed in seeds]
    step = max(1, -(-len(nodes) // most))
    found = (journal.get_outcome(node) for node in nodes[::step])
    return step, (
        (each.depth, read_varying(orjson.loads(each.payload)), seeds[each.seed])
        for each in found
        if each is not None
    )


__all__ = ["MEANT", "MEASURED", "measure_drift", "measure_embedding_drift"]
