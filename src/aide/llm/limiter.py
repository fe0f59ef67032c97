"""How many calls one endpoint gets at once, found out by watching it. Pure logic; time comes from the given clock.

No server says how many calls it can use, and both mistakes are dear: too few leave slots idle, too many are
turned away or wait in a queue until they time out. Servers also refuse for different reasons, and what helps
against one hurts against another. So each reason has its own rule:

- Slow start: the limit doubles from `START` for as long as a doubling brings something (`GrowthJudge`). A server that
  queues without ever refusing is known by its pace alone.
- Overload: a timeout, or a crowd of refusals among the last calls to start, cuts the limit once an episode. The
  episode lasts until a call that started after the cut is answered: calls that were out before tell of the old
  limit. A refusal among calls that got through cuts nothing.
- A bound of calls at once: each refusal comes beside the same number of other calls; that number is the limit.
- A bound of calls a minute: a pace of starts, not a limit, meets it (`Pacer`). The server gives itself away by
  refusing calls beside few others, or by naming a wait of `NAMED` seconds and more.
- A server that is gone: several failures in a row stop all starts, until the moment that the server named or for a
  pause that doubles. Then one call goes alone as the probe, so that a dead server costs one call a pause.

Growth happens only while callers wait for capacity: a limit that nobody has used is not known to be good.

The numbers below were found in simulated time, against servers of ten kinds and beside the best fixed setting:
`python benchmarks/limiter.py` prints how near the limiter comes, `--sweep` what each number halved and doubled does.
Where it shows no difference, any number nearby does as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from aide.errors import FailureKind
from aide.llm.growth import GrowthJudge, LoadTracker
from aide.llm.pace import MINUTE, Pacer, TokenBucket

Outcome = Literal["ok", "neutral"] | FailureKind

# Calls at once to begin with: three doublings lead to 64. With 16, a server of eight slots never shows that eight are
# enough; with 4, the first seconds are lost.
START: Final = 8
# What is left after an overload. As in CUBIC (RFC 9438): half, as in classic TCP, gives up more than a server
# that was only a little too full asks for. With 0.85 a limit that was set eight times too high turns a quarter
# more calls away.
CUT: Final = 0.7
# Up to this share of what was cut the limit comes back quickly, a quarter of a call for each answer: one round of
# answers. It stops just below, because that is where it was refused, and leaves the rest to growth.
REGAIN: Final = 0.95
REGAIN_STEP: Final = 0.25
# Of the last SPAN calls to start, so many refusals are a crowd. By chance seven of sixteen are six in a million for a
# server that refuses one call in twenty, one in two thousand for one in ten. With three, chance alone costs three
# quarters of the throughput; with fourteen, a server that counts calls is not understood.
SPAN: Final = 16
CROWD: Final = 7
# Back near the limit that was cut before, so many are enough: what failed there will fail again. With the full
# crowd up to twice as many calls are turned away.
AGAIN: Final = 4
# A gateway may refuse at random, whatever the limit is. Its usual share is taken over so many calls: over 1,000 it is
# known too late, and the limit falls meanwhile. More than three in ten count as an overload, not as usual.
LATELY: Final = 200
USUAL: Final = 0.3
# Standard deviations above the usual share that make a crowd where refusals are usual. With half as many, one call in
# ten refused by chance costs more than half of the throughput; with twice as many, no sixteen calls are a crowd.
DEVIATIONS: Final = 5
# Seconds. A bound of calls at once frees up within an answer's time, and servers name a second out of habit. A longer
# wait is the time until a count begins anew. Without this rule up to a fifth of the calls are turned away.
NAMED: Final = 5.0
# Failures in a row, of calls that started after a first one, that stop all starts where the server named no wait:
# fewer may be chance, more are asked of nobody.
BREAK: Final = 5
# Seconds. A pause doubles up to this: it is the most that a run idles after the server has come back.
LONGEST: Final = 30.0


@dataclass(slots=True)
class Permit:
    """One call that was let through."""

    started: float
    """When, on the limiter's clock; the worker sets it again when the request really leaves."""
    serial: int
    """Its number in the order of starts."""
    tokens: float
    """What it was expected to use."""
    full: bool
    """True when the limit was all but reached, so that its speed tells of the limit."""
    probe: bool
    """True for the one call that goes alone after a hold."""


class Limiter:
    """How many calls may be out at one endpoint, now."""

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
        """`start` is the first limit; `rpm` and `tpm` are the caller's own bounds a minute.

        `patience` is the read timeout in seconds. Above `START` calls at once a latency over half of it counts as an
        overload: the next longer answer would time out, and be paid for twice.
        """
        self.ceiling = max(1, ceiling)
        """The limit never exceeds it."""
        self.in_flight = 0
        """Calls that were let through and have not ended."""
        self.cuts = 0
        """Overload episodes so far."""
        self.failures = 0
        """Failures since the last success, counted once and then for calls that started after the first of them."""
        self._first_failure = 0  # the youngest serial when it came
        self._clock = clock
        self._patience = patience
        now = clock()
        self._requests = TokenBucket(rpm / MINUTE, max(1.0, rpm / MINUTE), now) if rpm else None
        # Ten seconds' tokens at once: a single long call must fit, and a burst must not eat the minute.
        self._tokens = TokenBucket(tpm / MINUTE, tpm / 6, now) if tpm else None
        self._limit = float(min(start, self.ceiling))
        self._serial = 0
        self._hold_until = -inf
        self._pause = 0.0
        self._needs_probe = False
        self._probing = False
        self._cut_at = -inf
        self._in_episode = False
        self._cut_from = inf
        self._regain_to = 0.0
        self._growth = GrowthJudge()
        self._recent_refusals: list[int] = []  # serials within the last SPAN
        self._refused_share = 0.0
        self._pacer = Pacer()
        self._pace_wanted = (
            False  # refusals seem to be counted a minute, but it was too early to say at which pace
        )
        self._load = LoadTracker()
        self._open_serials: set[int] = set()
        self._answered = 0

    @property
    def limit(self) -> int:
        """How many calls may be out at once."""
        return max(1, int(self._limit + 1e-9))

    @property
    def latest(self) -> int:
        """The serial of the youngest call."""
        return self._serial

    @property
    def holding(self) -> bool:
        """True when all starts are stopped, or one probe decides."""
        return self._needs_probe or self._hold_until > self._clock()

    def compute_wait(self) -> float:
        """Seconds until one more call may start: 0 now, `inf` where only the end of another one makes room."""
        now = self._clock()
        if now < self._hold_until:
            return self._hold_until - now
        if self._needs_probe and self._probing:
            return inf
        if self.in_flight >= self.limit:
            self._growth.demand = True
            return inf
        wait = self._pacer.compute_wait(now)
        if self._requests:
            wait = max(wait, self._requests.compute_wait(now, 1.0))
        if self._tokens:
            wait = max(wait, self._tokens.compute_wait(now, 0.0))
        return wait

    def start(self, tokens: float = 0.0) -> Permit:
        """Let one call through, right after `compute_wait` gave 0. `tokens` is what it will use, as far as is
        known.
        """
        now = self._clock()
        self.in_flight += 1
        self._serial += 1
        self._open_serials.add(self._serial)
        self._pacer.take(now)
        if self._requests:
            self._requests.take(1.0)
        if self._tokens:
            self._tokens.take(tokens)
        probe, self._probing = self._needs_probe, self._needs_probe
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
        `wait` how many seconds the server asked to wait. `neutral` says nothing of the server.
        """
        now = self._clock()
        self.in_flight -= 1
        self._open_serials.discard(permit.serial)
        if self._tokens and tokens is not None:
            self._tokens.take(tokens - permit.tokens)
        if permit.probe:
            self._probing = False
        if outcome == "neutral":
            return
        if outcome == "ok":
            self._succeed(now, permit, work)
            return
        if self.failures == 0:
            self._first_failure = self._serial
        self.failures += self.failures == 0 or permit.serial > self._first_failure
        if outcome == "timeout":
            self._cut(now, permit)
        elif outcome in ("rate", "overload"):
            self._turn_away(now, permit, outcome, wait or 0.0)
        self._stop_starts_if_failing(now, outcome, wait)

    def _succeed(self, now: float, permit: Permit, work: float) -> None:
        if permit.serial > self._first_failure or permit.probe:
            self.failures = 0
            self._pause = 0.0
            self._needs_probe = False
        self._in_episode = self._in_episode and permit.started < self._cut_at
        self._answered += 1
        self._refused_share -= self._refused_share / LATELY
        self._pacer.note(now, permit.started)
        if self._limit < self._regain_to:
            self._limit = min(self._regain_to, self._limit + REGAIN_STEP)
        elif permit.full and (self._limit < self.ceiling or self._growth.is_judging(self._limit)):
            self._limit = self._growth.note(
                permit.serial, now - permit.started, work, self._limit, self._serial, self.ceiling
            )
        if self._limit > START and now - permit.started > self._patience / 2:
            self._cut(now, permit)

    def _turn_away(self, now: float, permit: Permit, outcome: Outcome, wait: float) -> None:
        """Find out why the server refused: its bound of calls at once, its count of calls, or an overload."""
        self._refused_share += (1 - self._refused_share) / LATELY
        self._load.note(sum(serial < permit.serial for serial in self._open_serials), self._answered)
        if outcome == "rate":
            self._pacer.refused(now, permit.started)
            if self._pace_wanted:
                self._pace_wanted = not self._learn_pace(now, wait)
        bound = self._load.bound if permit.full else 0
        if not self._is_crowd(permit, bound) or not self._cut(now, permit):
            return
        if bound:
            self._limit = self._regain_to = max(self._limit, bound)
        elif outcome == "rate":
            self._pace_wanted = not self._learn_pace(now, wait)

    def _learn_pace(self, now: float, wait: float) -> bool:
        """True when the server seems to count calls a minute, and the pace that it allows is known now."""
        named = wait if wait >= NAMED else 0.0
        if not named and not self._load.dwindled:
            return False
        return self._pacer.learn(now, now - self._hold_until, named, self._load.last)

    def _is_crowd(self, permit: Permit, bound: int) -> bool:
        """True when so many of the calls that started about then were turned away that it is no chance.

        Where refusals are usual more are needed: the mean of that share and five standard deviations of a binomial
        count. But a bound of calls at once that lies below the limit excuses nothing.
        """
        recent = (*self._recent_refusals, permit.serial)
        self._recent_refusals = [serial for serial in recent if serial > self._serial - SPAN]
        count = len(self._recent_refusals)
        if count >= CROWD and 0 < bound < self.limit - 1:
            return True
        share = min(USUAL, self._refused_share)
        usual: float = SPAN * share + DEVIATIONS * (SPAN * share * (1 - share)) ** 0.5
        enough = AGAIN if self._limit >= 0.9 * self._cut_from else CROWD
        return count >= max(enough, usual)

    def _cut(self, now: float, permit: Permit) -> bool:
        """Lower the limit, once an episode; a call that was out before the last cut says nothing new."""
        if self._in_episode or permit.started < self._cut_at or permit.probe:
            return False
        self._cut_at, self._in_episode = now, True
        self.cuts += 1
        self._regain_to = REGAIN * self._limit
        self._cut_from = self._limit
        self._limit = max(1.0, self._limit * CUT)
        self._growth.fail(self._serial)
        return True

    def _stop_starts_if_failing(self, now: float, outcome: Outcome, wait: float | None) -> None:
        """Hold all starts where failures are no chance.

        That takes half of the calls that started after a first failure: answers of older calls say nothing of now. A
        wait that the server named needs one such failure, for it says when; without one it takes several, and more
        where more calls are out, since one hiccup of the network fails many of them.
        """
        later = self.failures - 1
        if not self._needs_probe and 2 * later < self._serial - self._first_failure:
            return
        if wait is not None and (later >= 1 or self._needs_probe):
            if self._needs_probe and now >= self._hold_until:  # the wait that was named did not help
                self._pause = min(LONGEST, 2 * self._pause or 0.5)
                wait = max(wait, self._pause)
            self._hold(now + wait)
            return
        turned_away = outcome in ("rate", "overload")
        if self._needs_probe or later >= (BREAK if turned_away else max(BREAK, self.limit // 4)):
            if now < self._hold_until:
                return  # calls that were out when the hold began
            self._pause = min(LONGEST, 2 * self._pause or (0.5 if turned_away else 1.0))
            self._hold(now + self._pause)

    def _hold(self, until: float) -> None:
        self._hold_until = max(self._hold_until, until)
        self._needs_probe = True

    def pause_starts(self, seconds: float) -> None:
        """The server's own figures say that nothing is left for so long.

        A minute at most is believed: counts are a minute's, and some servers name the end of the day. No probe
        follows, for nothing failed.
        """
        self._hold_until = max(self._hold_until, self._clock() + min(seconds, MINUTE))

    def suspend(self, seconds: float) -> None:
        """Stop all starts for so long; after that one probe decides."""
        self._hold(self._clock() + seconds)
