"""Whatever ends a run, its callers end together: after the stop nothing is sent, and nobody waits for long."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from aide.config.spec import RunSpec
from aide.engines.local import LocalModels
from aide.errors import AideError, EndpointUnusable, Interrupted, NodeError
from aide.llm.request import ChatRequest, ModelAnswer
from aide.records import Message
from endpoints import clockwork
from endpoints.fake import FakeEndpoint, Said, completion, error

PATIENCE = 40.0
SECONDS = 2.0
"""What one call takes."""
CONCURRENCY = (1, 8, 64, None)
QUOTA = error(429, "You exceeded your current quota", code="insufficient_quota")
REFUSED = error(401, "the key was revoked")
UNLOADED = Said(400, {"error": "Model unloaded."})


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint(FakeEndpoint):
    """Says `fault` after so many good answers, and knows when it heard what."""

    def __init__(self, fault: Said, after: int) -> None:
        super().__init__(self._say, seconds=SECONDS)
        self.fault = fault
        self.after = after
        self.times: list[float] = []
        self.broke_at: float | None = None

    def _say(self, body: Any) -> Said:
        self.times.append(now())
        if len(self.times) <= self.after:
            return completion(str(len(self.times)))
        if self.broke_at is None:
            self.broke_at = now() + SECONDS
        return self.fault


@dataclass
class Run:
    """How a run of many callers went."""

    fake: Endpoint
    models: LocalModels
    kept: int
    ends: list[Exception]
    over: float

    @property
    def reason(self) -> AideError:
        assert self.models.stop.reason is not None
        return self.models.stop.reason


def run(
    fake: Endpoint, concurrency: int | None, *, plan: Callable[[LocalModels], Any] | None = None, **spec: Any
) -> Run:
    """Callers ask without end, twice as many as calls may be out; each ends with what it is told."""
    spec = {"endpoint_patience": PATIENCE, "timeout": 60.0, "concurrency": concurrency, **spec}

    async def work() -> Run:
        [endpoint] = RunSpec(base_url=("http://e/v1",), model="m", **spec).list_endpoints()
        models = LocalModels(
            RunSpec(base_url=("http://e/v1",), model="m", **spec),
            transports={endpoint.name: fake.transport()},
            clock=now,
        )
        kept = 0
        ends: list[Exception] = []

        async def keep(answer: ModelAnswer) -> None:
            nonlocal kept
            kept += 1

        async def ask(caller: int) -> None:
            number = 0
            while True:
                number += 1
                text = f"question {number} of {caller}"
                try:
                    await models.complete(ChatRequest("s", "m", (Message("user", text),), 50), 0, keep)
                except NodeError as fault:
                    ends.append(fault)
                except AideError as fault:
                    models.stop.request(fault)  # as the calls of a session do
                    ends.append(fault)
                    return

        async with asyncio.TaskGroup() as group:
            callers = count()

            def begin_another() -> None:
                group.create_task(ask(next(callers)))

            # One more for each that is held back: a run hands out other work meanwhile.
            models.on_hold(begin_another)
            for _ in range(2 * (concurrency or 64)):
                group.create_task(ask(next(callers)))
            if plan is not None:
                group.create_task(plan(models))
        over = now()
        await models.close()
        return Run(fake, models, kept, ends, over)

    return clockwork.run(work())


@pytest.mark.parametrize("concurrency", CONCURRENCY)
@pytest.mark.parametrize("after", [0, 200])
def test_a_spent_quota_ends_all_within_the_calls_on_the_wire(after: int, concurrency: int | None) -> None:
    found = run(Endpoint(QUOTA, after), concurrency)
    assert isinstance(found.reason, EndpointUnusable)
    assert "quota" in str(found.reason)
    assert found.fake.broke_at is not None
    assert max(found.fake.times) <= found.fake.broke_at, "nothing is sent after the stop"
    assert found.over <= found.fake.broke_at + SECONDS
    assert found.kept == after
    assert all(end is found.reason or isinstance(end, EndpointUnusable) for end in found.ends)


@pytest.mark.parametrize("concurrency", CONCURRENCY)
def test_a_key_that_is_refused_first_ends_all_at_once(concurrency: int | None) -> None:
    found = run(Endpoint(REFUSED, 0), concurrency)
    assert "key" in str(found.reason)
    assert found.over <= SECONDS
    assert len(found.fake.times) == 1, "the first call goes alone"


FAULTS = {
    "dead": Said(drop=True),
    "overloaded": error(503, "busy"),
    "turned away": error(429, "slow down", headers={"retry-after": "3"}),
    "absurd wait": error(429, "slow down", headers={"retry-after": "86400"}),
    "key revoked": REFUSED,
    "unloaded": UNLOADED,
    "out of memory": error(500, "out of memory"),
}


@pytest.mark.parametrize("concurrency", CONCURRENCY)
@pytest.mark.parametrize("kind", list(FAULTS))
def test_an_endpoint_that_only_fails_has_its_patience_and_no_more(kind: str, concurrency: int | None) -> None:
    found = run(Endpoint(FAULTS[kind], 200), concurrency)
    assert isinstance(found.reason, EndpointUnusable)
    assert found.kept == 200
    assert found.fake.broke_at is not None
    # The last good answers may come while the first attempts fail: from them on patience counts.
    assert PATIENCE - SECONDS <= found.over - found.fake.broke_at <= PATIENCE + 2 * SECONDS
    assert not [end for end in found.ends if isinstance(end, NodeError)], "nobody's record failed for it"


@pytest.mark.parametrize("concurrency", CONCURRENCY)
@pytest.mark.parametrize("kind", list(FAULTS))
def test_a_signal_is_heard_by_all_who_wait(kind: str, concurrency: int | None) -> None:
    asked: list[float] = []

    async def interrupt(models: LocalModels) -> None:
        await asyncio.sleep(220.0 if concurrency == 1 else 30.0)
        while not models.pool.health.troubled and not models.pool.held and models.stop.reason is None:  # noqa: ASYNC110 - in time that jumps
            await asyncio.sleep(0.5)
        asked.append(now())
        models.stop.request(Interrupted("interrupted"), seconds=30.0)

    found = run(Endpoint(FAULTS[kind], 20), concurrency, plan=interrupt, endpoint_patience=10_000.0)
    assert isinstance(found.reason, Interrupted)
    assert found.over <= asked[0] + SECONDS
    assert max(found.fake.times) <= asked[0]
    assert all(end is found.reason for end in found.ends)


class Silent(httpx.AsyncBaseTransport):
    """Takes requests and never answers."""

    def __init__(self) -> None:
        self.times: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.times.append(now())
        await asyncio.Event().wait()
        raise AssertionError("never")


@pytest.mark.parametrize("second", [None, 3.0])
def test_what_is_on_the_wire_has_the_drain_time_unless_a_second_signal_comes(second: float | None) -> None:
    async def work() -> None:
        silent = Silent()
        spec = RunSpec(base_url=("http://e/v1",), model="m", concurrency=8, timeout=600.0)
        [endpoint] = spec.list_endpoints()
        models = LocalModels(spec, transports={endpoint.name: silent}, clock=now)

        async def keep(answer: ModelAnswer) -> None:
            raise AssertionError("nothing is ever answered")

        async def ask(number: int) -> None:
            request = ChatRequest("s", "m", (Message("user", str(number)),), 50)
            with pytest.raises(Interrupted):
                await models.complete(request, 0, keep)

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(ask(number))
            await asyncio.sleep(10)
            models.stop.request(Interrupted("interrupted"), seconds=30.0)
            if second is not None:
                await asyncio.sleep(second)
                models.stop.request(Interrupted("interrupted twice"), seconds=0.0)
        assert now() == 10 + (30 if second is None else second)
        assert set(silent.times) == {0.0}
        await models.close()

    clockwork.run(work())


def test_a_slow_server_that_still_works_on_a_call_is_let_finish() -> None:
    """One call hangs on while all others are refused: patience is over, but the answer may come."""

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            text = (await request.aread()).decode()
            await asyncio.sleep(PATIENCE + 15 if "slow" in text else 1)
            if "slow" in text or now() < 2:
                return httpx.Response(200, content=completion("at last").content)
            return httpx.Response(503, content=b"busy")

    async def work() -> None:
        spec = RunSpec(
            base_url=("http://e/v1",), model="m", concurrency=4, timeout=100.0, endpoint_patience=PATIENCE
        )
        [endpoint] = spec.list_endpoints()
        models = LocalModels(spec, transports={endpoint.name: Slow()}, clock=now)
        kept: list[str] = []

        async def keep(answer: ModelAnswer) -> None:
            kept.append(str(answer.data["choices"][0]["message"]["content"]))

        async def ask(text: str) -> None:
            await models.complete(ChatRequest("s", "m", (Message("user", text),), 50), 0, keep)

        await ask("first")
        slow = asyncio.create_task(ask("slow"))
        others = [asyncio.create_task(ask(f"other {n}")) for n in range(3)]
        await slow
        assert kept == ["at last", "at last"]
        assert models.stop.reason is None, "an answer begins patience anew"
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        await models.close()

    clockwork.run(work())
