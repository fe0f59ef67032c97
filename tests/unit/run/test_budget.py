"""What a call costs by the price table."""

import pytest

from aide.config.partition import Partition, Spent, divide_caps
from aide.config.spec import RunSpec
from aide.errors import BudgetSpent
from aide.records import Usage
from aide.run.budget import Budget


def test_cached_tokens_cost_what_the_table_says_and_unknown_models_cost_nobody_knows() -> None:
    spec = RunSpec.model_validate({"prices": {"m": {"input": 2, "output": 8, "cached": 0.5}}})
    budget = Budget(spec, Usage(), 0.0, clock=lambda: 0.0)
    used = Usage(calls=1, prompt=1_000_000, completion=500_000, cached=400_000)
    assert budget.charge(used, "m") == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.5 * 8)
    assert not budget.unpriced
    assert budget.charge(used, "other") is None
    assert budget.unpriced


def test_a_part_names_the_cap_that_was_given_and_its_own_share() -> None:
    spec = RunSpec(max_calls=32, max_minutes=9, partition="1/3")
    part = divide_caps(spec, Partition.parse("1/3"), Spent(calls=2)).model_copy(update={"lock_wait": 5})
    budget = Budget(part, Usage(calls=10), 0.0, clock=lambda: 0.0)
    with pytest.raises(
        BudgetSpent, match=r"^--max-calls 32 is reached: part 1/3 has had its share, 10$"
    ) as stop:
        budget.reserve([], 10, "m")
    assert stop.value.hint == "rerun with a higher --max-calls to go on from here"
    late = Budget(part, Usage(), 0.0, clock=iter((0.0, 600.0)).__next__)
    with pytest.raises(BudgetSpent, match=r"^--max-minutes 9 is reached$"):
        late.reserve([], 10, "m")
