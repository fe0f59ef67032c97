"""The one fake endpoint: scripted answers, behind the transport seam and behind a real loopback socket."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Said:
    """One response. `drop` closes the connection instead, `cut` after so many bytes of the body.

    `drip` are bytes sent one by one, `gap` seconds apart, before the body; `hang` never answers.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    drip: bytes = b""
    gap: float = 0.0
    hang: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Heard:
    path: str
    headers: Mapping[str, str]
    body: Any


def completion(content: str | None = "hello", *, finish: str | None = "stop", **more: Any) -> Said:
    """A sound chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": content, **more.pop("message", {})}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    body = {
        "model": "fake-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }
    return Said(200, {**body, **more})


def error(status: int, message: str = "no", *, headers: Mapping[str, str] | None = None, **more: Any) -> Said:
    """An error in OpenAI's envelope."""
    return Said(status, {"error": {"message": message, **more}}, headers or {})


Rule = Callable[[Any], Said | None]


class FakeEndpoint:
    """Says what was queued, then what a rule says, then "hello"; keeps what it heard.

    Behind the seam each answer takes `seconds` of the loop's time, and at most `slots` are in the making, the rest
    wait in line; `peak` tells how many requests were there at once.
    """

    def __init__(self, rule: Rule | None = None, *, slots: int = 1000, seconds: float = 0.0) -> None:
        self.slots = asyncio.Semaphore(slots)
        self.seconds = seconds
        self.queue: deque[Said] = deque()
        self.rule = rule
        self.heard: list[Heard] = []
        self.peak = 0
        self.connections = 0
        self._now = 0
        self._serving: set[asyncio.Task[None]] = set()

    def say(self, *answers: Said) -> "FakeEndpoint":
        self.queue.extend(answers)
        return self

    @property
    def bodies(self) -> list[Any]:
        return [heard.body for heard in self.heard]

    def _next(self, path: str, headers: Mapping[str, str], content: bytes) -> Said:
        body = json.loads(content) if content else None
        self.heard.append(Heard(path, headers, body))
        if self.queue:
            return self.queue.popleft()
        return (self.rule(body) if self.rule else None) or completion()

    def transport(self) -> httpx.AsyncBaseTransport:
        """The endpoint as a transport; no socket is involved."""
        return _Seam(self)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """The endpoint on a loopback port of its own; gives its root URL, without `/v1`."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.close()
            for task in tuple(self._serving):  # a silent one would wait for ever, and its socket stay open
                task.cancel()
            if self._serving:
                await asyncio.wait(self._serving)
            await asyncio.sleep(0)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:]) if n}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        said = self._next(head[0].split(" ")[1], headers, content)
        if said.hang:
            await asyncio.Event().wait()
        if said.drop:
            return False
        length = len(said.drip) + len(said.content)
        sent = {"content-type": "application/json", **said.headers, "content-length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"HTTP/1.1 {said.status} X\r\n{lines}\r\n".encode("latin-1"))
        for byte in said.drip:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(said.gap)
        writer.write(said.content[: said.cut])
        await writer.drain()
        return said.cut is None


class _Seam(httpx.AsyncBaseTransport):
    def __init__(self, fake: FakeEndpoint) -> None:
        self.fake = fake

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fake = self.fake
        content = await request.aread()
        fake._now += 1
        fake.peak = max(fake.peak, fake._now)
        try:
            async with fake.slots:
                said = fake._next(request.url.path, request.headers, content)
                await asyncio.sleep(fake.seconds)
        finally:
            fake._now -= 1
        if said.hang:
            raise httpx.ReadTimeout("silent")
        if said.drop:
            raise httpx.RemoteProtocolError("the server left")
        if said.cut is not None:
            raise httpx.ReadError("the body was cut")
        return httpx.Response(said.status, headers=dict(said.headers), content=said.content)
