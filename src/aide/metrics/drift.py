"""How far records have drifted: likeness of texts to their seed, and of each hop to all seeds.

Lexical: Jaccard similarity of the sets of words (Jaccard, 1912). It says how many words two texts share, nothing about
meaning, and is comparable only within one task; how alike the seeds are among themselves, which is told beside it,
gives it a scale. Another likeness, such as the cosine of embeddings, may stand in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean, median
from typing import Any, Final

from aide.text.shingles import measure_jaccard
from aide.text.words import extract_vocabulary

# So many seeds stand for all: each record is held against every one, and their own spread takes 1,225 pairs.
SEEDS: Final = 50

Likeness = Callable[[str, str], float]


def measure_likeness(one: str, other: str) -> float:
    """The share of their words that two texts have in common, 0 to 1."""
    return measure_jaccard(extract_vocabulary(one), extract_vocabulary(other))


@dataclass(slots=True)
class _Hop:
    count: int = 0
    own: float = 0.0
    nearest: float = 0.0


@dataclass(slots=True)
class DriftMeter:
    """Sums by hop, fed one record at a time."""

    spread: float
    """The mean likeness between two of the seeds: what texts of one task have in common anyway."""
    _seeds: Sequence[str]
    _alike: Likeness
    _hops: dict[int, _Hop] = field(default_factory=dict)

    @classmethod
    def of(cls, seeds: Sequence[str], alike: Likeness = measure_likeness) -> "DriftMeter":
        """A meter for records that grow from these seeds."""
        some = seeds[:SEEDS]
        pairs = [alike(one, other) for one, other in combinations(some, 2)]
        return cls(fmean(pairs) if pairs else 0.0, some, alike)

    def add(self, hop: int, text: str, seed: str) -> None:
        """Count a record of a hop and the seed that it grew from."""
        here = self._hops.setdefault(hop, _Hop())
        here.count += 1
        here.own += self._alike(text, seed)
        here.nearest += max((self._alike(text, each) for each in self._seeds), default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """Means by hop: `to_seed` to a record's own seed, `to_nearest` to whichever seed is most like it."""
        hops = {
            str(hop): {
                "records": here.count,
                "to_seed": round(here.own / here.count, 4),
                "to_nearest": round(here.nearest / here.count, 4),
            }
            for hop, here in sorted(self._hops.items())
        }
        return {"between_seeds": round(self.spread, 4), "by_hop": hops}


@dataclass(frozen=True, slots=True)
class DriftBounds:
    """Bounds for the likeness of a record to its seed, learned from how like each other the seeds are.

    The seeds are one task by what a person meant, so their own spread is the only scale that fits every task.
    """

    usual: float
    """How like the nearest other seed half of the seeds are. Below it a record has begun to drift."""
    least: float
    """How like the nearest the loneliest seed is. Below it a record is further out than any seed is from the rest."""

    @classmethod
    def of(cls, seeds: Sequence[str], alike: Likeness = measure_likeness) -> "DriftBounds":
        """The bounds that these seeds set; a single seed sets none."""
        some = seeds[:SEEDS]
        nearest = sorted(
            max(alike(one, other) for at, other in enumerate(some) if at != place)
            for place, one in enumerate(some)
            if len(some) > 1
        )
        return cls(median(nearest), nearest[0]) if nearest else cls(0.0, 0.0)
