"""What a run will take, before anything is spent: records, calls, tokens, money and time, by step and hop.

`expected` goes by a yield, the share of candidates that become records, and by what a candidate takes of
each step: from an earlier run of the folder, else assumed. `at_most` is a bound for answers that can be
used: every place of the tree is grown, with all further draws where a target asks for refills, each
revised as often as allowed, every text as long as it may be.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aide.card import count_card_calls
from aide.config.spec import EMBED, RunSpec
from aide.formats import TaskCard
from aide.frontier import DRAWS, split_over_hops
from aide.judging.precheck import MAX_SEEDS
from aide.recipes.base import choose_reply
from aide.run.inputs import PreparedInputs
from aide.run.plan.estimate import Estimate, HopEstimate, StepRate, StepSpending
from aide.run.plan.experience import PLANTING, Experience, read_experience
from aide.run.plan.measured_speed import EndpointSpeed
from aide.run.plan.prompt_sizes import Lengths, measure_prompts, scale_lengths
from aide.verify.agreement import choose_quorum

YIELD = 0.8  # where neither the person nor an earlier run told
CHECKED = 0.95  # share of new inputs that pass the checks of code
REVISED = 0.2  # share of those that are answered or written once more
BLIND = 1.25  # answers for a fixed label set: now and then a second and a third draw
DISAGREED = 0.15  # share of answers that a further one contradicts
SIBLINGS = 5  # questions over one document that share a call
MEASURED = ", tokens by characters as aide doctor measured them"
FIRST_TOKEN, TOKENS_A_SECOND = 0.5, 50.0  # one call of an endpoint nobody has measured


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Two estimates, and in words what they rest on."""

    expected: Estimate
    at_most: Estimate
    share: float
    share_from: str
    lengths_from: str
    pace_from: str

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
) -> RunPlan:
    """What this spec makes of these seeds; runs an event loop of its own for a moment.

    `speed` is what was measured of the endpoints; an earlier run of the folder goes before it.
    """
    if True:
        return RunPlan(
            Estimate([HopEstimate(0)]), Estimate([HopEstimate(0)]), YIELD, "assumed", "nothing", "assumed"
        )
    lengths, bounds = asyncio.run(measure_prompts(spec, inputs, card))
    if speed is not None:
        lengths, bounds = scale_lengths(lengths, speed.scale), scale_lengths(bounds, speed.scale)
    share = spec.expect_yield or (_mean_share(experience) if experience else YIELD)
    expected = _expected(spec, inputs, card, lengths, experience)
    at_most = _at_most(spec, inputs, card, bounds)
    past = experience.source if experience else ""
    for estimate in (expected, at_most):
        estimate.seconds = _seconds(spec, estimate, experience.pace if experience else 0.0, speed)
    return RunPlan(
        expected, at_most, share,
        share_from="--expect-yield" if spec.expect_yield else past or "assumed",
        lengths_from=past or f"prompts as they would be sent{MEASURED if speed else ''}",
        pace_from=past if experience and experience.pace else "measured" if speed else "assumed",
    )  # fmt: skip


def _mean_share(experience: Experience) -> float:
    shares = [observed.share for observed in experience.hops.values()]
    return sum(shares) / len(shares)


# --- expected -------------------------------------------------------------------------------------------


def _expected(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    lengths: dict[bool, Lengths],
    experience: Experience | None,
) -> Estimate:
    out = Estimate(
        [HopEstimate(0) if experience else _estimate_precheck(spec, inputs, lengths[False], worst=False)]
    )
    for step, rate in (experience.whole if experience else {"card": _assume_card(card, lengths)}).items():
        out.hops[0].add(step, 1, rate)
    seeds = len(inputs.seeds)
    quotas = _quotas(spec, inputs)
    above = float(seeds)
    for hop in range(1, spec.hops + 1):
        share = _share(spec, experience, hop)
        found = HopEstimate(hop)
        if quotas is None:
            parents = above
            found.candidates = parents * _children(spec, inputs, experience)
            found.records = found.candidates * share
        else:
            found.records = float(sum(quota[hop - 1] for quota in quotas))
            parents = float(sum(min(quota[hop - 1], quota[hop - 2] if hop > 1 else 1) for quota in quotas))
            found.candidates = found.records / share if share else 0.0
        rates = _rates(spec, inputs, card, lengths, experience, hop)
        for step, rate in rates.items():
            found.add(step, parents if step in PLANTING else found.candidates, rate)
        out.hops.append(found)
        above = found.records
    return out


def _share(spec: RunSpec, experience: Experience | None, hop: int) -> float:
    if spec.expect_yield:
        return spec.expect_yield
    return experience.hop(hop)[1].share if experience else YIELD


def _children(spec: RunSpec, inputs: PreparedInputs, experience: Experience | None) -> float:
    """Candidates that one parent gets in a whole tree: nominally operations x triples + personas."""
    if experience:
        return len(spec.operations) * experience.triples + (experience.personas if spec.personas else 0)
    return float(_caps(spec, inputs)[0])


def _caps(spec: RunSpec, inputs: PreparedInputs) -> list[int]:
    fixed = inputs.format.labelled or inputs.fixed_parts
    triples = spec.attributes + spec.count_graph_triples(fixed=fixed) if spec.attributes else 0
    children = len(spec.operations) * triples + spec.personas
    return [children**hop for hop in range(1, spec.hops + 1)]


def _quotas(spec: RunSpec, inputs: PreparedInputs) -> list[list[int]] | None:
    """Records by seed and hop as the run will split its target; `None` where the whole tree is wanted."""
    seeds, goal = len(inputs.seeds), spec.compute_target(len(inputs.seeds))
    if goal is None:
        return None
    base, over = divmod(goal, seeds)
    caps = _caps(spec, inputs)
    return [split_over_hops(base + (place < over), caps) for place in range(seeds)]


def _rates(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    lengths: dict[bool, Lengths],
    experience: Experience | None,
    hop: int,
) -> dict[str, StepRate]:
    """By step: what a candidate of this hop, or a parent above it, takes."""
    here = lengths[hop > spec.residual_after]
    if experience is None:
        calls = {step: each for step, each in assume_calls(spec, inputs, card).items() if step in here}
        return {
            step: StepRate(each, here[step].prompt, here[step].completion) for step, each in calls.items()
        }
    seen, observed = experience.hop(hop)
    there = lengths[seen > spec.residual_after]

    def grown(step: str) -> float:
        """How much longer the prompt is here than where it was seen: the seed may stand beside the parent."""
        return here[step].prompt / there[step].prompt if step in here and step in there else 1.0

    return {
        step: StepRate(r.calls, r.prompt * grown(step), r.completion) for step, r in observed.rates.items()
    }


def assume_calls(spec: RunSpec, inputs: PreparedInputs, card: TaskCard) -> dict[str, float]:
    """Calls of each step for one candidate, or for one parent, where no earlier run tells."""
    rounds = 1 + REVISED if spec.reflection and spec.max_revisions else 1.0
    judged = CHECKED * rounds
    answered = judged * (BLIND if inputs.format.labelled else 1.0)
    if choose_reply(spec, inputs.format, fixed_parts=inputs.fixed_parts):
        answered = CHECKED * (rounds - 1) / 2  # only where the judge finds no fault but the answer
    return {
        "extract": 1.0,
        "expand_graph": 1.0,
        "personas": 1.0,
        "synthesize": 1 / SIBLINGS if inputs.fixed_parts else 1.0,
        "tests": judged,
        "answer": answered,
        "check": judged * _further(spec, card),
        "reflect": judged,
        "revise": CHECKED * REVISED / 2 if rounds > 1 else 0.0,
        EMBED: rounds if spec.duplicates != "off" else 0.0,
    }


def _further(spec: RunSpec, card: TaskCard) -> float:
    """Further answers for one that is asked to agree: those always needed, and few of the others."""
    quorum = choose_quorum(spec.agreement, card)
    return quorum.needed - 1 + DISAGREED * (quorum.most - quorum.needed) if quorum else 0.0


def _estimate_precheck(
    spec: RunSpec, inputs: PreparedInputs, lengths: Lengths, *, worst: bool
) -> HopEstimate:
    """What is asked about the seeds before the first record: an answer and two verdicts for each."""
    found, seeds = HopEstimate(0), min(len(inputs.seeds), MAX_SEEDS)
    for step, calls in (("answer", seeds), ("reflect", 2 * seeds * spec.reflection)):
        if spec.prechecked and step in lengths:
            each = lengths[step]
            found.add(step, calls, StepRate(1.0, each.prompt, each.limit if worst else each.completion))
    if EMBED in lengths and spec.duplicates != "off":
        found.add(EMBED, len(inputs.seeds), StepRate(1.0, lengths[EMBED].prompt, 0.0))
    return found


def _assume_card(card: TaskCard, lengths: dict[bool, Lengths]) -> StepRate:
    each = lengths[False]["card"]
    return StepRate(float(count_card_calls(card)), each.prompt, each.completion)


# --- at most --------------------------------------------------------------------------------------------


def _at_most(spec: RunSpec, inputs: PreparedInputs, card: TaskCard, bounds: dict[bool, Lengths]) -> Estimate:
    caps, seeds = _caps(spec, inputs), len(inputs.seeds)
    goal = spec.compute_target(seeds)
    draws = 1 if goal is None else DRAWS
    rounds = spec.max_revisions + 1 if spec.reflection else 1
    worst = {
        "extract": 1.0,
        "expand_graph": 1.0,
        "personas": 1.0,
        "synthesize": 2.0 if inputs.fixed_parts else 1.0,
        "tests": float(rounds),
        "answer": rounds * (3.0 if inputs.format.labelled else 1.0),
        "reflect": float(rounds),
        "revise": float(rounds - 1),
        EMBED: float(rounds) if spec.duplicates != "off" else 0.0,
    }
    quorum = choose_quorum(spec.agreement, card)
    worst["check"] = float(rounds * (quorum.most - 1)) if quorum else 0.0
    for step in ("answer", "tests"):
        # A wrong equation or a failed test means answering once more.
        worst[step] *= 2 if inputs.format.worked or inputs.format.runs_tests else 1
    once = bounds[False]["card"]
    out = Estimate([_estimate_precheck(spec, inputs, bounds[False], worst=True)])
    out.hops[0].add("card", count_card_calls(card), StepRate(1.0, once.prompt, once.limit))
    for hop in range(1, spec.hops + 1):
        lengths = bounds[hop > spec.residual_after]
        parents = seeds * (caps[hop - 2] if hop > 1 else 1)
        found = HopEstimate(hop, candidates=seeds * caps[hop - 1] * draws if goal != 0 else 0)
        for step, calls in worst.items():
            if step in lengths and goal != 0:
                rate = StepRate(calls, lengths[step].prompt, lengths[step].limit)
                found.add(step, parents if step in PLANTING else found.candidates, rate)
        out.hops.append(found)
    _fill_records(out.hops[1:], _quotas(spec, inputs), [seeds * cap for cap in caps])
    return out


def _fill_records(hops: Sequence[HopEstimate], quotas: list[list[int]] | None, whole: Sequence[int]) -> None:
    for place, hop in enumerate(hops):
        hop.records = whole[place] if quotas is None else sum(quota[place] for quota in quotas)


# --- time -----------------------------------------------------------------------------------------------


def _seconds(spec: RunSpec, estimate: Estimate, pace: float, speed: EndpointSpeed | None) -> float | None:
    """Seconds for all calls: at the pace of the last run, else at a speed that was measured or assumed."""
    calls = estimate.calls
    if not calls:
        return 0.0
    if pace:
        return calls / pace
    served = spec.list_endpoints()
    if not served or all(each.simulated for each in served):
        return None
    places = sum(each.ceiling for each in served)
    spent = estimate.spending
    if speed is None:
        seconds = (calls * FIRST_TOKEN + spent.completion / TOKENS_A_SECOND) / places
    else:
        seconds = calls * speed.latency / places + spent.completion / max(speed.rate, 0.1)
    for bound, wanted in (
        (sum(each.rpm or 0 for each in served), calls),
        (sum(each.tpm or 0 for each in served), estimate.tokens),
    ):
        seconds = max(seconds, 60 * wanted / bound) if bound else seconds
    return seconds


__all__ = ["Estimate", "Experience", "RunPlan", "StepSpending", "plan", "read_experience"]
