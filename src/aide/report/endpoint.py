"""How the endpoint took a run: calls in flight, answers a second and failed attempts over time."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from aide.report.charts import Curve, draw_curves
from aide.report.data import show_text
from aide.report.gather import ReportFacts, read_timeline

BUCKETS: Final = 160
"""Points of a curve over time: about as many as a screen tells apart."""

PAUSE: Final = 60.0
"""Seconds without a call after which the clock of the curves stops: between two invocations of a run lie hours."""


def view_endpoint(facts: ReportFacts, timings: Iterable[tuple[float, float, str, int]]) -> dict[str, Any]:
    """Three curves and a row for each endpoint; empty if no call was made."""
    spans = CallSpans(timings)
    if not len(spans):
        return {}
    clock = RunClock(spans)
    width = max(clock.end / BUCKETS, 1e-3)
    wide = 3 * width  # answers come one by one: in narrow buckets their rate would be noise
    answers: Counter[int] = Counter(int(clock.read(end) / wide) for _, end in spans)
    rate = [(n * wide, answers[n] / wide) for n in range(int(clock.end / wide) + 1)]
    limits, errors = [], []
    for sample in read_timeline(facts.folder):
        at = clock.read(sample.at)
        limits.append((at, sample.limit))
        errors.append((at, sample.errors))
    in_flight = Curve("in flight", "l-in", _measure_in_flight(spans, clock, width))
    failed = Curve("failed attempts", "l-bad", errors)
    return {
        "in_flight": draw_curves([in_flight, Curve("limit", "l-limit", limits)], seconds=clock.end),
        "rate": draw_curves([Curve("answers a second", "l-rate", rate)], seconds=clock.end, steps=True),
        "failed": draw_curves([failed], seconds=clock.end, steps=True) if any(n for _, n in errors) else "",
        "rows": [
            (
                show_text(name),
                f"{each['calls']:,}",
                show_text(", ".join(f"{kind} {n:,}" for kind, n in each["errors"].items()) or "none"),
                str(each["limit"]),
                str(each["cuts"]),
                *(f"{(each.get('prefix') or {}).get(kind, 0):.0%}" for kind in ("would_hit", "told")),
            )
            for name, each in (facts.summary.get("endpoints") or {}).items()
        ],
    }


class CallSpans:
    """Beginning and end of each call in Unix time, in the order of the answers; 16 bytes a call."""

    def __init__(self, timings: Iterable[tuple[float, float, str, int]]) -> None:
        self._starts, self._ends = array("d"), array("d")
        for at, seconds, _, _ in timings:
            self._starts.append(at - seconds)
            self._ends.append(at)

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self._starts, self._ends, strict=True)


class RunClock:
    """Seconds since the first call, without the pauses in which no call was in flight."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        # (Unix time from which, seconds to subtract), the last first: a look-up seldom goes beyond it.
        self._marks: list[tuple[float, float]] = []
        off = busy = 0.0
        for start, end in spans:
            if not self._marks:
                off, busy = start, end
                self._marks.append((float("-inf"), off))
            elif start - busy > PAUSE:
                off += start - busy - 1.0  # one second stays, so that the pause is seen as a gap
                self._marks.insert(0, (start - 1.0, off))
            busy = max(busy, end)
        self.end = max(busy - off, 1e-3)

    def read(self, moment: float) -> float:
        """Seconds on the clock at a moment of Unix time."""
        for since, off in self._marks:
            if moment >= since:
                return min(max(0.0, moment - off), self.end)
        return 0.0


def _measure_in_flight(
    spans: Iterable[tuple[float, float]], clock: RunClock, width: float
) -> list[tuple[float, float]]:
    """The mean number of open calls in each bucket: the time that calls spent in it, over its length."""
    buckets: defaultdict[int, float] = defaultdict(float)
    for start, end in spans:
        a, b = clock.read(start), clock.read(end)
        for n in range(int(a / width), int(b / width) + 1):
            buckets[n] += max(0.0, min(b, (n + 1) * width) - max(a, n * width))
    return [(n * width, buckets[n] / width) for n in range(int(clock.end / width) + 1)]
