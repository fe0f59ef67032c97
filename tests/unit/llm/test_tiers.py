"""`--tier`: sent as the provider calls it, outside the key of a call, paid for as served, with patience."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aide.config.fingerprint import compute_fingerprint
from aide.config.spec import RunSpec
from aide.engines.local import LocalModels
from aide.errors import EndpointUnusable, InputError, NodeError
from aide.llm.health import ATTEMPTS
from aide.llm.request import ChatRequest, ModelAnswer
from aide.llm.tiers import FALL_BACK_AFTER, FLEX_ATTEMPTS, FLEX_PATIENCE, choose_tiers, read_served_tier
from aide.records import Message, Usage
from aide.run.budget import Budget
from aide.run.calls import compute_call_key
from endpoints import clockwork
from endpoints.fake import FakeEndpoint, completion, error

OPENAI = "https://api.openai.com/v1"
ASKED = ChatRequest("extract", "gpt-5-mini", (Message("system", "s"), Message("user", "u")), 50)
NO_ROOM = error(429, "Resource unavailable", code="resource_unavailable")


def make_spec(*tier: str, url: str = OPENAI, **more: Any) -> RunSpec:
    return RunSpec(base_url=(url,), model="gpt-5-mini", tier=tier, **more)


def complete(spec: RunSpec, fake: FakeEndpoint, times: int = 1) -> tuple[list[ModelAnswer], float]:
    """The answers to the same question so many times, and the seconds that this took."""

    async def keep(answer: ModelAnswer) -> None:
        pass

    async def whole() -> tuple[list[ModelAnswer], float]:
        loop = asyncio.get_running_loop()
        [name] = [each.name for each in spec.list_endpoints()]
        models = LocalModels(spec, transports={name: fake.transport()}, clock=loop.time)
        try:
            return [await models.complete(ASKED, 0, keep) for _ in range(times)], loop.time()
        finally:
            await models.close()

    return clockwork.run(whole())


@pytest.mark.parametrize(
    ("url", "tier", "word"),
    [
        (OPENAI, "flex", "flex"),
        (OPENAI, "standard", "default"),
        ("https://res.openai.azure.com/openai/v1", "priority", "priority"),
        ("https://api.groq.com/openai/v1", "priority", "performance"),
        ("https://api.groq.com/openai/v1", "standard", "on_demand"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "flex", "flex"),
        ("http://gateway.local:4000/v1", "gold", "gold"),
    ],
)
def test_a_tier_is_sent_as_the_provider_calls_it(url: str, tier: str, word: str) -> None:
    fake = FakeEndpoint()
    complete(make_spec(tier, url=url), fake)
    assert [body["service_tier"] for body in fake.bodies] == [word]


def test_nothing_is_sent_where_no_tier_is_asked_for() -> None:
    fake = FakeEndpoint()
    complete(make_spec(), fake)
    assert "service_tier" not in fake.bodies[0]


def test_a_provider_without_tiers_is_told_before_the_first_call() -> None:
    with pytest.raises(InputError, match=r"api\.anthropic\.com has no tiers"):
        choose_tiers("https://api.anthropic.com/v1/", ("flex",))
    assert choose_tiers("https://api.anthropic.com/v1/", ()) == ()
    with pytest.raises(ValueError, match="at most two tiers"):
        make_spec("a", "b", "c")


def test_the_tier_is_no_part_of_the_run_nor_of_the_call() -> None:
    assert compute_fingerprint(make_spec("flex")) == compute_fingerprint(make_spec())
    fake = FakeEndpoint()
    [answer], _ = complete(make_spec("flex"), fake)
    assert answer.sent["service_tier"] == "flex"  # but the journal tells what was sent
    assert "flex" not in str(ASKED.identity)
    assert len(compute_call_key(ASKED, 0, 0)) == 32


@pytest.mark.parametrize(
    ("said", "headers", "asked", "served"),
    [
        ({"service_tier": "default"}, {}, "priority", ""),
        ({"service_tier": "priority"}, {}, "", "priority"),
        ({"service_tier": "performance"}, {}, "priority", "priority"),
        ({"service_tier": None}, {}, "flex", "flex"),
        ({}, {"x-gemini-service-tier": "standard"}, "priority", ""),
        ({}, {}, "standard", ""),
    ],
)
def test_the_tier_that_counts_is_the_one_that_served(
    said: Mapping[str, Any], headers: Mapping[str, str], asked: str, served: str
) -> None:
    assert read_served_tier(said, headers, asked) == served


def test_a_call_is_charged_in_the_tier_in_which_it_was_served() -> None:
    budget = Budget(make_spec("flex"), Usage(), 0.0, clock=lambda: 0.0)
    used = Usage(calls=1, prompt=1_000_000, completion=1_000_000, cached=500_000)
    assert budget.charge(used, "gpt-5-mini", "flex") == pytest.approx((0.125 + 0.0125 + 2.0) / 2)
    assert budget.charge(used, "gpt-5-mini", "") == pytest.approx(0.125 + 0.0125 + 2.0)
    assert budget.charge(used, "gpt-5-mini", "scale") is None  # nobody lists that one


def test_a_cap_reserves_what_the_dearest_of_the_tiers_would_cost() -> None:
    messages = list(ASKED.messages)

    def reserve(*tier: str) -> float:
        budget = Budget(make_spec(*tier, max_cost=1.0), Usage(), 0.0, clock=lambda: 0.0)
        return budget.reserve(messages, 1_000_000, "gpt-5-nano").money

    assert reserve("flex") == pytest.approx(0.2, rel=0.01)
    assert reserve("flex", "standard") == reserve() == pytest.approx(0.4, rel=0.01)


def test_flex_waits_for_capacity_longer_than_others_would() -> None:
    fake = FakeEndpoint().say(completion(), *[NO_ROOM] * 40)
    answers, seconds = complete(make_spec("flex"), fake, times=2)
    assert len(answers) == 2
    assert ATTEMPTS["rate"] < 40 < FLEX_ATTEMPTS["rate"]
    assert 300 < seconds < FLEX_PATIENCE
    assert {body["service_tier"] for body in fake.bodies} == {"flex"}


def test_a_call_without_capacity_falls_back_where_that_is_wanted() -> None:
    fake = FakeEndpoint(
        lambda body: NO_ROOM if body["service_tier"] == "flex" else completion(service_tier="default")
    )
    [first, second], _ = complete(make_spec("flex", "standard"), fake, times=2)
    words = [body["service_tier"] for body in fake.bodies]
    assert words == 2 * [*["flex"] * FALL_BACK_AFTER, "default"]
    assert (first.tier, second.sent["service_tier"]) == ("", "default")


def test_a_model_that_is_not_served_in_the_tier_ends_the_run_with_a_hint() -> None:
    fake = FakeEndpoint(lambda body: error(400, "Invalid service_tier argument: flex", param="service_tier"))
    with pytest.raises(EndpointUnusable, match="refuses the tier 'flex'") as caught:
        complete(make_spec("flex"), fake)
    assert "--tier" in caught.value.hint
    assert len(fake.heard) == 1


def test_a_refusal_of_something_else_stays_what_it_was(tmp_path: Path) -> None:
    fake = FakeEndpoint(lambda body: error(400, "max context exceeded: prompt is too long"))
    with pytest.raises(NodeError):
        complete(make_spec("flex"), fake)
