"""What a run will cost, before anything is spent: records, calls and tokens by step.

`at_most` takes every candidate as made and every judgement as a revision; `expected` takes a yield: the share of
candidates that become records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aide.formats import TaskCard
from aide.frontier import split_over_hops
from aide.llm.usage import cost, estimate_tokens
from aide.records import Seed, Usage
from aide.spec import RunSpec

YIELD = 0.8  # where neither the person nor an earlier run told
REVISED = 0.15  # share of candidates that are revised once
OVERHEAD = {"card": 500, "extract": 350, "expand_graph": 350, "personas": 350, "synthesize": 900, "answer": 500, "tests": 400, "reflect": 700, "revise": 1000}  # fmt: skip


@dataclass(slots=True)
class Estimate:
    """Records, and by step calls, prompt tokens and completion tokens."""

    records: int = 0
    candidates: int = 0
    steps: dict[str, list[int]] = field(default_factory=dict)

    def add(self, step: str, calls: float, prompt: int, completion: int) -> None:
        """So many calls of a step with so many tokens each."""
        if calls:
            row = self.steps.setdefault(step, [0, 0, 0])
            n = round(calls)
            row[0] += n
            row[1] += n * prompt
            row[2] += n * completion

    @property
    def calls(self) -> int:
        """Calls of all steps."""
        return sum(row[0] for row in self.steps.values())

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all steps."""
        return sum(row[1] + row[2] for row in self.steps.values())

    def money(self, spec: RunSpec) -> float | None:
        """US dollars; `None` where a step's model has no price."""
        total = 0.0
        for step, (calls, prompt, completion) in self.steps.items():
            price = spec.price_of(spec.step(step).model)
            if price is None:
                return None
            total += cost(Usage(calls, prompt, completion), price.input, price.output)
        return total

    def as_dict(self, spec: RunSpec) -> dict[str, Any]:
        """The estimate as JSON values; unknown money is null."""
        rows = {
            step: {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion}
            for step, (calls, prompt, completion) in self.steps.items()
        }
        return {
            "records": self.records, "candidates": self.candidates, "calls": self.calls, "tokens": self.tokens,
            "cost": self.money(spec), "steps": rows,
        }  # fmt: skip


def plan(spec: RunSpec, seeds: Sequence[Seed], card: TaskCard, *, labelled: bool, share: float | None = None) -> dict[str, Estimate]:
    """`expected` and `at_most` for these seeds.

    `share` is the yield that `expected` assumes; an earlier run of the same folder knows it best.
    """
    fixed = labelled or any(seed.parts.fixed for seed in seeds)
    triples = spec.attributes + spec.graph(fixed=fixed)
    children = len(spec.operations) * triples + spec.personas
    caps = [children**hop for hop in range(1, spec.hops + 1)]
    goal = spec.goal(len(seeds))
    accepted = share or spec.expect_yield or YIELD
    return {
        "expected": _estimate(spec, seeds, card, _by_hop(goal, caps, len(seeds), accepted), accepted, labelled=labelled),
        "at_most": _estimate(spec, seeds, card, _by_hop(goal, caps, len(seeds), 1.0), 0.0, labelled=labelled),
    }


def _by_hop(goal: int | None, caps: Sequence[int], seeds: int, accepted: float) -> list[int]:
    """Records at each hop, all seeds together."""
    if goal is None:
        return [round(seeds * cap * accepted ** (hop + 1)) for hop, cap in enumerate(caps)]
    totals = [0] * len(caps)
    for share, many in ((goal // max(1, seeds), seeds - goal % max(1, seeds)), (goal // max(1, seeds) + 1, goal % max(1, seeds))):
        for hop, quota in enumerate(split_over_hops(share, caps)):
            totals[hop] += many * quota
    return totals


def _estimate(
    spec: RunSpec, seeds: Sequence[Seed], card: TaskCard, records: Sequence[int], accepted: float, *, labelled: bool
) -> Estimate:
    """Costs of so many records a hop; a share of 0 means that each is judged and revised as often as allowed."""
    worst = accepted == 0.0
    out = Estimate(records=sum(records))
    asked = round(out.records / (accepted or 1.0))
    out.candidates = asked
    inputs = [estimate_tokens(seed.draft.input) for seed in seeds]
    answers = [estimate_tokens(seed.draft.output) for seed in seeds]
    fixed = max((sum(estimate_tokens(text) for _, text in seed.parts.fixed) for seed in seeds), default=0)
    text, answer = sum(inputs) // max(1, len(inputs)) + 8, sum(answers) // max(1, len(answers)) + 8
    demos = spec.demonstrations * (text + answer)
    parents = len(seeds) + sum(min(made, wanted) for made, wanted in zip(records, records[1:], strict=False))
    grows = bool(spec.operations) and spec.attributes > 0
    graph = spec.graph(fixed=labelled or bool(fixed)) if grows else 0
    revised = spec.max_revisions if worst else REVISED * bool(spec.max_revisions)
    rounds = 1 + revised if spec.reflection else 1
    head = dict(OVERHEAD)
    out.add("card", 1, head["card"] + len(seeds) * (text + answer), 150)
    out.add("extract", parents, head["extract"] + fixed + text, 40 + 12 * spec.attributes)
    out.add("expand_graph", parents * (graph > 0), head["expand_graph"] + fixed + text, 20 + 12 * graph)
    out.add("personas", parents * (spec.personas > 0 and spec.personas_from == "model" and not spec.persona_file), head["personas"], 30 * spec.personas)
    out.add("synthesize", asked, head["synthesize"] + fixed + demos + 2 * text, text)
    out.add("answer", asked * rounds * (3 if worst and labelled else 1), head["answer"] + fixed + demos + text, answer * (3 if card.options else 1))
    out.add("tests", asked * rounds * (card.format == "code"), head["tests"] + text, answer)
    if spec.reflection:
        out.add("reflect", asked * rounds, head["reflect"] + fixed + 3 * text + answer, answer + 150)
        out.add("revise", asked * revised, head["revise"] + fixed + demos + 3 * text, text)
    return out


