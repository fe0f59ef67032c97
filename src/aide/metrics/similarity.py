"""How near the texts of a set are to a reference, by their words and, where vectors are given, by meaning.

A text is held against all of the reference but one, each left out in turn: so are the texts of the reference among
themselves, which makes the two means comparable whatever the reference's size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aide.metrics.references import with_article
from aide.metrics.shares import SampleMean
from aide.text.shingles import measure_jaccard
from aide.text.words import extract_vocabulary
from aide.vectors import Vector, cosine

MOST: Final = 50
"""Texts of a reference that each text is held against: more would take a run longer and say the same."""

_LEAST: Final = 0.03
"""A smaller difference between two mean similarities is not told, unless one is a multiple of the other."""

_NEARER: Final = 0.15
"""A set that is nearer by less, and not by `_RATIO`, is only a little nearer. Seeds are often chosen to differ, one of
each label, so that any other text is nearer to one of them than they are to each other: 200 messages of people were by
0.07. A copy with a few words exchanged shares most of its words."""

_RATIO: Final = 2.0
"""By which factor two small similarities must differ for that to be told whatever their difference."""

_SEEN: Final = 0.01
"""The least difference that shows in whole percents, as sentences have them."""


def leave_one_out(similarities: Sequence[float]) -> float:
    """The greatest of some similarities, averaged over leaving each of them out; of a single one that one.

    Only where the greatest itself is left out the second counts.
    """
    if len(similarities) < 2:
        return similarities[0] if similarities else 0.0
    second, first = sorted(similarities)[-2:]
    return first + (second - first) / len(similarities)


@dataclass(slots=True)
class NearestMeter:
    """Similarity by words to a reference, fed one text at a time; see `measure_jaccard`."""

    found: SampleMean = field(default_factory=SampleMean)
    _vocabularies: tuple[frozenset[str], ...] = ()

    @classmethod
    def of(cls, reference: Sequence[str]) -> Self:
        """A meter against the first texts of a reference."""
        return cls(_vocabularies=tuple(map(extract_vocabulary, reference[:MOST])))

    def add(self, text: str) -> None:
        """Count a text."""
        words = extract_vocabulary(text)
        self.found.add(leave_one_out([measure_jaccard(words, other) for other in self._vocabularies]))

    def compare(self) -> "NearestComparison":
        """What was counted, beside the reference's texts among themselves."""
        own = self._vocabularies
        among = SampleMean.of(
            max(measure_jaccard(words, other) for at, other in enumerate(own) if at != place)
            for place, words in enumerate(own)
            if len(own) > 1
        )
        return NearestComparison(self.found, among)


@dataclass(frozen=True, slots=True)
class NearestComparison:
    """How near a set is to a reference, beside how near the texts of the reference are to each other."""

    these: SampleMean
    among: SampleMean

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {"these": round(self.these.mean, 4), "those": round(self.among.mean, 4)}

    def verdict(self, reference: str) -> str:
        """One sentence; empty where the reference has a single text, which nothing can be said from."""
        if not self.among.count:
            return ""
        mine, theirs = self.these, self.among
        told = f"{mine.mean:.0%} of words in common with the nearest, among {reference} {theirs.mean:.0%}"
        return f"{_place(mine, theirs, reference)}: {told}"


@dataclass(frozen=True, slots=True)
class CoverageComparison:
    """How much of a reference a set covers, and how like the reference it is; cosines of unit vectors."""

    cover: SampleMean
    """Over the reference: the greatest cosine to the set. It grows with the size of the set."""
    like: SampleMean
    """Over the set: the greatest cosine to the reference."""
    among: SampleMean
    """Over the reference: the greatest cosine to another text of it, as a scale for both."""

    @classmethod
    def of(cls, cover: Iterable[float], like: Iterable[float], among: Iterable[float]) -> Self:
        """From the greatest cosines themselves; `among` is empty for a reference of one text."""
        return cls(SampleMean.of(cover), SampleMean.of(like), SampleMean.of(among))

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "cover": round(self.cover.mean, 4),
            "like": round(self.like.mean, 4),
            "among": round(self.among.mean, 4),
        }

    def verdict(self, reference: str) -> str:
        """One sentence; empty where the reference has a single text."""
        if not self.among.count:
            return ""
        mine, theirs = self.like, self.among
        told = f"greatest cosine {mine.mean:.2f}, among {reference} {theirs.mean:.2f}"
        return f"in meaning {_place(mine, theirs, reference)}: {told}; covered at {self.cover.mean:.2f}"


def _place(these: SampleMean, among: SampleMean, reference: str) -> str:
    """Whether a set is nearer to a reference or further from it than its texts are from each other."""
    those, mine, theirs = with_article(reference), these.mean, among.mean
    gap = mine - theirs
    told = abs(gap) >= _LEAST or (abs(gap) >= _SEEN and max(mine, theirs) >= _RATIO * min(mine, theirs))
    if not told or not these.is_apart(among):
        # Figures that differ stand beside the sentence: it says why they count for nothing.
        chance = ", within chance" if told else ""
        return f"as near to {those} as those are to each other{chance}"
    if gap < 0:
        return f"further from {those} than those are from each other"
    little = "" if gap >= _NEARER or mine >= _RATIO * theirs else "a little "
    return f"{little}nearer to {those} than those are to each other"


def measure_coverage(these: Sequence[Vector], those: Sequence[Vector]) -> CoverageComparison:
    """Cover and like by cosines, for vectors of unit norm; without an array library.

    It takes some 10 microseconds a pair for 384 numbers: who has many passes a sample.
    """
    rows = [[cosine(one, other) for other in those] for one in these]
    own = [
        max(cosine(one, other) for at, other in enumerate(those) if at != place)
        for place, one in enumerate(those)
        if len(those) > 1
    ]
    return CoverageComparison.of(map(max, zip(*rows, strict=True)), map(max, rows), own)


__all__ = [
    "MOST",
    "CoverageComparison",
    "NearestComparison",
    "NearestMeter",
    "leave_one_out",
    "measure_coverage",
]
