import asyncio

import pytest

from aide.errors import AideError, Interrupted
from aide.stop import StopSwitch
from endpoints import clockwork

REASON = Interrupted("enough")


def now() -> float:
    return asyncio.get_running_loop().time()


def test_who_waits_hears_the_reason_at_once_and_nobody_may_wait_after_it() -> None:
    async def work() -> None:
        stop = StopSwitch()

        async def wait() -> None:
            with stop.waiting():
                await asyncio.sleep(1000)

        waiting = [asyncio.create_task(wait()) for _ in range(3)]
        await asyncio.sleep(5)
        stop.request(REASON)
        for task in waiting:
            with pytest.raises(Interrupted, match="enough"):
                await task
        with pytest.raises(Interrupted), stop.waiting():
            raise AssertionError("nobody gets in")
        assert now() == 5

    clockwork.run(work())


@pytest.mark.parametrize(("first", "second", "end"), [(None, None, 20), (7, None, 7), (7, 0, 3), (7, 50, 7)])
def test_what_is_on_the_wire_has_the_time_that_the_shortest_request_leaves(
    first: float | None, second: float | None, end: float
) -> None:
    async def work() -> None:
        stop = StopSwitch(20)

        async def call(seconds: float) -> str:
            with stop.on_the_wire():
                await asyncio.sleep(seconds)
            return "answer"

        long, short = asyncio.create_task(call(1000)), asyncio.create_task(call(2))
        await asyncio.sleep(0)
        stop.request(REASON, seconds=first)
        await asyncio.sleep(3)
        if second is not None:
            stop.request(AideError("a consequence"), seconds=second)
        with pytest.raises(Interrupted, match="enough"):
            await long
        assert now() == end
        assert await short == "answer"
        assert stop.reason is REASON

    clockwork.run(work())


def test_a_cancellation_from_outside_stays_one() -> None:
    async def work() -> None:
        stop = StopSwitch()

        async def wait() -> None:
            with stop.waiting():
                await asyncio.sleep(1000)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        inner = StopSwitch()

        async def limited() -> None:
            async with asyncio.timeout(5):
                with inner.waiting():
                    await asyncio.sleep(1000)

        with pytest.raises(TimeoutError):
            await limited()

    clockwork.run(work())


def test_an_answer_that_comes_with_the_stop_is_kept() -> None:
    async def work() -> None:
        stop = StopSwitch()
        came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def call() -> str:
            with stop.on_the_wire():
                return await came

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        came.set_result("answer")
        stop.request(REASON, seconds=10)
        assert await task == "answer"

    clockwork.run(work())


def test_one_that_waits_for_its_connection_is_not_sent() -> None:
    async def work() -> None:
        stop = StopSwitch(100)

        async def call() -> None:
            with stop.on_the_wire(), stop.waiting():
                await asyncio.sleep(1000)

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        assert stop.sent == 0
        stop.request(REASON)
        with pytest.raises(Interrupted):
            await task
        assert now() == 0

    clockwork.run(work())


def test_listeners_hear_of_the_first_request_alone_and_late_ones_at_once() -> None:
    stop = StopSwitch()
    heard: list[str] = []
    stop.on_request(lambda: heard.append("early"))
    stop.request(REASON)
    stop.request(AideError("later"))
    stop.on_request(lambda: heard.append("late"))
    assert heard == ["early", "late"]
    with pytest.raises(Interrupted):
        stop.raise_if_requested()
