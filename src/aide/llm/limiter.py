"""How many calls one endpoint gets at once, found out by watching it. Pure logic; time comes from the given
clock.

- Slow start: the limit doubles from `START` for as long as a doubling brings at least `WORTH` of what it
  could bring.
- A server that queues without ever refusing is known by its pace (seconds per unit of work): where more calls
  at once only make each of them slower by as much, the limit goes back to what the gain was worth and rests;
  later it tries a quarter more, ever more rarely where that brings nothing.
- An overload (429, 503, a timeout) cuts the limit once an episode, which lasts until a call that started
  after the cut is answered. Between cuts it regains most of what it had and then rests.
- A server that counts requests a minute is met by a pace of starts, learned from what it let through.
- Growth happens only while callers wait for room.
- A hold stops all starts: until the moment the server named, or for a pause that doubles up to `LONGEST`
  seconds. It takes several failures of calls that started after a first one, half of all such calls at least:
  chance does not look like that, and answers of older calls say nothing of now. After a hold one call goes
  alone as the probe.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

Outcome = Literal["ok", "rate", "overload", "timeout", "server", "connection", "neutral"]

START: Final = 8
CUT: Final = 0.7
REGAIN: Final = 0.95
WORTH: Final = 0.3
STEP: Final = 1.25
QUICK: Final = 0.05
BREAK: Final = 5
LONGEST: Final = 30.0
MINUTE: Final = 60.0
RECENT: Final = 10.0
REST: Final = 32


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


@dataclass(slots=True)
class Permit:
    """One call that was let through."""

    at: float
    serial: int
    tokens: float
    full: bool
    probe: bool


class Limiter:
    """How many calls may be out at one endpoint, now.

    `ceiling` bounds the limit; `rpm` and `tpm` are the caller's own bounds a minute; `patience` is the read
    timeout in seconds: above `START` calls at once, a latency over half of it counts as an overload.
    """

    def __init__(
        self,
        *,
        ceiling: int,
        clock: Callable[[], float],
        rpm: int | None = None,
        tpm: int | None = None,
        patience: float = inf,
    ) -> None:
        self.ceiling = max(1, ceiling)
        self.in_flight = 0
        self.cuts = 0
        self.strikes = 0
        self._struck_at = 0
        self._clock = clock
        self._patience = patience
        now = clock()
        self._requests = Bucket(rpm / MINUTE, max(1.0, rpm / MINUTE), now) if rpm else None
        self._tokens = Bucket(tpm / MINUTE, tpm / 6, now) if tpm else None
        self._limit = float(min(START, self.ceiling))
        self._serial = 0
        self._hold_until = -inf
        self._pause = 0.0
        self._careful = False
        self._probing = False
        self._cut_at = -inf
        self._episode = False
        self._regain = 0.0
        self._growth = _Growth()
        self._pacer = _Pacer()

    @property
    def limit(self) -> int:
        """How many calls may be out at once."""
        return max(1, int(self._limit + 1e-9))

    @property
    def holding(self) -> bool:
        """Whether all starts are stopped, or one probe decides."""
        return self._careful or self._hold_until > self._clock()

    def room(self) -> float:
        """Seconds until one more call may start: 0 now, `inf` where only the end of another one makes
        room.
        """
        now = self._clock()
        if now < self._hold_until:
            return self._hold_until - now
        if self._careful and self._probing:
            return inf
        if self.in_flight >= self.limit:
            self._growth.pressed = True
            return inf
        wait = self._pacer.wait(now)
        if self._requests:
            wait = max(wait, self._requests.wait(now, 1.0))
        if self._tokens:
            wait = max(wait, self._tokens.wait(now, 0.0))
        return wait

    def start(self, tokens: float = 0.0) -> Permit:
        """Let one call through; only right after `room` said 0. `tokens` is what it will use, as far as is
        known.
        """
        now = self._clock()
        self.in_flight += 1
        self._serial += 1
        self._pacer.take(now)
        if self._requests:
            self._requests.take(1.0)
        if self._tokens:
            self._tokens.take(tokens)
        probe, self._probing = self._careful, self._careful
        return Permit(now, self._serial, tokens, self.in_flight >= 0.8 * self.limit, probe)

    def finish(
        self,
        permit: Permit,
        outcome: Outcome,
        *,
        work: float = 1.0,
        tokens: float | None = None,
        wait: float | None = None,
    ) -> None:
        """A call ended.

        `work` is what it did, in units that cost the server about the same each; `tokens` what it used;
        `wait` how long the server asked to wait.
        """
        now = self._clock()
        self.in_flight -= 1
        if self._tokens and tokens is not None:
            self._tokens.take(tokens - permit.tokens)
        if permit.probe:
            self._probing = False
        if outcome == "neutral":
            return
        if outcome == "ok":
            self._succeed(now, permit, work)
            return
        if self.strikes == 0:
            self._struck_at = self._serial
        self.strikes += self.strikes == 0 or permit.serial > self._struck_at
        if outcome == "rate":
            if self._cut(now, permit):
                self._pacer.learn(now, now - self._hold_until)
        elif outcome in ("overload", "timeout"):
            self._cut(now, permit)
        self._trip(now, outcome, wait)

    def _succeed(self, now: float, permit: Permit, work: float) -> None:
        if permit.serial > self._struck_at or permit.probe:
            self.strikes = 0
            self._pause = 0.0
            self._careful = False
        self._episode = self._episode and permit.at < self._cut_at
        self._pacer.note(now)
        if self._limit < self._regain:
            self._limit = min(self._regain, self._limit + 0.25)
        elif permit.full and (self._limit < self.ceiling or self._growth.trying(self._limit)):
            self._limit = self._growth.note(
                permit, now - permit.at, work, self._limit, self._serial, self.ceiling
            )
        if self._limit > START and now - permit.at > self._patience / 2:
            self._cut(now, permit)

    def _cut(self, now: float, permit: Permit) -> bool:
        """One cut an episode; a call that was out before the last cut says nothing new."""
        if self._episode or permit.at < self._cut_at or permit.probe:
            return False
        self._cut_at, self._episode = now, True
        self.cuts += 1
        self._regain = REGAIN * self._limit
        self._limit = max(1.0, self._limit * CUT)
        self._growth.fail(self._serial)
        return True

    def _trip(self, now: float, outcome: Outcome, wait: float | None) -> None:
        later = self.strikes - 1  # failures among the calls that started after the first one
        if not self._careful and 2 * later < self._serial - self._struck_at:
            return
        if wait is not None and (later or self._careful):
            self._hold(now + wait)
            return
        turned_away = outcome in ("rate", "overload")
        if self._careful or later >= (BREAK if turned_away else max(BREAK, self.limit // 4)):
            if now < self._hold_until:
                return  # calls that were out when the hold began
            self._pause = min(LONGEST, 2 * self._pause or (0.5 if turned_away else 1.0))
            self._hold(now + self._pause)

    def _hold(self, until: float) -> None:
        self._hold_until = max(self._hold_until, until)
        self._careful = True

    def pause_starts(self, seconds: float) -> None:
        """The server's own figures say that nothing is left for so long (a minute at most is believed)."""
        self._hold_until = max(self._hold_until, self._clock() + min(seconds, MINUTE))

    def suspend(self, seconds: float) -> None:
        """Stop all starts for so long; after that one probe decides."""
        self._hold(self._clock() + seconds)


class _Growth:
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
        self, permit: Permit, seconds: float, work: float, limit: float, serial: int, ceiling: int
    ) -> float:
        """Count a call that was let through while the limit was reached; returns the limit from now on."""
        if permit.serial <= self._since:
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


class _Pacer:
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
