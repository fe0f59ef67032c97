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

# For each candidate that fails, where nothing is known but how many do. Code sees duplicates and what has another form
# than was asked for; the judge refuses most of the rest. Of what it sends back more than half is mended. First answers
# that are wrong are a part of any model's faults; but a label is given to who writes the text, and seldom misread.
_UNFIT: Final = 0.25
_MENDED: Final = 0.54
_WRONG: Final = 0.3
_MISREAD: Final = 0.05


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
    def assume(
        cls, share: float, fates: Collection[str], kept: Collection[str], *, labelled: bool = False
    ) -> "FateShares":
        """Where nothing is known but the share that is accepted.

        `fates` are those that make a difference for the task at hand; of those in `kept` a record comes.
        """
        fails = 1 - share
        found = {UNFIT: fails * (_UNFIT if LOST in fates else 1.0)}
        # Wrong answers are found by code or by the judge, whichever looks at all.
        finders = [fate for fate in (CORRECTED, DISPUTED) if fate in fates]
        wrong = {fate: fails * (_MISREAD if labelled else _WRONG) / len(finders) for fate in finders}
        found |= {fate: each for fate, each in wrong.items() if fate not in kept}
        wanted = {fate: each for fate, each in wrong.items() if fate in kept}
        if LOST in fates:
            found[LOST] = max(0.0, fails - sum(found.values()))
            wanted = {REVISED: found[LOST] * _MENDED / (1 - _MENDED), **wanted}
        left = share
        for fate, each in wanted.items():
            if fate in fates and fate in kept:
                found[fate] = min(left, each)
                left -= found[fate]
        shares = {fate: each for fate, each in {ACCEPTED: left, **found}.items() if each > 0}
        return cls(shares, frozenset(kept))


class FateDealer:
    """Deals fates so that any run of candidates has each as often as its share says: an estimate throws no dice."""

    def __init__(self, of: Mapping[tuple[int, bool], FateShares], otherwise: FateShares) -> None:
        """`of` gives the shares of a level (a hop, and whether its plain records), `otherwise` those of all others."""
        self._of = of
        self._otherwise = otherwise
        # By shares: levels of which nothing is known are small parts of one run of candidates, and each alone would be
        # too short for the rarer fates.
        self._due: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def deal(self, level: tuple[int, bool]) -> str:
        """The fate of the next candidate of a level: the one that is furthest behind its share."""
        shares = self.find(level)
        due = self._due[id(shares)]
        for fate, share in shares.shares.items():
            due[fate] += share
        fate = max(due, key=due.__getitem__)
        due[fate] -= 1
        return fate

    def find(self, level: tuple[int, bool]) -> FateShares:
        """The shares of a level."""
        return self._of.get(level, self._otherwise)
