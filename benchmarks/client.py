"""Client CPU per call, side by side: plain httpx, its faster transport, and this project's client and pool.

    python benchmarks/client.py [--calls 2000] [--in-flight 64] [--rounds 3]

A canned server runs in a process of its own; every client sends 1.5 KB prompts and decodes 1 KB answers. The
clients take turns in every round; the medians are printed. On a busy machine trust the ratios.
"""

import argparse
import asyncio
import gc
import random
import resource
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import orjson
import tenacity

from aide.errors import CallError
from aide.llm.client import CallableTransport, Client
from aide.llm.pool import EndpointPool
from aide.llm.request import ChatRequest, Endpoint
from aide.llm.retry import with_retries
from aide.records import Message

PAD = "The bridge over the river was built by masons from two towns. " * 24
USAGE = {"prompt_tokens": 380, "completion_tokens": 250, "total_tokens": 630}
ANSWER = {
    "id": "x",
    "model": "canned",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "word " * 200}, "finish_reason": "stop"}
    ],
    "usage": USAGE,
}
Call = Callable[[int], Awaitable[Any]]


async def serve() -> None:
    """Answer every request with the same bytes; prints the port."""
    body = orjson.dumps(ANSWER)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    whole = head.encode() + body

    class Canned(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport, self.came = transport, b""

        def data_received(self, data: bytes) -> None:
            self.came += data
            while (end := self.came.find(b"\r\n\r\n")) >= 0:
                head = self.came[:end].lower()
                at = head.find(b"content-length: ")
                length = int(head[at + 16 :].split(b"\r")[0]) if at >= 0 else 0
                if len(self.came) < end + 4 + length:
                    return
                self.came = self.came[end + 4 + length :]
                self.transport.write(whole)

    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def cpu() -> float:
    """Seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def drive(call: Call, calls: int, in_flight: int) -> float:
    """Milliseconds of CPU per call."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await call(number)

    await call(0)
    before = cpu()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(worker())
    return (cpu() - before) / calls * 1000


def body_of(number: int) -> dict[str, Any]:
    messages = [{"role": "system", "content": "You write."}, {"role": "user", "content": f"{PAD}{number}"}]
    return {"model": "m", "temperature": 0.7, "max_tokens": 1024, "messages": messages}


def request_of(number: int) -> ChatRequest:
    messages = (Message("system", "You write."), Message("user", f"{PAD}{number}"))
    return ChatRequest("s", "m", messages, 1024, temperature=0.7)


async def plain_httpx(url: str, calls: int, in_flight: int) -> float:
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(limits=limits) as client:

        async def call(number: int) -> Any:
            return (await client.post(f"{url}/chat/completions", json=body_of(number))).json()

        return await drive(call, max(200, calls // 5), in_flight)


async def httpx_over_aiohttp(url: str, calls: int, in_flight: int) -> float:
    from httpx_aiohttp import AiohttpTransport

    transport = AiohttpTransport(limits=httpx.Limits(max_connections=in_flight))
    async with httpx.AsyncClient(transport=transport) as client:

        async def call(number: int) -> Any:
            return (await client.post(f"{url}/chat/completions", json=body_of(number))).json()

        return await drive(call, calls, in_flight)


async def our_client(url: str, calls: int, in_flight: int) -> float:
    client = Client(Endpoint("e", url), pool=in_flight, environ={})
    try:
        return await drive(lambda number: client.chat(body_of(number)), calls, in_flight)
    finally:
        await client.close()


async def through(pool: EndpointPool, call: Call, calls: int, in_flight: int) -> float:
    try:
        return await drive(call, calls, in_flight)
    finally:
        await pool.close()


async def our_pool(url: str, calls: int, in_flight: int) -> float:
    pool = EndpointPool([Endpoint("e", url)], ceiling=in_flight, timeout=60, patience=60)
    rng = random.Random(1)

    def call(number: int) -> Awaitable[Any]:
        return with_retries(lambda: pool.complete(request_of(number)), health=pool.health, rng=rng)

    return await through(pool, call, calls, in_flight)


async def all_in_tenacity(url: str, calls: int, in_flight: int) -> float:
    """Our pool again, with the calls that are answered at once in tenacity's hands too."""
    pool = EndpointPool([Endpoint("e", url)], ceiling=in_flight, timeout=60, patience=60)

    async def call(number: int) -> Any:
        retrying = tenacity.AsyncRetrying(retry=tenacity.retry_if_exception_type(CallError))
        return await retrying(pool.complete, request_of(number))

    return await through(pool, call, calls, in_flight)


async def our_pool_in_process(url: str, calls: int, in_flight: int) -> float:
    async def answer(
        path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], Mapping[str, Any] | bytes]:
        return 200, {}, ANSWER

    endpoint = Endpoint("e", "sim:")
    pool = EndpointPool(
        [endpoint], ceiling=in_flight, timeout=60, patience=60, transport=CallableTransport(answer)
    )
    return await through(pool, lambda number: pool.complete(request_of(number)), calls, in_flight)


def main() -> None:
    """Run all clients in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    import uvloop

    gc.set_threshold(20_000, 20, 20)  # as in a run
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    clients = (
        plain_httpx,
        httpx_over_aiohttp,
        our_client,
        our_pool,
        all_in_tenacity,
        our_pool_in_process,
    )
    figures: dict[str, list[float]] = {client.__name__: [] for client in clients}
    try:
        for _ in range(given.rounds):
            for client in clients:
                figures[client.__name__].append(uvloop.run(client(url, given.calls, given.in_flight)))
    finally:
        server.terminate()
        server.wait()
    base = statistics.median(figures["plain_httpx"])
    for name, found in figures.items():
        middle = statistics.median(found)
        print(f"{name:22} {middle:7.3f} ms CPU a call   1 / {base / middle:5.1f} of plain httpx")


if __name__ == "__main__":
    main()
