"""How often calls may start: a bucket for bounds that are known, a pacer for one that the server keeps to itself."""

from collections import deque
from typing import Final

MINUTE: Final = 60.0
# Seconds that are watched before a pace is judged. A few answers are no rate; but with twenty seconds the server is
# understood too late, and a third of the calls may be turned away.
RECENT: Final = 10.0
# Of what the server let through, where the pace begins: below it, since part of what came through was saved up. Half
# would cost a fifth of the rate for minutes.
FIRST: Final = 0.9
# Seconds without a refusal before the pace grows, by GROWTH every GROWTH_SECONDS: longer than a refusal takes to
# show itself. Without growth a tenth of the rate is left for good; twice as fast, or after 40 seconds, up to a
# third of the calls are turned away.
QUIET: Final = 20.0
GROWTH: Final = 1.02
GROWTH_SECONDS: Final = 2.0
# Of a pace that was turned away, where it goes on. The server's number is known by then, so a little below is enough;
# half would cost a third of the rate.
BACK: Final = 0.98
# Starts until it is back there, along a cubic curve (as CUBIC's window, RFC 9438): fast at first, flat near the
# number that was refused, then beyond it to see whether there is more. Half and twice as many make no difference.
LEVEL: Final = 800.0
# A pace is given up where VAIN refusals come with fewer than APART starts between them, though it went down each
# time: then they are not for the number of starts, and a pace would strangle the run (measured: a quarter of the
# rate, for a server that stops counting and refuses by chance). For BARRED seconds none is learned, lest it be
# the same mistake.
VAIN: Final = 5
APART: Final = 100
BARRED: Final = 300.0


class TokenBucket:
    """Lets `rate` units a second through and at most `burst` at once; may go into debt for one large call."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        """Units a second."""
        self.burst = burst
        """Units that may be saved up."""
        self._level = burst
        self._at = now

    def compute_wait(self, now: float, need: float) -> float:
        """Seconds until `need` units are there."""
        self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now
        return 0.0 if self._level >= need - 1e-9 else (need - self._level) / self.rate

    def take(self, amount: float) -> None:
        """Use up `amount` units; negative amounts give back."""
        self._level = min(self.burst, self._level - amount)


class Pacer:
    """Starts a second, once the server showed that it counts them.

    Such a server has a number that it never tells, and refuses all calls beyond it until its minute is over. A
    limit of calls at once can't meet that: quick calls would use the number up in seconds, and then wait with all
    slots idle. So starts are spread evenly, at a pace learned from what the server let through:

    - It begins at `FIRST` of what was let through. In the first minute a refusal says that this was too short a
      time to judge by: part of it was saved up, or still counts. Without refusals the pace grows.
    - The first refusal of calls that kept to the pace tells the server's number: what it let through in the last
      minute. From now on the pace goes a little below, comes back along a cubic curve, and then tries a little more.
    - Refusals that come again and again, though the pace is ever lower, are not for the number of starts: the pace is
      given up.
    """

    def __init__(self) -> None:
        self._first_answer: float | None = None
        self._answers: deque[list[int]] = deque()  # [second, answers that came in it], of the last minute
        self._bucket: TokenBucket | None = None  # none: no pace
        self._known: float | None = None  # the server's number a second, once it has shown it
        self._level = LEVEL
        self._steps = 0  # starts since the pace was lowered
        self._vain = 0  # refusals in a row that a lower pace did not prevent
        self._blocked = False  # nothing came through since the last refusal
        self._waited = False  # some start had to wait for the pace
        self._learned = self._grown = self._lowered = self._troubled = 0.0
        self._barred_until = 0.0

    def note(self, now: float, started: float) -> None:
        """A call that began at `started` was let through and answered."""
        second = int(now)
        if started > self._lowered:
            self._blocked = False
        if self._first_answer is None:
            self._first_answer = now
        if self._answers and self._answers[-1][0] == second:
            self._answers[-1][1] += 1
        else:
            self._answers.append([second, 1])
            while self._answers[0][0] <= second - MINUTE:
                self._answers.popleft()

    def learn(self, now: float, unheld: float, wait: float, beside: int) -> bool:
        """The server turned a call away for their number; false where it is too early to say what that is.

        For `unheld` seconds no hold stood in the way of starts; `wait` is how long the server asked to wait (0 where
        it said nothing), `beside` how many calls were being answered. What was saved up lets more through for a
        while than the server will go on with: the last seconds count too.
        """
        if self._first_answer is None or now - self._first_answer < RECENT or now < self._barred_until:
            return False
        span = min(MINUTE, now - self._first_answer)
        passed = self._count_passed(now, span)
        recent = self._count_passed(now, RECENT)
        if wait:  # until then nothing more: what came through is the share of that whole time
            passed = (passed * span + beside) / min(MINUTE, span + wait)
        elif unheld >= RECENT and passed > 1.3 * recent:
            passed = recent
        if passed * RECENT < 10 and not wait:  # fewer than ten calls are no rate
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
        if self._bucket is None or self._first_answer is None or started < self._lowered:
            return
        self._troubled = now
        if now - self._learned < MINUTE:
            if self._known is None:
                passed = self._count_passed(now, min(MINUTE, now - self._first_answer))
                self._bucket.rate = min(self._bucket.rate, FIRST * passed)
            return
        if self._blocked:  # it is still the same refusal
            return
        self._vain = self._vain + 1 if self._steps < APART else 1
        if self._vain > VAIN:
            self._bucket = None
            self._barred_until = now + BARRED
            return
        self._known = min(self._bucket.rate, max(self._count_passed(now, MINUTE), 0.8 * self._bucket.rate))
        self._bucket.rate = BACK * self._known
        self._level, self._steps = LEVEL, 0
        self._lowered, self._blocked = now, True

    def _count_passed(self, now: float, span: float) -> float:
        """Calls a second that were let through in the last `span` seconds."""
        return sum(count for second, count in self._answers if second > now - span) / span

    def compute_wait(self, now: float) -> float:
        """Seconds until the next start."""
        if self._bucket is None:
            return 0.0
        searching = self._known is None and self._waited and now - self._troubled >= QUIET
        if searching and now - self._grown >= GROWTH_SECONDS:
            self._bucket.rate *= GROWTH
            self._grown, self._waited = now, False
        wait = self._bucket.compute_wait(now, 1.0)
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
                curve = (1 - BACK) / LEVEL**3
                self._bucket.rate = self._known * (1 + curve * (self._steps - self._level) ** 3)
                self._waited = False
