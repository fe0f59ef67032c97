"""`ask(step, …)`: a journal hit, else one call with retries, journaled before any code sees the answer."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import product
from typing import Any, Final, TypeVar

import orjson

from aide.completion import read_completion, read_reasoning
from aide.config.spec import RunSpec
from aide.crash_points import hit
from aide.errors import AideError, BudgetSpent, Unusable
from aide.journal import Journal
from aide.llm.faults import decode_json
from aide.llm.profile import loosen_schema
from aide.llm.request import ChatRequest, ModelAnswer, ModelRequest
from aide.parsing import fits_schema, takes_long
from aide.prompts import Prompts
from aide.records import WHOLE, Correction, Message, Payload, ReasonedPayload, digest
from aide.run.budget import Budget, Reservation
from aide.run.call_rows import CallName, make_row, split_messages
from aide.run.service import ModelService
from aide.run.waves import WaveGatherer

T = TypeVar("T")

# Which waiting call goes first: what unlocks many records, then what is nearest to done. So few records are open at a
# time, and their texts leave memory early.
RANKS: Final = {
    "card": 0,
    "extract": 0,
    "expand_graph": 0,
    "personas": 0,
    "realism": 0,
    "embed": 1,
    "reflect": 1,
    "answer": 2,
    "check": 2,
    "tests": 2,
    "revise": 3,
}
LAST: Final = 4
# Once nothing new is left to start, what has most steps before it goes first: else the last slot waits for one long
# chain that began late. Measured by benchmarks/targets.py as slot utilisation.
ENDING_RANKS: Final = {**RANKS, "answer": 5, "check": 5, "tests": 5, "reflect": 6, "revise": LAST}
UNSTRUCTURED: Final = ("not_json", "invalid")  # a rung that promised structure did not keep it
ENDLESS: Final = ("looped", "oversized")  # a sample gone wrong: another one may not
FINAL: Final = ("refused", "filtered")  # asking the same again would only be paid for again
# Further attempts at a call that was cut off before its answer began. Each teaches the endpoint's profile at least
# twice the room for thoughts, so that two of them have nine times the limit of the first.
STARVED_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """An answer as code sees it: decoded, and safe in the journal."""

    data: Mapping[str, Any]
    model: str
    """Which model gave it."""
    endpoint: str = ""
    """Where it was paid for; empty where it came from a journal."""
    rung: str = ""
    """The rung of the ladder of structured output on which it was asked; empty as `endpoint`."""


class ModelCalls:
    """All calls of one session: each is answered from the journal, shared while it is in flight, or paid for."""

    def __init__(
        self,
        spec: RunSpec,
        journal: Journal,
        budget: Budget,
        models: ModelService,
        *,
        now: Callable[[], float],
        reuse: Sequence[Journal] = (),
        waves: WaveGatherer | None = None,
        earlier: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """`now` gives Unix seconds for the journal; `reuse` are journals of other runs, whose answers are taken over.

        `waves` gathers calls into batches; without it each goes out by itself. `earlier` are further fields under
        which the journals may hold an answer to the same question: what was answered stays, whatever is sent now.
        """
        self.budget = budget
        self.ending = False
        """True once all that is left to do is under way; whoever hands out work sets it."""
        self.made = 0
        """Calls that were paid for in this session."""
        self.reused = 0
        """Calls whose answers were taken over in this session."""
        self._spec = spec
        self._journal = journal
        self._models = models
        self._now = now
        self._reuse = tuple(reuse)
        self._waves = waves
        self._earlier = tuple(earlier)
        self._steps = {name: spec.get_step(name) for name in type(spec.steps).model_fields}
        self._in_flight: dict[str, asyncio.Future[tuple[bytes, str]]] = {}
        self._under_way = 0  # calls that were let through the caps and have not ended
        self._released: list[asyncio.Future[None]] = []

    def make_request(
        self,
        step: str,
        messages: list[Message],
        payload: Payload[Any],
        max_output: int,
        draw: int,
        node: str,
        warmth: float = 1.0,
    ) -> ChatRequest:
        """The logical call: what is asked, of which model, with which sampling; nothing of any endpoint."""
        how = self._steps[step]
        temperature = how.get_temperature(draw)
        if temperature is not None and warmth != 1:
            temperature = round(temperature * warmth, 3)
        seed = (
            int(digest("draw", node, str(draw), str(self._spec.random_seed))[:8], 16) >> 1
            if draw or self._spec.random_seed
            else None
        )
        return ChatRequest(
            step=step,
            model=how.model,
            messages=tuple(messages),
            max_output=how.max_output or max_output,
            temperature=temperature,
            top_p=how.top_p,
            schema_name=payload.name if payload.schema is not None else "",
            schema=payload.schema,
            seed=seed,
            extra=self._spec.extra,
        )

    def recall(self, key: str) -> ReceivedAnswer | None:
        """The answer that the journal has under this key."""
        stored = self._journal.recall_body(key)
        return None if stored is None else ReceivedAnswer(decode_json(stored[0]), stored[1])

    async def answer(self, request: ModelRequest, draw: int, attempt: int, node: str) -> ReceivedAnswer:
        """An answer from the journal, from a call in flight, or paid for.

        Raises:
            errors.NodeError: this request can't be served.
            errors.AideError: of scope run, and then the whole run is told to stop with it; nothing was sent where it
                was stopped before.
        """
        key = compute_call_key(request, draw, attempt)
        for known in (key, *self._list_earlier_keys(request, draw, attempt)):
            if (recalled := self.recall(known)) is not None:
                return recalled
        if (shared := self._in_flight.get(key)) is not None:
            body, model = await asyncio.shield(shared)
            return ReceivedAnswer(decode_json(body), model)
        shared = asyncio.get_running_loop().create_future()
        self._in_flight[key] = shared
        try:
            name = CallName(key, node, draw, attempt)
            received, body = await self._take_over(name, request) or await self._pay(name, request)
        except BaseException as fault:
            if isinstance(fault, AideError) and fault.scope == "run":
                self._models.stop.request(fault)  # here, before any of those who wait is let in
            shared.set_exception(
                fault if isinstance(fault, AideError) else AideError("the call it shared was stopped")
            )
            shared.exception()  # seen here: nobody else need be waiting
            raise
        finally:
            del self._in_flight[key]
        shared.set_result((body, received.model))
        return received

    def _list_earlier_keys(self, request: ModelRequest, draw: int, attempt: int) -> Iterator[str]:
        if isinstance(request, ChatRequest):
            for extra in self._earlier:
                yield _hash_call(request.identify_with(extra), draw, attempt)

    async def _take_over(self, name: CallName, request: ModelRequest) -> tuple[ReceivedAnswer, bytes] | None:
        if not self._reuse:
            return None
        keys = (name.key, *self._list_earlier_keys(request, name.draw, name.attempt))
        for journal, key in product(self._reuse, keys):
            if (old := journal.recall(key)) is not None:
                await self._journal.record(replace(old, key=name.key, node=name.node, reused=True, cost=0.0))
                self.reused += 1
                return ReceivedAnswer(decode_json(old.body), old.answered_by), old.body
        return None

    async def _pay(self, name: CallName, request: ModelRequest) -> tuple[ReceivedAnswer, bytes]:
        self._models.stop.raise_if_requested()
        if self._waves is None:
            answer = await self._send(name, request)
        else:
            await self._waves.enter(request, name)
            try:
                answer = await self._send(name, request)
            except BudgetSpent:
                # What is pending may cost less than was set aside for it: then the caps allow more once it is back.
                await self._waves.wait_for_pending_costs()
                raise
            finally:
                self._waves.leave()
        rung = answer.sent.get("rung", "")
        return ReceivedAnswer(answer.data, answer.model, answer.endpoint, rung), answer.body

    async def _send(self, name: CallName, request: ModelRequest) -> ModelAnswer:
        """An answer that is paid for within the caps, and journaled."""
        reserved = await self._reserve(request)
        self._under_way += 1
        held = ExitStack()
        held.callback(self._release, reserved)

        async def keep(answer: ModelAnswer) -> None:
            held.close()
            self.made += 1
            hit("after_answer")
            cost = self.budget.charge(answer.usage, request.model, answer.tier)
            texts = split_messages(request.messages)
            await self._journal.record(
                make_row(name, request.step, request.model, texts, answer, at=self._now(), cost=cost)
            )
            hit("after_journal")

        with held:
            ranks = ENDING_RANKS if self.ending else RANKS
            return await self._models.complete(request, ranks.get(request.step, LAST), keep)

    async def _reserve(self, request: ModelRequest) -> Reservation:
        """Set aside what a call may cost, once calls under way have left room for it.

        A cap is reached only when none is under way: its stop would fail those that were let through and not sent yet,
        and a run with a little room left would never use it.

        Raises:
            errors.BudgetSpent: no room is left, or no time.
            errors.AideError: the reason of a stop.
        """
        while True:
            try:
                most = request.max_output + self._models.count_thinking(request.model)
                return self.budget.reserve(list(request.messages), most, request.model)
            except BudgetSpent:
                if not self._under_way or self.budget.out_of_time:
                    raise
            released = asyncio.get_running_loop().create_future()
            self._released.append(released)
            await released
            self._models.stop.raise_if_requested()

    def _release(self, reserved: Reservation) -> None:
        self.budget.release(reserved)
        self._under_way -= 1
        waiting, self._released = self._released, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def note_fault(
        self, request: ChatRequest, payload: Payload[Any], received: ReceivedAnswer, fault: Unusable
    ) -> None:
        """Tell the endpoint's profile of an answer that should have been structured and was not.

        One that fits the schema and is no good all the same is the model's fault, not the server's.
        """
        if received.endpoint and payload.schema is not None and fault.reason in UNSTRUCTURED:
            if keeps_schema(payload, fault):
                return
            shapeless = fault.reason == "not_json"
            self._models.note_invalid(request.model, received.endpoint, received.rung, shapeless)


def keeps_schema(payload: Payload[Any], fault: Unusable) -> bool:
    """True when an answer has the form that was asked for, and its content is at fault."""
    return (
        fault.reason == "invalid"
        and payload.schema is not None
        and not takes_long(fault.said)
        and fits_schema(fault.said, loosen_schema(payload.schema))
    )


class NodeAsk:
    """One node's `Ask`."""

    def __init__(self, calls: ModelCalls, prompts: Prompts, node: str) -> None:
        self.models: dict[str, str] = {}
        """By step, which model answered it last."""
        self._calls = calls
        self._prompts = prompts
        self._node = node

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
        node: str = "",
        warmth: float = 1.0,
        **context: Any,
    ) -> T:
        """See `records.Ask`. One re-ask: with the fault, with twice the tokens where the answer was cut off, or afresh.

        A loop, or an extraction that keeps to its schema and holds nothing, is not shown to the model again: small ones
        repeat what they see, and none of 43 such answers was mended. It is drawn anew, as a further sample is. An
        answer that was cut off before it began says nothing against the question: the model was still thinking, and is
        asked again with the room that this taught.
        """
        parts, node = context.pop("parts", WHOLE), node or self._node
        faults = 0
        for attempt in range(2 + STARVED_ATTEMPTS):
            messages = self._prompts.render(template or step, parts, correction, **context)
            request = self._calls.make_request(step, messages, payload, max_output, draw, node, warmth)
            received = await self._calls.answer(request, draw, attempt, node)
            self.models[step] = received.model
            try:
                text = read_completion(received.data, request.max_output)
                read = _choose_reader(payload, received.data)
                if payload.schema is not None and takes_long(text):
                    return await asyncio.to_thread(read, text)
                return read(text)
            except Unusable as fault:
                self._calls.note_fault(request, payload, received, fault)
                starved = fault.reason == "truncated" and not fault.said
                faults += not starved
                if fault.reason in FINAL or faults > 1 or attempt > STARVED_ATTEMPTS:
                    raise
                if fault.reason == "truncated":
                    max_output = request.max_output * (1 if starved and attempt else 2)
                elif fault.reason in ENDLESS or (step == "extract" and keeps_schema(payload, fault)):
                    draw += 1
                else:
                    correction = Correction(fault.said, fault.problem)
        raise AssertionError("the second attempt returns or raises")


def _choose_reader(payload: Payload[T], data: Mapping[str, Any]) -> Callable[[str], T]:
    """How a payload reads the text of this completion: with the thoughts before it, where it wants them."""
    if not isinstance(payload, ReasonedPayload):
        return payload.read
    thoughts = read_reasoning(data)
    return lambda text: payload.read_reasoned(text, thoughts)


def compute_call_key(request: ModelRequest, draw: int, attempt: int) -> str:
    """The hash of the logical call, before it is adapted to an endpoint: the key under which its answer is kept."""
    return _hash_call(request.identity, draw, attempt)


def _hash_call(identity: tuple[Any, ...], draw: int, attempt: int) -> str:
    logical = (*identity, draw, attempt)
    return blake2b(orjson.dumps(logical, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
