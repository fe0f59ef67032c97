"""One endpoint at work: its connection, its limiter, what was learned of it, and one attempt at one request."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aide.errors import EndpointUnusable
from aide.llm.faults import RequestRefused, ServerFault
from aide.llm.limiter import Limiter, Permit
from aide.llm.prefixes import PrefixCacheMeter
from aide.llm.profile import EndpointProfile
from aide.llm.request import ChatRequest, EmbeddingRequest, Endpoint, ModelAnswer, ModelRequest
from aide.llm.tiers import FIELD, Tier, read_served_tier
from aide.llm.usage import read_usage, read_written_text
from aide.llm.waits import read_exhausted

if TYPE_CHECKING:
    from aide.llm.client import WireReply

# All that a profile can learn takes ten refusals: four rungs, three sampling fields, the name and the bound of the
# output limit, the system role. The bound ends an attempt at a server that refuses ever anew.
ADAPTATIONS: Final = 12
# So many requests refused in a row, and none answered yet: then it is the endpoint. One or two may be odd seeds.
HOPELESS: Final = 3


class EndpointWorker:
    """One endpoint with its connections, its limiter and what was learned of it."""

    def __init__(self, endpoint: Endpoint, limiter: Limiter, timeout: float, transport: Any) -> None:
        from aide.llm.client import Client

        self.endpoint = endpoint
        """Where it is and how it is addressed."""
        self.limiter = limiter
        """How many calls may be out here."""
        self.client = Client(endpoint, transport=transport, timeout=timeout, pool=limiter.ceiling)
        self.profiles: dict[str, EndpointProfile] = {}
        """What it honours, by model."""
        self.unusable: EndpointUnusable | None = None
        """Why it was last set aside; `None` once it has answered again."""
        self.calls = 0
        """Answered calls."""
        self.unsaved = 0
        """Answers that are not durable yet."""
        self.errors: Counter[str] = Counter()
        """Failed attempts by kind."""
        self.prefixes = PrefixCacheMeter()
        """How much of its prompts a prefix cache would have served."""
        self._first_calls: dict[tuple[str, str], asyncio.Lock] = {}
        self._refusals = 0  # since the last answer

    @property
    def full(self) -> bool:
        """True when as many calls are out, or answered and not durable, as a kill may cost: the ceiling and an
        eighth.

        A kill loses what is not durable, and the promise is that it costs no more than the concurrency. Held to
        exactly that, a fast server's slots stand empty while answers are written; an eighth more keeps them busy.
        """
        most = self.limiter.ceiling + max(1, self.limiter.ceiling // 8)
        return self.limiter.in_flight + self.unsaved >= most

    def get_profile(self, model: str) -> EndpointProfile:
        """What is known of `model` here; nothing at first."""
        return self.profiles.setdefault(model, EndpointProfile())

    async def attempt(
        self,
        request: ModelRequest,
        model: str,
        permit: Permit,
        clock: Callable[[], float],
        *,
        fall_back: bool = False,
    ) -> ModelAnswer:
        """One attempt, adapted to the endpoint as often as it takes; with `fall_back` in the endpoint's second tier.

        The first call of a new shape goes alone and the others wait for it: together they would all be refused for
        the same reason.
        """
        if isinstance(request, EmbeddingRequest):
            return await self._attempt_embedding(request, model, permit, clock)
        tier = self.endpoint.tiers[-1 if fall_back else 0] if self.endpoint.tiers else None
        profile = self.get_profile(model)
        if not profile.covers(request):
            shape = "text" if request.schema is None else "schema"
            async with self._first_calls.setdefault((model, shape), asyncio.Lock()):
                if not profile.covers(request):
                    return await self._attempt_chat(request, model, profile, permit, clock, tier)
        return await self._attempt_chat(request, model, profile, permit, clock, tier)

    async def _attempt_embedding(
        self, request: EmbeddingRequest, model: str, permit: Permit, clock: Callable[[], float]
    ) -> ModelAnswer:
        permit.started = clock()
        texts = list(request.texts)
        body = {"model": model, "input": texts if len(texts) > 1 else texts[0]}
        reply, data = await self.client.reply("/embeddings", body)
        return self._build_answer(request, model, reply, data, {"model": model})

    async def _attempt_chat(
        self,
        request: ChatRequest,
        model: str,
        profile: EndpointProfile,
        permit: Permit,
        clock: Callable[[], float],
        tier: Tier | None,
    ) -> ModelAnswer:
        for number in range(1, ADAPTATIONS + 1):
            version = profile.version
            body, sent = profile.build_body(request, model)
            if tier is not None:
                body[FIELD] = sent[FIELD] = tier.word
            permit.started = (
                clock()
            )  # each adaptation is an exchange of its own: latency is measured from here
            try:
                reply, data = await self.client.chat(body)
            except (RequestRefused, ServerFault) as error:
                if tier is not None and isinstance(error, RequestRefused):
                    _check_tier(error, tier)
                # Another call may have taught the profile meanwhile: then the same request is worth sending anew.
                learned = profile.version != version or profile.learn(
                    error.fault, request, explained_only=isinstance(error, ServerFault)
                )
                if learned and number < ADAPTATIONS:
                    continue
                if isinstance(error, RequestRefused):
                    self._check_whose_fault(error, request, profile)
                raise
            break
        profile.note_answer(request)
        self._refusals = 0
        answer = self._build_answer(request, model, reply, data, sent, tier)
        self.prefixes.note(model, request.messages, answer.usage)
        return answer

    def _build_answer(
        self,
        request: ModelRequest,
        model: str,
        reply: "WireReply",
        data: Mapping[str, Any],
        sent: Mapping[str, Any],
        tier: Tier | None = None,
    ) -> ModelAnswer:
        self.calls += 1
        self.unusable = None
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
            tier=read_served_tier(data, reply.headers, tier.name if tier else ""),
        )

    def _check_whose_fault(
        self, error: RequestRefused, request: ChatRequest, profile: EndpointProfile
    ) -> None:
        """A refusal that no adaptation heals is the request's own fault, and returns, but for two cases.

        Raises:
            EndpointUnusable: it names a field of the person's own, or it hits every request.
        """
        profile.forget_guesses()
        for name in request.extra:
            if name.lower() in error.fault.said:
                raise EndpointUnusable(
                    f"the endpoint refuses {name!r}: {error}", hint="take it out of --extra"
                ) from None
        self._refusals += 1
        if self._refusals >= HOPELESS and not self.calls:
            raise EndpointUnusable(
                f"every request so far was refused; {error}", hint="aide doctor tells more"
            ) from None


def _check_tier(error: RequestRefused, tier: Tier) -> None:
    """Stop where a refusal names the tier: each call would be refused alike.

    Raises:
        EndpointUnusable: it does.
    """
    fault = error.fault
    if (
        fault.param == FIELD
        or FIELD in fault.said
        or re.search(rf"\b{re.escape(tier.word)}\b.*\btier", fault.said)
    ):
        raise EndpointUnusable(
            f"the endpoint refuses the tier {tier.word!r}: {error}", hint="name another --tier, or none"
        ) from None
