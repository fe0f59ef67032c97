"""How long the texts of a set are beside those of another: percentiles, earth mover's distance, histogram."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Self

from aide.metrics.references import with_article
from aide.metrics.shares import SampleMean
from aide.records import rng
from aide.text.length import find_quantile

_POINTS: Final = 200
"""Steps of the quantile functions that are compared: half a per cent of the texts each."""

_DRAWS: Final = 20
"""Samples of a reference that are held against its rest. Their mean over so many varies by a few per cent."""

_UNSEEN: Final = 0.5
"""A distance of half a word that is not told, however many texts there are."""

_BINS: Final = 12
"""Columns of a histogram; more would be empty between ten seeds."""

_SHIFT: Final = 0.2
"""The least difference of two medians, as a share of the reference's, that is called longer or shorter."""


def measure_emd(one: Sequence[float], other: Sequence[float]) -> float:
    """The earth mover's distance of two ordered, non-empty lists, in their own unit.

    In one dimension it is the mean distance of the quantile functions (Rubner et al., IJCV 2000; here at 201 points),
    that is, by how many words each text would have to grow or shrink, on average, to make one set of the other.
    """
    shares = [step / _POINTS for step in range(_POINTS + 1)]
    return fmean(abs(find_quantile(one, share) - find_quantile(other, share)) for share in shares)


def measure_emd_within(ordered: Sequence[float], size: int, name: str) -> float:
    """How far a random sample of a set is from the rest of it, on average; 0 for fewer than four texts.

    It is the scale for a distance to the set: `size` texts of the same distribution are about as far from it, or, as
    no sample is larger than half, somewhat less. `name` seeds the draws.
    """
    if len(ordered) < 4:
        return 0.0
    draws = rng("sample", name)
    taken = max(1, min(size, len(ordered) // 2))
    distances = []
    for _ in range(_DRAWS):
        drawn = set(draws.sample(range(len(ordered)), taken))
        one = [value for place, value in enumerate(ordered) if place in drawn]
        rest = [value for place, value in enumerate(ordered) if place not in drawn]
        distances.append(measure_emd(one, rest))
    return fmean(distances)


@dataclass(frozen=True, slots=True)
class LengthFigures:
    """The lengths of one set, in words or characters."""

    p5: float
    p50: float
    p95: float
    mean: float
    spread: SampleMean
    """How far lengths are from the median, on average."""

    @classmethod
    def of(cls, ordered: Sequence[float]) -> Self:
        """The figures of ordered lengths, at least one."""
        p5, p50, p95 = (find_quantile(ordered, share) for share in (0.05, 0.5, 0.95))
        return cls(p5, p50, p95, fmean(ordered), SampleMean.of(abs(length - p50) for length in ordered))

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        marks = {"p5": self.p5, "p50": self.p50, "p95": self.p95, "mean": self.mean}
        return {name: round(mark, 2) for name, mark in marks.items()}


@dataclass(frozen=True, slots=True)
class LengthComparison:
    """The lengths of a set beside those of a reference."""

    unit: str
    these: LengthFigures
    those: LengthFigures
    emd: float
    """How far the set is from the reference, in `unit`."""
    emd_within: float
    """How far a sample of the reference is from its rest: a distance no greater than that is chance."""
    histogram: tuple[tuple[int, int, int, int], ...]
    """Least and greatest length of each column, and how many of the set and of the reference have it."""

    @classmethod
    def of(cls, these: Sequence[int], those: Sequence[int], unit: str, reference: str) -> Self:
        """Compare lengths, each list with at least one; `reference` is what the second is called."""
        mine, theirs = sorted(these), sorted(those)
        return cls(
            unit,
            LengthFigures.of(mine),
            LengthFigures.of(theirs),
            measure_emd(mine, theirs),
            measure_emd_within(theirs, len(mine), reference),
            tuple(make_histogram(mine, theirs)),
        )

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "unit": self.unit,
            "these": self.these.as_dict(),
            "those": self.those.as_dict(),
            "emd": round(self.emd, 3),
            "emd_within": round(self.emd_within, 3),
            "histogram": [list(column) for column in self.histogram],
        }

    def verdict(self, reference: str) -> str:
        """One sentence, such as "longer than the seeds: 23 words, seeds 9"."""
        these, those = self.these, self.those
        middle = f"{these.p50:.0f} {self.unit}, {reference} {those.p50:.0f}"
        apart = abs(these.p50 - those.p50)
        told = self.emd > max(self.emd_within, _UNSEEN)
        longer = (
            f"{'longer' if these.p50 > those.p50 else 'shorter'} than {with_article(reference)}: {middle}"
        )
        if told and apart >= max(1.0, _SHIFT * those.p50):
            return longer
        # A set whose lengths are all the same is hardly further from a few seeds than a half of them from the other.
        if self.emd > _UNSEEN and these.spread.is_apart(those.spread):
            more = "more" if these.spread.mean > those.spread.mean else "less"
            return (
                f"lengths vary {more} than those of {with_article(reference)}: nine of ten have "
                f"{these.p5:.0f} to {these.p95:.0f} {self.unit}, {reference} {those.p5:.0f} to {those.p95:.0f}"
            )
        return longer if told and apart >= 1 else f"as long as {with_article(reference)}: {middle}"


def make_histogram(these: Sequence[int], those: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Columns of equal width over both ordered lists, with the counts of each; the last takes all that is longer.

    The columns end at the 98th percentile, so that one very long text does not push all others into a single one.
    """
    low = min(these[0], those[0])
    high = max(low, round(max(find_quantile(these, 0.98), find_quantile(those, 0.98))))
    width = -(-(high - low + 1) // _BINS)
    columns = -(-(high - low + 1) // width)
    counts = [[0, 0] for _ in range(columns)]
    for which, lengths in enumerate((these, those)):
        for length in lengths:
            counts[min((length - low) // width, columns - 1)][which] += 1
    longest = max(these[-1], those[-1])
    ends = [low + width * (at + 1) - 1 for at in range(columns)]
    ends[-1] = max(ends[-1], longest)
    return [(low + width * at, ends[at], mine, theirs) for at, (mine, theirs) in enumerate(counts)]


__all__ = ["LengthComparison", "LengthFigures", "make_histogram", "measure_emd", "measure_emd_within"]
