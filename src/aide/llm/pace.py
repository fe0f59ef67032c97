"""How often calls may start: a bucket for bounds that are known, a pacer for one that the server never
told.
"""

from collections import deque
from typing import Final

MINUTE: Final = 60.0
RECENT: Final = 10.0


class Bucket:
    """Lets `rate` units a second through and at most `burst` at once; may go into debt for one large call."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._level = burst
        self._at = now

    def wait(self, now: float, need: float) -> float:
        """Seconds until `need` units are there."""
        self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now
        return 0.0 if self._level >= need - 1e-9 else (need - self._level) / self.rate

    def take(self, amount: float) -> None:
        """Use up `amount` units; negative amounts give back."""
        self._level = min(self.burst, self._level - amount)


class Pacer:
    """Starts a second, once the server showed that it counts them: nine tenths of what it let through, then
    growing.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._seconds: deque[list[int]] = deque()
        self._bucket: Bucket | None = None
        self._grown = 0.0
        self._waited = False

    def note(self, now: float) -> None:
        """A call was let through and answered."""
        second = int(now)
        if self._first is None:
            self._first = now
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([second, 1])
            while self._seconds[0][0] <= second - MINUTE:
                self._seconds.popleft()

    def learn(self, now: float, unheld: float) -> None:
        """The server turned a call away for their number; for `unheld` seconds no hold stood in the way of
        starts.

        What was saved up lets more through for a while than the server will go on with: the last seconds
        count too.
        """
        if self._first is None or now - self._first < RECENT:
            return
        passed = self._passed(now, min(MINUTE, now - self._first))
        recent = self._passed(now, RECENT)
        if unheld >= RECENT and passed > 1.3 * recent:
            passed = recent
        if passed * RECENT < 10:
            return
        if self._bucket is not None:  # where the pace itself had grown too high, the truth lies between
            passed = max(passed, min(self._bucket.rate, 1.1 * passed))
        self._bucket = Bucket(0.9 * passed, 1.0, now)
        self._grown = now

    def forget(self) -> None:
        """It was not their number after all."""
        self._bucket = None

    def _passed(self, now: float, span: float) -> float:
        """Calls a second that were let through lately."""
        return sum(count for second, count in self._seconds if second > now - span) / span

    def wait(self, now: float) -> float:
        """Seconds until the next start."""
        if self._bucket is None:
            return 0.0
        if self._waited and now - self._grown >= 2.0:
            self._bucket.rate *= 1.01
            self._grown, self._waited = now, False
        wait = self._bucket.wait(now, 1.0)
        self._waited = self._waited or wait > 0
        return wait

    def take(self, now: float) -> None:
        """A call starts."""
        if self._bucket is not None:
            self._bucket.take(1.0)
