"""How texts begin: which first words recur, beside those of a reference."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aide.metrics.references import with_article
from aide.metrics.shares import Share, differs, format_percent
from aide.text.words import list_words

WIDTHS: Final = (4, 3, 2)
"""First words that count as an opening. "How do I change" is one way to begin and "How do I" another, commoner one."""

_COMMON: Final = 0.05
"""Of an opening that recurs: the least share of the texts that begin with it, and never a single text."""


@dataclass(slots=True)
class OpeningCounts:
    """How often each opening stands in a set, by how many words it has; fed one text at a time."""

    texts: int = 0
    by_width: dict[int, Counter[str]] = field(default_factory=lambda: {width: Counter() for width in WIDTHS})

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """The counts of all these texts."""
        counts = cls()
        for text in texts:
            counts.add(text)
        return counts

    def add(self, text: str) -> None:
        """Count a text: its first words, folded; of scripts without spaces its first characters."""
        # Most texts are longer than what is looked at; a cut word at the end is the fifth or later.
        words = list_words(text[:200])[: WIDTHS[0]]
        self.texts += 1
        for width in WIDTHS:
            self.by_width[width][_join(words[:width])] += 1

    def share(self, opening: str, width: int) -> Share:
        """How many texts begin so."""
        return Share(self.by_width[width][opening], self.texts)

    def count_alike(self) -> Share:
        """How many texts have an opening of four words that recurs."""
        least = max(2, _COMMON * self.texts)
        return Share(sum(count for count in self.by_width[WIDTHS[0]].values() if count >= least), self.texts)

    def commonest(self, width: int = WIDTHS[0]) -> str:
        """The opening that most texts have; of several equally common ones the first in the alphabet."""
        counts = self.by_width[width]
        return min(counts, key=lambda opening: (-counts[opening], opening), default="")


def _join(words: list[str]) -> str:
    # Characters of a script without spaces are read together.
    spaced = any(len(word) > 1 or word.isascii() for word in words)
    return (" " if spaced else "").join(words)


@dataclass(frozen=True, slots=True)
class OpeningComparison:
    """The openings of a set beside those of a reference."""

    commonest: str
    """The commonest first four words."""
    share: Share
    """How many texts of the set begin with them."""
    share_there: Share
    """How many of the reference do."""
    alike: Share
    """How many texts have an opening that at least one in twenty shares."""
    alike_there: Share
    excess: str
    """The opening that the set has too often, of four words or fewer; empty where there is none."""
    excess_share: Share
    excess_there: Share

    @classmethod
    def of(cls, these: OpeningCounts, those: OpeningCounts) -> Self:
        """Compare two sets."""
        commonest = these.commonest()
        found, width = _find_excess(these, those)
        return cls(
            commonest,
            these.share(commonest, WIDTHS[0]),
            those.share(commonest, WIDTHS[0]),
            these.count_alike(),
            those.count_alike(),
            found,
            these.share(found, width),
            those.share(found, width),
        )

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "commonest": self.commonest,
            "these": _round(self.share),
            "those": _round(self.share_there),
            "alike": {"these": _round(self.alike), "those": _round(self.alike_there)},
            "excess": {
                "opening": self.excess, "these": _round(self.excess_share), "those": _round(self.excess_there),
            } if self.excess else {},
        }  # fmt: skip

    def verdict(self, reference: str) -> str:
        """One sentence, such as "8 of 10 begin alike: 'how do i' opens 31%, of the seeds 0%"."""
        many = self.alike.value > self.alike_there.value and differs(self.alike, self.alike_there)
        named = self.excess or self.commonest
        mine, theirs = (
            (self.excess_share, self.excess_there) if self.excess else (self.share, self.share_there)
        )
        there = f"of {with_article(reference)} {format_percent(theirs.value)}"
        told = f"{named!r} opens {format_percent(mine.value)}, {there}"
        if many:
            return f"{_in_ten(self.alike)} begin alike: {told}"
        return told if self.excess else f"openings as varied as those of {with_article(reference)}"


def _find_excess(these: OpeningCounts, those: OpeningCounts) -> tuple[str, int]:
    """The opening whose share is furthest above the reference's and more than chance, and its width.

    Of a long opening and its beginning the long one is named where most of the excess is its own: it says more.
    """
    best, best_width, most = "", WIDTHS[0], 0.0
    for width in WIDTHS:
        opening = these.commonest(width)
        mine, theirs = these.share(opening, width), those.share(opening, width)
        excess = mine.value - theirs.value
        if excess > 1.5 * most and excess > 0 and differs(mine, theirs):
            best, best_width, most = opening, width, excess
    return best, best_width


def _in_ten(share: Share) -> str:
    return f"{10 * share.value:.0f} of 10"


def _round(share: Share) -> float:
    return round(share.value, 4)


__all__ = ["WIDTHS", "OpeningComparison", "OpeningCounts"]
