"""Caps on calls, tokens, money and minutes. A call starts only if spent + reserved stays within every cap."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from aide.config.prices import BATCH
from aide.config.spec import Price, RunSpec
from aide.errors import BudgetSpent, InputError
from aide.llm.usage import compute_cost, estimate_tokens
from aide.records import Message, Usage


def check_priced(spec: RunSpec) -> None:
    """Refuse a cap on money that could not be kept.

    Raises:
        InputError: a step's model has no price.
    """
    if spec.max_cost is None and spec.max_cost_per_run is None:
        return
    models = {spec.get_step(name).model for name in type(spec.steps).model_fields}
    models |= {spec.embeddings} if spec.embeddings else set()
    unknown = sorted(model for model in models if _find_dearest(spec, model) is None)
    if unknown:
        raise InputError(
            f"a cap on cost needs the price of {', '.join(unknown)}",
            hint="give it with --price IN/OUT, in US dollars per million tokens",
        )


def _find_dearest(spec: RunSpec, model: str) -> Price | None:
    """What the model costs at most in the tiers that calls may be answered in; `None` where one has no known price."""
    tiers = ("",) if model == spec.embeddings else spec.tier or ("",)
    prices = [spec.find_price(model, tier) for tier in tiers]
    known = [price for price in prices if price is not None]
    return max(known, key=lambda price: price.output) if len(known) == len(prices) else None


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one call may cost at most: tokens, and US dollars where the model has a price."""

    tokens: int
    money: float

    def __add__(self, other: "Reservation") -> "Reservation":
        return Reservation(self.tokens + other.tokens, self.money + other.money)


class Budget:
    """Spent and reserved, over the whole folder and for this run alone.

    `clock` gives monotonic seconds. `unpriced` turns true when a call was made whose price nobody told.
    """

    def __init__(
        self, spec: RunSpec, spent: Usage, money: float | None, *, clock: Callable[[], float]
    ) -> None:
        self.spec = spec
        self.spent = spent
        self.money = money or 0.0
        self.money_before = self.money
        self.unpriced = money is None
        # Of these each call asks; to find one takes a look at all endpoints.
        self._find_price = cache(spec.find_price)
        self._find_dearest = cache(partial(_find_dearest, spec))
        self._clock = clock
        self._began = clock()
        self._capped = any(
            cap is not None
            for cap in (
                spec.max_calls,
                spec.max_total_tokens,
                spec.max_cost,
                spec.max_cost_per_run,
                spec.max_minutes,
            )
        )
        self._open = Reservation(0, 0.0)
        self._open_calls = 0

    def reserve(self, messages: list[Message], max_output: int, model: str) -> Reservation:
        """Set aside what this call may cost.

        Raises:
            BudgetSpent: where a cap leaves no room for it, naming the cap.
        """
        if not self._capped:
            return Reservation(0, 0.0)
        return self._set_aside(_estimate(messages, max_output, self._find_dearest(model)))

    def reserve_batched(self, messages: list[Message], max_output: int, model: str) -> Reservation:
        """The same for a call of a batch; told where nothing is capped too, for the caps of another run."""
        return self._set_aside(_estimate(messages, max_output, self._find_price(model, BATCH)))

    def _set_aside(self, wanted: Reservation) -> Reservation:
        if self._capped:
            self._check(wanted)
            self.hold(wanted, 1)
        return wanted

    def hold(self, wanted: Reservation, calls: int) -> None:
        """Set aside what so many calls may cost, whatever the caps say: they were submitted."""
        self._open += wanted
        self._open_calls += calls

    def _check(self, wanted: Reservation) -> None:
        spec = self.spec
        tokens = self.spent.prompt + self.spent.completion + self._open.tokens + wanted.tokens
        money = self.money + self._open.money + wanted.money
        minutes = self._minutes
        for name, cap, value in (
            ("--max-calls", spec.max_calls, self.spent.calls + self._open_calls + 1),
            ("--max-total-tokens", spec.max_total_tokens, tokens),
            ("--max-cost", spec.max_cost, money),
            ("--max-cost-per-run", spec.max_cost_per_run, money - self.money_before),
            ("--max-minutes", spec.max_minutes, minutes),
        ):
            if cap is not None and value > cap:
                raise BudgetSpent(
                    self._describe_cap(name, cap), hint=f"rerun with a higher {name} to go on from here"
                )

    def _describe_cap(self, option: str, cap: float) -> str:
        whole = self.spec.get_whole_cap(option.removeprefix("--").replace("-", "_"))
        if whole is None:
            return f"{option} {cap:g} is reached"
        return f"{option} {whole:g} is reached: part {self.spec.partition} has had its share, {cap:g}"

    @property
    def _minutes(self) -> float:
        return (self._clock() - self._began) / 60

    @property
    def out_of_time(self) -> bool:
        """True where no call that ends can make room for another."""
        return self.spec.max_minutes is not None and self._minutes > self.spec.max_minutes

    def release(self, reservation: Reservation, calls: int = 1) -> None:
        """The call ended, or so many together: what they really cost is told by `charge`."""
        if self._capped:
            self._open = Reservation(
                self._open.tokens - reservation.tokens, self._open.money - reservation.money
            )
            self._open_calls -= calls

    def charge(self, usage: Usage, model: str, tier: str = "") -> float | None:
        """Add what a call cost, answered in that tier; returns US dollars, `None` where its price is unknown."""
        self.spent += usage
        price = self._find_price(model, tier)
        if price is None:
            self.unpriced = True
            return None
        money = compute_cost(usage, price.input, price.output, price.cached)
        self.money += money
        return money


def _estimate(messages: list[Message], max_output: int, price: Price | None) -> Reservation:
    """What a call may cost at most."""
    prompt = sum(estimate_tokens(message.content) for message in messages)
    worst = Usage(calls=1, prompt=prompt, completion=max_output)
    return Reservation(prompt + max_output, compute_cost(worst, price.input, price.output) if price else 0.0)
