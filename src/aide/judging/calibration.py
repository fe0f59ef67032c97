"""The judge against a person: how often both agree, and the least grades at which they agree best."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import and_, eq
from typing import Any


@dataclass(frozen=True, slots=True)
class ReviewedGrade:
    """A record that a person reviewed, and what the judge made of it."""

    good: bool
    """What the person said."""
    sound: bool
    """True when all of the judge's yes-or-no judgements speak for the record."""
    relevance: int
    """1 to 10, as is `diversity`."""
    diversity: int

    def passes(self, relevance: int, diversity: int) -> bool:
        """True when the judge accepts it at these least grades."""
        return self.sound and self.relevance >= relevance and self.diversity >= diversity


@dataclass(frozen=True, slots=True)
class ThresholdFit:
    """Agreement with the person at one pair of least grades."""

    relevance: int
    diversity: int
    agreed: int
    of: int
    good_taken: int
    bad_taken: int
    kappa: float
    """Agreement beyond chance (Cohen, Educational and Psychological Measurement 20, 1960)."""

    def as_dict(self) -> dict[str, Any]:
        """The fit as JSON values."""
        return {
            "min_relevance": self.relevance, "min_diversity": self.diversity, "agreed": self.agreed, "of": self.of,
            "good_accepted": self.good_taken, "bad_accepted": self.bad_taken, "kappa": round(self.kappa, 3),
        }  # fmt: skip


def measure_fit(reviewed: Sequence[ReviewedGrade], relevance: int, diversity: int) -> ThresholdFit:
    """How far judge and person agree at these least grades; `reviewed` is not empty."""
    taken = [each.passes(relevance, diversity) for each in reviewed]
    good = [each.good for each in reviewed]
    n, agreed = len(reviewed), sum(map(eq, taken, good))
    chance = (sum(taken) * sum(good) + (n - sum(taken)) * (n - sum(good))) / (n * n)
    kappa = 1.0 if chance == 1 else (agreed / n - chance) / (1 - chance)
    both = sum(map(and_, taken, good))
    return ThresholdFit(relevance, diversity, agreed, n, both, sum(taken) - both, kappa)


def find_best_fit(reviewed: Sequence[ReviewedGrade], relevance: int, diversity: int) -> ThresholdFit:
    """The least grades that agree best with the person; of equals the nearest to those given.

    Few reviews leave many pairs equal, and a standard that need not change should not.
    """

    def rank(found: ThresholdFit) -> tuple[int, int]:
        return -found.agreed, abs(found.relevance - relevance) + abs(found.diversity - diversity)

    return min((measure_fit(reviewed, r, d) for r in range(1, 11) for d in range(1, 11)), key=rank)
