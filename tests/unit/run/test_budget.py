"""What a call costs by the price table."""

import pytest

from aide.config.spec import RunSpec
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
