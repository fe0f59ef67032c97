"""The simulator itself: one `answer`, and around it the delivery that a real endpoint would have."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from zlib import crc32

import orjson

from aide.errors import InputError
from aide.records import digest, rng
from aide.simulator.corpus import Corpus
from aide.simulator.faults import Faults, Reply, error, refuse, spoil
from aide.simulator.languages import WORD
from aide.simulator.reading import read
from aide.simulator.settings import SimulatorSettings
from aide.simulator.steps import say

MODEL: Final = "simulator"
_DIMENSIONS: Final = 256
_SIGMA: Final = 0.7
_TIMEOUT: Final = 3600.0
_MINUTE: Final = 60.0


@dataclass(slots=True)
class Stats:
    """What the simulator has served since it began.

    `slot_seconds` is the time that answers took, `cpu_seconds` what the process has used, and `first` and `last` are
    when the first request came and the last answer went, on one clock.
    """

    calls: int = 0
    refused: int = 0
    spoiled: int = 0
    in_flight: int = 0
    peak: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    slot_seconds: float = 0.0
    first: float = 0.0
    last: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The figures by name."""
        figures = {name: getattr(self, name) for name in self.__slots__}
        return {**figures, "cpu_seconds": time.process_time()}


class Simulator:
    """An OpenAI-compatible endpoint without a model: texts made of the words that it is shown.

    What it answers depends on the messages and the `seed` of a request alone: not on order or time, nor on
    the model's name, the output limit or how structure is asked for. With a corpus order counts as well, for
    no text of it is given twice.
    """

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = given = settings or SimulatorSettings()
        self.stats = Stats()
        self.corpus = Corpus.read(given.corpus.split(",")) if given.corpus else None
        self._sleep, self._clock = sleep, clock
        self._faults = Faults(given.faults)
        self._slots = asyncio.Semaphore(given.slots) if given.slots else None
        self._recent: deque[float] = deque()
        self._canned: dict[bytes, bytes] = {}

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The chat completion for a request body: pure, without latency or faults."""
        prompt = read(body)
        silent = prompt.step == "reflect" and self.settings.accept_all  # a judge that looks at nothing
        known = self.corpus.say(prompt) if self.corpus is not None and not silent else None
        text = say(prompt, body, self.settings) if known is None else known
        asked = sum(len(str(message.get("content") or "")) for message in body.get("messages") or ())
        came, went = (asked + 3) // 4, (len(text) + 3) // 4
        return {
            "id": f"chatcmpl-{crc32(text.encode('utf-8', 'surrogatepass')):08x}",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": came, "completion_tokens": went, "total_tokens": came + went},
        }

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Mapping[str, Any]
    ) -> Reply:
        """One request as an endpoint would serve it: status, headers and body.

        Raises:
            ConnectionResetError: where the fault `reset` hits; a server then drops the connection.
        """
        route = path.partition("?")[0].rstrip("/")
        route = route.removeprefix("/v1")
        if method == "GET":
            return self._look_up(route)
        if route not in ("/chat/completions", "/embeddings"):
            return 404, {}, error(f"there is nothing at {path}", "invalid_request_error", 404)
        name = (
            blake2b(body, digest_size=16).digest()
            if self.settings.canned and isinstance(body, bytes)
            else b""
        )
        stats = self.stats
        stats.first = stats.first or self._clock()
        if (canned := self._canned.get(name)) is not None:
            stats.calls += 1
            stats.last = self._clock()
            return 200, {}, canned
        try:
            data = orjson.loads(body) if isinstance(body, bytes) else body
        except orjson.JSONDecodeError as fault:
            return 400, {}, error(f"the body is not JSON: {fault}", "invalid_request_error", 400)
        if not isinstance(data, Mapping):
            return 400, {}, error("the body is no JSON object", "invalid_request_error", 400)
        if route == "/embeddings":
            return 200, {}, embed(data)
        if not isinstance(data.get("messages"), list) or not all(
            isinstance(m, Mapping) for m in data["messages"]
        ):
            return 400, {}, error("'messages' must be a list of objects", "invalid_request_error", 400)
        reply = await self._complete(data)
        stats.last = self._clock()
        if name and reply[0] == 200:
            self._canned[name] = orjson.dumps(reply[2])
        return reply

    async def respond(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """`handle` in the form that an in-process transport takes; an empty body is a look-up."""
        return await self.handle("POST" if body else "GET", path, headers, body)

    def _look_up(self, route: str) -> Reply:
        if route == "/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "aide"}
            return 200, {}, {"object": "list", "data": [model]}
        if route in ("", "/health"):
            return 200, {}, {"status": "ok", "model": MODEL}
        if route == "/stats":
            return 200, {}, self.stats.as_dict()
        return 404, {}, error(f"there is nothing at {route}", "invalid_request_error", 404)

    async def _complete(self, data: Mapping[str, Any]) -> Reply:
        stats, settings = self.stats, self.settings
        wait = self._turn_away()
        if wait is not None:
            stats.refused += 1
            headers = {"retry-after": str(math.ceil(wait)), "x-ratelimit-limit-requests": str(settings.rpm)}
            return 429, headers, error("too many requests in this minute", "rate_limit_exceeded", 429)
        key = _key(data) if settings.faults or settings.latency else ""
        fault = self._faults.on_wire(key)
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        try:
            if fault:
                stats.refused += 1
                return await self._fail(fault, key, data)
            return await self._serve(key, data)
        finally:
            stats.in_flight -= 1

    async def _serve(self, key: str, data: Mapping[str, Any]) -> Reply:
        stats = self.stats
        seconds = self._seconds(key)
        async with self._slots or nullcontext():
            completion = self.answer(data)
            if seconds:
                await self._sleep(seconds)
        stats.slot_seconds += seconds
        stats.calls += 1
        stats.prompt_tokens += completion["usage"]["prompt_tokens"]
        stats.completion_tokens += completion["usage"]["completion_tokens"]
        corrected = any(message.get("role") == "assistant" for message in data["messages"])
        kind = self._faults.on_answer(key, corrected)
        if kind:
            stats.spoiled += 1
            return 200, {}, spoil(kind, completion)
        return 200, {}, completion

    async def _fail(self, fault: str, key: str, data: Mapping[str, Any]) -> Reply:
        if fault == "reset":
            raise ConnectionResetError("the simulator was told to drop this connection")
        if fault == "timeout":
            await self._sleep(_TIMEOUT)
            return refuse("503", self.settings.latency)
        if fault == "slow":
            await self._sleep(2.0 + 10 * self.settings.latency)
            return await self._serve(key, data)
        return refuse(fault, self.settings.latency)

    def _turn_away(self) -> float | None:
        """Seconds until the window of one minute has room again, `None` where it has."""
        if not self.settings.rpm:
            return None
        now, recent = self._clock(), self._recent
        while recent and recent[0] <= now - _MINUTE:
            recent.popleft()
        if len(recent) >= self.settings.rpm:
            return recent[0] + _MINUTE - now
        recent.append(now)
        return None

    def _seconds(self, key: str) -> float:
        """How long this request takes: lognormal about the mean, the same for the same request."""
        mean = self.settings.latency
        return mean * math.exp(rng("latency", key).gauss(-_SIGMA * _SIGMA / 2, _SIGMA)) if mean else 0.0


def _key(data: Mapping[str, Any]) -> str:
    return digest(
        str(data.get("seed")),
        *(f"{message.get('role')}\x1f{message.get('content')}" for message in data["messages"]),
    )


def embed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Unit vectors of hashed words: texts that share words lie near each other."""
    given = data.get("input")
    texts = given if isinstance(given, list) else [given]
    rows = [
        {"object": "embedding", "index": place, "embedding": vector(str(text))}
        for place, text in enumerate(texts)
    ]
    tokens = sum(len(str(text)) for text in texts) // 4
    return {
        "object": "list",
        "data": rows,
        "model": MODEL,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def vector(text: str) -> list[float]:
    """The unit vector of a text's words, 256 numbers."""
    values = [0.0] * _DIMENSIONS
    for word in WORD.findall(text.casefold()) or [text]:
        number = crc32(word.encode("utf-8", "surrogatepass"))
        values[number % _DIMENSIONS] += 1.0 if number & 0x10000 else -1.0
    norm = math.sqrt(sum(value * value for value in values))
    return [value / norm for value in values] if norm else [1.0, *values[1:]]


def from_url(url: str) -> Simulator:
    """The simulator behind `sim:` or `sim:?near=0.2&slots=8&faults=429:0.1`.

    Raises:
        InputError: another URL, or a switch that does not exist or makes no sense in process.
    """
    scheme, _, rest = url.partition(":")
    if scheme.casefold() != "sim" or rest.split("?")[0].strip("/"):
        raise InputError(
            f"{url!r} is not the simulator's address", hint="write sim: or sim:?near=0.2&latency=0.05"
        )
    settings = SimulatorSettings.from_query(rest.partition("?")[2])
    if "reset" in settings.faults:
        raise InputError(
            "in process there is no connection to reset",
            hint="start `aide simulate --faults reset:0.1` instead",
        )
    return Simulator(settings)
