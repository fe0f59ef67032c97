"""Choices that depend on names alone: cheaper than a `random.Random`, and the same on every machine."""

from collections.abc import Sequence
from typing import Final, TypeVar

from aide.records import digest

T = TypeVar("T")
_MASK: Final = (1 << 64) - 1


class Dice:
    """A tiny congruential generator seeded by names; good enough to choose words, for nothing else."""

    __slots__ = ("_state",)

    def __init__(self, *names: str) -> None:
        self._state = int(digest(*names), 16) & _MASK

    def below(self, bound: int) -> int:
        """A whole number in 0..bound-1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return ((self._state >> 33) * bound) >> 31

    def chance(self, share: float) -> bool:
        """True in `share` of all cases."""
        return self.below(1 << 20) < share * (1 << 20)

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, which are not empty."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Up to `count` different places of `items`, in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(min(count, len(rest)))]


def share_of(*names: str) -> float:
    """A number in [0, 1) that depends on the names alone."""
    return int(digest(*names)[:13], 16) / (1 << 52)
