"""Endpoints on loopback sockets, in a thread beside the test: real processes can be run against them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from hashlib import blake2b
from typing import Any

import orjson

from aide.simulator import Simulator, SimulatorSettings, serve

Reply = tuple[int, dict[str, str], Any]
Twist = Callable[[int, Mapping[str, str], Any], Reply | None]


@contextmanager
def beside(server: AbstractAsyncContextManager[str]) -> Iterator[str]:
    """Serve in another thread until the block ends; gives what the server gives."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    try:
        yield done(server.__aenter__())
    finally:
        done(server.__aexit__(None, None, None))
        done(_settle())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _settle() -> None:
    """End what still answers, and let closed connections go."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class Station:
    """A simulator on a socket that knows what it answered: `twist` may answer in its place.

    `answered` holds a mark of each request, as it stood on the wire, that got a completion with a message;
    `twist` is given how many completions there were, the headers and the body.
    """

    def __init__(self, settings: SimulatorSettings | None = None, twist: Twist | None = None) -> None:
        self.simulator = Simulator(settings)
        self.twist = twist
        self.answered: list[bytes] = []
        self.requests = 0
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        if method != "POST":
            return await self.simulator.handle(method, path, headers, body)
        self.requests += 1
        content = bytes(body)
        reply = self.twist(len(self.answered), headers, orjson.loads(content)) if self.twist else None
        if reply is None:
            reply = await self.simulator.handle(method, path, headers, content)
        if reply[0] == 200 and "choices" in reply[2]:
            self.answered.append(blake2b(content).digest())
        return reply

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        self._loop = asyncio.get_running_loop()
        port: asyncio.Future[int] = self._loop.create_future()
        double: Any = self
        self._task = asyncio.create_task(serve(double, "127.0.0.1", 0, ready=port.set_result))
        try:
            yield f"http://127.0.0.1:{await port}/v1"
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])

    def die(self) -> None:
        """From another thread or a twist: drop every connection and listen no more."""
        assert self._loop is not None
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
