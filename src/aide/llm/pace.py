"""How often calls may start: a bucket for bounds that are known, a pacer for one that the server never told."""

from collections import deque
from math import inf
from typing import Final

MINUTE: Final = 60.0
RECENT: Final = 10.0
FIRST: Final = 0.9  # of what the server let through, where the pace begins
QUIET: Final = 20.0  # seconds without a refusal before it grows
BACK: Final = 0.98  # of a pace that was turned away
LEVEL: Final = 800.0  # starts until it is back there, along a cubic curve that goes on beyond
CURVE: Final = (1 - BACK) / LEVEL**3
APART: Final = 100  # starts between two refusals that have little to do with each other
VAIN: Final = 5
BARRED: Final = 300.0


class TokenBucket:
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
    """Starts a second, once the server showed that it counts them.

    - It begins at `FIRST` of what was let through. In the first minute a refusal says that this was too short a
      time to judge by: part of it was saved up, or still counts. Without refusals the pace grows, two percent every
      two seconds.
    - The first refusal of calls that kept to the pace tells the server's number: what it let through in the last
      minute. From now on the pace goes a little below, comes back along a cubic curve, and then tries a little more.
    - Refusals that come again and again, though the pace is ever lower, are not for the number of starts: there is
      no pace for the next `BARRED` seconds.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._seconds: deque[list[int]] = deque()
        self._bucket: TokenBucket | None = None
        self._known: float | None = None
        self._level = LEVEL
        self._steps = 0
        self._vain = 0
        self._blocked = False
        self._waited = False
        self._learned = self._grown = self._lowered = self._troubled = 0.0
        self._barred = -inf

    def note(self, now: float, started: float) -> None:
        """A call that began at `started` was let through and answered."""
        second = int(now)
        if started > self._lowered:
            self._blocked = False
        if self._first is None:
            self._first = now
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([second, 1])
            while self._seconds[0][0] <= second - MINUTE:
                self._seconds.popleft()

    def learn(self, now: float, unheld: float, wait: float, beside: int) -> bool:
        """The server turned a call away for their number; false where it is too early to say what that is.

        For `unheld` seconds no hold stood in the way of starts; `wait` is how long the server asked to wait (0 where
        it said nothing), `beside` how many calls were being answered.
        What was saved up lets more through for a while than the server will go on with: the last seconds
        count too.
        """
        if self._first is None or now - self._first < RECENT or now < self._barred:
            return False
        span = min(MINUTE, now - self._first)
        passed = self._passed(now, span)
        recent = self._passed(now, RECENT)
        if wait:  # until then nothing more: what came through is the share of that whole time
            passed = (passed * span + beside) / min(MINUTE, span + wait)
        elif unheld >= RECENT and passed > 1.3 * recent:
            passed = recent
        if passed * RECENT < 10 and not wait:
            return False
        if self._bucket is not None:  # where the pace itself had grown too high, the truth lies between
            passed = max(passed, min(self._bucket.rate, 1.1 * passed))
        self._bucket = TokenBucket(FIRST * passed, 1.0, now)
        self._known = None if self._known is None else passed
        self._level, self._steps, self._vain = LEVEL * ((1 - FIRST) / (1 - BACK)) ** (1 / 3), 0, 0
        self._learned = self._grown = self._lowered = self._troubled = now
        return True

    def refused(self, now: float, started: float) -> None:
        """A call that began at `started` was turned away, though it kept to the pace."""
        if self._bucket is None or self._first is None or started < self._lowered:
            return
        self._troubled = now
        if now - self._learned < MINUTE:
            if self._known is None:
                passed = self._passed(now, min(MINUTE, now - self._first))
                self._bucket.rate = min(self._bucket.rate, FIRST * passed)
            return
        if self._blocked:  # nothing came through since: it is still the same refusal
            return
        self._vain = self._vain + 1 if self._steps < APART else 1
        if self._vain > VAIN:
            self.forget()
            self._barred = now + BARRED
            return
        self._known = min(self._bucket.rate, max(self._passed(now, MINUTE), 0.8 * self._bucket.rate))
        self._bucket.rate = BACK * self._known
        self._level, self._steps = LEVEL, 0
        self._lowered, self._blocked = now, True

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
        searching = self._known is None and self._waited and now - self._troubled >= QUIET
        if searching and now - self._grown >= 2.0:
            self._bucket.rate *= 1.02
            self._grown, self._waited = now, False
        wait = self._bucket.wait(now, 1.0)
        self._waited = self._waited or wait > 0
        return wait

    def take(self, now: float) -> None:
        """A call starts."""
        if self._bucket is None:
            return
        self._bucket.take(1.0)
        if self._waited:
            self._steps += 1
            if self._known is not None:
                self._bucket.rate = self._known * (1 + CURVE * (self._steps - self._level) ** 3)
                self._waited = False
