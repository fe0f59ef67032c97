"""Which calls go out together, which by themselves, and when a run has nothing left to do but to wait."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import AideError, BatchesPending, BudgetSpent, Interrupted, NodeError
from aide.journal import Journal
from aide.llm.request import ChatRequest, EmbeddingRequest, ModelRequest
from aide.records import Message, Usage
from aide.run.budget import Budget
from aide.run.call_rows import CallName
from aide.run.service import SYSTEM_CLOCK
from aide.run.wave_register import WaveRegister
from aide.run.waves import WaveGatherer
from aide.stop import StopSwitch
from unit.run.batch_service import WHERE, ManualService, say

LEAST = 3


class Bench:
    """A gatherer of one session, and calls that note when they were let through."""

    def __init__(
        self, folder: Path, service: ManualService, *, online: bool, batches: bool, **spec: Any
    ) -> None:
        self.spec = RunSpec(base_url=(WHERE,), model="m", batch="api", **spec)
        self.journal = Journal.open(folder / "journal.sqlite", pace=0.0)
        self.stop = StopSwitch()
        self.budget = Budget(self.spec, Usage(), 0.0, clock=lambda: 0.0)
        self.register = WaveRegister(self.journal, self.budget, service, SYSTEM_CLOCK)
        self.gatherer = WaveGatherer(
            self.register,
            self.budget,
            self.stop,
            service=service if batches else None,
            least=LEAST,
            online=online,
            count_running=lambda: self.running,
            idle=0.0,
        )
        self.running = 0
        """Solutions that are run."""
        self.alone: list[str] = []
        """The calls that went out by themselves."""

    async def call(self, key: str, step: str = "answer", model: str = "m", then: str = "") -> None:
        """One call, and once it is answered the next of the same record."""
        request: ModelRequest = ChatRequest(step, model, (Message("user", key),), 50)
        if step == "embed":
            request = EmbeddingRequest(model, (key,))
        await self.gatherer.enter(request, CallName(key, "node", 0, 0))
        self.alone.append(key)
        self.gatherer.leave()
        if then:
            await self.call(then)

    async def run(self, *calls: Coroutine[Any, Any, None]) -> AideError | None:
        """All of them at once, to the end of the session; why it was stopped."""

        async def attempt(call: Coroutine[Any, Any, None]) -> None:
            with suppress(AideError):  # the stop, which each of them hears of
                await call

        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(attempt(call))
        return self.stop.reason


Sessions = Callable[..., Bench]


def run(folder: Path, work: Callable[[ManualService, Sessions], Coroutine[Any, Any, None]]) -> None:
    service, opened = ManualService(), list[Bench]()

    def open_session(*, online: bool = True, batches: bool = True, **spec: Any) -> Bench:
        if opened:
            opened[-1].journal.close()
        opened.append(Bench(folder, service, online=online, batches=batches, **spec))
        return opened[-1]

    try:
        asyncio.run(work(service, open_session))
    finally:
        opened[-1].journal.close()


def test_what_waits_together_goes_out_together_and_the_session_ends(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session()
        stopped = await bench.run(*(bench.call(f"k{n}") for n in range(4)))
        assert isinstance(stopped, BatchesPending)
        assert str(stopped) == "4 calls pending in a batch"
        assert [each.keys for each in service.submitted] == [["k0", "k1", "k2", "k3"]]
        assert bench.alone == []

    run(tmp_path, work)


def test_too_few_go_by_themselves_and_what_follows_them_may_be_a_wave(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session()
        assert await bench.run(bench.call("a"), bench.call("b")) is None
        assert bench.alone == ["a", "b"]
        assert service.submitted == []
        await bench.run(bench.call("c"), bench.call("d"), bench.call("e"), bench.call("f", then="g"))
        assert [each.keys for each in service.submitted] == [["c", "d", "e", "f"]]

    run(tmp_path, work)


def test_a_wave_waits_for_code_that_is_run(tmp_path: Path) -> None:
    """What it is told of may lead to another call, and that should be in it."""

    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session()
        looks = 0

        async def call_after_code() -> None:
            nonlocal looks
            bench.running = 1
            while looks < 50:  # as often as the gatherer may look meanwhile
                looks += 1
                await asyncio.sleep(0)
            assert service.submitted == []
            bench.running = 0
            await bench.call("last")

        await bench.run(call_after_code(), *(bench.call(f"k{n}") for n in range(3)))
        assert [each.keys for each in service.submitted] == [["k0", "k1", "k2", "last"]]

    run(tmp_path, work)


def test_too_few_wait_while_others_are_pending(tmp_path: Path) -> None:
    """What comes back brings more calls, and those go with them."""

    async def work(service: ManualService, open_session: Sessions) -> None:
        service.unproven = {"draft"}
        bench = open_session()
        first = bench.call("new", step="draft")
        await bench.run(first, *(bench.call(f"k{n}") for n in range(3)), bench.call("other", model="m2"))
        assert [(each.model, each.keys) for each in service.submitted] == [("m", ["k0", "k1", "k2"])]
        assert bench.alone == ["new"], "the first of a kind finds out how the endpoint takes it"

    run(tmp_path, work)


def test_embeddings_are_never_gathered(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session()
        await bench.run(*(bench.call(f"k{n}", step="embed") for n in range(5)))
        assert len(bench.alone) == 5

    run(tmp_path, work)


def test_pending_calls_are_waited_for_by_a_session_without_batches_too(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        first = open_session()
        await first.run(*(first.call(f"k{n}") for n in range(3)))
        second = open_session(batches=False)
        await second.register.collect()
        stopped = await second.run(second.call("k1"), second.call("new", then="newer"))
        assert isinstance(stopped, BatchesPending)
        assert second.alone == ["new", "newer"]
        assert len(service.submitted) == 1

    run(tmp_path, work)


@pytest.mark.parametrize("online", [True, False])
def test_a_call_that_a_batch_refused_goes_by_itself_or_not_at_all(tmp_path: Path, online: bool) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        first = open_session()
        await first.run(*(first.call(f"k{n}") for n in range(3)))
        service.come_back(
            "batch_1", say("k0", "maximum context length is 10 tokens", 400), say("k1"), say("k2")
        )
        second = open_session(online=online)
        await second.register.collect()
        if online:
            await second.call("k0")
            assert second.alone == ["k0"]
        else:  # only files: there is nobody else to ask
            with pytest.raises(NodeError):
                await second.call("k0")

    run(tmp_path, work)


def test_without_an_endpoint_a_wave_may_be_small(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session(online=False)
        assert isinstance(await bench.run(bench.call("a")), BatchesPending)
        assert [each.keys for each in service.submitted] == [["a"]]

    run(tmp_path, work)


def test_a_wave_holds_what_the_budget_allows_and_the_service_takes(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session(max_calls=5)
        bench.journal.set_meta("wave_most", 4)
        await bench.run(*(bench.call(f"k{n}") for n in range(8)))
        assert [len(each.keys) for each in service.submitted] == [4, 1]
        again = open_session(max_calls=5)
        await again.register.collect()
        stopped = await again.run(*(again.call(f"x{n}") for n in range(3)))
        assert isinstance(stopped, BatchesPending), "there may be more once these are back"
        service.come_back("batch_1", *(say(f"k{n}") for n in range(4)))
        service.come_back("batch_2", say("k4"))
        last = open_session(max_calls=5)
        await last.register.collect()
        assert isinstance(await last.run(*(last.call(f"x{n}") for n in range(3))), BudgetSpent)

    run(tmp_path, work)


def test_a_stop_ends_whoever_waits(tmp_path: Path) -> None:
    async def work(service: ManualService, open_session: Sessions) -> None:
        bench = open_session()
        waiting = asyncio.ensure_future(bench.call("a"))
        await asyncio.sleep(0)
        bench.stop.request(Interrupted("enough"))
        with pytest.raises(Interrupted), suppress(asyncio.CancelledError):
            await waiting
        assert service.submitted == []

    run(tmp_path, work)
