"""What earlier runs of a folder tell about the next: its yield, and what candidates and parents took."""

from collections import Counter
from dataclasses import dataclass

from aide.journal import Journal
from aide.records import Usage
from aide.run.folder import RunFolder
from aide.run.plan.estimate import StepRate
from aide.run.restore import unpack_slot

PLANTING = ("extract", "expand_graph", "personas")  # booked on a parent, and they serve the hop below it
ENOUGH = 10  # candidates of a hop from which its figures are trusted


@dataclass(frozen=True, slots=True)
class ObservedHop:
    """One hop as it went: the share of candidates that became records, and rates by step."""

    share: float
    rates: dict[str, StepRate]


@dataclass(frozen=True, slots=True)
class Experience:
    """A folder's history.

    `hops` are the hops with enough candidates; `triples` and `personas` are those that a parent really
    had, on average; `pace` is calls a second in the last run, 0 where it was too short to tell; `whole`
    are the rates of steps that are asked once.
    """

    source: str
    hops: dict[int, ObservedHop]
    triples: float
    personas: float
    pace: float
    whole: dict[str, StepRate]

    def hop(self, hop: int) -> tuple[int, ObservedHop]:
        """The nearest hop that was seen, the same or the one above first."""
        seen = max((known for known in self.hops if known <= hop), default=min(self.hops))
        return seen, self.hops[seen]


def read_experience(folder: RunFolder) -> Experience | None:
    """The history of a run folder, whatever its settings were; `None` where there is none to speak of."""
    if not folder.journal.exists():
        return None
    with Journal.open(folder.journal, readonly=True) as journal:
        settled: Counter[int] = Counter()
        kept: Counter[int] = Counter()
        parents: Counter[int] = Counter()
        triples = personas = 0
        for outcome in journal.read_outcomes(payload=False):
            if outcome.kind == "planted":
                parents[outcome.depth + 1] += 1
                found = unpack_slot(outcome.slot)
                triples, personas = triples + found[0], personas + found[1]
            else:
                settled[outcome.depth] += 1
                kept[outcome.depth] += outcome.kind == "accepted"
        spent = journal.sum_usage_by_hop()
    hops = {
        hop: ObservedHop(kept[hop] / count, _rates(spent, hop, count, parents[hop]))
        for hop, count in settled.items()
        if count >= ENOUGH
    }
    planted = parents.total()
    if not hops or not planted:
        return None
    once = {step: _rate(usage, 1) for step, depth, usage, _ in spent if depth is None and step == "card"}
    return Experience(str(folder.path), hops, triples / planted, personas / planted, _pace(folder), once)


def _rates(
    spent: list[tuple[str, int | None, Usage, float]], hop: int, candidates: int, parents: int
) -> dict[str, StepRate]:
    rates = {
        step: _rate(usage, candidates)
        for step, depth, usage, _ in spent
        if depth == hop and step not in PLANTING
    }
    above = hop - 1 or None  # seeds are no records: their calls stand under no hop
    rates |= {
        step: _rate(usage, parents)
        for step, depth, usage, _ in spent
        if depth == above and step in PLANTING and parents
    }
    return rates


def _rate(usage: Usage, units: int) -> StepRate:
    return StepRate(usage.calls / units, usage.prompt / usage.calls, usage.completion / usage.calls)


def _pace(folder: RunFolder) -> float:
    run = folder.read_summary().get("this_run", {})
    calls, seconds = run.get("calls", 0), run.get("seconds", 0.0)
    return calls / seconds if calls >= ENOUGH and seconds > 0 else 0.0
