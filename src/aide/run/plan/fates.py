"""What becomes of candidates: the few ways in which one can end, and how many of a hundred go each of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

UNFIT: Final = "unfit"
"""Refused by code before anything but its text is paid for."""
ACCEPTED: Final = "accepted"
REVISED: Final = "revised"
"""The judge finds it wanting, and accepts what was written in its place."""
DISPUTED: Final = "disputed"
"""The judge's own answer is another one than the record's."""
CORRECTED: Final = "corrected"
"""Code finds its first answer wrong, and accepts the second."""
LOST: Final = "lost"
"""The judge finds it wanting to the end."""

# For each that fails, where nothing is known but how many do. Code sees duplicates and what has another form than was
# asked for; blind readings disagree on a few; the judge refuses most. Of what it sends back two in three are mended.
_UNFIT: Final = 0.2
_DISPUTED: Final = 0.1
_CORRECTED: Final = 0.2
_MENDED: Final = 0.65


@dataclass(frozen=True, slots=True)
class FateShares:
    """How many of all candidates go each way; they sum up to 1."""

    shares: Mapping[str, float]
    kept: frozenset[str]
    """The fates of which a record comes."""

    @property
    def accepted(self) -> float:
        """The share of candidates that become records."""
        return sum(share for fate, share in self.shares.items() if fate in self.kept)

    @classmethod
    def assume(cls, share: float, fates: Collection[str], kept: Collection[str]) -> "FateShares":
        """Where nothing is known but the share that is accepted.

        `fates` are those that make a difference for the task at hand; of those in `kept` a record comes.
        """
        fails = 1 - share
        if LOST not in fates:
            found = {UNFIT: fails}
        else:
            found = {UNFIT: _UNFIT * fails}
            if DISPUTED in fates and DISPUTED not in kept:
                found[DISPUTED] = _DISPUTED * fails
            found[LOST] = fails - sum(found.values())
        wanted = {
            REVISED: found.get(LOST, 0.0) * _MENDED / (1 - _MENDED),
            DISPUTED: _DISPUTED * fails,
            CORRECTED: _CORRECTED * fails,
        }
        left = share
        for fate, each in wanted.items():
            if fate in fates and fate in kept:
                found[fate] = min(left, each)
                left -= found[fate]
        return cls(
            {fate: each for fate, each in {ACCEPTED: left, **found}.items() if each > 0}, frozenset(kept)
        )


class FateDealer:
    """Deals fates so that any run of candidates has each as often as its share says: an estimate throws no dice."""

    def __init__(self, of: Mapping[tuple[int, bool], FateShares], otherwise: FateShares) -> None:
        """`of` gives the shares of a level (a hop, and whether its plain records), `otherwise` those of all others."""
        self._of = of
        self._otherwise = otherwise
        self._due: dict[tuple[int, bool], dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def deal(self, level: tuple[int, bool]) -> str:
        """The fate of the next candidate of a level: the one that is furthest behind its share."""
        due = self._due[level]
        for fate, share in self.find(level).shares.items():
            due[fate] += share
        fate = max(due, key=due.__getitem__)
        due[fate] -= 1
        return fate

    def find(self, level: tuple[int, bool]) -> FateShares:
        """The shares of a level."""
        return self._of.get(level, self._otherwise)
