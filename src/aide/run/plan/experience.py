"""What earlier runs of a folder tell about the next: what became of candidates, and how long calls really are."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from aide.journal import Journal, SpentAtHop
from aide.records import PLAIN, Usage
from aide.run.call_groups import DECISION as CALL_GROUP
from aide.run.folder import RunFolder
from aide.run.group_sizes import KEPT
from aide.run.plan.fates import ACCEPTED, DISPUTED, LOST, REVISED, UNFIT, FateShares
from aide.run.plan.walk import Level
from aide.run.restore import GROUP

ENOUGH: Final = 10
"""Candidates of a level from which its figures are trusted."""
MOST_OPEN: Final = 0.1
"""Candidates under way for each that ended, up to which a level tells what becomes of candidates. What is accepted at
once ends first: while many are under way, those that ended are the better ones, and took fewer calls.
"""
_DISPUTES: Final = ("label_mismatch", "no_agreement")
_TOO_LATE: Final = "not_needed"  # a good candidate, for all that is known


@dataclass(slots=True)
class LevelHistory:
    """One level as it went."""

    fates: Counter[str] = field(default_factory=Counter)
    """Candidates by how they ended; those that were mended are among the accepted."""
    steps: dict[str, Usage] = field(default_factory=dict)
    """Calls that were made for one of its candidates alone."""
    under_way: int = 0
    """Candidates whose group was composed and that have not ended."""

    @property
    def candidates(self) -> int:
        """All that ended."""
        return self.fates.total()

    @property
    def is_telling(self) -> bool:
        """True where enough ended, and few are under way."""
        return self.candidates >= ENOUGH and self.under_way <= MOST_OPEN * self.candidates

    def share_fates(self, revisions: int) -> FateShares:
        """The fates as shares; what was sent back and not lost was mended. `revisions` are allowed of each."""
        count, sent_back = max(1, self.candidates), self.steps.get("revise", Usage()).calls
        mended = min(self.fates[ACCEPTED], max(0, sent_back - revisions * self.fates[LOST]))
        found = Counter(self.fates)
        found[REVISED], found[ACCEPTED] = mended, found[ACCEPTED] - mended
        shares = {fate: number / count for fate, number in found.items() if number > 0}
        return FateShares(shares, frozenset({ACCEPTED, REVISED}))


@dataclass(frozen=True, slots=True)
class Experience:
    """A folder's history, whatever its settings were."""

    source: str
    levels: Mapping[Level, LevelHistory]
    steps: Mapping[str, Usage]
    """All calls by step."""
    repeated: Mapping[str, int]
    """Of these, those that asked again because an answer could not be used."""
    written: Counter[tuple[int, bool, int]]
    """Groups by hop, by whether they were plain, and by size."""
    judged: Counter[tuple[str, int]]
    """Calls that several texts shared, by the name of the call and by how many they were."""
    planted: Counter[int]
    """Parents by how many of each matter they have, as the journal packs it."""
    sizes: Mapping[str, Any] | None
    """Group sizes that were learned."""
    pace: float
    """Calls a second in the last run, 0 where it was too short to tell."""

    @property
    def is_telling(self) -> bool:
        """True where what became of the candidates of a level can be told."""
        return any(level.is_telling for level in self.levels.values())

    @property
    def under_way(self) -> int:
        """Candidates that have not ended."""
        return sum(level.under_way for level in self.levels.values())

    @property
    def share(self) -> float:
        """The share of candidates that became records, at the levels that tell it."""
        total = self.sum_levels()
        return total.fates[ACCEPTED] / max(1, total.candidates)

    def find_level(self, level: Level) -> LevelHistory | None:
        """The nearest level that tells, the same hop or the one above first; for plain ones a plain one."""
        hop, plain = level
        known = [at for (at, is_plain), each in self.levels.items() if is_plain == plain and each.is_telling]
        if not known:
            return None
        return self.levels[max((at for at in known if at <= hop), default=min(known)), plain]

    def sum_levels(self) -> LevelHistory:
        """All levels that tell what became of candidates together."""
        total = LevelHistory()
        for level in self.levels.values():
            if not level.is_telling:
                continue
            total.fates += level.fates
            for step, usage in level.steps.items():
                total.steps[step] = total.steps.get(step, Usage()) + usage
        return total

    def find_fates(self, hops: int, revisions: int) -> dict[Level, FateShares]:
        """The shares of fates of each level of a run with so many hops, where they are known."""
        wanted = [(1, True), *((hop, False) for hop in range(1, hops + 1))]
        found = ((level, self.find_level(level)) for level in wanted)
        return {level: history.share_fates(revisions) for level, history in found if history}


def read_experience(folder: RunFolder) -> Experience | None:
    """The history of a run folder; `None` where there is none to speak of."""
    if not folder.journal.exists():
        return None
    with Journal.open(folder.journal, readonly=True) as journal:
        spent = journal.sum_usage_by_hop()
        levels, planted = _read_outcomes(journal)
        for each in spent:
            if each.hop is not None and (each.hop, each.plain) in levels:
                levels[each.hop, each.plain].steps[each.step] = each.usage
        for at, count in _count_under_way(journal).items():
            levels.setdefault(at, LevelHistory()).under_way = count
        if not any(level.candidates >= ENOUGH for level in levels.values()):
            return None
        steps, repeated = _sum_steps(spent)
        return Experience(
            str(folder.path), levels, steps, repeated, _count_written(journal), _count_judged(journal), planted,
            journal.get_meta(KEPT), _measure_pace(folder),
        )  # fmt: skip


def _read_outcomes(journal: Journal) -> tuple[dict[Level, LevelHistory], Counter[int]]:
    levels: dict[Level, LevelHistory] = defaultdict(LevelHistory)
    planted: Counter[int] = Counter()
    for outcome in journal.read_outcomes(payload=False):
        if outcome.kind == "planted":
            planted[outcome.slot] += 1
        elif outcome.kind != "rejected":
            fate = UNFIT if outcome.kind == "failed" else ACCEPTED
            levels[outcome.depth, outcome.operation == PLAIN].fates[fate] += 1
    for outcome in journal.read_outcomes("rejected"):
        reject = orjson.loads(outcome.payload)
        fate = (
            UNFIT if reject["step"] == "synthesize" else DISPUTED if reject["reason"] in _DISPUTES else LOST
        )
        if reject["reason"] != _TOO_LATE:
            levels[outcome.depth, outcome.operation == PLAIN].fates[fate] += 1
    return dict(levels), planted


def _sum_steps(spent: list[SpentAtHop]) -> tuple[dict[str, Usage], dict[str, int]]:
    steps: dict[str, Usage] = defaultdict(Usage)
    repeated: Counter[str] = Counter()
    for each in spent:
        steps[each.step] += each.usage
        repeated[each.step] += each.repeated
    return dict(steps), repeated


def _count_written(journal: Journal) -> Counter[tuple[int, bool, int]]:
    groups = (value for _, value in journal.read_decisions(GROUP))
    return Counter((each["depth"], each["slots"][0][1] == PLAIN, len(each["slots"])) for each in groups)


def _count_under_way(journal: Journal) -> Counter[Level]:
    settled = {each.node for each in journal.read_outcomes(payload=False) if each.kind != "planted"}
    found: Counter[Level] = Counter()
    for _, value in journal.read_decisions(GROUP):
        left = sum(id not in settled for id in value["ids"])
        found[value["depth"], value["slots"][0][1] == PLAIN] += left
    return +found


def _count_judged(journal: Journal) -> Counter[tuple[str, int]]:
    names = {"reading": "read", "comparison": "compare"}
    groups = (value for _, value in journal.read_decisions(CALL_GROUP))
    return Counter((names[each["name"]], len(each["items"])) for each in groups if each["name"] in names)


def _measure_pace(folder: RunFolder) -> float:
    run = folder.read_summary().get("this_run", {})
    calls, seconds = run.get("calls", 0), run.get("seconds", 0.0)
    return calls / seconds if calls >= ENOUGH and seconds > 0 else 0.0
