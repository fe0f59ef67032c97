"""Several endpoints as one: which is asked next, and in which order callers wait."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from heapq import heappop, heappush
from math import inf
from typing import Any, Final

from aide.errors import AideError, CallError, EndpointUnusable
from aide.llm.faults import ServerFault
from aide.llm.limiter import START, Limiter, Outcome, Permit
from aide.llm.profile import RUNGS, EndpointProfile
from aide.llm.request import Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.retry import RunHealth
from aide.llm.usage import CHARS_PER_TOKEN
from aide.llm.worker import EndpointWorker

# Seconds that an endpoint with a bad key, a spent quota or a wrong model is left alone while others serve. A
# person may mend it meanwhile; asked more often, it would only refuse more often.
SET_ASIDE: Final = 60.0


async def discard_answer(answer: ModelAnswer) -> None:
    """For callers who keep no answer."""


class EndpointPool:
    """The endpoints of a run behind one `complete`."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        ceiling: int,
        timeout: float,
        patience: float,
        attempts: Mapping[str, int] | None = None,
        model: str = "",
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ceiling` bounds the calls in flight at each endpoint that sets no `concurrency` of its own.

        `timeout` and `patience` are in seconds; `attempts` is as in `RunHealth`. `transport` stands in for the
        network: one for all, or a mapping by the endpoint's name.
        """
        self.health = RunHealth(clock, patience=patience, attempts=attempts)
        """How all calls fare together; `with_retries` needs it."""
        self.model = model
        """The run's model, for which an endpoint may have a name of its own."""
        self._clock = clock
        self.workers = [
            EndpointWorker(
                endpoint,
                Limiter(
                    ceiling=endpoint.concurrency or ceiling,
                    start=(endpoint.concurrency or ceiling) if endpoint.eager else START,
                    clock=clock,
                    rpm=endpoint.rpm,
                    tpm=endpoint.tpm,
                    patience=timeout,
                ),
                timeout,
                transport.get(endpoint.name) if isinstance(transport, Mapping) else transport,
            )
            for endpoint in endpoints
        ]
        """One for each endpoint, in the order given."""
        # A heap of callers: rank, number of arrival (so that equals go in order), tokens, and what they wait for.
        self._queue: list[tuple[int, int, float, asyncio.Future[tuple[EndpointWorker, Permit]]]] = []
        self._arrivals = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Calls that hold a permit."""
        return sum(worker.limiter.in_flight for worker in self.workers)

    @property
    def waiting(self) -> int:
        """Calls that wait for a permit."""
        return sum(not entry[3].done() for entry in self._queue)

    @property
    def limit(self) -> int:
        """Calls that may be out at once, now."""
        return sum(worker.limiter.limit for worker in self.workers)

    async def complete(
        self,
        request: ModelRequest,
        *,
        rank: int = 0,
        keep: KeepAnswer = discard_answer,
        fall_back: bool = False,
    ) -> ModelAnswer:
        """One attempt at the least busy endpoint, once it has capacity; lower ranks go first, equals in order.

        Adaptation to the endpoint, the one reconnect after a dropped connection and failover from an endpoint that
        can't serve are part of the attempt. `keep` makes the answer durable; see `EndpointWorker.full`. With
        `fall_back` the attempt is made in the endpoint's second tier.

        Raises:
            CallError: the attempt failed; `with_retries` knows what to do.
            NodeError: this request can't be served.
            EndpointUnusable: no endpoint can serve.
        """
        tokens = _estimate(request)
        while True:
            worker, permit = await self._wait_for_permit(rank, tokens)
            outcome: Outcome = "neutral"
            wait: float | None = None
            work, used = 1.0, None
            try:
                answer = await worker.attempt(
                    request, self.name_model(worker, request.model), permit, self._clock, fall_back=fall_back
                )
                outcome, used = "ok", float(answer.usage.prompt + answer.usage.completion)
                # In decoding steps: a server reads some twenty tokens in the time in which it writes one, and each
                # call costs it a few steps whatever its length.
                work = 10.0 + answer.usage.completion + answer.usage.prompt / 20
                self.health.succeeded()
                worker.unsaved += 1
            except EndpointUnusable as error:
                worker.errors["unusable"] += 1
                if not self._set_aside(worker, error):
                    raise
                continue
            except CallError as error:
                outcome, wait = error.kind, error.retry_after
                worker.errors[error.kind] += 1
                self.health.failed()
                # Another endpoint may serve at once what this one could not; a 5xx may lie in the request itself.
                if not isinstance(error, ServerFault) and self._has_another(worker):
                    raise CallError(str(error), kind=error.kind, at_once=True, hint=error.hint) from error
                raise
            except AideError as error:
                worker.errors[getattr(error, "reason", "other")] += 1
                raise
            finally:
                worker.limiter.finish(permit, outcome, work=work, tokens=used, wait=wait)
                self._dispatch()
            try:
                await keep(answer)
            finally:
                worker.unsaved -= 1
                self._dispatch()
            return answer

    def name_model(self, worker: EndpointWorker, model: str) -> str:
        """What `model` is called there."""
        own = worker.endpoint.model
        return own if own and model in ("", self.model) else model

    def _has_another(self, worker: EndpointWorker) -> bool:
        """True when another endpoint takes calls now."""
        return any(
            other is not worker and not other.unusable and not other.limiter.holding for other in self.workers
        )

    def _set_aside(self, worker: EndpointWorker, error: EndpointUnusable) -> bool:
        """Leave an endpoint aside for a while; false where no other one is left."""
        worker.unusable = error
        worker.limiter.suspend(SET_ASIDE)
        return any(other.unusable is None for other in self.workers)

    async def _wait_for_permit(self, rank: int, tokens: float) -> tuple[EndpointWorker, Permit]:
        """The worker to ask and its permit, at the caller's turn; a caller that is cancelled gives the permit
        back.
        """
        if not self._queue:
            worker, wait = self._choose_worker()
            if worker is not None:
                return worker, worker.limiter.start(tokens)
            self._set_timer(wait)
        future: asyncio.Future[tuple[EndpointWorker, Permit]] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heappush(self._queue, (rank, self._arrivals, tokens, future))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                worker, permit = future.result()
                worker.limiter.finish(permit, "neutral")
                self._dispatch()
            raise

    def _dispatch(self) -> None:
        """Let in as many waiting callers as there is capacity for."""
        while self._queue:
            if self._queue[0][3].done():  # its caller was cancelled
                heappop(self._queue)
                continue
            worker, wait = self._choose_worker()
            if worker is None:
                self._set_timer(wait)
                return
            _, _, tokens, future = heappop(self._queue)
            future.set_result((worker, worker.limiter.start(tokens)))

    def _choose_worker(self) -> tuple[EndpointWorker | None, float]:
        """The sound endpoint with capacity and the fewest calls out; where none has any, seconds until one may."""
        best: EndpointWorker | None = None
        soonest = inf
        for worker in self.workers:
            wait = inf if worker.full else worker.limiter.compute_wait()
            if wait > 0:
                soonest = min(soonest, wait)
            elif best is None or _load(worker) < _load(best):
                best = worker
        return best, soonest

    def _set_timer(self, wait: float) -> None:
        """Look again after `wait` seconds; where that is endless, the end of a call will look."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if wait == inf else asyncio.get_running_loop().call_later(wait, self._dispatch)

    def note_invalid(
        self, model: str = "", *, endpoint: str = "", rung: str = "", shapeless: bool = False
    ) -> None:
        """An answer that should have been structured could not be used; `shapeless`: it was no JSON at all.

        `rung` is `answer.sent["rung"]`; without it and without `endpoint`, every endpoint that serves `model`
        is meant.
        """
        for worker in self.workers:
            if endpoint in ("", worker.endpoint.name):
                name = self.name_model(worker, model)
                if name in worker.profiles:
                    worker.profiles[name].note_invalid(rung, worker.limiter.in_flight, shapeless=shapeless)

    def export_profiles(self) -> dict[str, Any]:
        """What was learned, by endpoint and model, as JSON-able data."""
        return {
            worker.endpoint.name: {
                "base_url": worker.endpoint.base_url,
                "models": {model: profile.as_dict() for model, profile in worker.profiles.items()},
            }
            for worker in self.workers
        }

    def import_profiles(self, snapshot: Mapping[str, Any]) -> None:
        """Start from what `export_profiles` gave earlier; what does not fit is learned anew."""
        for worker in self.workers:
            kept = snapshot.get(worker.endpoint.name)
            if not isinstance(kept, Mapping) or kept.get("base_url") != worker.endpoint.base_url:
                continue
            for model, data in dict(kept.get("models") or {}).items():
                with suppress(KeyError, ValueError, TypeError, AttributeError):
                    worker.profiles[model] = EndpointProfile.from_dict(data)

    def collect_stats(self) -> dict[str, Any]:
        """By endpoint: answered calls, failures by kind, what the limiter found, the rung for each model."""
        return {
            worker.endpoint.name: {
                "calls": worker.calls,
                "errors": dict(worker.errors),
                "in_flight": worker.limiter.in_flight,
                "limit": worker.limiter.limit,
                "cuts": worker.limiter.cuts,
                "prefix": worker.prefixes.as_dict(),
                "rungs": {model: RUNGS[profile.rung] for model, profile in worker.profiles.items()},
                "unusable": str(worker.unusable or ""),
            }
            for worker in self.workers
        }

    async def close(self) -> None:
        """Close all connections; calls that still wait are cancelled."""
        if self._timer is not None:
            self._timer.cancel()
        for *_, future in self._queue:
            future.cancel()
        for worker in self.workers:
            await worker.client.close()


def _estimate(request: ModelRequest) -> float:
    """About the tokens of a call: of its limit an answer fills about half. What it really used corrects the account."""
    return (
        sum(len(message.content) for message in request.messages) / CHARS_PER_TOKEN + request.max_output / 2
    )


def _load(worker: EndpointWorker) -> tuple[bool, int]:
    """Order of preference: endpoints that have just failed come last, whatever their load."""
    return worker.limiter.failures > 0, worker.limiter.in_flight
