"""The limiter in simulated time, against servers of several kinds, beside the best fixed number of calls.

    python benchmarks/limiter.py [--seconds 600] [--sweep]

With `--sweep` each number of the limiter is halved and doubled (shares are moved half-way to 0 and to 1), and every
server is named whose rate then changes by two hundredths, or its share turned away by half of one.
Time is simulated: nothing waits, and the figures are the same on every machine. Callers always want more; the
first minute is left out of all figures. A fixed setting keeps so many calls out, whatever is answered; a
call that is turned away keeps its place for a second, or as long as the server named, and is tried again.
"""

import argparse
import heapq
import random
from collections import deque
from collections.abc import Callable
from math import inf

from aide.llm import growth, limiter, pace
from aide.llm.limiter import START, Limiter, Outcome, Permit

FIXED = (8, 16, 20, 24, 32, 64, 128, 256)
CEILING = 256
FIRST = 60.0


class Fixed(Limiter):
    """As many calls at once as its ceiling says, always; what the server says changes nothing."""

    def compute_wait(self) -> float:
        return 0.0 if self.in_flight < self.ceiling else inf

    def finish(self, permit: Permit, outcome: Outcome, **told: float | None) -> None:
        self.in_flight -= 1


class World:
    """A clock that jumps from event to event, one server, and a limiter whose callers always want more.

    `starts`, `ok` and `turned` are the seconds at which calls began, were answered and were turned away.
    """

    def __init__(
        self,
        serve: "Serve",
        kind: type[Limiter] = Limiter,
        *,
        ceiling: int = 64,
        patience: float = 300.0,
        rpm: int | None = None,
        start: int = START,
    ) -> None:
        self.now = 0.0
        self.starts: list[float] = []
        self.ok: list[float] = []
        self.turned: list[float] = []
        self.serve = serve
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._wake = 0.0
        self.limiter = kind(ceiling=ceiling, clock=lambda: self.now, rpm=rpm, patience=patience, start=start)

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, do))

    def end(self, permit: Permit, outcome: Outcome, work: float = 1.0, wait: float | None = None) -> None:
        if outcome != "ok" and isinstance(self.limiter, Fixed):
            self.after(wait or 1.0, lambda: self.limiter.finish(permit, outcome))
        else:
            self.limiter.finish(permit, outcome, work=work, wait=wait)
        (self.ok if outcome == "ok" else self.turned).append(self.now)

    def run(self, until: float) -> "World":
        while self.now < until:
            while (wait := self.limiter.compute_wait()) == 0:
                self.starts.append(self.now)
                self.serve(self, self.limiter.start())
            if self.now + wait < self._wake or self._wake <= self.now:
                self._wake = self.now + wait
                if wait < inf:
                    self.after(wait, lambda: None)
            self.now, _, do = heapq.heappop(self._events)
            do()
        return self

    def rate(self, since: float = FIRST) -> float:
        """Answers a second since then."""
        return sum(at > since for at in self.ok) / (self.now - since)

    def turned_away(self, since: float = FIRST) -> float:
        """The share of the calls that ended since then."""
        lost, won = sum(at > since for at in self.turned), sum(at > since for at in self.ok)
        return lost / max(1, lost + won)


Serve = Callable[[World, Permit], None]


def answer(world: World, permit: Permit, seconds: float, then: Callable[[], None] = lambda: None) -> None:
    def end() -> None:
        world.end(permit, "ok", work=seconds)
        then()

    world.after(seconds, end)


def queues(slots: int) -> Serve:
    """So many slots and a queue without end; it never refuses."""
    rng, busy, queue = random.Random(3), [0], deque[Permit]()

    def begin(world: World, permit: Permit) -> None:
        busy[0] += 1

        def next_one() -> None:
            busy[0] -= 1
            if queue:
                begin(world, queue.popleft())

        answer(world, permit, 0.2 + 5.0 * rng.lognormvariate(0, 0.6), next_one)

    return lambda world, permit: begin(world, permit) if busy[0] < slots else queue.append(permit)


def counts(a_minute: int, *, tells: bool) -> Serve:
    """So many requests in each minute of the clock, 429 for the rest."""
    rng, used = random.Random(3), dict[int, int]()

    def serve(world: World, permit: Permit) -> None:
        minute = int(world.now // 60)
        if used.get(minute, 0) >= a_minute:
            wait = 60 - world.now % 60 if tells else None
            world.after(0.05, lambda: world.end(permit, "rate", wait=wait))
            return
        used[minute] = used.get(minute, 0) + 1
        answer(world, permit, 2.0 * rng.lognormvariate(0, 0.5))

    return serve


def window(a_minute: int, *, tells: bool, strict: bool = False) -> Serve:
    """So many requests in any 60 seconds, 429 for the rest; `strict`: what is turned away counts as well."""
    rng, recent = random.Random(3), deque[float]()

    def serve(world: World, permit: Permit) -> None:
        while recent and recent[0] <= world.now - 60:
            recent.popleft()
        full = len(recent) >= a_minute
        wait = recent[0] + 60 - world.now if full and tells else None
        if not full or strict:
            recent.append(world.now)
        if full:
            world.after(0.05, lambda: world.end(permit, "rate", wait=wait))
        else:
            answer(world, permit, 2.0 * rng.lognormvariate(0, 0.5))

    return serve


def at_once(most: int) -> Serve:
    """So many at once, 429 for the rest."""
    rng, busy = random.Random(3), [0]

    def leave() -> None:
        busy[0] -= 1

    def serve(world: World, permit: Permit) -> None:
        if busy[0] >= most:
            world.after(0.05, lambda: world.end(permit, "rate"))
            return
        busy[0] += 1
        answer(world, permit, 2.0 * rng.lognormvariate(0, 0.5), leave)

    return serve


def by_chance(share: float, seconds: float = 2.0, spread: float = 0.5) -> Serve:
    """Refuses a share of all calls, however many there are; `spread` is that of the times of the others."""
    rng = random.Random(5)

    def serve(world: World, permit: Permit) -> None:
        if rng.random() < share:
            world.after(0.05, lambda: world.end(permit, "rate", wait=1.0))
        else:
            answer(world, permit, seconds * rng.lognormvariate(0, spread))

    return serve


SERVERS: dict[str, Callable[[], Serve]] = {
    "64 slots, queues without limit": lambda: queues(64),
    "8 slots, queues without limit": lambda: queues(8),
    "429 over 600 a minute, says when": lambda: counts(600, tells=True),
    "429 over 600 a minute, silent": lambda: counts(600, tells=False),
    "429 over 600 in any 60 s, says when": lambda: window(600, tells=True),
    "429 over 600 in any 60 s, silent": lambda: window(600, tells=False),
    "the same, and counts the refused": lambda: window(600, tells=False, strict=True),
    "429 over 20 at once": lambda: at_once(20),
    "429 by chance, 5 of 100": lambda: by_chance(0.05),
    "429 by chance, 10 of 100": lambda: by_chance(0.1),
}


def sweep(seconds: float) -> None:
    """Print what each of the limiter's numbers does when it is halved and doubled."""

    def run() -> dict[str, tuple[float, float]]:
        found = {}
        for name, make in SERVERS.items():
            world = World(make(), ceiling=CEILING, patience=600.0, start=limiter.START).run(seconds)
            found[name] = world.rate(), world.turned_away()
        return found

    usual = run()
    for home in (limiter, growth, growth.LoadTracker, pace):
        for name, value in vars(home).items():
            if not name.isupper() or not isinstance(value, int | float) or name == "MINUTE":
                continue
            share = 0 < value < 1
            for other in map(type(value), (value / 2, (1 + value) / 2 if share else value * 2)):
                setattr(home, name, other)
                found = run()
                setattr(home, name, value)
                changed = [
                    f"{server}: {rate / usual[server][0]:.0%} of the rate, {lost:.1%} turned away"
                    f" (was {usual[server][1]:.1%})"
                    for server, (rate, lost) in found.items()
                    if abs(rate / usual[server][0] - 1) > 0.02 or abs(lost - usual[server][1]) > 0.005
                ]
                print(
                    f"{home.__name__.rpartition('.')[2]}.{name} {value} -> {other:g}: {'; '.join(changed) or '='}"
                )


def main() -> None:
    """Print a line for each server."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--sweep", action="store_true", help="what each number does, halved and doubled")
    given = parser.parse_args()
    seconds = given.seconds
    if given.sweep:
        sweep(seconds)
        return
    print(
        f"{'server':36}{'answers/s':>10}{'best fixed':>12}{'share':>8}"
        f"{'turned away':>13}{'limit':>7}{'cuts':>6}"
    )
    for name, server in SERVERS.items():
        found = World(server(), ceiling=CEILING, patience=600.0).run(seconds)
        fixed = [
            (limit, World(server(), Fixed, ceiling=limit).run(min(seconds, 300.0)).rate()) for limit in FIXED
        ]
        at, best = max(fixed, key=lambda pair: pair[1])
        print(
            f"{name:36}{found.rate():>10.2f}{f'{best:.2f} @{at}':>12}{found.rate() / best:>8.0%}"
            f"{found.turned_away():>13.2%}{found.limiter.limit:>7}{found.limiter.cuts:>6}"
        )


if __name__ == "__main__":
    main()
