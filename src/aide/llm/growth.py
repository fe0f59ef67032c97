"""What a limit of calls at once is worth: whether a step up brought anything, and whether it is calls at once
that the server bounds.
"""

from collections import deque
from math import inf
from typing import Final

# Of what a step could bring, so much it has to bring: a quarter more calls, 7.5 % more work a second. What brings
# less mostly lengthens the server's own queue: with 0.01 a server of 64 slots is given 256 calls at once for the
# same rate, with 0.15 up to 120, from 0.3 on 77. Higher still, gains that pay would be left.
WORTH: Final = 0.3
# After slow start. Steps of a half overshoot a server that takes 20 at once: four times as many calls are turned
# away. Steps of a tenth take twice as many rounds to get anywhere.
STEP: Final = 1.25
# Seconds. Answers that come faster are made from a cache or by a simulator: what they measure is this client.
QUICK: Final = 0.05
# Rounds of calls between two attempts to grow, at most; they double from two with each attempt that failed. With
# a rest of two throughout, a server that takes 5 at once turns four calls of ten away, in place of one or two of
# a hundred; beyond 32 nothing more is gained, and a server that has grown is found out later.
REST: Final = 32
# A step is judged by at least so many calls, however small the limit: fewer are one long answer's luck.
FEWEST: Final = 4


class GrowthJudge:
    """Judges whether the last step up brought anything, by the pace of calls that started after it.

    Latency alone would not do: it grows as soon as a server batches, while throughput still rises. So the judge
    compares work a second at the limit before and after a step (Little's law: calls at once, times work, divided by
    seconds), counting only calls that ran while the limit was reached, and only steps that waiting callers asked for.
    """

    demand: bool
    """True once a caller has waited for capacity since the last judgement."""

    def __init__(self) -> None:
        self.slow_start = True
        """True until the first sign that the server has enough: the limit doubles, and each step needs less proof."""
        self._known: tuple[float, float] | None = None  # a limit, and the work a second that it brought
        self._rest = 0
        self._next_rest = 2
        self._restart(0)

    def _restart(self, serial: int) -> None:
        """Begin to watch anew, with the calls after `serial`."""
        self._since = serial
        self._count = 0
        self._second_look = False
        self._seconds = 0.0
        self._work = 0.0
        self.demand = False

    def fail(self, serial: int) -> None:
        """The server turned calls away: rest longer before the next step."""
        self.slow_start = False
        self._take_rest(serial)

    def _take_rest(self, serial: int) -> None:
        self._known = None
        self._next_rest = self._rest = min(REST, 2 * self._next_rest)
        self._restart(serial)

    def is_judging(self, limit: float) -> bool:
        """True while the last step up is still to be judged."""
        return self._known is not None and limit > self._known[0]

    def note(
        self, serial: int, seconds: float, work: float, limit: float, latest: int, ceiling: int
    ) -> float:
        """Count the answered call `serial`, let through while the limit was reached; returns the limit from now on.

        `latest` is the serial of the youngest call. Calls that were out before the last change of the limit say
        nothing of it and are passed over.
        """
        if serial <= self._since:
            return limit
        self._count += 1
        self._seconds += seconds
        self._work += work
        enough = max(FEWEST, int(limit) // 2 if self.slow_start else int(limit))
        if self._count < enough * (3 if self._second_look else 1):
            return limit
        quick = self._seconds < QUICK * self._count
        speed = limit * self._work / self._seconds if self._seconds > 0 else inf
        if self._rest > 0:
            self._rest -= 1
            self._known = (limit, speed)
            self._restart(latest)
            return limit
        if not self.demand:
            self._restart(latest)
            return limit
        if self._known is not None and self.is_judging(limit) and not quick:
            before, slower = self._known
            gain = speed / slower
            if gain < 1 + WORTH * (limit / before - 1):
                return self._doubt(limit, before * max(1.0, gain), latest)
            self._next_rest = 2
        self._known = (limit, speed)
        self._restart(latest)
        return min(float(ceiling), limit * 2 if self.slow_start else max(limit + 1, limit * STEP))

    def _doubt(self, limit: float, worth: float, latest: int) -> float:
        """A step up brought little: look once more, at three times as many calls, then step back and rest.

        The way back ends at what the gain was worth. Slow start leaves 15 % on top: its doublings are judged by half
        a round of calls, and where a server stops gaining is not known better than that.
        """
        if not self._second_look:
            self._second_look = True
            return limit
        back = min(limit, worth * (1.15 if self.slow_start else 1.0))
        self.slow_start = False
        self._take_rest(latest)
        return back


class LoadTracker:
    """How many others were being answered whenever a call was turned away.

    That tells why a server refuses. One that bounds calls at once refuses beside the same number of others each time;
    one that counts the calls of a minute refuses beside ever fewer of them, as those that it let through finish.
    """

    # With two sights a bound is seen in any two refusals of the same second, and a server that counts calls a minute
    # turns a third of them away (`python benchmarks/limiter.py --sweep`); ten tell nothing that five do not.
    SIGHTS: Final = 5

    def __init__(self) -> None:
        self._others: deque[int] = deque(maxlen=self.SIGHTS)
        self._answered = 0

    def note(self, others: int, answered: int) -> None:
        """A call was turned away beside so many others; `answered` calls have been so far.

        Refusals between which hardly any call was answered are one sight: they tell of one moment.
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
        """How many calls at once the server takes; 0 where that is not its bound, or not known yet.

        The numbers may differ by one and a sixteenth: answers on their way still count here and no more at the
        server.
        """
        least, most = min(self._others, default=0), max(self._others, default=0)
        if len(self._others) < self.SIGHTS or most - least > 1 + most // 16:
            return 0
        return sorted(self._others)[self.SIGHTS // 2]

    @property
    def dwindled(self) -> bool:
        """True when calls were turned away beside far fewer others than before: calls at once are not the reason."""
        return len(self._others) > 1 and min(self._others) < 0.6 * max(self._others)
