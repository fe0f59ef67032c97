"""One endpoint at work: its connection, its limiter, what was learned of it, and one attempt at one request."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aide.errors import EndpointUnusable
from aide.llm.capabilities import EndpointProfile
from aide.llm.faults import RequestRefused, ServerFault
from aide.llm.limiter import Limiter, Permit
from aide.llm.prefixes import PrefixCacheMeter
from aide.llm.request import ChatRequest, EmbeddingRequest, Endpoint, ModelAnswer, ModelRequest
from aide.llm.usage import read_usage, read_written_text
from aide.llm.waits import read_exhausted

if TYPE_CHECKING:
    from aide.llm.client import WireReply

LESSONS: Final = 12  # at most so many adaptations within one attempt
HOPELESS: Final = 3


class EndpointWorker:
    """One endpoint with its limiter and what was learned of it. `unkept` counts answers that are not safe yet."""

    def __init__(self, endpoint: Endpoint, limiter: Limiter, timeout: float, transport: Any) -> None:
        from aide.llm.client import Client

        self.endpoint = endpoint
        self.limiter = limiter
        self.client = Client(endpoint, transport=transport, timeout=timeout, pool=limiter.ceiling)
        self.habits: dict[str, EndpointProfile] = {}
        self.gates: dict[tuple[str, str], asyncio.Lock] = {}
        self.unusable: EndpointUnusable | None = None
        self.calls = 0
        self.unkept = 0
        self.errors: Counter[str] = Counter()
        self.prefixes = PrefixCacheMeter()
        self.refusals = 0

    @property
    def full(self) -> bool:
        """Whether so many calls are out or answered but not yet safe as a kill may cost: the ceiling and an eighth.

        The eighth keeps the server's slots busy while answers are written.
        """
        most = self.limiter.ceiling + max(1, self.limiter.ceiling // 8)
        return self.limiter.in_flight + self.unkept >= most

    def habits_of(self, model: str) -> EndpointProfile:
        """What is known of `model` here; nothing at first."""
        return self.habits.setdefault(model, EndpointProfile())

    async def attempt(
        self, request: ModelRequest, model: str, permit: Permit, clock: Callable[[], float]
    ) -> ModelAnswer:
        """One attempt, adapted as often as it takes. The first call of a new shape goes alone; the rest learn
        from it.
        """
        if isinstance(request, EmbeddingRequest):
            return await self._embedded(request, model, permit, clock)
        habits = self.habits_of(model)
        if not habits.shown(request):
            shape = "text" if request.schema is None else "schema"
            async with self.gates.setdefault((model, shape), asyncio.Lock()):
                if not habits.shown(request):
                    return await self._adapted(request, model, habits, permit, clock)
        return await self._adapted(request, model, habits, permit, clock)

    async def _embedded(
        self, request: EmbeddingRequest, model: str, permit: Permit, clock: Callable[[], float]
    ) -> ModelAnswer:
        permit.started = clock()
        texts = list(request.texts)
        body = {"model": model, "input": texts if len(texts) > 1 else texts[0]}
        reply, data = await self.client.reply("/embeddings", body)
        self.calls += 1
        return self._answer(request, model, reply, data, {"model": model})

    async def _adapted(
        self,
        request: ChatRequest,
        model: str,
        habits: EndpointProfile,
        permit: Permit,
        clock: Callable[[], float],
    ) -> ModelAnswer:
        for lesson in range(LESSONS):
            version = habits.version
            body, sent = habits.body(request, model)
            permit.started = clock()
            try:
                reply, data = await self.client.chat(body)
            except (RequestRefused, ServerFault) as error:
                learned = habits.version != version or habits.learn(
                    error.fault, request, explained_only=isinstance(error, ServerFault)
                )
                if learned and lesson + 1 < LESSONS:
                    continue
                if isinstance(error, RequestRefused):
                    self._refused(error, request, habits)
                raise
            break
        habits.note_answer(request)
        self.refusals = 0
        self.calls += 1
        self.unusable = None
        answer = self._answer(request, model, reply, data, sent)
        self.prefixes.note(model, request.messages, answer.usage)
        return answer

    def _answer(
        self,
        request: ModelRequest,
        model: str,
        reply: "WireReply",
        data: Mapping[str, Any],
        sent: Mapping[str, Any],
    ) -> ModelAnswer:
        chars = sum(len(message.content) for message in request.messages)
        named = data.get("model")
        wait = read_exhausted(reply.headers)
        if wait:
            self.limiter.pause_starts(wait)
        return ModelAnswer(
            body=reply.body,
            data=data,
            endpoint=self.endpoint.name,
            model=named if isinstance(named, str) and named else model,
            sent=sent,
            usage=read_usage(data, chars, read_written_text(data)),
            seconds=reply.seconds,
        )

    def _refused(self, error: RequestRefused, request: ChatRequest, habits: EndpointProfile) -> None:
        """A refusal that nothing heals: this request's own, unless it names a field of ours or hits every
        request.
        """
        habits.forget_guesses()
        for name in request.extra:
            if name.lower() in error.fault.said:
                raise EndpointUnusable(
                    f"the endpoint refuses {name!r}: {error}", hint="take it out of --extra"
                ) from None
        self.refusals += 1
        if self.refusals >= HOPELESS and not self.calls:
            raise EndpointUnusable(
                f"every request so far was refused; {error}", hint="aide doctor tells more"
            ) from None
