"""What a limit of calls at once is worth: whether a step up brought anything, whether cuts help at all, and whether
it is calls at once that the server bounds.
"""

from collections import deque
from math import inf
from typing import Final

WORTH: Final = 0.3
STEP: Final = 1.25
QUICK: Final = 0.05
REST: Final = 32


class GrowthJudge:
    """Judges whether the last step up brought anything, by the pace of calls that started after it."""

    def __init__(self) -> None:
        self.pressed = False
        self.slow_start = True
        self._known: tuple[float, float] | None = None  # a limit, and the work a second that it brought
        self._rest = 0
        self._next_rest = 2
        self._open(0)

    def _open(self, serial: int) -> None:
        self._since = serial
        self._count = 0
        self._again = False
        self._seconds = 0.0
        self._work = 0.0
        self.pressed = False

    def fail(self, serial: int) -> None:
        """The server turned calls away: growth waits longer from now on."""
        self.slow_start = False
        self._known = None
        self._next_rest = self._rest = min(REST, 2 * self._next_rest)
        self._open(serial)

    def trying(self, limit: float) -> bool:
        """Whether the last step up is still to be judged."""
        return self._known is not None and limit > self._known[0]

    def note(
        self, started: int, seconds: float, work: float, limit: float, serial: int, ceiling: int
    ) -> float:
        """Count a call that was let through while the limit was reached; returns the limit from now on."""
        if started <= self._since:
            return limit
        self._count += 1
        self._seconds += seconds
        self._work += work
        enough = max(4, int(limit) // 2 if self.slow_start else int(limit))
        if self._count < enough * (3 if self._again else 1):
            return limit
        quick = self._seconds < QUICK * self._count
        speed = limit * self._work / self._seconds if self._seconds > 0 else inf
        if self._rest > 0:
            self._rest -= 1
            self._known = (limit, speed)
            self._open(serial)
            return limit
        if not self.pressed:
            self._open(serial)
            return limit
        if self._known is not None and self.trying(limit) and not quick:
            before, slower = self._known
            gain = speed / slower
            if gain < 1 + WORTH * (limit / before - 1):
                return self._doubt(limit, before * max(1.0, gain), serial)
            self._next_rest = 2
        self._known = (limit, speed)
        self._open(serial)
        return min(float(ceiling), limit * 2 if self.slow_start else max(limit + 1, limit * STEP))

    def _doubt(self, limit: float, worth: float, serial: int) -> float:
        """A step up brought little: look once more over more calls, then step back and rest."""
        if not self._again:
            self._again = True
            return limit
        back = min(limit, worth * (1.15 if self.slow_start else 1.0))
        self.slow_start = False
        self._known = None
        self._next_rest = self._rest = min(REST, 2 * self._next_rest)
        self._open(serial)
        return back


class RefusalDetector:
    """Tells refusals that come by chance, whatever the limit is, from those that a lower limit heals.

    `CUTS` cuts in a row, with fewer than `APART` calls between two of them, that left the share of calls
    turned away low but there, have not helped: they are taken back, and for a while no refusal cuts. Where
    the share then grows `WORSE` times as large, they had helped after all.
    """

    CUTS: Final = 5
    APART: Final = 100
    LOW: Final = 0.4
    ENOUGH: Final = 60
    WORSE: Final = 2.5
    WHILE: Final = 60.0
    LONGEST: Final = 600.0

    def __init__(self) -> None:
        self._cuts = 0
        self._since = 0
        self._turned = 0
        self._total = 0
        self._top = 0.0
        self._low = 0.0
        self._share = 0.0
        self._until = -inf
        self._barred = -inf
        self._span = self.WHILE

    def excuses(self, now: float) -> bool:
        """Whether refusals count as chance now."""
        return now < self._until

    def note(self, now: float, *, turned: bool) -> float | None:
        """A call was answered or turned away; returns a limit to go back to where refusals were no chance."""
        self._since += 1
        self._total += 1
        self._turned += turned
        if (
            not self.excuses(now)
            or self._total < self.ENOUGH
            or self._turned <= self.WORSE * self._share * self._total
        ):
            return None
        self._until = -inf
        self._barred = now + 2 * self.WHILE
        self._begin(self._low)
        return self._low

    def cut(self, now: float, limit: float) -> float | None:
        """The limit is to be cut; returns the limit to have instead where cuts have not helped."""
        if self._cuts == 0 or self._since > self.APART:
            self._begin(limit)
        self._cuts += 1
        self._since = 0
        few = self._cuts <= self.CUTS or limit > 0.75 * self._top
        if few or self._turned > self.LOW * self._total or now < self._barred:
            return None
        self._share = max(0.05, self._turned / self._total)
        self._until = now + self._span
        self._span = min(self.LONGEST, 2 * self._span)
        self._low, back = limit, self._top
        self._begin(back)
        return back

    def _begin(self, limit: float) -> None:
        self._top = limit
        self._cuts = self._since = self._turned = self._total = 0


class LoadTracker:
    """How many others were being answered whenever a call was turned away.

    It is the same number each time where a server bounds calls at once, and ever fewer where it counts the calls of
    a minute.
    """

    SIGHTS: Final = 5

    def __init__(self) -> None:
        self._others: deque[int] = deque(maxlen=self.SIGHTS)
        self._answered = 0

    def note(self, others: int, answered: int) -> None:
        """A call was turned away beside so many others; `answered` calls have been so far.

        Refusals between which hardly any call was answered are one sight.
        """
        if answered - self._answered > others // 16:
            self._others.append(others)
            self._answered = answered

    @property
    def last(self) -> int:
        """How many there were last."""
        return self._others[-1] if self._others else 0

    @property
    def bound(self) -> int:
        """How many calls at once the server takes; 0 where that is not its bound, or not known yet."""
        least, most = min(self._others, default=0), max(self._others, default=0)
        if len(self._others) < self.SIGHTS or most - least > 1 + most // 16:
            return 0
        return sorted(self._others)[self.SIGHTS // 2]

    @property
    def dwindled(self) -> bool:
        """Whether calls were turned away beside far fewer others than before: calls at once are not the reason."""
        return len(self._others) > 1 and min(self._others) < 0.6 * max(self._others)
