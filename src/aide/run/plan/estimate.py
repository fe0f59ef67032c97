"""What an estimate holds: records and candidates by hop, and by step and hop calls and tokens."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from aide.config.spec import RunSpec, StepSpecs
from aide.llm.usage import compute_cost
from aide.records import Usage
from aide.run.plan.measured_speed import EndpointSpeed

FIRST_TOKEN, TOKENS_A_SECOND = 0.5, 50.0
"""Of one call of an endpoint that nobody has measured."""
ORDER: Final = tuple(StepSpecs.model_fields)


@dataclass(slots=True)
class StepSpending:
    """Calls and tokens of one step; fractions until they are shown."""

    calls: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0

    def __add__(self, other: "StepSpending") -> "StepSpending":
        """Both together."""
        return StepSpending(
            self.calls + other.calls, self.prompt + other.prompt, self.completion + other.completion
        )

    def __mul__(self, times: float) -> "StepSpending":
        """So many times as much."""
        return StepSpending(self.calls * times, self.prompt * times, self.completion * times)

    def as_dict(self) -> dict[str, int]:
        """Whole numbers under the names of JSON."""
        return {
            "calls": round(self.calls),
            "prompt_tokens": round(self.prompt),
            "completion_tokens": round(self.completion),
        }


@dataclass(slots=True)
class HopEstimate:
    """One hop: the records wanted of it, the candidates they take, and what these cost by step."""

    hop: int
    records: float = 0.0
    candidates: float = 0.0
    steps: dict[str, StepSpending] = field(default_factory=dict)

    def add(self, step: str, spent: StepSpending) -> None:
        """What else a step takes."""
        if spent.calls:
            self.steps[step] = self.steps.get(step, StepSpending()) + spent


@dataclass(slots=True)
class Estimate:
    """All hops of a run; hop 0 stands for what is asked once, such as the task card."""

    hops: list[HopEstimate] = field(default_factory=list)
    seconds: float | None = None

    @property
    def records(self) -> int:
        """Records of all hops."""
        return round(sum(hop.records for hop in self.hops))

    @property
    def candidates(self) -> int:
        """Candidates of all hops."""
        return round(sum(hop.candidates for hop in self.hops))

    @property
    def steps(self) -> dict[str, StepSpending]:
        """By step over all hops, in the order in which a record meets them."""
        found: dict[str, StepSpending] = {}
        for hop in self.hops:
            for step, spent in hop.steps.items():
                found[step] = found.get(step, StepSpending()) + spent
        return {step: found[step] for step in sorted(found, key=_place)}

    @property
    def spending(self) -> StepSpending:
        """Everything together."""
        return sum_spending(self.steps.values())

    @property
    def calls(self) -> int:
        """Calls of all steps and hops."""
        return round(self.spending.calls)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all steps and hops."""
        spent = self.spending
        return round(spent.prompt + spent.completion)

    def money(self, spec: RunSpec) -> float | None:
        """US dollars; `None` where a step's model has no price."""
        sums = [compute_money(step, spent, spec) for step, spent in self.steps.items()]
        known = [money for money in sums if money is not None]
        return sum(known) if len(known) == len(sums) else None

    def as_dict(self, spec: RunSpec) -> dict[str, Any]:
        """The estimate as JSON values; money and time that nobody can know are null."""
        return {
            "records": self.records,
            "candidates": self.candidates,
            **self.spending.as_dict(),
            "tokens": self.tokens,
            "cost": self.money(spec),
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "steps": {
                step: {**spent.as_dict(), "cost": compute_money(step, spent, spec)}
                for step, spent in self.steps.items()
            },
            "hops": [
                {
                    "hop": hop.hop,
                    "records": round(hop.records),
                    "candidates": round(hop.candidates),
                    **sum_spending(hop.steps.values()).as_dict(),
                    "steps": {step: spent.as_dict() for step, spent in hop.steps.items()},
                }
                for hop in self.hops
            ],
        }


def scale_tokens(estimate: Estimate, factor: float, *, completion: bool = True) -> Estimate:
    """The estimate in the tokens of a model; with `completion` also what is written."""
    for hop in estimate.hops:
        for step, spent in hop.steps.items():
            written = spent.completion * (factor if completion else 1.0)
            hop.steps[step] = StepSpending(spent.calls, spent.prompt * factor, written)
    return estimate


def estimate_seconds(
    spec: RunSpec, estimate: Estimate, pace: float, speed: EndpointSpeed | None
) -> float | None:
    """Seconds for all calls: at `pace`, the calls a second of an earlier run, else at a speed, measured or assumed.

    `None` where nobody can know: in batches, without an endpoint, and for the simulator.
    """
    calls, spent = estimate.calls, estimate.spending
    if not calls:
        return 0.0
    if spec.batch:  # also after an earlier run in batches, whose seconds are those between its waits
        return None
    if pace:
        return calls / pace
    served = spec.list_endpoints()
    if not served or all(each.simulated for each in served):
        return None
    places = sum(each.ceiling for each in served)
    if speed is None:
        seconds = (calls * FIRST_TOKEN + spent.completion / TOKENS_A_SECOND) / places
    else:
        seconds = calls * speed.latency / places + spent.completion / max(speed.rate, 0.1)
        seconds += spent.prompt / speed.prompt_rate if speed.prompt_rate else 0.0
    for bound, wanted in (
        (sum(each.rpm or 0 for each in served), calls),
        (sum(each.tpm or 0 for each in served), estimate.tokens),
    ):
        seconds = max(seconds, 60 * wanted / bound) if bound else seconds
    return seconds


def _place(step: str) -> int:
    return ORDER.index(step) if step in ORDER else len(ORDER)


def sum_spending(spendings: Iterable[StepSpending]) -> StepSpending:
    """All of them together."""
    return sum(spendings, StepSpending())


def compute_money(step: str, spent: StepSpending, spec: RunSpec) -> float | None:
    """US dollars of one step by the price of its model; `None` where that has none."""
    price = spec.find_planned_price(step)
    if price is None:
        return None
    usage = Usage(round(spent.calls), round(spent.prompt), round(spent.completion))
    return compute_cost(usage, price.input, price.output)
