"""Shares and means of a set of texts beside those of another: which differences are more than chance."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

LEAST: Final = 0.1
"""A smaller difference is not told: what one text in ten does, a reader of twenty texts hardly sees."""

_ERRORS: Final = 2.0
"""Standard errors from which a difference is told: chance alone makes one of twenty so large."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share as a number, 0 where there is nothing to share."""
        return self.count / self.of if self.of else 0.0


def differs(one: Share, other: Share, least: float = LEAST) -> bool:
    """True when two shares differ by at least `least` and by more than two standard errors.

    Both are taken with one success and one failure more (Agresti and Caffo, *The American Statistician* 2000), without
    which a single one of ten seeds would pass for a tenth of all there are.
    """
    if not one.of or not other.of:
        return False
    mine, theirs = ((share.count + 1) / (share.of + 2) for share in (one, other))
    error = math.sqrt(mine * (1 - mine) / (one.of + 2) + theirs * (1 - theirs) / (other.of + 2))
    # Shares are fractions: 0.9 and 0.8 differ by 0.1, though their binary floats differ by a little less.
    return abs(one.value - other.value) >= least - 1e-9 and abs(mine - theirs) > _ERRORS * error


@dataclass(slots=True)
class SampleMean:
    """The mean of some values and its standard error, of which only sums are kept."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The mean of these values."""
        mean = cls()
        for value in values:
            mean.add(value)
        return mean

    def add(self, value: float) -> None:
        """Count one value."""
        self.count += 1
        self.total += value
        self.squares += value * value

    @property
    def mean(self) -> float:
        """0 where nothing was counted."""
        return self.total / self.count if self.count else 0.0

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        if not self.count:
            return 0.0
        return math.sqrt(max(0.0, self.squares / self.count - self.mean**2) / self.count)

    def is_apart(self, other: "SampleMean") -> bool:
        """True when two means differ by more than two standard errors of their difference."""
        return abs(self.mean - other.mean) > _ERRORS * math.hypot(self.error, other.error)


def format_percent(share: float) -> str:
    """A share as it stands in a sentence: `31%`."""
    return f"{share:.0%}"


__all__ = ["LEAST", "SampleMean", "Share", "differs", "format_percent"]
