"""One endpoint at work: its connection, its limiter, what was learned of it, and one attempt at one request."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aide.completion import read_model_name
from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.bodies import BodyMeter
from aide.llm.faults import RequestRefused, ServerFault, UnknownModel
from aide.llm.limiter import Limiter, Permit
from aide.llm.prefixes import PrefixCacheMeter
from aide.llm.profile import RUNGS, EndpointProfile, is_unwanted, names_field
from aide.llm.refusals import DOCTOR, HELD, Refusals
from aide.llm.request import ChatRequest, EmbeddingRequest, Endpoint, ModelAnswer, ModelRequest
from aide.llm.thinking import learn_thinking, read_limit
from aide.llm.tiers import FIELD, Tier, read_served_tier
from aide.llm.usage import read_usage, read_written_text
from aide.llm.waits import read_exhausted
from aide.stop import StopSwitch

if TYPE_CHECKING:
    from aide.llm.client import WireReply

# All that a profile can learn takes ten refusals: four rungs, three sampling fields, the name and the bound of the
# output limit, the system role. The bound ends an attempt at a server that refuses ever anew.
ADAPTATIONS: Final = 12


class EndpointWorker:
    """One endpoint with its connections, its limiter and what was learned of it."""

    def __init__(
        self,
        endpoint: Endpoint,
        limiter: Limiter,
        timeout: float,
        transport: Any,
        stop: StopSwitch | None = None,
        bodies: BodyMeter | None = None,
    ) -> None:
        """`timeout`, `transport` and `bodies` are those of `Client`; `stop` ends what waits, and is asked
        before a request.
        """
        from aide.llm.client import Client

        self.endpoint = endpoint
        """Where it is and how it is addressed."""
        self.limiter = limiter
        """How many calls may be out here."""
        self._stop = stop or StopSwitch()
        self.client = Client(
            endpoint,
            transport=transport,
            timeout=timeout,
            pool=limiter.ceiling,
            stop=self._stop,
            bodies=bodies,
        )
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
        self.refusals = Refusals()
        """What it refused since it last answered."""
        self._first_calls: dict[tuple[str, str], asyncio.Lock] = {}

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

    def export_profiles(self) -> dict[str, Any]:
        """What was learned, by model, as JSON-able data."""
        return {
            "base_url": self.endpoint.base_url,
            "models": {model: profile.as_dict() for model, profile in self.profiles.items()},
        }

    def import_profiles(self, kept: object) -> None:
        """Start from what `export_profiles` gave earlier; what does not fit is learned anew."""
        if not isinstance(kept, Mapping) or kept.get("base_url") != self.endpoint.base_url:
            return
        for model, data in dict(kept.get("models") or {}).items():
            with suppress(KeyError, ValueError, TypeError, AttributeError):
                self.profiles[model] = EndpointProfile.from_dict(data)

    def collect_stats(self) -> dict[str, Any]:
        """Answered calls, failures by kind, what the limiter found, the rung for each model."""
        return {
            "calls": self.calls,
            "errors": dict(self.errors),
            "in_flight": self.limiter.in_flight,
            "limit": self.limiter.limit,
            "cuts": self.limiter.cuts,
            "prefix": self.prefixes.as_dict(),
            "rungs": {model: RUNGS[profile.rung] for model, profile in self.profiles.items()},
            "unusable": str(self.unusable or ""),
        }

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

        Raises:
            errors.CallError: also for what would end the run, had this endpoint not answered before: a key that is
                refused once after hundreds of answers may be a gateway's mistake. It gets the usual patience.
            errors.NodeError: this request can't be served.
            errors.EndpointUnusable: no request can be served.
        """
        try:
            return await self._attempt(request, model, permit, clock, fall_back=fall_back)
        except EndpointUnusable as error:
            if isinstance(error, UnknownModel) and not self.calls:
                await self._tell_models(error)
            if error is self._stop.reason or error.lasting or not self.calls:
                raise
            raise CallError(str(error), kind="refused", hint=error.hint) from error
        except NodeError as error:
            if not self.refusals.blamed or error.reason not in HELD:
                raise
            raise CallError(f"every request is refused; {error}", kind="refused", hint=DOCTOR) from error

    async def _tell_models(self, error: UnknownModel) -> None:
        """Add to the hint which models there are, where the endpoint lists them."""
        from aide.llm.offers import describe_models, list_models

        with suppress(AideError):
            if names := describe_models(await list_models(self.client)):
                error.hint = f"check --model; the endpoint lists {names}"

    async def _attempt(
        self,
        request: ModelRequest,
        model: str,
        permit: Permit,
        clock: Callable[[], float],
        *,
        fall_back: bool,
    ) -> ModelAnswer:
        if isinstance(request, EmbeddingRequest):
            return await self._attempt_embedding(request, model, permit, clock)
        tier = self.endpoint.tiers[-1 if fall_back else 0] if self.endpoint.tiers else None
        profile = self.get_profile(model)
        if not profile.covers(request):
            shape = "text" if request.schema is None else "schema"
            lock = self._first_calls.setdefault((model, shape), asyncio.Lock())
            with self._stop.waiting():
                await lock.acquire()
            try:
                if not profile.covers(request):
                    return await self._attempt_chat(request, model, profile, permit, clock, tier)
            finally:
                lock.release()
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
                    self._check_own_fields(error, request, profile)
                raise
            break
        profile.note_answer(request)
        answer = self._build_answer(request, model, reply, data, sent, tier)
        limit = read_limit(sent) or request.max_output
        profile.thinking = learn_thinking(profile.thinking, data, answer.usage, limit)
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
        wait = read_exhausted(reply.headers)
        if wait:
            self.limiter.pause_starts(wait)
        return ModelAnswer(
            body=reply.body,
            data=data,
            endpoint=self.endpoint.name,
            model=read_model_name(data, model),
            sent=sent,
            usage=read_usage(data, chars, read_written_text(data)),
            seconds=reply.seconds,
            tier=read_served_tier(data, reply.headers, tier.name if tier else ""),
        )

    def _check_own_fields(
        self, error: RequestRefused, request: ChatRequest, profile: EndpointProfile
    ) -> None:
        """Blame a field of the person's own where a refusal that no adaptation heals names it.

        Raises:
            EndpointUnusable: it does.
        """
        profile.forget_guesses()
        fault = error.fault
        for name in request.extra:
            if fault.param == name or (names_field(fault.said, name) and is_unwanted(fault.said)):
                raise EndpointUnusable(
                    f"the endpoint refuses {name!r}: {error}", hint="take it out of --extra"
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
