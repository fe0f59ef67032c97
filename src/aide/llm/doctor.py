"""What an endpoint honours for a model, and how fast it is: found out with a few tiny completions.

Everything goes the way of a real run (`EndpointWorker`, `EndpointProfile`), so that what is learned here is what
a run would learn. Model lists are hints: only completions decide.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from aide.completion import read_completion
from aide.errors import AideError, CallError, EndpointUnusable, NodeError, Unusable
from aide.llm.diagnosis import PARALLEL, Diagnosis, DoctorFinding, FindingLevel, MeasuredSpeed
from aide.llm.health import RunHealth
from aide.llm.limiter import Limiter, Permit
from aide.llm.prefixes import BLOCK
from aide.llm.profile import RUNGS
from aide.llm.request import ChatRequest, Endpoint, ModelAnswer
from aide.llm.retry import with_retries
from aide.llm.servers import LOCAL, THINKING_OFF, advise_larger_window, advise_more_slots
from aide.llm.thinking import count_thinking, read_limit
from aide.llm.usage import read_written_text
from aide.llm.worker import EndpointWorker
from aide.parsing import parse_json
from aide.records import Message, rng
from aide.text.markers import find_control_mark, split_thinking

SMALL_OUTPUT: Final = 1024  # tokens for an answer of one word: a model that thinks needs them
# Seconds: a person waits for the result, and a server that is still loading its model is told apart from none.
PATIENCE: Final = 20.0
# Characters of the long prompt, some 5,000 tokens: more than the 4,096 at which servers cut silently.
LARGE: Final = 20_000
# Of the tokens that should have arrived. Texts differ in tokens a character by less than that.
TRUNCATED: Final = 0.7
# Seconds that a long prompt must take more than a word, else its processing can't be told from the network.
NOTICED: Final = 0.05
SHORT: Final = 1500  # characters from which the tokens a character are learned
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
    worker = EndpointWorker(endpoint, Limiter(ceiling=PARALLEL, clock=clock), timeout, transport)
    found = Diagnosis(endpoint.name, endpoint.base_url, model)
    examination = _Examination(worker, found, texts, longest, dict(extra or {}), clock, sleep, transport)
    try:
        await examination.run()
    except AideError as error:
        told = str(error)
        found.findings.append(
            DoctorFinding("usable", "bad", told, error.hint or "see what the server says of it")
        )
    finally:
        found.base_url = worker.client.base
        await worker.client.close()
    return found


class _Examination:
    """The questions in order; what one finds out, the next ones use."""

    def __init__(
        self, worker: EndpointWorker, found: Diagnosis, texts: Sequence[str], longest: int, extra: dict[str, Any],
        clock: Callable[[], float], sleep: Callable[[float], Awaitable[Any]], transport: Any,
    ) -> None:  # fmt: skip
        self.worker, self.found, self.texts, self.longest, self.extra = worker, found, texts, longest, extra
        self.clock, self.sleep, self.transport = clock, sleep, transport
        self.health = RunHealth(clock, patience=PATIENCE)
        self.window: int | None = None
        self.repeated = ""
        self.prompt_rate = 0.0
        self.owner = ""

    def add_finding(self, name: str, verdict: FindingLevel, told: str, advice: str = "") -> None:
        """Keep a finding."""
        self.found.findings.append(DoctorFinding(name, verdict, told, advice))

    async def ask(
        self, text: str, *, max_output: int = SMALL_OUTPUT, schema: Any = None, **sampling: Any
    ) -> ModelAnswer:
        """One completion, adapted and retried as in a run."""
        extra = {**self.extra, **sampling.pop("extra", {})}
        messages = (Message("system", "You answer briefly."), Message("user", text))
        request = ChatRequest(
            "doctor", self.found.model, messages, max_output, schema=schema, schema_name="city" if schema else "",
            extra=extra, **sampling,
        )  # fmt: skip

        async def attempt() -> ModelAnswer:
            try:
                answer = await self.worker.attempt(
                    request, self.found.model, Permit(0, 0, 0, False, False), self.clock
                )
            except CallError as error:
                self.health.failed(error)
                if error.kind == "refused":  # an extra field that is tried, which no waiting heals
                    raise NodeError("bad_request", str(error)) from error
                raise
            self.health.succeeded()
            return answer

        self.found.calls += 1
        return await with_retries(attempt, health=self.health, rng=rng("doctor"), sleep=self.sleep)

    async def run(self) -> None:
        """Ask everything, in the order in which one answer helps the next question."""
        await self.check_models()
        hello = await self.ask(WORD, temperature=0.7, top_p=0.95, seed=7)
        self.check_answer(hello)
        self.check_ending(hello)
        self.check_parameters()
        await self.check_thinking(hello)
        await self.check_output_limit()
        await self.check_structure()
        measured = await self.measure_speed(*await self.check_context())
        self.check_prefix_cache()
        await self.check_embeddings()
        self.found.measured = measured

    async def check_models(self) -> None:
        """Read the list of models; where it holds one alone, that is the one that is meant."""
        from aide.llm.offers import describe_models, find_model, list_models

        client = self.worker.client
        listed = await list_models(client)
        names = describe_models(listed)
        if not self.found.model:
            if len(listed) != 1:
                raise EndpointUnusable(
                    f"no model is named, and it lists {names or 'none'}", hint="name one with --model"
                )
            self.found.model = listed[0].name
        known = self.found.model.removeprefix("models/") in {each.name for each in listed}
        apart = ": " if known else ", but not this one: "
        self.add_finding("models", "ok", f"{len(listed)} listed{apart}{names}" if names else "no list")
        if known and (
            offer := await find_model(self.worker.endpoint, client, self.found.model, self.transport)
        ):
            self.window, self.owner = offer.window, offer.owner

    def check_answer(self, hello: ModelAnswer) -> None:
        """Note who answered, and whether usage is reported."""
        self.found.answered_by = hello.model
        other = hello.model.removeprefix("models/") != self.found.model
        advice = (
            "records name the model that really answered; check that it is the one you mean" if other else ""
        )
        self.add_finding("answers", "note" if other else "ok", f"as {hello.model}", advice)
        self.add_finding(
            "usage",
            *(
                ("note", "not reported: tokens are estimated")
                if hello.usage.estimated
                else ("ok", "reported")
            ),
        )

    def check_ending(self, hello: ModelAnswer) -> None:
        """Find out whether the model ends an answer of one word; a base model, or one without its template, goes on."""
        if mark := find_control_mark(split_thinking(read_written_text(hello.data))[1]):
            advice = "let the server apply the model's own chat template and stop tokens"
            self.add_finding("marks", "note", f"answers hold {mark}", advice)
        if hello.data["choices"][0].get("finish_reason") != "length" or count_thinking(
            hello.data, hello.usage
        ):
            self.add_finding("ending", "ok", "answers end")
            return
        advice = "use an instructed model, and let the server apply its chat template"
        self.add_finding(
            "ending", "note", f"no end after {hello.usage.completion:,} tokens, of one word", advice
        )

    def check_parameters(self) -> None:
        """Note what of a request had to be left out or renamed."""
        profile = self.worker.get_profile(self.found.model)
        odd = [f"{name} refused" for name in sorted(profile.dropped)]
        odd += [f"limit is called {profile.limit_name}"] if profile.limit_name != "max_tokens" else []
        odd += ["no system role: it opens the first message"] if profile.folds_system else []
        odd += [f"at most {profile.most_output} tokens of output"] if profile.most_output else []
        self.add_finding("parameters", "ok", "; ".join(odd) or "all accepted")

    async def check_thinking(self, hello: ModelAnswer) -> None:
        """Count the tokens of thinking before an answer of one word, and find what turns it off."""
        spent = count_thinking(hello.data, hello.usage)
        if not spent:
            self.add_finding("thinking", "ok", "none")
            return
        for extra in THINKING_OFF:
            try:
                again = await self.ask(WORD, extra=extra)
            except (NodeError, EndpointUnusable):
                continue
            if not count_thinking(again.data, again.usage) and _read_text(again):
                import orjson

                advice = f"--extra '{orjson.dumps({**self.extra, **extra}).decode()}' turns it off"
                self.add_finding("thinking", "note", f"{spent} tokens for an answer of one word", advice)
                self.extra.update(extra)
                return
        advice = "no known setting turns it off; use another model for steps that need no thinking ([steps.NAME] model)"
        self.add_finding("thinking", "note", f"{spent} tokens for an answer of one word", advice)

    async def check_output_limit(self) -> None:
        """Find out whether the limit of output is respected."""
        answer = await self.ask(
            "Count from 1 to 300 in digits, with spaces, and nothing else.", max_output=16
        )
        wrote, allowed = answer.usage.completion, read_limit(answer.sent) or 16
        if wrote > 3 * allowed:
            self.add_finding(
                "output limit",
                "note",
                f"ignored: {wrote} tokens where {allowed} were allowed",
                "set a limit in the server",
            )
        else:
            self.add_finding("output limit", "ok", "respected")

    async def check_structure(self) -> None:
        """Find the highest rung of the ladder whose answers really fit."""
        profile = self.worker.get_profile(self.found.model)
        ignored: list[str] = []
        while True:
            rung = ""
            for seed in (None, 11):
                answer = await self.ask(CITY, schema=SCHEMA, seed=seed)
                rung = str(answer.sent["rung"])
                if _fits_schema(answer):
                    above = f" ({', '.join(ignored)}: accepted, but ignored)" if ignored else ""
                    self.add_finding("structure", "ok", rung + above)
                    return
            if rung == RUNGS[-1]:
                self.add_finding(
                    "structure", "bad", "no usable JSON, asked in any way", "use a model that can write JSON"
                )
                return
            ignored.append(rung)
            profile.rung += 1
            profile.proven.discard("schema")

    async def check_context(self) -> tuple[float, float, float]:
        """Characters a token, seconds of a short call, and the share cached of a repeated long prompt."""
        told = f"{self.window:,} tokens as listed" if self.window else "size not listed"
        if self.window and self.longest > self.window:
            self.add_finding("context", "bad", f"{told}; the longest prompt with its answer takes {self.longest:,}",
                      advise_larger_window(self.found.base_url, self.owner, self.longest))  # fmt: skip
            return 4.0, 0.0, 0.0
        size = max(LARGE, int(4.5 * self.longest)) if not self.window else min(LARGE, 2 * self.window)
        tiny, small = (
            await self.ask(WORD, max_output=SMALL_OUTPUT),
            await self.ask(_build_long_prompt(self.texts, SHORT)),
        )
        per_char = (small.usage.prompt - tiny.usage.prompt) / SHORT
        try:
            first = await self.ask(_build_long_prompt(self.texts, size))
        except NodeError as error:
            self.add_finding("context", "note", f"{told}; refuses {size:,} characters: {error}")
            cached = await self.repeat(small, SHORT)
            return 1 / per_char if per_char > 0 else 4.0, tiny.seconds, cached
        cached = await self.repeat(first, size)
        slower = first.seconds - tiny.seconds
        self.prompt_rate = first.usage.prompt / slower if slower > NOTICED else 0.0
        came, expected = first.usage.prompt, tiny.usage.prompt + per_char * size
        if not first.usage.estimated and came < TRUNCATED * expected:
            advice = advise_larger_window(
                self.found.base_url, self.owner, max(self.longest, int(1.2 * expected))
            )
            self.add_finding(
                "context", "bad", f"silently cut: {came:,} tokens arrived of about {expected:,.0f}", advice
            )
        else:
            self.add_finding("context", "ok", f"{told}; {came:,} tokens arrived whole")
        return size / max(1.0, came - tiny.usage.prompt) if came < 10 * size else 4.0, tiny.seconds, cached

    async def repeat(self, first: ModelAnswer, size: int) -> float:
        """Ask once more, with a word at the end; the share of that prompt that the server says it had cached."""
        again = await self.ask(_build_long_prompt(self.texts, size) + " Now.")
        self.repeated = f"a repeated prompt took {again.seconds:.2f} s after {first.seconds:.2f} s"
        return min(1.0, again.usage.cached / max(1, again.usage.prompt))

    def check_prefix_cache(self) -> None:
        """Compare what a cache of prompts would have served of these calls with what the server says it did."""
        shares = self.worker.prefixes.as_dict()
        told = f"the server reports {shares['told']:.0%}" if shares["told"] else "the server reports none"
        would = f"{shares['would_hit']:.0%} of all prompt tokens here could come from a cache of {BLOCK}-token blocks"
        self.add_finding(
            "prefix", "ok", f"{self.repeated}; {would}, {told}" if self.repeated else f"{would}; {told}"
        )

    async def measure_speed(self, per_token: float, latency: float, cached: float) -> MeasuredSpeed:
        """Completion tokens a second, with one call in flight and with `PARALLEL`."""
        text = "Write a short story of ten sentences about number {} of the keepers of a lighthouse."
        one = await self.ask(text.format(0), max_output=96)
        alone = one.usage.completion / max(one.seconds, 1e-3)
        began = self.clock()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.ask(text.format(n + 1), max_output=96)) for n in range(PARALLEL)]
        wrote = sum(task.result().usage.completion for task in tasks)
        together = wrote / max(self.clock() - began, 1e-3)
        told = (
            f"{alone:,.0f} tokens/s alone, {together:,.0f} with {PARALLEL} in flight; a word: {latency:.2f} s"
        )
        serial = together < 1.5 * alone and one.seconds > 0.2
        self.add_finding(
            "speed",
            "note" if serial else "ok",
            told,
            advise_more_slots(self.found.base_url, self.owner) if serial else "",
        )
        return MeasuredSpeed(
            round(per_token, 3), round(latency, 4), round(alone, 2), round(together, 2), round(cached, 3),
            round(self.prompt_rate, 1),
        )  # fmt: skip

    async def check_embeddings(self) -> None:
        """Find out whether this model gives embeddings as well."""
        try:
            asked = {"model": self.found.model, "input": ["one", "two"]}
            rows = (await self.worker.client.reply("/embeddings", asked))[1]["data"]
            self.add_finding("embeddings", "ok", f"{len(rows[0]['embedding'])} numbers a text")
        except (AideError, LookupError, TypeError):
            self.add_finding("embeddings", "ok", "none from this model")


def _read_text(answer: ModelAnswer) -> str:
    try:
        return read_completion(answer.data)
    except Unusable:
        return ""


def _fits_schema(answer: ModelAnswer) -> bool:
    try:
        value = parse_json(read_completion(answer.data))
    except Unusable:
        return False
    return isinstance(value, dict) and set(value) == set(KINDS) and all(
        isinstance(value[name], TYPES[kind]) for name, kind in KINDS.items()
    )  # fmt: skip


def _build_long_prompt(texts: Sequence[str], size: int) -> str:
    """A prompt of about that many characters more than `WORD`, made of the texts or of numbered lines."""
    lines = list(texts) or [
        f"Entry {n}: the ferry left pier {n * 7 % 31} with {n * 13 % 97} passengers." for n in range(60)
    ]
    joined = "\n".join(lines)
    whole = (joined + "\n") * (size // max(1, len(joined)) + 1)
    return f"{whole[:size]}\n\n{WORD}"


__all__ = ["LOCAL", "Diagnosis", "DoctorFinding", "MeasuredSpeed", "examine_endpoint", "find_local"]
