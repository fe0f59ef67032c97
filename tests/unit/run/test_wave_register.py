"""Waves: submitted once whatever happens meanwhile, and every line that comes back is kept."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import BudgetSpent, CallError, EndpointUnusable, InputError, NodeError
from aide.journal import Journal
from aide.llm.batches import BatchLine
from aide.llm.request import ChatRequest
from aide.records import Message, Usage
from aide.run.budget import Budget, Reservation
from aide.run.call_rows import CallName
from aide.run.service import Clock
from aide.run.wave_register import ARRIVAL, KEPT, YOUNG, GatheredCall, WaveRegister
from unit.run.batch_service import WHERE, ManualService, say

NOTHING = Reservation(0, 0.0)


class FakeClock:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Bench:
    """A register over the journal of one folder; each is a new session."""

    def __init__(self, folder: Path, service: ManualService, clock: FakeClock, **spec: Any) -> None:
        self.journal = Journal.open(folder / "journal.sqlite", pace=0.0)
        self.service = service
        self.budget = Budget(
            RunSpec(base_url=(WHERE,), model="m", batch="api", **spec),
            Usage(),
            0.0,
            clock=clock.now,
        )
        self.register = WaveRegister(
            self.journal, self.budget, service, Clock(clock.now, clock.now), sleep=clock.sleep
        )

    async def submit(self, *keys: str, cost: Reservation = NOTHING) -> None:
        await self.register.submit(self.service, "m", [make_call(key) for key in keys], cost)


def make_call(key: str) -> GatheredCall:
    request = ChatRequest("answer", "m", (Message("system", "s"), Message("user", f"ask {key}")), 50)
    return GatheredCall(CallName(key, "node", 0, 0), request)


Sessions = Callable[..., Bench]


def run(
    folder: Path, work: Callable[[ManualService, FakeClock, Sessions], Coroutine[Any, Any, None]]
) -> None:
    """Run `work`, which opens one session after another."""
    service, clock, opened = ManualService(), FakeClock(), list[Bench]()

    def open_session(**spec: Any) -> Bench:
        if opened:
            opened[-1].journal.close()
        opened.append(Bench(folder, service, clock, **spec))
        return opened[-1]

    try:
        asyncio.run(work(service, clock, open_session))
    finally:
        opened[-1].journal.close()


def test_every_line_is_journaled_once_and_what_did_not_come_is_free_to_be_asked(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        first = open_session()
        await first.submit("a", "b", "c")
        assert first.register.pending == {"a", "b", "c"}
        service.come_back("batch_1", say("c", "third"), say("a", "first"), say("a", "again"), say("strange"))
        second = open_session()
        await second.register.collect()
        assert (second.register.pending, second.register.open) == (set(), {})
        rows = {row.key: row for row in second.journal.read_calls()}
        assert sorted(rows) == ["a", "c"]
        assert b"first" in rows["a"].body
        assert (rows["a"].system, rows["a"].user, rows["a"].step) == ("s", "ask a", "answer")
        assert rows["a"].sent["batch"] == service.submitted[0].wave
        assert second.budget.spent.calls == 2
        [wave] = second.journal.waves.read()
        assert (wave.state, wave.outcome, wave.answered, wave.failed) == ("ended", "completed", 2, 0)

    run(tmp_path, work)


def test_a_call_that_was_refused_is_told_and_one_that_failed_may_be_asked_again(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session().submit("a", "b", "c")
        service.come_back(
            "batch_1",
            say("a", "maximum context length is 10 tokens", 400),
            say("b", "internal error", 500),
            BatchLine("c", 0, b'{"code":"batch_expired"}'),
            status="expired",
        )
        second = open_session()
        await second.register.collect()
        assert list(second.register.refused) == ["a"]
        assert isinstance(second.register.refused["a"], NodeError)
        assert second.register.pending == set()
        assert second.journal.waves.read()[0].failed == 3

    run(tmp_path, work)


@pytest.mark.parametrize("taken", [True, False])
def test_a_wave_of_which_nobody_knows_whether_it_arrived_is_looked_for(tmp_path: Path, taken: bool) -> None:
    """The process died between the journal's commit and the service's answer."""

    class Died(BaseException):
        pass

    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        def die(batch: str) -> None:
            if not taken:
                service.submitted.clear()
            raise Died

        service.on_submit = die
        with pytest.raises(Died):
            await open_session().submit("a", "b")
        second = open_session()
        await second.register.collect()
        assert second.register.pending == ({"a", "b"} if taken else set())
        [wave] = second.journal.waves.read()
        assert (wave.state, wave.batch) == (("submitted", "batch_1") if taken else ("ended", ""))
        assert clock.at == (1000.0 if taken else 1000.0 + ARRIVAL), "a late arrival is waited for"

    run(tmp_path, work)


def test_a_submission_that_breaks_off_is_not_repeated_where_it_arrived(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        def break_off(batch: str) -> None:
            raise CallError("the connection broke", kind="connection")

        service.on_submit = break_off
        session = open_session()
        await session.submit("a")
        assert len(service.submitted) == 1
        assert next(iter(session.register.open.values())).batch == "batch_1"

    run(tmp_path, work)


def test_a_service_that_takes_no_batches_leaves_nothing_pending(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        service.refusal = EndpointUnusable("no batches here")
        session = open_session()
        with pytest.raises(EndpointUnusable):
            await session.submit("a")
        assert session.journal.waves.read()[0].outcome == "refused"
        assert session.register.pending == set()

    run(tmp_path, work)


def test_a_batch_that_the_service_has_lost_is_given_up_once_it_is_no_longer_young(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session().submit("a")
        service.states["batch_1"] = None
        young = open_session()
        await young.register.collect()
        assert young.register.pending == {"a"}
        clock.at += YOUNG + 1
        old = open_session()
        await old.register.collect()
        assert old.register.pending == set()
        assert old.journal.waves.read()[0].outcome == "gone"

    run(tmp_path, work)


def test_answers_that_cannot_be_read_are_waited_for_as_long_as_services_keep_them(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session().submit("a", "b")
        service.come_back("batch_1", say("a"), say("b"))
        service.unreadable = True
        with pytest.raises(EndpointUnusable, match="not there"):
            await open_session().register.collect()
        clock.at += KEPT
        late = open_session()
        await late.register.collect()
        assert (late.register.pending, late.journal.waves.read()[0].outcome) == (set(), "gone")

    run(tmp_path, work)


def test_a_batch_too_large_for_the_queue_is_halved_and_any_other_refusal_is_kept(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session().submit("a", "b", "c", "d")
        service.come_back("batch_1", status="failed", error="Enqueued token limit reached for m")
        second = open_session()
        await second.register.collect()
        assert (second.register.largest, second.register.failure) == (2, "")
        await second.submit("a", "b")
        service.come_back("batch_2", status="failed", error="billing is off")
        third = open_session()
        await third.register.collect()
        assert (third.register.largest, third.register.failure) == (2, "billing is off")

    run(tmp_path, work)


def test_what_is_pending_counts_against_the_caps_until_it_is_back(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session(max_calls=3).submit("a", "b", cost=Reservation(200, 0.1))
        second = open_session(max_calls=3)
        await second.register.collect()
        second.budget.reserve([Message("user", "x")], 10, "m")
        with pytest.raises(BudgetSpent, match="max-calls"):
            second.budget.reserve([Message("user", "x")], 10, "m")
        service.come_back("batch_1", say("a"))
        third = open_session(max_calls=3)
        await third.register.collect()
        for _ in range(2):
            third.budget.reserve([Message("user", "x")], 10, "m")

    run(tmp_path, work)


def test_a_batch_of_another_endpoint_is_not_given_up(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        await open_session().submit("a")
        service.where = "http://elsewhere/v1"
        with pytest.raises(InputError, match="wait in a batch at http://x/v1"):
            await open_session().register.collect()

    run(tmp_path, work)


def test_what_is_cancelled_keeps_what_was_answered(tmp_path: Path) -> None:
    async def work(service: ManualService, clock: FakeClock, open_session: Sessions) -> None:
        session = open_session()
        await session.submit("a", "b")
        service.come_back("batch_1", say("b"), status="cancelled")
        await session.register.cancel()
        assert service.cancelled == ["batch_1"]
        assert session.register.open == {}
        assert [row.key for row in session.journal.read_calls()] == ["b"]

    run(tmp_path, work)
