"""The judge against a person: how often both agree, and the least grades at which they agree best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReviewedGrade:
    """A record that a person marked, and what the judge made of it.

    `sound` says that all the judge's yes-or-no judgements were right; grades are 1 to 10.
    """

    good: bool
    sound: bool
    relevance: int
    diversity: int

    def passes(self, relevance: int, diversity: int) -> bool:
        """Whether the judge accepts it at these least grades."""
        return self.sound and self.relevance >= relevance and self.diversity >= diversity


@dataclass(frozen=True, slots=True)
class ThresholdFit:
    """Agreement with the person at one pair of least grades.

    `kappa` is agreement beyond chance (Cohen, Educational and Psychological Measurement 20, 1960).
    """

    relevance: int
    diversity: int
    agreed: int
    of: int
    good_taken: int
    bad_taken: int
    kappa: float

    def as_dict(self) -> dict[str, Any]:
        """The fit as JSON values."""
        return {
            "min_relevance": self.relevance, "min_diversity": self.diversity, "agreed": self.agreed, "of": self.of,
            "good_accepted": self.good_taken, "bad_accepted": self.bad_taken, "kappa": round(self.kappa, 3),
        }  # fmt: skip


def measure_fit(marked: Sequence[ReviewedGrade], relevance: int, diversity: int) -> ThresholdFit:
    """How far judge and person agree at these least grades; `marked` is not empty."""
    taken = [each.passes(relevance, diversity) for each in marked]
    good = [each.good for each in marked]
    agreed = sum(one == other for one, other in zip(taken, good, strict=True))
    n = len(marked)
    chance = (sum(taken) * sum(good) + (n - sum(taken)) * (n - sum(good))) / (n * n)
    kappa = 1.0 if chance == 1 else (agreed / n - chance) / (1 - chance)
    both = sum(one and other for one, other in zip(taken, good, strict=True))
    return ThresholdFit(relevance, diversity, agreed, n, both, sum(taken) - both, kappa)


def find_best_fit(marked: Sequence[ReviewedGrade], relevance: int, diversity: int) -> ThresholdFit:
    """The least grades that agree best with the person; of equals the nearest to those given."""

    def rank(found: ThresholdFit) -> tuple[int, int]:
        return -found.agreed, abs(found.relevance - relevance) + abs(found.diversity - diversity)

    return min((measure_fit(marked, r, d) for r in range(1, 11) for d in range(1, 11)), key=rank)
