"""Patience: after so many candidates in a row that came to nothing, no more are handed out."""

from collections import Counter
from typing import Final

BARREN_AT_LEAST: Final = 3
"""Seeds without attributes, of at least which the half of all is taken for a sign: one or two may be odd."""


class Patience:
    """Counts what came to nothing, by label and in all; each accepted record gives patience back."""

    def __init__(self, most: int) -> None:
        """`most` candidates in a row may come to nothing; with 0 there is no end to patience."""
        self._most = most
        self._by_label: Counter[str] = Counter()
        self._in_all = 0
        self._seeds = 0
        self._barren = 0

    def add_seeds(self, count: int) -> None:
        """So many seeds more may become parents."""
        self._seeds += count

    def note_seed_without_attributes(self) -> None:
        """A seed gave no attributes."""
        self._barren += 1

    def note_accepted(self, label: str) -> None:
        """A candidate became a record."""
        self._by_label[label] = self._in_all = 0

    def note_vain(self, label: str) -> None:
        """A candidate came to nothing."""
        self._by_label[label] += 1
        self._in_all += 1

    @property
    def spent(self) -> bool:
        """True when too many in a row came to nothing, or half of the seeds have no attributes."""
        barren = self._barren >= max(1, min(BARREN_AT_LEAST, self._seeds)) and 2 * self._barren >= self._seeds
        return self._most > 0 and (barren or self._in_all >= self._most)

    def is_spent(self, label: str) -> bool:
        """The same for one label."""
        return self.spent or 0 < self._most <= self._by_label[label]

    def renew(self) -> None:
        """Begin anew: something has changed since."""
        self._by_label.clear()
        self._in_all = self._barren = 0
