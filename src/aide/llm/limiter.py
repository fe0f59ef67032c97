"""How many calls one endpoint gets at once, found out by watching it. Pure logic; time comes from the given
clock.

- Slow start: the limit doubles from `START` for as long as a doubling brings at least `WORTH` of what it
  could bring.
- A server that queues without ever refusing is known by its pace (seconds per unit of work): where more calls
  at once only make each of them slower by as much, the limit goes back to what the gain was worth and rests;
  later it tries a quarter more, ever more rarely where that brings nothing.
- An overload (a timeout, or a 429 or 503 for at least `CROWD` of the last `SPAN` calls to start, and for many more
  than usual) cuts the limit once an episode, which lasts until a call that started after the cut is answered. A
  refusal among calls that got through cuts nothing. Between cuts it regains most of what it had and then rests.
  Where cut after cut changes nothing, refusals come by chance, and the cuts are taken back.
- Where each refusal comes beside the same number of other calls, that number is the limit.
- A server that counts requests a minute is met by a pace of starts, learned from what it let through. It gives
  itself away by refusing calls beside few others, or by naming a wait of `NAMED` seconds and more.
- Growth happens only while callers wait for room.
- A hold stops all starts: until the moment the server named, or for a pause that doubles up to `LONGEST`
  seconds. It takes several failures of calls that started after a first one, half of all such calls at least:
  chance does not look like that, and answers of older calls say nothing of now. After a hold one call goes
  alone as the probe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from aide.llm.growth import GrowthJudge, LoadTracker, RefusalDetector
from aide.llm.pace import MINUTE, Pacer, TokenBucket

Outcome = Literal["ok", "rate", "overload", "timeout", "server", "connection", "neutral"]

START: Final = 8
CUT: Final = 0.7
REGAIN: Final = 0.95
SPAN: Final = 16
CROWD: Final = 7
AGAIN: Final = 4
LATELY: Final = 200  # calls over which the usual share of refusals is taken
USUAL: Final = 0.12  # more than that share is never taken for usual
NAMED: Final = 5.0
BREAK: Final = 5
LONGEST: Final = 30.0


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

    `ceiling` bounds the limit, which begins at `start`; `rpm` and `tpm` are the caller's own bounds a minute;
    `patience` is the read timeout in seconds: above `START` calls at once, a latency over half of it counts as an
    overload.
    """

    def __init__(
        self,
        *,
        ceiling: int,
        clock: Callable[[], float],
        start: int = START,
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
        self._requests = TokenBucket(rpm / MINUTE, max(1.0, rpm / MINUTE), now) if rpm else None
        self._tokens = TokenBucket(tpm / MINUTE, tpm / 6, now) if tpm else None
        self._limit = float(min(start, self.ceiling))
        self._serial = 0
        self._hold_until = -inf
        self._pause = 0.0
        self._careful = False
        self._probing = False
        self._cut_at = -inf
        self._episode = False
        self._regain = 0.0
        self._growth = GrowthJudge()
        self._chance = RefusalDetector()
        self._refused: list[int] = []
        self._cut_from = inf
        self._pacer = Pacer()
        self._company = LoadTracker()
        self._out: set[int] = set()
        self._answered = 0
        self._share = 0.0
        self._suspect = False

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
        self._out.add(self._serial)
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
        self._out.discard(permit.serial)
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
        if outcome == "timeout":
            self._cut(now, permit)
        elif outcome in ("rate", "overload"):
            self._turned_away(now, permit, outcome, wait or 0.0)
        self._trip(now, outcome, wait)

    def _succeed(self, now: float, permit: Permit, work: float) -> None:
        if permit.serial > self._struck_at or permit.probe:
            self.strikes = 0
            self._pause = 0.0
            self._careful = False
        self._episode = self._episode and permit.at < self._cut_at
        self._answered += 1
        self._share -= self._share / LATELY
        self._pacer.note(now, permit.at)
        self._chance.note(now, turned=False)
        if self._limit < self._regain:
            self._limit = min(self._regain, self._limit + 0.25)
        elif permit.full and (self._limit < self.ceiling or self._growth.trying(self._limit)):
            self._limit = self._growth.note(
                permit.serial, now - permit.at, work, self._limit, self._serial, self.ceiling
            )
        if self._limit > START and now - permit.at > self._patience / 2:
            self._cut(now, permit)

    def _turned_away(self, now: float, permit: Permit, outcome: Outcome, wait: float) -> None:
        self._share += (1 - self._share) / LATELY
        lower = self._chance.note(now, turned=True)
        if lower is not None:
            self._limit = self._regain = lower
        self._company.note(sum(serial < permit.serial for serial in self._out), self._answered)
        if outcome == "rate":
            self._pacer.refused(now, permit.at)
            if self._suspect:
                self._suspect = not self._learn_pace(now, wait)
        bound = self._company.bound if permit.full else 0
        if self._few(now, permit, bound) or not self._cut(now, permit):
            return
        if bound:
            self._limit = self._regain = max(self._limit, bound)
            return
        restored = self._chance.cut(now, self._limit / CUT)
        if restored is not None:
            self._limit = self._regain = restored
            self._growth = GrowthJudge()
            self._pacer.forget()
        elif outcome == "rate":
            self._suspect = not self._learn_pace(now, wait)

    def _learn_pace(self, now: float, wait: float) -> bool:
        """Whether the server counts calls a minute, as far as can be seen, and the pace is known now."""
        named = wait if wait >= NAMED else 0.0
        if not named and not self._company.dwindled:
            return False
        return self._pacer.learn(now, now - self._hold_until, named, self._company.last)

    def _few(self, now: float, permit: Permit, bound: int) -> bool:
        """Whether most calls that started about then got through: too few were turned away for an overload.

        Where the limit is back at what was cut before, fewer are enough; where refusals are usual, more are needed,
        unless they show a bound of calls at once below the limit.
        """
        self._refused = [serial for serial in (*self._refused, permit.serial) if serial > self._serial - SPAN]
        count = len(self._refused)
        if count >= CROWD and 0 < bound < self.limit - 1:
            return False
        share = min(USUAL, self._share)
        usual = SPAN * share + 5 * (SPAN * share * (1 - share)) ** 0.5
        enough = AGAIN if self._limit >= 0.9 * self._cut_from else CROWD
        return count < max(enough, usual) or self._chance.excuses(now)

    def _cut(self, now: float, permit: Permit) -> bool:
        """One cut an episode; a call that was out before the last cut says nothing new."""
        if self._episode or permit.at < self._cut_at or permit.probe:
            return False
        self._cut_at, self._episode = now, True
        self.cuts += 1
        self._regain = REGAIN * self._limit
        self._cut_from = self._limit
        self._limit = max(1.0, self._limit * CUT)
        self._growth.fail(self._serial)
        return True

    def _trip(self, now: float, outcome: Outcome, wait: float | None) -> None:
        later = self.strikes - 1  # failures among the calls that started after the first one
        if not self._careful and 2 * later < self._serial - self._struck_at:
            return
        enough = BREAK if self._chance.excuses(now) else 1
        if wait is not None and (later >= enough or self._careful):
            if self._careful and now >= self._hold_until:  # the wait that was named did not help
                self._pause = min(LONGEST, 2 * self._pause or 0.5)
                wait = max(wait, self._pause)
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
