"""A rehearsal held against an earlier run: by how much its calls really were longer, and how many more there were."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from aide.config.spec import RunSpec
from aide.records import Usage
from aide.run.group_sizes import GUIDED, JUDGED, GroupSizes
from aide.run.plan.experience import ENOUGH, Experience, LevelHistory
from aide.run.plan.fates import FateShares
from aide.run.plan.kinds import find_kind_of
from aide.run.plan.measuring import NOTHING, CallSize
from aide.run.plan.rehearsal import Rehearsal
from aide.run.plan.script import COMPARE, READ
from aide.run.plan.walk import Level
from aide.run.restore import unpack_offered

PLANTING: Final = ("extract", "expand_graph", "personas")
"""Steps that are booked on a parent."""


@dataclass(slots=True)
class Calibration:
    """What an earlier run corrects; without one, nothing."""

    prompt: dict[str, float] = field(default_factory=dict)
    """By step, real tokens of a prompt for each that was rehearsed."""
    completion: dict[str, float] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)
    """By step, calls that ask again, for each that asks first."""
    further: dict[Level, dict[str, float]] = field(default_factory=dict)
    """Calls for one candidate that its fate does not foresee: texts that were left out, answers that were mended."""

    def correct(self, step: str, size: CallSize) -> CallSize:
        """A rehearsed size as it really is."""
        prompt, completion = self.prompt.get(step, 1.0), self.completion.get(step, 1.0)
        return CallSize(size.prompt * prompt, size.completion * completion, size.limit)


async def calibrate(
    spec: RunSpec,
    rehearsal: Rehearsal,
    sizes: GroupSizes,
    experience: Experience,
    fates: dict[Level, FateShares],
) -> Calibration:
    """Hold a rehearsal against `experience`, which had these `fates`."""
    found = Calibration()
    rehearsed = await _rehearse(spec, rehearsal, sizes, experience)
    for step, usage in experience.steps.items():
        size = rehearsed.get(step, NOTHING)
        if usage.calls >= ENOUGH and size.prompt:
            found.prompt[step] = usage.prompt / usage.calls / size.prompt
            if size.completion:
                found.completion[step] = usage.completion / usage.calls / size.completion
        first = usage.calls - experience.repeated.get(step, 0)
        found.again[step] = experience.repeated.get(step, 0) / first if first else 0.0
    for level, shares in fates.items():
        history = experience.find_level(level)
        if history is not None:
            found.further[level] = _count_further(spec, rehearsal, experience, level, history, shares)
    return found


async def _rehearse(
    spec: RunSpec, rehearsal: Rehearsal, sizes: GroupSizes, experience: Experience
) -> dict[str, CallSize]:
    """By step, the mean size that the calls of the earlier run would have had in a rehearsal."""
    table = rehearsal.table
    seen: dict[str, list[tuple[float, CallSize]]] = defaultdict(list)
    for (hop, plain, count), calls in experience.written.items():
        seen["synthesize"].append((calls, table.find(f"write {find_kind_of(spec, (hop, plain))}", count)))
    for (name, count), calls in experience.judged.items():
        seen["reflect"].append((calls, table.find(name if name == READ else f"{COMPARE} {GUIDED}", count)))
    alone = 0
    for level, history in experience.levels.items():
        for step, usage in history.steps.items():
            alone += usage.calls if step == "reflect" else 0
            kind = find_kind_of(spec, level)
            name = {"synthesize": f"write {kind}", "reflect": READ}.get(step, f"{step} {kind}")
            seen[step].append((usage.calls, table.find(name)))
    # What else the judge was asked is the precheck.
    shared = sum(calls for (_, count), calls in experience.judged.items() if count > 1)
    rest = experience.steps.get("reflect", Usage()).calls - alone - shared
    seen["reflect"].append((max(0, rest), table.find(READ, sizes.most(JUDGED))))
    for packed, parents in experience.planted.items():
        for step, size in await rehearsal.plant(unpack_offered(packed, rehearsal.matters)) if packed else ():
            seen[step].append((parents, size))
    return {step: _mean(each) for step, each in seen.items()}


def _mean(sizes: list[tuple[float, CallSize]]) -> CallSize:
    known = [(calls, size) for calls, size in sizes if size.prompt]
    total = sum(calls for calls, _ in known)
    return sum((size * (calls / total) for calls, size in known), NOTHING) if total else NOTHING


def _count_further(
    spec: RunSpec,
    rehearsal: Rehearsal,
    experience: Experience,
    level: Level,
    history: LevelHistory,
    shares: FateShares,
) -> dict[str, float]:
    kind, further = find_kind_of(spec, level), {}
    for step, usage in history.steps.items():
        # Whether the judge was asked alone depends on how many were open, and what was planted serves the hop below.
        if step == "reflect" or step in PLANTING:
            continue
        foreseen = sum(
            share * rehearsal.traces.get((kind, fate), ()).count(step)
            for fate, share in shares.shares.items()
        )
        calls = usage.calls
        if step == "synthesize":  # a group of one is booked on its record, too
            calls -= sum(
                count
                for (hop, plain, size), count in experience.written.items()
                if size == 1 and plain == level[1]
            )
        further[step] = max(-foreseen, calls / history.candidates - foreseen)
    return further
