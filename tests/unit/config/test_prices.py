"""The list of prices: by address and model, in tiers, behind what a person says."""

import tomllib
from typing import Any

import pytest

from aide.config.prices import find_list_price
from aide.config.resources import read_file
from aide.config.spec import RunSpec

OPENAI = "https://api.openai.com/v1"


def test_every_line_of_the_list_is_a_price_and_no_model_stands_twice_at_one_host() -> None:
    data = tomllib.loads(read_file("configs", "prices.toml"))
    assert data["as_of"]
    seen = set()
    for each in data["prices"]:
        assert each["models"]
        for model, row in each["models"].items():
            fresh, cached, written = row
            assert 0 <= cached <= fresh <= 100
            assert written >= 0
            for host in each["hosts"]:
                assert (host, model) not in seen
                seen.add((host, model))
        assert all(0 < factor <= 3 for factor in each["tiers"].values())


@pytest.mark.parametrize(
    ("url", "model", "tier", "found"),
    [
        (OPENAI, "gpt-5-mini", "", (0.25, 0.025, 2.0)),
        (OPENAI, "gpt-5-mini-2025-08-07", "flex", (0.125, 0.0125, 1.0)),
        (OPENAI, "gpt-5", "priority", (2.5, 0.25, 20.0)),
        (OPENAI, "gpt-4.1", "batch", (1.0, 0.25, 4.0)),
        (OPENAI, "gpt-4.1", "flex", None),
        ("https://res.openai.azure.com/openai/v1/", "gpt-5", "standard", (1.25, 0.125, 10.0)),
        ("https://openrouter.ai/api/v1", "openai/gpt-5", "", (1.25, 0.125, 10.0)),
        ("https://openrouter.ai/api/v1", "gpt-5", "", None),
        ("https://api.anthropic.com/v1/", "claude-haiku-4-5-20251001", "", (1.0, 0.1, 5.0)),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "models/gemini-2.5-flash",
            "",
            (0.3, 0.03, 2.5),
        ),
        ("https://api.groq.com/openai/v1", "openai/gpt-oss-20b", "flex", (0.075, 0.0375, 0.3)),
        ("http://localhost:8000/v1", "openai/gpt-oss-20b", "", None),
        ("https://notapi.openai.com.example/v1", "gpt-5", "", None),
        (OPENAI, "gpt-5000", "", None),
        ("sim:", "simulator", "", None),
    ],
)
def test_a_model_has_the_price_of_its_address(
    url: str, model: str, tier: str, found: tuple[float, float, float] | None
) -> None:
    price = find_list_price(url, model, tier)
    assert (price and (price.input, price.cached, price.output)) == (found and pytest.approx(found))


def test_what_a_person_says_goes_before_the_list() -> None:
    spec = RunSpec.model_validate({"base_url": [OPENAI], "model": "gpt-5", "prices": {"gpt-4.1": "7/8/1"}})
    theirs, listed = spec.find_price("gpt-4.1", "flex"), spec.find_price("gpt-5", "flex")
    assert theirs is not None
    assert listed is not None
    assert (theirs.input, theirs.output, theirs.cached, listed.output) == (7, 8, 1, 5)
    dear = RunSpec.model_validate({"base_url": [OPENAI], "model": "gpt-5", "price": "100/200"})
    assert dear.find_price("gpt-5") == dear.price


def test_a_batch_is_cheaper_where_the_provider_is_known_to_be() -> None:
    for url, factor in ((OPENAI, 0.5), ("https://api.x.ai/v1", 0.8), ("http://gateway.local/v1", 1.0)):
        spec = RunSpec.model_validate({"base_url": [url], "model": "any", "price": "10/20"})
        price = spec.find_price("any", "batch")
        assert price is not None
        assert price.output == pytest.approx(20 * factor)
    own = RunSpec.model_validate(
        {
            "base_url": ["http://gateway.local/v1"],
            "prices": {"m": {"input": 1, "output": 2, "tiers": {"batch": 0.25}}},
        }
    )
    price = own.find_price("m", "batch")
    assert price is not None
    assert price.output == 0.5


@pytest.mark.parametrize(
    ("more", "step", "output"),
    [
        ({}, "synthesize", 10.0),
        ({"tier": ["flex", "standard"]}, "synthesize", 5.0),
        ({"batch": "api", "tier": ["priority"]}, "synthesize", 5.0),
        ({"batch": "api", "embeddings": "gpt-5"}, "embed", 10.0),
    ],
)
def test_a_plan_counts_with_the_price_that_most_calls_will_have(
    more: dict[str, Any], step: str, output: float
) -> None:
    price = RunSpec.model_validate({"base_url": [OPENAI], "model": "gpt-5", **more}).find_planned_price(step)
    assert price is not None
    assert price.output == output


def test_of_several_endpoints_the_dearest_counts_and_one_unknown_makes_it_unknown() -> None:
    both = [
        {"base_url": OPENAI, "model": "gpt-5-mini"},
        {"base_url": "https://api.openai.com/v1", "model": "gpt-5", "name": "two"},
    ]
    spec = RunSpec.model_validate({"model": "gpt-5-mini", "endpoints": both})
    price = spec.find_price("gpt-5-mini")
    assert price is not None
    assert price.output == 10
    mixed = [*both, {"base_url": "http://localhost:8000/v1", "model": "gpt-5-mini", "name": "three"}]
    assert (
        RunSpec.model_validate({"model": "gpt-5-mini", "endpoints": mixed}).find_price("gpt-5-mini") is None
    )
