"""Whose fault a refusal is: the request's own, or that of an endpoint which refuses everything."""

import asyncio
import random
from typing import Any

import pytest

from aide.errors import EndpointUnusable, NodeError
from aide.llm.pool import EndpointPool
from aide.llm.refusals import LIKE
from aide.llm.request import ChatRequest, Endpoint, ModelAnswer
from aide.llm.retry import with_retries
from aide.records import Message
from endpoints import clockwork
from endpoints.fake import FakeEndpoint, Said, error

UNLOADED = Said(400, {"error": "Model unloaded."})
FILTERED = error(400, "The response was filtered", code="content_filter")


def now() -> float:
    return asyncio.get_running_loop().time()


def pool_of(*fakes: FakeEndpoint, patience: float = 60.0) -> EndpointPool:
    names = [f"e{i}" for i in range(len(fakes))]
    return EndpointPool(
        [Endpoint(name, f"http://{name}/v1") for name in names],
        ceiling=8,
        timeout=30.0,
        patience=patience,
        transport={name: fake.transport() for name, fake in zip(names, fakes, strict=True)},
        clock=now,
    )


async def ask(pool: EndpointPool, text: str) -> ModelAnswer:
    request = ChatRequest("s", "m", (Message("user", text),), 50)

    async def sleep(seconds: float) -> None:
        with pool.stop.waiting():
            await asyncio.sleep(seconds)

    return await with_retries(
        lambda: pool.complete(request),
        health=pool.health,
        rng=random.Random(1),
        sleep=sleep,
        hold=lambda refusal: pool.hold(refusal, request),
    )


def text_of(body: Any) -> str:
    return str(body["messages"][-1]["content"])


@pytest.mark.parametrize("said", [UNLOADED, FILTERED])
def test_a_refusal_is_held_back_until_a_later_request_is_answered(said: Said) -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: said if "odd" in text_of(body) else None, seconds=1.0)
        pool = pool_of(fake)
        await ask(pool, "first")
        beside = asyncio.create_task(ask(pool, "sent before it was refused"))
        odd = asyncio.create_task(ask(pool, "odd"))
        await beside
        await asyncio.sleep(0.5)
        assert not odd.done(), "what was under way when it came tells nothing"
        assert pool.held == 1
        await ask(pool, "later")
        with pytest.raises(NodeError):
            await odd
        assert now() < 4
        assert pool.held == 0
        await pool.close()

    clockwork.run(work())


def test_where_nobody_else_could_tell_a_refusal_is_soon_the_requests_own() -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: FILTERED if "odd" in text_of(body) else None)
        pool = pool_of(fake)
        await ask(pool, "first")
        with pytest.raises(NodeError):
            await ask(pool, "odd")
        assert now() <= 5
        await pool.close()

    clockwork.run(work())


def test_a_model_that_is_loaded_again_answers_all_that_it_refused() -> None:
    async def work() -> None:
        down = False
        fake = FakeEndpoint(lambda body: UNLOADED if down else None, seconds=0.1)
        pool = pool_of(fake)
        await ask(pool, "first")
        down = True
        tasks = [asyncio.create_task(ask(pool, f"question {n}")) for n in range(2 * LIKE)]
        await asyncio.sleep(20)
        assert not any(task.done() for task in tasks)
        trouble = pool.health.trouble
        assert trouble is not None
        assert "every request is refused" in trouble.reason
        down = False
        for task in tasks:
            await task
        assert now() < 60
        assert pool.health.trouble is None
        await pool.close()

    clockwork.run(work())


def test_while_an_endpoint_is_to_blame_it_is_asked_a_few_times_and_no_more() -> None:
    async def work() -> None:
        down = False
        fake = FakeEndpoint(lambda body: UNLOADED if down else None, seconds=0.1)
        pool = pool_of(fake)
        await ask(pool, "first")
        down = True
        tasks = [asyncio.create_task(ask(pool, f"question {n}")) for n in range(40)]
        for task in tasks:
            with pytest.raises(EndpointUnusable, match="Model unloaded"):
                await task
        assert 59 <= now() <= 63
        assert len(fake.heard) < 1 + LIKE + 8 + 16, "one call at a time tries it, less and less often"
        await pool.close()

    clockwork.run(work())


def test_unlike_refusals_are_the_requests_own() -> None:
    async def work() -> None:
        words = ("temperature", "the second message", "an image", "this language", "the schema", "a name")

        def rule(body: Any) -> Said | None:
            number = int(text_of(body).split()[-1])
            return error(400, f"{words[number % 6]} can't be taken") if number else None

        pool = pool_of(FakeEndpoint(rule))
        await ask(pool, "question 0")
        found = [asyncio.create_task(ask(pool, f"question {n}")) for n in range(1, 25)]
        for task in found:
            with pytest.raises(NodeError):
                await task
        assert pool.stop.reason is None
        await pool.close()

    clockwork.run(work())


STRAY = {
    "key": error(401, "bad key"),
    "forbidden": error(403, "not you"),
    "path": error(404, "nothing here"),
    "redirect": Said(302, b"", {"location": "http://login.example/"}),
    "wait": error(429, "slow down", headers={"retry-after": "864000"}),
    "upgrade": Said(205, b""),
    "timeout": Said(408, b""),
}


@pytest.mark.parametrize("kind", list(STRAY))
def test_one_stray_fault_after_many_answers_is_tried_again(kind: str) -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        pool = pool_of(fake)
        for n in range(20):
            await ask(pool, str(n))
        fake.say(STRAY[kind])
        await ask(pool, "the unlucky one")
        assert now() <= 2
        assert pool.stop.reason is None
        await pool.close()

    clockwork.run(work())


def test_an_endpoint_that_refuses_everything_leaves_its_calls_to_another() -> None:
    async def work() -> None:
        down = False
        one, two = (
            FakeEndpoint(lambda body: UNLOADED if down else None, seconds=0.1),
            FakeEndpoint(seconds=0.1),
        )
        pool = pool_of(one, two)
        for task in [asyncio.create_task(ask(pool, f"warm {n}")) for n in range(8)]:
            await task
        down = True
        tasks = [asyncio.create_task(ask(pool, f"question {n}")) for n in range(60)]
        lost = 0
        for task in tasks:
            try:
                await task
            except NodeError:
                lost += 1
        assert lost == 0
        assert len(one.heard) < 8 + 3 * LIKE
        await pool.close()

    clockwork.run(work())
