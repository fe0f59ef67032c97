"""The simulator itself: an answer to a request, and around it the delivery that a real endpoint would have."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Final
from zlib import crc32

import orjson

from aide.errors import InputError
from aide.records import digest, rng
from aide.simulator.batches import SimulatedBatches
from aide.simulator.faults import Faults, Reply, error, refuse, spoil
from aide.simulator.settings import SPOILING_FAULTS, TIER_FAULTS, WIRE_FAULTS, SimulatorSettings
from aide.simulator.texts import find_words
from aide.simulator.writing import write_answer

Sleep = Callable[[float], Awaitable[Any]]

MODEL: Final = "simulator"
_MODELS: Final = {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "aide"}]}
_TIER: Final = "service_tier"
_FLEX_IS_FULL: Final = error("The simulator has no capacity for flex here.", "rate_limit_exceeded", 429)
_DIMENSIONS: Final = 256
_SIGMA: Final = 0.7  # of the lognormal seconds: one answer in fifty takes four times the mean
_TIMEOUT: Final = 3600.0  # longer than any client waits


@dataclass(slots=True)
class SimulatorStats:
    """What the simulator has served since it began; `first` request and `last` answer by its clock, in seconds."""

    calls: int = 0
    batched: int = 0
    refused: int = 0
    spoiled: int = 0
    slot_seconds: float = 0.0
    first: float = 0.0
    last: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The figures by name, and the CPU seconds that the process has used."""
        return {**asdict(self), "cpu_seconds": time.process_time()}


class Simulator:
    """An OpenAI-compatible endpoint without a model.

    What it answers depends on the messages, the schema and the `seed` of a request alone: not on order or time, nor
    on the model's name, the output limit or the rung on which structure is asked for.
    """

    def __init__(self, settings: SimulatorSettings | None = None, *, sleep: Sleep = asyncio.sleep) -> None:
        self.settings = settings or SimulatorSettings()
        self.stats = SimulatorStats()
        self._sleep = sleep
        self._faults = Faults(self.settings.faults)
        self._slots = asyncio.Semaphore(self.settings.slots) if self.settings.slots else nullcontext()
        self._canned: dict[bytes, bytes] = {}
        self._batches = SimulatedBatches(self.answer, self._faults, self.settings.batch_latency)

    def write(self, body: Mapping[str, Any]) -> str:
        """The text of the answer to a request body."""
        return write_answer(body, self.settings)

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The chat completion for a request body: pure, without latency or faults."""
        text = self.write(body)
        asked = sum(len(str(message.get("content") or "")) for message in body.get("messages") or ())
        came, went = (asked + 3) // 4, (len(text) + 3) // 4
        usage = {"prompt_tokens": came, "completion_tokens": went, "total_tokens": came + went}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        name = f"chatcmpl-{crc32(text.encode('utf-8', 'surrogatepass')):08x}"
        head = {"id": name, "object": "chat.completion", "created": 0, "model": MODEL}
        if tier := body.get(_TIER):
            head[_TIER] = "default" if tier == "auto" else tier
        return {**head, "choices": [choice], "usage": usage}

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Mapping[str, Any]
    ) -> Reply:
        """Status, headers and body of the response; `ConnectionResetError` where a server drops the connection."""
        route = path.partition("?")[0].rstrip("/").removeprefix("/v1")
        if method == "GET" and route in ("/models", "/stats"):
            return 200, {}, _MODELS if route == "/models" else self.stats.as_dict()
        if route.startswith(("/files", "/batches")):
            reply = self._batches.handle(method, route, path.partition("?")[2], body)
            self.stats.batched = self._batches.served
            return reply
        if method == "GET" or route not in ("/chat/completions", "/embeddings"):
            return 404, {}, error(f"there is nothing at {path}", "invalid_request_error", 404)
        self.stats.first = self.stats.first or time.monotonic()
        reply = await self._serve(route, body)
        self.stats.last = time.monotonic()
        return reply

    async def respond(self, path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str]) -> Reply:
        """`handle` in the form that an in-process transport takes, which has the method among the headers."""
        return await self.handle(headers.get(":method", "POST" if body else "GET"), path, headers, body)

    async def _serve(self, route: str, body: bytes | Mapping[str, Any]) -> Reply:
        name, data = b"", body
        if isinstance(body, bytes):
            name = blake2b(body, digest_size=16).digest() if self.settings.canned else b""
            if name in self._canned:
                self.stats.calls += 1
                return 200, {}, self._canned[name]
            try:
                data = orjson.loads(body)
            except orjson.JSONDecodeError as fault:
                return 400, {}, error(f"the body is not JSON: {fault}", "invalid_request_error", 400)
        fields: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if route == "/embeddings" and fields:
            return 200, {}, embed(fields)
        messages = fields.get("messages")
        if not isinstance(messages, list) or not all(isinstance(each, Mapping) for each in messages):
            return 400, {}, error("'messages' must be a list of objects", "invalid_request_error", 400)
        reply = await self._complete(fields, messages)
        if name and reply[0] == 200:
            self._canned[name] = orjson.dumps(reply[2])
        return reply

    async def _complete(self, data: Mapping[str, Any], messages: list[Mapping[str, Any]]) -> Reply:
        """The completion, or what goes wrong on its way; its seconds are the same for the same request."""
        stats, mean = self.stats, self.settings.latency
        told = (f"{message.get('role')}\x1f{message.get('content')}" for message in messages)
        key = digest(str(data.get("seed")), *told) if self.settings.faults or mean else ""
        fault = self._faults.draw(WIRE_FAULTS, key)
        stats.refused += bool(fault)
        if fault == "reset":
            raise ConnectionResetError("the simulator was told to drop this connection")
        if fault in ("timeout", "slow"):
            await self._sleep(_TIMEOUT if fault == "timeout" else 2.0 + 10 * mean)
        if fault not in ("", "slow"):
            return refuse(fault, mean)
        if data.get(_TIER) == "flex" and self._faults.draw(TIER_FAULTS, key):
            stats.refused += 1
            return 429, {}, _FLEX_IS_FULL
        seconds = mean * math.exp(rng("latency", key).gauss(-_SIGMA * _SIGMA / 2, _SIGMA)) if mean else 0.0
        async with self._slots:
            completion = self.answer(data)
            if seconds:
                await self._sleep(seconds)
        stats.slot_seconds += seconds
        stats.calls += 1
        # A corrected question is always answered well, as the same fault twice would cost a record.
        corrected = any(message.get("role") == "assistant" for message in messages)
        kind = "" if corrected else self._faults.draw(SPOILING_FAULTS, key)
        stats.spoiled += bool(kind)
        return 200, {}, spoil(kind, completion) if kind else completion


def embed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Unit vectors of hashed words: texts that share words lie near each other."""
    given = data.get("input")
    vectors = [_hash_words(str(text)) for text in (given if isinstance(given, list) else [given])]
    rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    tokens = len(str(given)) // 4
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": MODEL, "usage": usage}


def _hash_words(text: str) -> list[float]:
    values = [0.0] * _DIMENSIONS
    for word in find_words(text.casefold()) or [text]:
        number = crc32(word.encode("utf-8", "surrogatepass"))
        values[number % _DIMENSIONS] += 1.0 if number & 0x10000 else -1.0
    norm = math.sqrt(sum(value * value for value in values))
    return [value / norm for value in values] if norm else [1.0, *values[1:]]


def from_url(url: str) -> Simulator:
    """The simulator behind `sim:` or `sim:?near=0.2&faults=429:0.1`; raises `InputError` for what it can't be."""
    scheme, _, rest = url.partition(":")
    where, _, query = rest.partition("?")
    if scheme.casefold() != "sim" or where.strip("/"):
        raise InputError(f"{url!r} is not the simulator's address", hint="write sim:?near=0.2&latency=0.05")
    settings = SimulatorSettings.from_query(query)
    if "reset" in settings.faults:
        raise InputError("in process there is no connection to reset", hint="start `aide simulate` for that")
    return Simulator(settings)
