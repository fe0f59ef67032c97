"""A server that says anything at all: no call hangs, no answer is lost, and memory stays small.

`make test-fuzz` asks it 10,000 times; the seed makes a failure come again.
"""

import asyncio
import gzip
import json
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from aide.config.spec import RunSpec
from aide.engines.local import LocalModels
from aide.errors import NodeError
from aide.journal import Journal
from aide.parsing import TextPayload
from aide.prompts import Prompts
from aide.records import Usage
from aide.run.budget import Budget
from aide.run.calls import ModelCalls, NodeAsk
from endpoints.fake import completion

RESPONSES: Final = int(os.environ.get("AIDE_FUZZ", "200"))
SEED: Final = int(os.environ.get("AIDE_FUZZ_SEED", "1"))
MEMORY = 200  # MiB beside the 70 or so of an interpreter with aide in it
CALLERS: Final = 64
GOOD: Final = 0.4
VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": {}},
    "\ud800",
    "9" * 400,
    [None],
    "content_filter",
)
BOMB: Final = gzip.compress(bytes(30 << 20))


def replace_somewhere(value: Any, rng: random.Random) -> Any:
    """The same JSON with one value in it replaced by another."""
    if rng.random() < 0.2 or not isinstance(value, dict | list) or not value:
        return rng.choice(VALUES)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return [replace_somewhere(each, rng) if n == at else each for n, each in enumerate(value)]
    name = rng.choice(list(value))
    return {key: replace_somewhere(each, rng) if key == name else each for key, each in value.items()}


class FuzzingServer:
    """Good answers, each with a number of its own, and mutations of them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.said: Counter[str] = Counter()
        self.good: list[str] = []
        """What the good answers said that were sent whole."""
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()
            for task in tuple(self._serving):
                task.cancel()
            if self._serving:
                await asyncio.wait(self._serving, timeout=10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
                await reader.readexactly(length)
                if not await self._answer(writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> bool:
        """Say something; true when the connection may be used again."""
        text = f"answer {sum(self.said.values())}"
        body = completion(text).content
        # With no good answer at first, an oddity would be told as a wrong address.
        if len(self.good) < CALLERS or self.rng.random() < GOOD:
            self.said["good"] += 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            self.good.append(text)
            return True
        kind = self.rng.choice([name for name in dir(self) if name.startswith("say_")])
        self.said[kind] += 1
        async for piece in getattr(self, kind)(body):
            writer.write(piece)
            await writer.drain()
        return False

    def frame(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> bytes:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        size = len(body) if length is None else length
        return (
            f"HTTP/1.1 {status} X\r\n{lines}connection: close\r\ncontent-length: {size}\r\n\r\n".encode(
                "latin-1"
            )
            + body
        )

    async def say_nothing(self, body: bytes) -> AsyncIterator[bytes]:
        yield b""

    async def say_a_cut_answer(self, body: bytes) -> AsyncIterator[bytes]:
        whole = self.frame(body)
        yield whole[: self.rng.randrange(len(whole))]

    async def say_flipped_bytes(self, body: bytes) -> AsyncIterator[bytes]:
        whole = bytearray(self.frame(body))
        for _ in range(self.rng.randint(1, 8)):
            whole[self.rng.randrange(len(whole))] = self.rng.randrange(256)
        yield bytes(whole)

    async def say_a_flipped_body(self, body: bytes) -> AsyncIterator[bytes]:
        flipped = bytearray(body)
        for _ in range(self.rng.randint(1, 8)):
            flipped[self.rng.randrange(len(flipped))] = self.rng.randrange(256)
        yield self.frame(bytes(flipped))

    async def say_other_values(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(json.dumps(replace_somewhere(json.loads(body), self.rng)).encode())

    async def say_an_odd_status(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(
            body, self.rng.choice((101, 204, 205, 206, 300, 302, 304, 408, 409, 418, 425, 500, 502, 529, 599))
        )

    async def say_an_error(self, body: bytes) -> AsyncIterator[bytes]:
        said = {
            "error": replace_somewhere({"message": "no", "type": "x", "code": 1, "param": None}, self.rng)
        }
        wait = self.rng.choice(("0", "0.1", "-1", "x", "1e9"))
        status = self.rng.choice((200, 400, 422, 429, 500, 503))
        yield self.frame(json.dumps(said).encode(), status, retry_after=wait)

    async def say_a_wrong_length(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(body, length=max(0, len(body) + self.rng.randint(-50, 50)))

    async def say_endless_nesting(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(self.rng.choice((b"[", b'{"a":', b"{")) * 100_000)

    async def say_something_huge(self, body: bytes) -> AsyncIterator[bytes]:
        if self.rng.random() < 0.9:
            yield self.frame(body)[:60]
            return
        yield self.frame(b"", length=1 << 40)
        for _ in range(64):
            yield b" " * (1 << 20)

    async def say_it_slowly(self, body: bytes) -> AsyncIterator[bytes]:
        for byte in self.frame(body)[: self.rng.randint(3, 12)]:
            yield bytes([byte])
            await asyncio.sleep(0.05)

    async def say_nothing_for_long(self, body: bytes) -> AsyncIterator[bytes]:
        if self.rng.random() < 0.2:
            await asyncio.sleep(3)
        yield b""

    async def say_a_bomb(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(
            BOMB if self.rng.random() < 0.2 else gzip.compress(body)[:-4], content_encoding="gzip"
        )

    async def say_odd_chunks(self, body: bytes) -> AsyncIterator[bytes]:
        size = self.rng.choice((b"zz", b"-5", b"ffffffffff", b"%x" % (len(body) + 9), b""))
        yield (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            + size
            + b"\r\n"
            + body
            + b"\r\n0\r\n\r\n"
        )

    async def say_large_headers(self, body: bytes) -> AsyncIterator[bytes]:
        yield self.frame(body[:9], x_long="a" * self.rng.choice((9_000, 70_000, 300_000)))

    async def say_broken_events(self, body: bytes) -> AsyncIterator[bytes]:
        events = (
            b'data: {"choices": [{"delta": {"content": %d}}]}\n\ndata: {"choices": {}}\n\ndata: ['
            % self.rng.randrange(9)
        )
        yield self.frame(events, content_type="text/event-stream")


async def ask_all(folder: Path, server: FuzzingServer) -> tuple[Counter[str], Journal, LocalModels]:
    (folder / "prompts").mkdir()
    (folder / "prompts" / "extract.md").write_text("# system\nYou count.\n# user\n{{ about }}\n")
    ends: Counter[str] = Counter()
    async with server.serving() as url:
        spec = RunSpec(base_url=(url,), model="m", timeout=1.0, concurrency=CALLERS, endpoint_patience=60.0)
        models = LocalModels(spec)
        journal = Journal.open(folder / "journal.sqlite")
        budget = Budget(spec, Usage(), 0.0, clock=lambda: 0.0)
        calls = ModelCalls(spec, journal, budget, models, now=lambda: 1.0)
        prompts = Prompts(folder / "prompts")

        async def ask(caller: int) -> None:
            number = 0
            while sum(server.said.values()) < RESPONSES:
                number += 1
                node = f"{caller} {number}"
                try:
                    await NodeAsk(calls, prompts, node)(
                        "extract", TextPayload("x"), max_output=50, about=node
                    )
                    ends["answered"] += 1
                except NodeError as fault:
                    ends[fault.reason] += 1

        async with asyncio.TaskGroup() as group:
            for caller in range(CALLERS):
                group.create_task(ask(caller))
        await models.close()
    await journal.flush()
    return ends, journal, models


@pytest.mark.skipif("AIDE_FUZZ" not in os.environ, reason="make test-fuzz")
def test_whatever_a_server_says_no_call_hangs_and_no_answer_is_lost(tmp_path: Path) -> None:
    server = FuzzingServer(random.Random(SEED))
    before = find_peak()
    ends, journal, models = asyncio.run(ask_all(tmp_path, server))
    assert models.stop.reason is None, models.stop.reason
    kept = Counter(
        content
        for call in journal.read_calls()
        if isinstance(content := read_content(call.body), str) and content.startswith("answer ")
    )
    journal.close()
    assert sum(server.said.values()) >= RESPONSES
    lost = [text for text in server.good if kept[text] != 1]
    assert not lost, f"{len(lost)} of {len(server.good)} good answers are not journaled once: {lost[:5]}"
    assert ends["answered"] >= len(server.good) - CALLERS
    grown = find_peak() - before
    print(f"{dict(server.said)}; {dict(ends)}; {grown:.0f} MiB more")  # noqa: T201 - shown by -s
    assert grown < MEMORY, "MiB"


def find_peak() -> float:
    """The most memory of this process so far, in MiB; other tests may have had their share of it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)


def read_content(body: bytes) -> Any:
    try:
        return json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        return None
