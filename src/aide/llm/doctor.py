"""What an endpoint honours for a model, and how fast it is: found out with a few tiny completions.

Everything goes the way of a real run (`Lane`, `Habits`), so that what is learned here is what a run would
learn. Model lists are hints: only completions decide.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from aide.errors import AideError, CallError, EndpointUnusable, NodeError, Unusable
from aide.llm.capabilities import RUNGS
from aide.llm.diagnosis import EIGHT, Diagnosis, DoctorFinding, MeasuredSpeed, Verdict
from aide.llm.limiter import Limiter, Permit
from aide.llm.prefixes import BLOCK
from aide.llm.request import ChatRequest, Endpoint, ModelAnswer
from aide.llm.retry import RunHealth, with_retries
from aide.llm.servers import LOCAL, OFF, advise_larger_window, advise_more_slots, read_window
from aide.llm.usage import estimate_tokens
from aide.llm.worker import EndpointWorker
from aide.parsing import parse_json, read_completion, split_thinking
from aide.records import Message, rng

ROOM: Final = 1024  # tokens for an answer of one word: a model that thinks needs them
PATIENCE: Final = 20.0
LARGE: Final = (
    20_000  # characters of the long prompt; about 5,000 tokens, more than the smallest usual window
)
TRUNCATED: Final = 0.7
WORD: Final = "Answer with the single word: ready."
CITY: Final = "Name a large city, about how many people live there, and whether it lies by the sea."
KINDS: Final = {"city": "string", "inhabitants": "integer", "coastal": "boolean"}
SCHEMA: Final = {
    "type": "object",
    "properties": {name: {"type": kind} for name, kind in KINDS.items()},
    "required": list(KINDS),
    "additionalProperties": False,
}
TYPES: Final = {"string": str, "integer": int, "boolean": bool}


async def find_local(ports: Sequence[int] = tuple(LOCAL), *, seconds: float = 2.0) -> list[str]:
    """Base URLs on loopback behind which something lists models, or asks for a key before it does."""
    from aide.llm.client import Client

    found: list[str] = []

    async def knock(port: int) -> None:
        client = Client(Endpoint(str(port), f"http://127.0.0.1:{port}/v1"), timeout=seconds, environ={})
        try:
            reply = await client.exchange("GET", "/models")
            if reply.status in (200, 401, 403) and reply.body.lstrip()[:1] in (b"{", b"["):
                found.append(client.base)
        except CallError:
            pass  # nothing there, or nothing that answers
        finally:
            await client.close()

    async with asyncio.TaskGroup() as group:
        for port in ports:
            group.create_task(knock(port))
    return sorted(found)


async def examine_endpoint(
    endpoint: Endpoint,
    model: str,
    *,
    texts: Sequence[str] = (),
    longest: int = 0,
    extra: Mapping[str, Any] | None = None,
    timeout: float = 120.0,  # noqa: ASYNC109 - of each exchange, not of this function
    transport: Any = None,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> Diagnosis:
    """Ask the endpoint what a run would need of it; about twenty small calls.

    `texts` are what prompts will be made of (seeds); `longest` is how many tokens the longest prompt and
    answer will take together, 0 where nobody knows. `timeout` is in seconds. What goes wrong is a finding,
    not an error.
    """
    lane = EndpointWorker(endpoint, Limiter(ceiling=EIGHT, clock=clock), timeout, transport)
    found = Diagnosis(endpoint.name, endpoint.base_url, model)
    visit = _Visit(lane, found, texts, longest, dict(extra or {}), clock, sleep)
    try:
        await visit.all()
    except AideError as error:
        told = str(error)
        found.findings.append(
            DoctorFinding("usable", "bad", told, error.hint or "see what the server says of it")
        )
    finally:
        found.base_url = lane.client.base
        await lane.client.close()
    return found


class _Visit:
    """The questions in order; what one finds out, the next ones use."""

    def __init__(
        self, lane: EndpointWorker, found: Diagnosis, texts: Sequence[str], longest: int, extra: dict[str, Any],
        clock: Callable[[], float], sleep: Callable[[float], Awaitable[Any]],
    ) -> None:  # fmt: skip
        self.lane, self.found, self.texts, self.longest, self.extra = lane, found, texts, longest, extra
        self.clock, self.sleep = clock, sleep
        self.health = RunHealth(clock, patience=PATIENCE)
        self.window: int | None = None
        self.repeated = ""
        self.owner = ""

    def tell(self, name: str, verdict: Verdict, told: str, advice: str = "") -> None:
        """Keep a finding."""
        self.found.findings.append(DoctorFinding(name, verdict, told, advice))

    async def ask(self, text: str, *, room: int = ROOM, schema: Any = None, **sampling: Any) -> ModelAnswer:
        """One completion, adapted and retried as in a run."""
        extra = {**self.extra, **sampling.pop("extra", {})}
        messages = (Message("system", "You answer briefly."), Message("user", text))
        request = ChatRequest(
            "doctor", self.found.model, messages, room, schema=schema, schema_name="city" if schema else "",
            extra=extra, **sampling,
        )  # fmt: skip

        async def attempt() -> ModelAnswer:
            try:
                answer = await self.lane.attempt(
                    request, self.found.model, Permit(0, 0, 0, False, False), self.clock
                )
            except CallError:
                self.health.failed()
                raise
            self.health.succeeded()
            return answer

        self.found.calls += 1
        return await with_retries(attempt, health=self.health, rng=rng("doctor"), sleep=self.sleep)

    async def all(self) -> None:
        """Every question."""
        await self.models()
        hello = await self.ask(WORD, temperature=0.7, top_p=0.95, seed=7)
        self.answered(hello)
        self.parameters()
        await self.thinking(hello)
        await self.limit()
        await self.structure()
        measured = await self.speed(*await self.context())
        self.prefixes()
        await self.embeddings()
        self.found.measured = measured

    async def models(self) -> None:
        """Which models are listed; with one alone it is the one that is meant."""
        data = await self.lane.client.look_up("/models")
        rows = data.get("data") if isinstance(data, Mapping) else data
        listed = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        names = [str(row.get("id", "")) for row in listed]
        if not self.found.model:
            if len(names) != 1:
                there = f"it lists {', '.join(names[:12])}" if names else "it lists none"
                raise EndpointUnusable(f"no model is named, and {there}", hint="name one with --model")
            self.found.model = names[0]
        told = f"{len(names)} listed" if names else "no list"
        if names and not any(name.removeprefix("models/") == self.found.model for name in names):
            told += f", not this one: {', '.join(names[:6])}"
        self.tell("models", "ok", told)
        for row in listed:
            if str(row.get("id", "")).removeprefix("models/") == self.found.model:
                self.window = read_window(row)
                self.owner = str(row.get("owned_by", ""))

    def answered(self, hello: ModelAnswer) -> None:
        """Who answered, and how much it told of it."""
        self.found.answered_by = hello.model
        other = hello.model.removeprefix("models/") != self.found.model
        advice = (
            "records name the model that really answered; check that it is the one you mean" if other else ""
        )
        self.tell("answers", "note" if other else "ok", f"as {hello.model}", advice)
        self.tell(
            "usage",
            *(("note", "not told: tokens are estimated") if hello.usage.estimated else ("ok", "told")),
        )

    def parameters(self) -> None:
        """What of a request had to be left out or renamed."""
        habits = self.lane.habits_of(self.found.model)
        odd = [f"{name} refused" for name in sorted(habits.dropped)]
        odd += [f"limit is called {habits.limit_name}"] if habits.limit_name != "max_tokens" else []
        odd += ["no system role: it opens the first message"] if habits.folds_system else []
        odd += [f"at most {habits.most_output} tokens of output"] if habits.most_output else []
        self.tell("parameters", "ok", "; ".join(odd) or "all accepted")

    async def thinking(self, hello: ModelAnswer) -> None:
        """Tokens that go into thinking before an answer of one word, and what turns it off."""
        spent = _thought(hello)
        if not spent:
            self.tell("thinking", "ok", "none")
            return
        for extra in OFF:
            try:
                again = await self.ask(WORD, extra=extra)
            except (NodeError, EndpointUnusable):
                continue
            if not _thought(again) and _text(again):
                import orjson

                advice = f"--extra '{orjson.dumps({**self.extra, **extra}).decode()}' turns it off"
                self.tell("thinking", "note", f"{spent} tokens for an answer of one word", advice)
                self.extra.update(extra)
                return
        advice = (
            "nothing known turns it off; give the steps that need none another model ([steps.NAME] model)"
        )
        self.tell("thinking", "note", f"{spent} tokens for an answer of one word", advice)

    async def limit(self) -> None:
        """Whether the limit of output is kept to."""
        answer = await self.ask("Count from 1 to 300 in digits, with spaces, and nothing else.", room=16)
        wrote = answer.usage.completion
        if wrote > 48:
            self.tell(
                "output limit",
                "note",
                f"ignored: {wrote} tokens where 16 were allowed",
                "set a limit in the server",
            )
        else:
            self.tell("output limit", "ok", "kept")

    async def structure(self) -> None:
        """The highest rung of the ladder whose answers really fit."""
        habits = self.lane.habits_of(self.found.model)
        ignored: list[str] = []
        while True:
            rung = ""
            for seed in (None, 11):
                answer = await self.ask(CITY, schema=SCHEMA, seed=seed)
                rung = str(answer.sent["rung"])
                if _fits(answer):
                    above = f" ({', '.join(ignored)}: accepted, but not kept to)" if ignored else ""
                    self.tell("structure", "ok", rung + above)
                    return
            if rung == RUNGS[-1]:
                self.tell(
                    "structure", "bad", "no usable JSON, asked in any way", "use a model that can write JSON"
                )
                return
            ignored.append(rung)
            habits.rung += 1
            habits.proven.discard("schema")

    async def context(self) -> tuple[float, float, float]:
        """Characters a token, seconds of a short call, and the share cached of a repeated long prompt."""
        told = f"{self.window:,} tokens, it says" if self.window else "not told"
        if self.window and self.longest > self.window:
            self.tell("context", "bad", f"{told}; the longest prompt with its answer takes {self.longest:,}",
                      advise_larger_window(self.found.base_url, self.owner, self.longest))  # fmt: skip
            return 4.0, 0.0, 0.0
        size = max(LARGE, int(4.5 * self.longest)) if not self.window else min(LARGE, 2 * self.window)
        tiny, small = await self.ask(WORD, room=ROOM), await self.ask(_long(self.texts, 1500))
        per_char = (small.usage.prompt - tiny.usage.prompt) / 1500
        try:
            first = await self.ask(_long(self.texts, size))
        except NodeError as error:
            self.tell("context", "note", f"{told}; refuses {size:,} characters: {error}")
            cached = await self.repeat(small, 1500)
            return 1 / per_char if per_char > 0 else 4.0, tiny.seconds, cached
        cached = await self.repeat(first, size)
        came, expected = first.usage.prompt, tiny.usage.prompt + per_char * size
        if not first.usage.estimated and came < TRUNCATED * expected:
            advice = advise_larger_window(
                self.found.base_url, self.owner, max(self.longest, int(1.2 * expected))
            )
            self.tell(
                "context", "bad", f"silently cut: {came:,} tokens arrived of about {expected:,.0f}", advice
            )
        else:
            self.tell("context", "ok", f"{told}; {came:,} tokens arrived whole")
        return size / max(1.0, came - tiny.usage.prompt) if came < 10 * size else 4.0, tiny.seconds, cached

    async def repeat(self, first: ModelAnswer, size: int) -> float:
        """Ask once more, with a word at the end; the share of that prompt that the server says it had cached."""
        again = await self.ask(_long(self.texts, size) + " Now.")
        self.repeated = f"a repeated prompt took {again.seconds:.2f} s after {first.seconds:.2f} s"
        return min(1.0, again.usage.cached / max(1, again.usage.prompt))

    def prefixes(self) -> None:
        """What a cache of prompts would have had of all that was asked here, and what the server says it had."""
        shares = self.lane.prefixes.as_dict()
        told = f"it says it had {shares['told']:.0%}" if shares["told"] else "it tells of none"
        would = f"{shares['would_hit']:.0%} of all prompt tokens here could come from a cache of {BLOCK}-token blocks"
        self.tell(
            "prefix", "ok", f"{self.repeated}; {would}, {told}" if self.repeated else f"{would}; {told}"
        )

    async def speed(self, per_token: float, latency: float, cached: float) -> MeasuredSpeed:
        """Completion tokens a second, with one call in flight and with eight."""
        text = "Write a short story of ten sentences about number {} of the keepers of a lighthouse."
        one = await self.ask(text.format(0), room=96)
        alone = one.usage.completion / max(one.seconds, 1e-3)
        began = self.clock()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.ask(text.format(n + 1), room=96)) for n in range(EIGHT)]
        wrote = sum(task.result().usage.completion for task in tasks)
        together = wrote / max(self.clock() - began, 1e-3)
        told = f"{alone:,.0f} tokens/s alone, {together:,.0f} with {EIGHT} in flight; a word: {latency:.2f} s"
        serial = together < 1.5 * alone and one.seconds > 0.2
        self.tell(
            "speed",
            "note" if serial else "ok",
            told,
            advise_more_slots(self.found.base_url, self.owner) if serial else "",
        )
        return MeasuredSpeed(
            round(per_token, 3), round(latency, 4), round(alone, 2), round(together, 2), round(cached, 3)
        )

    async def embeddings(self) -> None:
        """Whether this model gives embeddings as well."""
        try:
            data = await self.lane.client.post(
                "/embeddings", {"model": self.found.model, "input": ["one", "two"]}
            )
            rows = data["data"] if isinstance(data, Mapping) else []
            self.tell("embeddings", "ok", f"{len(rows[0]['embedding'])} numbers a text")
        except (AideError, LookupError, TypeError):
            self.tell("embeddings", "ok", "none from this model")


def _text(answer: ModelAnswer) -> str:
    try:
        return read_completion(answer.data).text
    except Unusable:
        return ""


def _thought(answer: ModelAnswer) -> int:
    """Tokens of thinking: as told, else estimated from what stands in the answer."""
    message = answer.data["choices"][0]["message"]
    aside = message.get("reasoning_content") or message.get("reasoning") or ""
    content = message.get("content")
    inside = split_thinking(content)[0] if isinstance(content, str) else ""
    aside = aside if isinstance(aside, str) and aside != content else ""
    return answer.usage.reasoning or estimate_tokens(aside + inside)


def _fits(answer: ModelAnswer) -> bool:
    try:
        value = parse_json(read_completion(answer.data).text)
    except Unusable:
        return False
    return isinstance(value, dict) and set(value) == set(KINDS) and all(
        isinstance(value[name], TYPES[kind]) for name, kind in KINDS.items()
    )  # fmt: skip


def _long(texts: Sequence[str], size: int) -> str:
    """A prompt of about that many characters more than `WORD`, made of the texts or of numbered lines."""
    lines = list(texts) or [
        f"Entry {n}: the ferry left pier {n * 7 % 31} with {n * 13 % 97} passengers." for n in range(60)
    ]
    joined = "\n".join(lines)
    whole = (joined + "\n") * (size // max(1, len(joined)) + 1)
    return f"{whole[:size]}\n\n{WORD}"


__all__ = ["LOCAL", "Diagnosis", "DoctorFinding", "MeasuredSpeed", "examine_endpoint", "find_local"]
