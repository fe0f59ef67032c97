"""`ask(step, …)`: a journal hit, else one call with retries, journaled before any code sees the answer."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, TypeVar

import orjson

from aide.config.spec import RunSpec
from aide.crash_points import hit
from aide.errors import AideError, Unusable
from aide.journal import AnsweredCall, Journal
from aide.llm.faults import decode_json
from aide.llm.request import ChatRequest, EmbeddingRequest, KeepAnswer, ModelAnswer, ModelRequest
from aide.parsing import read_completion
from aide.prompts import Prompts
from aide.records import WHOLE, Correction, Message, Payload, digest
from aide.run.budget import Budget

T = TypeVar("T")

# Which waiting call goes first: what unlocks many records, then what is nearest to done.
RANKS: Final = {
    "card": 0,
    "extract": 0,
    "expand_graph": 0,
    "personas": 0,
    "embed": 1,
    "reflect": 1,
    "answer": 2,
    "check": 2,
    "tests": 2,
    "revise": 3,
}
LAST: Final = 4
# Once nothing new is left to start: what still has most before it, so that no slot waits for one long chain.
ENDING: Final = {**RANKS, "answer": 5, "check": 5, "tests": 5, "reflect": 6, "revise": LAST}
UNSTRUCTURED: Final = ("not_json", "invalid")  # a rung that promised structure did not keep it
FINAL: Final = ("refused", "filtered")  # asking the same again would only be paid for again

Complete = Callable[[ModelRequest, int, KeepAnswer], Awaitable[ModelAnswer]]


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """The decoded body of an answer and the model that gave it; endpoint and rung where it was paid for just now."""

    data: Mapping[str, Any]
    model: str
    endpoint: str = ""
    rung: str = ""


class ModelCalls:
    """All calls of one run. `complete` gets one answer, retries included, and has it kept before anybody sees it; `now`
    gives unix seconds for the journal.
    """

    def __init__(
        self,
        spec: RunSpec,
        prompts: Prompts,
        journal: Journal,
        budget: Budget,
        complete: Complete,
        *,
        now: Callable[[], float],
        reuse: Journal | None = None,
        note_invalid: Callable[[str, str, str, bool], None] = lambda model, endpoint, rung, shapeless: None,
    ) -> None:
        self.spec = spec
        self.prompts = prompts
        self.journal = journal
        self.budget = budget
        self.complete = complete
        self.now = now
        self.reuse = reuse
        self.note_invalid = note_invalid
        self.stop: AideError | None = None
        self.ending = False  # whether all that is left to do is under way
        self.made = 0
        self._steps = {name: spec.step(name) for name in type(spec.steps).model_fields}
        self._flying: dict[str, asyncio.Future[tuple[bytes, str]]] = {}

    def asker(self, node: str) -> "NodeAsk":
        """An `Ask` whose calls are booked on `node`."""
        return NodeAsk(self, node)

    def request(
        self, step: str, messages: list[Message], payload: Payload[Any], room: int, draw: int, node: str
    ) -> ChatRequest:
        """The logical call: what is asked, of which model, with which sampling; nothing of any endpoint."""
        how = self._steps[step]
        seed = (
            int(digest("draw", node, str(draw), str(self.spec.seed))[:8], 16) >> 1
            if draw or self.spec.seed
            else None
        )
        return ChatRequest(
            step=step,
            model=how.model,
            messages=tuple(messages),
            max_output=how.max_output or room,
            temperature=how.temperature_of(draw),
            top_p=how.top_p,
            schema_name=payload.name if payload.schema is not None else "",
            schema=payload.schema,
            seed=seed,
            extra=self.spec.extra,
        )

    async def embed(self, text: str, node: str) -> list[float]:
        """The embedding of a text, of unit norm; durable as every call.

        Raises:
            errors.Unusable: the answer holds no vector.
        """
        [vector] = await self.embed_all((text,), node)
        return vector

    async def embed_all(self, texts: Sequence[str], node: str) -> list[list[float]]:
        """The embeddings of some texts from one call, in their order; else as `embed`."""
        heard = await self.answered(self._embedding(texts), 0, 0, node)
        return read_unit_vectors(heard.data, len(texts))

    def embedded(self, text: str) -> list[float] | None:
        """The embedding of a text that was paid for before by itself."""
        return self.recalled(self.embedding_key(text))

    def embedding_key(self, text: str) -> str:
        """Under which `recalled` finds the embedding of a text, for whoever can't keep the text."""
        return compute_call_key(self._embedding((text,)), 0, 0)

    def recalled(self, key: str) -> list[float] | None:
        """The embedding of a text that was paid for before by itself."""
        stored = self.journal.recall_body(key)
        return None if stored is None else read_unit_vectors(decode_json(stored[0]), 1)[0]

    def _embedding(self, texts: Sequence[str]) -> EmbeddingRequest:
        return EmbeddingRequest(self.spec.embeddings, tuple(texts))

    async def answered(self, request: ModelRequest, draw: int, attempt: int, node: str) -> ReceivedAnswer:
        """An answer from the journal, from a call in flight, or paid for."""
        key = compute_call_key(request, draw, attempt)
        stored = self.journal.recall_body(key)
        if stored is None and (flying := self._flying.get(key)) is not None:
            stored = await asyncio.shield(flying)
        if stored is not None:
            return ReceivedAnswer(decode_json(stored[0]), stored[1])
        flying = asyncio.get_running_loop().create_future()
        self._flying[key] = flying
        try:
            heard, body = await self._pay(key, request, draw, attempt, node)
        except BaseException as fault:
            flying.set_exception(
                fault if isinstance(fault, AideError) else AideError("the call it shared was stopped")
            )
            flying.exception()  # seen here: nobody else need be waiting
            raise
        finally:
            del self._flying[key]
        flying.set_result((body, heard.model))
        return heard

    async def _pay(
        self, key: str, request: ModelRequest, draw: int, attempt: int, node: str
    ) -> tuple[ReceivedAnswer, bytes]:
        if self.reuse is not None and (old := self.reuse.recall(key)) is not None:
            await self.journal.record(replace(old, node=node, reused=True, cost=0.0))
            return ReceivedAnswer(decode_json(old.body), old.answered_by), old.body
        if self.stop is not None:
            raise self.stop
        held = ExitStack()
        held.callback(
            self.budget.release,
            self.budget.reserve(list(request.messages), request.max_output, request.model),
        )

        async def keep(answer: ModelAnswer) -> None:
            held.close()
            self.made += 1
            hit("after_answer")
            await self.journal.record(self._booked(key, request, draw, attempt, node, answer))
            hit("after_journal")

        with held:
            ranks = ENDING if self.ending else RANKS
            answer = await self.complete(request, ranks.get(request.step, LAST), keep)
        return ReceivedAnswer(
            answer.data, answer.model, answer.endpoint, answer.sent.get("rung", "")
        ), answer.body

    def _booked(
        self, key: str, request: ModelRequest, draw: int, attempt: int, node: str, answer: ModelAnswer
    ) -> AnsweredCall:
        system, *rest = request.messages
        return AnsweredCall(
            key=key,
            node=node,
            step=request.step,
            draw=draw,
            attempt=attempt,
            model=request.model,
            endpoint=answer.endpoint,
            answered_by=answer.model,
            system=system.content,
            user=rest[0].content if len(rest) == 1 else orjson.dumps([m.as_dict() for m in rest]).decode(),
            sent=answer.sent,
            body=answer.body,
            usage=answer.usage,
            seconds=answer.seconds,
            at=self.now(),
            cost=self.budget.charge(answer.usage, request.model),
        )


class NodeAsk:
    """One node's `Ask`. `models` tells which model answered each step."""

    def __init__(self, calls: ModelCalls, node: str) -> None:
        self.calls = calls
        self.node = node
        self.models: dict[str, str] = {}

    async def __call__(
        self,
        step: str,
        payload: Payload[T],
        /,
        *,
        template: str = "",
        max_output: int,
        draw: int = 0,
        correction: Correction | None = None,
        **context: Any,
    ) -> T:
        """See `records.Ask`. One re-ask with what was wrong, or with twice the room where the answer was cut off."""
        parts = context.pop("parts", WHOLE)
        for attempt in (0, 1):
            messages = self.calls.prompts.render(template or step, parts, correction, **context)
            request = self.calls.request(step, messages, payload, max_output, draw, self.node)
            heard = await self.calls.answered(request, draw, attempt, self.node)
            self.models[step] = heard.model
            try:
                return payload.read(read_completion(heard.data).text)
            except Unusable as unusable:
                if heard.endpoint and payload.schema is not None and unusable.reason in UNSTRUCTURED:
                    shapeless = unusable.reason == "not_json"
                    self.calls.note_invalid(request.model, heard.endpoint, heard.rung, shapeless)
                if attempt or unusable.reason in FINAL:
                    raise
                if unusable.reason == "truncated":
                    max_output = 2 * request.max_output
                else:
                    correction = Correction(unusable.said, unusable.problem)
        raise AssertionError("the second attempt returns or raises")


def read_unit_vectors(data: Any, count: int) -> list[list[float]]:
    """The vectors in the answer of an embeddings route, of unit norm, in the order of the texts.

    Raises:
        errors.Unusable: there are not so many, or a row is no vector.
    """
    try:
        rows = sorted(data["data"], key=lambda row: row.get("index") or 0)
        found = [[float(value) for value in row["embedding"]] for row in rows]
        if len(found) != count or not all(found):
            raise ValueError(len(found))
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        raise Unusable("no_embedding", "The answer holds no embedding.", said=str(data)[:200]) from fault
    return [_unit(values) for values in found]


def _unit(values: list[float]) -> list[float]:
    norm = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / norm for value in values]


def compute_call_key(request: ModelRequest, draw: int, attempt: int) -> str:
    """The hash of the logical call, before it is adapted to an endpoint: the key under which its answer is kept."""
    logical = (*request.identity, draw, attempt)
    return blake2b(orjson.dumps(logical, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
