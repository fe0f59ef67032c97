"""The bound: what a run takes at most, for answers that can be used.

Of a whole tree every place is grown; towards a target at least one candidate in `FEWEST` is taken to be accepted, since
a run that accepts fewer is in trouble and should be stopped.
"""

from collections import Counter
from dataclasses import replace
from typing import Final

from aide.config.spec import RunSpec
from aide.formats import TaskCard
from aide.frontier import ENDLESS
from aide.frontier.levels import LEAST_YIELD
from aide.metrics.realism import STEP as REALISM
from aide.prompts import Prompts
from aide.recipes import find_recipe
from aide.records import USER, Seed
from aide.run.context import make_shape
from aide.run.group_sizes import GroupSizes
from aide.run.inputs import PreparedInputs
from aide.run.plan.estimate import Estimate, HopEstimate, StepSpending
from aide.run.plan.kinds import find_kind_of, name_step
from aide.run.plan.measuring import CallSize
from aide.run.plan.part import compose_whole
from aide.run.plan.rehearsal import Rehearsal, choose_longest, choose_typical
from aide.run.plan.script import COMPARE, READ, WANTS
from aide.run.plan.walk import Level
from aide.run.task_card import list_hop_labels
from aide.text.length import measure_length
from aide.verify.agreement import choose_quorum

FEWEST: Final = round(1 / LEAST_YIELD)
_BLIND: Final = 3  # answers for a label until they agree
_AGAIN: Final = 2  # answers where code finds the first one wrong


async def estimate_at_most(
    spec: RunSpec, inputs: PreparedInputs, card: TaskCard, sizes: GroupSizes, prompts: Prompts
) -> Estimate:
    """The bound of calls, tokens and candidates by hop and step; records as many as are wanted."""
    return await _Bound(spec, inputs, card, await _rehearse(spec, inputs, card, sizes, prompts)).add_up()


async def measure_longest_call(
    spec: RunSpec, inputs: PreparedInputs, card: TaskCard, sizes: GroupSizes
) -> int:
    """Tokens of the longest prompt, with the longest answer to it."""
    rehearsal = await _rehearse(spec, inputs, card, sizes, inputs.make_prompts(spec))
    return max(
        round(size.prompt + size.limit)
        for size in (*rehearsal.table.list_sizes(), *(size for _, size in rehearsal.once))
    )


async def measure_least_window(
    spec: RunSpec, inputs: PreparedInputs, card: TaskCard, sizes: GroupSizes
) -> int:
    """Tokens without which seeds as they are can't be worked on: the longest typical prompt with its typical answer.

    Less than `measure_longest_call`: a server that takes the one and not the other does most of the work.
    """
    prompts, typical = inputs.make_prompts(spec), choose_typical(inputs.seeds)
    rehearsal = await Rehearsal(spec, inputs, card, sizes, prompts, typical).run()
    return max(
        round(size.prompt + size.completion)
        for size in (*rehearsal.table.list_sizes(), *(size for _, size in rehearsal.once))
    )


async def _rehearse(
    spec: RunSpec, inputs: PreparedInputs, card: TaskCard, sizes: GroupSizes, prompts: Prompts
) -> Rehearsal:
    """With texts that are as long as they may be."""
    longest = _stretch_longest(inputs.seeds, card)
    examples = choose_longest(inputs.seeds)
    if longest.id not in {seed.id for seed in examples}:  # what is planted must be a seed of the rehearsal
        examples[-1] = next(seed for seed in inputs.seeds if seed.id == longest.id)
    return await Rehearsal(spec, inputs, card, sizes, prompts, examples, [longest]).run()


def _stretch_longest(seeds: tuple[Seed, ...], card: TaskCard) -> Seed:
    """The longest seed, its text repeated up to the longest input that the card lets pass."""
    seed = max(seeds, key=lambda each: len(each.parts.whole(each.draft.input)))
    text = max((each.draft.input for each in seeds), key=len)
    times = -(-card.max_words // max(1, measure_length(text, card.unit)))
    times = max(1, times)
    turns = (
        replace(turn, content=" ".join([turn.content] * times)) if turn.role == USER else turn
        for turn in seed.draft.turns
    )
    return replace(seed, draft=replace(seed.draft, input=" ".join([text] * times), turns=tuple(turns)))


class _Bound:
    def __init__(self, spec: RunSpec, inputs: PreparedInputs, card: TaskCard, rehearsal: Rehearsal) -> None:
        self._spec = spec
        self._format = inputs.format
        self._card = card
        self._rehearsal = rehearsal
        self._shape = make_shape(spec, inputs)
        roots = find_recipe(spec.recipe).roots(spec, inputs)
        labels = list_hop_labels(spec, card, inputs)
        self._composition = compose_whole(spec, self._shape, inputs.seeds, labels, roots)

    async def add_up(self) -> Estimate:
        """Hop by hop."""
        hops = [HopEstimate(hop) for hop in range(self._spec.hops + 1)]
        records = self._count_records()
        roots = sum(len(each.roots) for each in self._composition.strata)
        for (hop, plain), count in records.items():
            estimate = hops[hop]
            candidates = count if self._shape.whole else FEWEST * count
            estimate.records += count
            estimate.candidates += candidates
            for name, calls in self._count_calls((hop, plain)).items():
                self._add(estimate, name_step(name), calls * candidates, self._find_longest(name))
            if not plain:
                above = roots if hop == 1 else sum(n for (at, _), n in records.items() if at == hop - 1)
                for step, size in await self._rehearsal.plant(self._shape.most):
                    self._add(estimate, step, min(above, candidates), size)
        for step, size in self._rehearsal.once:
            self._add(hops[0], step, 1.0, size)
        if self._rehearsal.table.list_counts(REALISM):
            self._add(hops[0], REALISM, self._spec.realism, self._rehearsal.table.find(REALISM))
        return Estimate(hops)

    def _count_records(self) -> dict[Level, int]:
        """Records by level; of a whole tree as many as it has places."""
        plain = sum(self._composition.plain.values())
        if self._shape.whole and self._spec.part:  # of which each part grows its blocks
            plain = -(-plain // self._spec.part.count)
        found: Counter[Level] = Counter({(1, True): plain})
        for stratum in self._composition.strata:
            places = self._shape.caps(len(stratum.roots))
            for hop, quota in enumerate(stratum.quotas, start=1):
                found[hop, False] += places[hop - 1] if quota >= ENDLESS else quota
        return {level: count for level, count in found.items() if count}

    def _count_calls(self, level: Level) -> dict[str, float]:
        """The most calls of one candidate, by the name of the call: each step as often as its worst fate has it."""
        kind = find_kind_of(self._spec, level)
        found: Counter[str] = Counter()
        for (each, _), trace in self._rehearsal.traces.items():
            if each == kind:
                found |= Counter(trace)
        quorum = choose_quorum(self._spec.agreement, self._card)
        if "answer" in found:
            found["answer"] *= _BLIND if self._format.labelled else 1
            found["answer"] *= _AGAIN if self._format.worked or self._format.runs_tests else 1
        elif self._format.worked:
            found["answer"] = 1 + self._spec.max_revisions
        if quorum:
            found["check"] = max(found["check"], (1 + self._spec.max_revisions) * (quorum.most - 1))
        calls = {
            f"{event} {kind}": float(count)
            for event, count in found.items()
            if event not in (READ, COMPARE, WANTS)
        }
        calls |= {READ: float(found[READ]), f"{COMPARE} {kind}": float(found[COMPARE]), f"write {kind}": 1.0}
        return {name: count for name, count in calls.items() if count}

    def _find_longest(self, name: str) -> CallSize:
        """What one record takes of a call at most, whether it is alone or in company."""
        table = self._rehearsal.table
        each = [table.find(name, count) * (1 / count) for count in table.list_counts(name)]
        if not each:  # answers for which there is no rehearsal are as long as those there are
            each = [table.find(f"{other} {name.partition(' ')[2]}") for other in ("answer", "check", "tests")]
        return CallSize(max(size.prompt for size in each), 0.0, max(size.limit for size in each))

    def _add(self, hop: HopEstimate, step: str, calls: float, size: CallSize) -> None:
        hop.add(step, StepSpending(calls, calls * size.prompt, calls * size.limit))
