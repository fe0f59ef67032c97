"""What a run will take, before anything is spent: records, calls, tokens, money and time, by step and hop.

Calls are found by rehearsing: the recipe grows a few records with a typical answer in the place of a model's
(`rehearsal`), and the real frontier is walked with what was noted (`walk`). `expected` goes by a yield, the share of
candidates that become records, and by what an earlier run of the folder took; without one, by assumptions. `at_most` is
a bound for answers that can be used, as long as one candidate in four is accepted (`bound`).
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aide.config.spec import RunSpec
from aide.formats import TaskCard
from aide.run.group_sizes import learn_group_sizes
from aide.run.inputs import PreparedInputs
from aide.run.missing_answers import suppose_answers
from aide.run.plan.bound import estimate_at_most, measure_least_window, measure_longest_call
from aide.run.plan.ceiling import check_target
from aide.run.plan.estimate import Estimate, estimate_seconds, scale_tokens
from aide.run.plan.experience import Experience, read_experience
from aide.run.plan.measured_speed import EndpointSpeed
from aide.run.plan.planner import estimate_expected
from aide.text.figures import format_plural

YIELD: Final = 0.85
"""Where neither the person nor an earlier run told."""
MEASURED: Final = ", tokens by characters as aide doctor measured them"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Two estimates, and in words what they rest on."""

    expected: Estimate
    at_most: Estimate
    share: float
    share_from: str
    lengths_from: str
    pace_from: str
    target: int | None
    """The records that are wanted, of a part those that it is dealt; `None` for a whole tree."""

    def as_dict(self, spec: RunSpec) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "expected": self.expected.as_dict(spec),
            "at_most": self.at_most.as_dict(spec),
            "basis": {
                "yield": round(self.share, 4),
                "yield_from": self.share_from,
                "tokens_from": self.lengths_from,
                "time_from": self.pace_from,
            },
        }


def make_plan(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    experience: Experience | None = None,
    speed: EndpointSpeed | None = None,
    yield_from: str = "--expect-yield",
) -> RunPlan:
    """What this spec makes of these seeds; runs an event loop of its own for a moment.

    `card` is the half that is counted; `speed` is what was measured of the endpoints. An earlier run of the folder goes
    before it. `yield_from` says in words where the spec's own yield comes from, if it has one.

    Raises:
        errors.InputError: more records are asked for than have a place.
    """
    inputs = suppose_answers(inputs)
    check_target(spec, inputs, card)
    sizes = learn_group_sizes(spec, inputs, experience.sizes if experience else None)
    seen = experience if experience and experience.is_telling else None
    share = spec.expect_yield or (seen.share if seen else YIELD)

    async def estimate() -> tuple[Estimate, Estimate]:
        prompts = inputs.make_prompts(spec)  # shared, for templates take as long to compile as to fill
        expected = await estimate_expected(spec, inputs, card, sizes, prompts, share, experience)
        prompts.constants.clear()
        return expected, await estimate_at_most(spec, inputs, card, sizes, prompts)

    expected, at_most = asyncio.run(estimate())
    if speed is not None:
        at_most = scale_tokens(at_most, speed.scale, completion=False)
        expected = expected if experience else scale_tokens(expected, speed.scale)
    pace = experience.pace if experience else 0.0
    for each in (expected, at_most):
        each.seconds = estimate_seconds(spec, each, pace, speed)
    past = experience.source if experience else ""
    target = spec.compute_target(len(inputs.seeds))
    return RunPlan(
        expected, at_most, share,
        share_from=yield_from if spec.expect_yield else seen.source if seen else _explain_assumption(experience),
        lengths_from=past or f"prompts as they would be sent{MEASURED if speed else ''}",
        pace_from=past if pace else "measured" if speed else "assumed",
        target=at_most.records if spec.part and target is not None else target,
    )  # fmt: skip


def _explain_assumption(experience: Experience | None) -> str:
    """Why an earlier run of the folder does not tell the yield, where there is one."""
    if experience is None:
        return "assumed"
    under_way = format_plural(experience.under_way, "candidate")
    return f"assumed: {under_way} of {experience.source} are under way, and good ones end first"


def find_longest_call(spec: RunSpec, inputs: PreparedInputs, card: TaskCard) -> int:
    """Tokens of the longest prompt that a run may send, with the longest answer to it. Runs a loop of its own."""
    inputs = suppose_answers(inputs)
    return asyncio.run(measure_longest_call(spec, inputs, card, learn_group_sizes(spec, inputs)))


def find_least_window(spec: RunSpec, inputs: PreparedInputs, card: TaskCard) -> int:
    """Tokens of the longest call that a run will surely make of typical seeds. Runs a loop of its own."""
    inputs = suppose_answers(inputs)
    return asyncio.run(measure_least_window(spec, inputs, card, learn_group_sizes(spec, inputs)))


__all__ = [
    "Estimate",
    "Experience",
    "RunPlan",
    "find_least_window",
    "find_longest_call",
    "make_plan",
    "read_experience",
]
