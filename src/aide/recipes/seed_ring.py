"""Which seed stands beside a document: it follows from both, whatever other seeds and documents there are.

Karger et al., *Consistent Hashing and Random Trees*, STOC 1997: seeds have marks on a ring, and a document is beside
the seed of the next mark. A seed that is taken out hands its documents to others and moves no further ones.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import Final

from aide.records import Seed, digest

MARKS: Final = 64
"""Of each seed: with so many, shares differ by an eighth (standard deviation)."""


class SeedRing:
    """Seeds in an order of its own for each document."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        marks = ((digest("ring", seed.id, str(n)), seed) for seed in seeds for n in range(MARKS))
        self._marks = sorted(marks, key=lambda mark: mark[0])
        self._places = [place for place, _ in self._marks]

    def walk(self, document: str) -> Iterator[Seed]:
        """Each seed once, the one that the document of that id is beside first."""
        start = bisect(self._places, digest("ring", document))
        passed: set[str] = set()
        for step in range(len(self._marks)):
            _, seed = self._marks[(start + step) % len(self._marks)]
            if seed.id not in passed:
                passed.add(seed.id)
                yield seed
