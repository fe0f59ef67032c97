"""The expected estimate: a rehearsal and a walk, put together with what an earlier run took."""

from collections.abc import Mapping
from math import ceil
from typing import Final

from aide.config.spec import RunSpec
from aide.formats import TaskCard
from aide.judging.passage import is_short
from aide.metrics.realism import STEP as REALISM
from aide.prompts import Prompts
from aide.recipes import Roots, find_recipe
from aide.records import Seed, digest
from aide.run.context import make_shape
from aide.run.group_sizes import GUIDED, GroupSizes
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.inputs import PreparedInputs
from aide.run.plan.calibration import Calibration, calibrate
from aide.run.plan.estimate import Estimate, HopEstimate, StepSpending
from aide.run.plan.experience import Experience
from aide.run.plan.fates import FateDealer, FateShares
from aide.run.plan.kinds import find_kind, find_kind_of, name_step
from aide.run.plan.measuring import CallSize
from aide.run.plan.part import CompositionPart, compose_part
from aide.run.plan.rehearsal import Rehearsal, choose_typical
from aide.run.plan.walk import Level, LevelCounts, Walk
from aide.run.task_card import list_hop_labels

_CALLS_IN_FLIGHT: Final = 64  # where no endpoint is named


async def estimate_expected(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    sizes: GroupSizes,
    prompts: Prompts,
    share: float,
    experience: Experience | None,
) -> Estimate:
    """What is expected where `share` of the candidates is accepted.

    `experience` tells what became of candidates, unless `--expect-yield` does or most are under way, and how long texts
    really are.
    """
    rehearsal = await Rehearsal(spec, inputs, card, sizes, prompts, choose_typical(inputs.seeds)).run()
    shape, labels = make_shape(spec, inputs), list_hop_labels(spec, card, inputs)
    roots = find_recipe(spec.recipe).roots(spec, inputs)
    part = compose_part(spec, shape, inputs.seeds, labels, share, roots)
    otherwise = FateShares.assume(
        share, rehearsal.list_fates(), rehearsal.kept, labelled=inputs.format.labelled
    )
    if experience and experience.is_telling and not spec.expect_yield:
        otherwise = experience.sum_levels().share_fates(spec.max_revisions)
    seen = experience.find_fates(spec.hops, spec.max_revisions) if experience else {}
    calibration = await calibrate(spec, rehearsal, sizes, experience, seen) if experience else Calibration()
    # What a person expects goes before what was seen.
    fates = FateDealer({} if spec.expect_yield else seen, otherwise)
    beside = _name_documents(part, roots) if inputs.documents else {}
    levels = _walk(spec, inputs, sizes, rehearsal, part, fates, beside)
    return await _Sum(spec, rehearsal, calibration).add_up(part, levels)


def _walk(
    spec: RunSpec,
    inputs: PreparedInputs,
    sizes: GroupSizes,
    rehearsal: Rehearsal,
    part: CompositionPart,
    fates: FateDealer,
    beside: Mapping[str, str],
) -> dict[Level, LevelCounts]:
    served = spec.list_endpoints()
    in_flight = sum(each.ceiling for each in served) or _CALLS_IN_FLIGHT
    return Walk(
        part.sow((sizes.most(GUIDED), sizes.most(PLAIN_SIZE))), sizes, fates, rehearsal.traces,
        find_kind=lambda hop: find_kind(spec, hop),
        expect_found=lambda wanted: find_recipe(spec.recipe).expect_found(spec, wanted),
        documents={seed.id: _name_document(seed) for seed in part.seeds},
        contexts=len(inputs.contexts), roots=beside, keep=part.keep, in_flight=in_flight, mix=inputs.format.labelled,
    ).run()  # fmt: skip


def _name_documents(part: CompositionPart, roots: Roots) -> dict[str, str]:
    """The document of each root."""
    seeds = {seed.id: seed for seed in part.seeds}
    found = (root for stratum in part.composition.strata for root in stratum.roots)
    return {
        root.id: digest("document", roots.make_point(root.id, seeds[root.seed]).parts.fixed_text)
        for root in found
    }


def _name_document(seed: Seed) -> str:
    """What a seed is about, where the judge sees it whole: only such texts may not share a call with others."""
    short = seed.parts.fixed and is_short(seed.parts)
    return digest("document", *(text for _, text in seed.parts.fixed)) if short else ""


class _Sum:
    """Calls and tokens of what was walked."""

    def __init__(self, spec: RunSpec, rehearsal: Rehearsal, calibration: Calibration) -> None:
        self._spec = spec
        self._rehearsal = rehearsal
        self._calibration = calibration

    async def add_up(self, part: CompositionPart, levels: dict[Level, LevelCounts]) -> Estimate:
        """The estimate, hop by hop."""
        hops, table = [HopEstimate(hop) for hop in range(self._spec.hops + 1)], self._rehearsal.table
        for level, counts in levels.items():
            hop, weight = hops[level[0]], part.weigh(level)
            hop.records += counts.records * weight
            hop.candidates += counts.candidates * weight
            for (name, number), calls in counts.calls.items():
                self._add(hop, name_step(name), calls * weight, table.find(name, number), again=number > 1)
            for step, calls in self._calibration.further.get(level, {}).items():
                name = f"{'write' if step == 'synthesize' else step} {find_kind_of(self._spec, level)}"
                self._add(hop, step, calls * counts.candidates * weight, table.find(name))
            for wanted, parents in counts.plants.items():
                for step, size in await self._rehearsal.plant(wanted):
                    self._add(hop, step, parents * weight, size)
        for step, size in self._rehearsal.once:
            self._add(hops[0], step, 1.0, size)
        if together := table.list_counts(REALISM):
            shown = min(self._spec.realism, round(sum(hop.records for hop in hops)))
            self._add(hops[0], REALISM, ceil(shown / together[-1]), table.find(REALISM, together[-1]))
        return Estimate(hops)

    def _add(
        self, hop: HopEstimate, step: str, calls: float, rehearsed: CallSize, *, again: bool = False
    ) -> None:
        """So many calls of a size; with `again` some of them are asked again, as in the earlier run."""
        size = self._calibration.correct(step, rehearsed)
        calls *= 1 + (self._calibration.again.get(step, 0.0) if again else 0.0)
        written = min(size.completion, size.limit) if size.limit else size.completion
        hop.add(step, StepSpending(calls, calls * size.prompt, calls * written))
