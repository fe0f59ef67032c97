"""A recorded run as the moments through which the demo plays it back."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import orjson

from aide.journal import Journal
from aide.records import Usage
from aide.run.folder import RunFolder
from aide.run.progress import Progress
from aide.run.seed_pool import SEED


@dataclass(frozen=True, slots=True)
class Replay:
    """A run from its first call to its end."""

    moments: Sequence[Progress]
    """Where the run stood after each call until the first record, then after each record or reject."""
    seeds: int
    """How many seeds it grew from."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A moment of `timeline.jsonl`; `settled` counts records and rejects."""

    at: float
    settled: int
    open: int
    in_flight: int
    limit: int


def read_replay(folder: RunFolder) -> Replay:
    """The moments of a finished run, from its journal and its timeline.

    Raises:
        InputError: the folder has no journal.
    """
    folder.require(folder.journal)
    summary, samples = folder.read_summary(), _read_samples(folder)
    with Journal.open(folder.journal, readonly=True) as journal:
        calls = sorted(((call.at, call.usage) for call in journal.read_calls()), key=lambda each: each[0])
        settled = [
            (each, orjson.loads(each.payload))
            for each in journal.read_outcomes("accepted", "rejected", "failed")
        ]
        seeds = sum(1 for _ in journal.read_decisions(SEED))
    times = [at for at, _ in calls]
    spent = list(accumulate((usage for _, usage in calls), _add, initial=Usage()))

    def look(progress: Progress, at: float) -> Progress:
        sample = samples[min(bisect_left(samples, at, key=lambda each: each.at), len(samples) - 1)]
        progress.usage = spent[bisect_left(times, at)]
        progress.calls = progress.usage.calls
        progress.open, progress.in_flight, progress.limit = sample.open, sample.in_flight, sample.limit
        return replace(
            progress,
            by_hop=progress.by_hop.copy(),
            by_label=progress.by_label.copy(),
            reasons=progress.reasons.copy(),
        )

    def play() -> Iterator[Progress]:
        progress = Progress(
            target=summary.get("target"),
            possible=summary.get("possible", 0),
            planned=summary.get("planned", 0),
        )
        counts = [sample.settled for sample in samples]
        begins = samples[min(bisect_left(counts, 1), len(samples) - 1)].at
        for at in times:
            if at < begins:
                yield look(progress, at)
        for number, (outcome, line) in enumerate(settled, 1):
            progress.count_outcome(outcome.kind, outcome.depth, outcome.label, line.get("reason", ""))
            if outcome.kind == "accepted":
                progress.latest = line
            yield look(progress, samples[min(bisect_left(counts, number), len(samples) - 1)].at)
        yield replace(look(progress, samples[-1].at), usage=spent[-1], calls=spent[-1].calls)

    return Replay(list(play()), seeds)


def _add(one: Usage, other: Usage) -> Usage:
    return one + other


def _read_samples(folder: RunFolder) -> list[_Sample]:
    """The timeline; a single empty moment where there is none."""
    lines: list[Mapping[str, Any]] = []
    if folder.timeline.is_file():
        lines = [orjson.loads(line) for line in folder.timeline.read_bytes().splitlines() if line.strip()]
    return [
        _Sample(
            each["at"], each["accepted"] + each["rejected"], each["open"], each["in_flight"], each["limit"]
        )
        for each in lines
    ] or [_Sample(0.0, 0, 0, 0, 0)]
