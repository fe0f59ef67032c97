"""Several endpoints as one: which is asked next, and in which order callers wait."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from heapq import heappop, heappush
from math import inf
from typing import Any, Final

from aide.errors import AideError, CallError, EndpointUnusable
from aide.llm.capabilities import RUNGS, EndpointProfile
from aide.llm.faults import ServerFault
from aide.llm.limiter import START, Limiter, Outcome, Permit
from aide.llm.request import Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.retry import RunHealth
from aide.llm.worker import EndpointWorker

EXILE: Final = 60.0


async def discard_answer(answer: ModelAnswer) -> None:
    """For callers who keep no answer."""


class EndpointPool:
    """The endpoints of a run behind one `complete`.

    `ceiling` bounds the calls in flight at each endpoint that sets no `concurrency` of its own; `timeout` and
    `patience` are in seconds; `model` is the run's model, for which an endpoint may have a name of its own.
    `transport` stands in for the network, one for all or a mapping by the endpoint's name.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        ceiling: int,
        timeout: float,
        patience: float,
        model: str = "",
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.health = RunHealth(clock, patience=patience)
        self.model = model
        self._clock = clock
        self.lanes = [
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
        self._line: list[tuple[int, int, float, asyncio.Future[tuple[EndpointWorker, Permit]]]] = []
        self._arrivals = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Calls that hold a permit."""
        return sum(lane.limiter.in_flight for lane in self.lanes)

    @property
    def waiting(self) -> int:
        """Calls that wait for a permit."""
        return sum(not entry[3].done() for entry in self._line)

    @property
    def limit(self) -> int:
        """Calls that may be out at once, now."""
        return sum(lane.limiter.limit for lane in self.lanes)

    async def complete(
        self, request: ModelRequest, *, rank: int = 0, keep: KeepAnswer = discard_answer
    ) -> ModelAnswer:
        """One attempt at the least busy endpoint, once there is room; lower ranks go first, equals in order.

        Adaptation to the endpoint, the one free reconnect and failover from an endpoint that can't serve are
        part of the attempt. `keep` makes the answer durable; see `Lane.full`.

        Raises:
            CallError: the attempt failed; `with_retries` knows what to do.
            NodeError: this request can't be served.
            EndpointUnusable: no endpoint can serve.
        """
        tokens = sum(len(message.content) for message in request.messages) / 4 + request.max_output / 2
        while True:
            lane, permit = await self._enter(rank, tokens)
            outcome: Outcome = "neutral"
            wait: float | None = None
            work, used = 1.0, None
            try:
                answer = await lane.attempt(request, self._model_at(lane, request), permit, self._clock)
                outcome, used = "ok", float(answer.usage.prompt + answer.usage.completion)
                work = 10.0 + answer.usage.completion + answer.usage.prompt / 20
                self.health.succeeded()
                lane.unkept += 1
            except EndpointUnusable as error:
                lane.errors["unusable"] += 1
                if not self._exile(lane, error):
                    raise
                continue
            except CallError as error:
                outcome, wait = _OUTCOMES[error.kind], error.retry_after
                lane.errors[error.kind] += 1
                self.health.failed()
                if not isinstance(error, ServerFault) and self._other_than(lane):
                    raise CallError(str(error), kind=error.kind, at_once=True, hint=error.hint) from error
                raise
            except AideError as error:
                lane.errors[getattr(error, "reason", "other")] += 1
                raise
            finally:
                lane.limiter.finish(permit, outcome, work=work, tokens=used, wait=wait)
                self._dispatch()
            try:
                await keep(answer)
            finally:
                lane.unkept -= 1
                self._dispatch()
            return answer

    def _model_at(self, lane: EndpointWorker, request: ModelRequest) -> str:
        own = lane.endpoint.model
        return own if own and request.model in ("", self.model) else request.model

    def _other_than(self, lane: EndpointWorker) -> bool:
        return any(
            other is not lane and not other.unusable and not other.limiter.holding for other in self.lanes
        )

    def _exile(self, lane: EndpointWorker, error: EndpointUnusable) -> bool:
        """Leave an endpoint aside for a while; false where no other one is left."""
        lane.unusable = error
        lane.limiter.suspend(EXILE)
        return any(other.unusable is None for other in self.lanes)

    async def _enter(self, rank: int, tokens: float) -> tuple[EndpointWorker, Permit]:
        if not self._line:
            lane, wait = self._pick()
            if lane is not None:
                return lane, lane.limiter.start(tokens)
            self._arm(wait)
        future: asyncio.Future[tuple[EndpointWorker, Permit]] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heappush(self._line, (rank, self._arrivals, tokens, future))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                lane, permit = future.result()
                lane.limiter.finish(permit, "neutral")
                self._dispatch()
            raise

    def _dispatch(self) -> None:
        """Let in as many waiting callers as there is room for."""
        while self._line:
            if self._line[0][3].done():  # its caller was cancelled
                heappop(self._line)
                continue
            lane, wait = self._pick()
            if lane is None:
                self._arm(wait)
                return
            _, _, tokens, future = heappop(self._line)
            future.set_result((lane, lane.limiter.start(tokens)))

    def _pick(self) -> tuple[EndpointWorker | None, float]:
        """The endpoint with the fewest calls out that has room, sound ones first; else the seconds until one
        may have.
        """
        best: EndpointWorker | None = None
        soonest = inf
        for lane in self.lanes:
            wait = inf if lane.full else lane.limiter.compute_wait()
            if wait > 0:
                soonest = min(soonest, wait)
            elif best is None or _load(lane) < _load(best):
                best = lane
        return best, soonest

    def _arm(self, wait: float) -> None:
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
        for lane in self.lanes:
            if endpoint in ("", lane.endpoint.name):
                own = lane.endpoint.model
                name = own if own and model in ("", self.model) else model
                if name in lane.habits:
                    lane.habits[name].note_invalid(rung, lane.limiter.in_flight, shapeless=shapeless)

    def capabilities(self) -> dict[str, Any]:
        """What was learned, by endpoint and model, as JSON-able data."""
        return {
            lane.endpoint.name: {
                "base_url": lane.endpoint.base_url,
                "models": {model: habits.as_dict() for model, habits in lane.habits.items()},
            }
            for lane in self.lanes
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Start from what `capabilities` gave earlier; what does not fit is learned anew."""
        for lane in self.lanes:
            kept = snapshot.get(lane.endpoint.name)
            if not isinstance(kept, Mapping) or kept.get("base_url") != lane.endpoint.base_url:
                continue
            for model, data in dict(kept.get("models") or {}).items():
                with suppress(KeyError, ValueError, TypeError, AttributeError):
                    lane.habits[model] = EndpointProfile.from_dict(data)

    def stats(self) -> dict[str, Any]:
        """By endpoint: answered calls, failures by kind, what the limiter found, and the rung for each
        model.
        """
        return {
            lane.endpoint.name: {
                "calls": lane.calls,
                "errors": dict(lane.errors),
                "in_flight": lane.limiter.in_flight,
                "limit": lane.limiter.limit,
                "cuts": lane.limiter.cuts,
                "prefix": lane.prefixes.as_dict(),
                "rungs": {model: RUNGS[habits.rung] for model, habits in lane.habits.items()},
                "unusable": str(lane.unusable or ""),
            }
            for lane in self.lanes
        }

    async def close(self) -> None:
        """Close all connections; calls that still wait are cancelled."""
        if self._timer is not None:
            self._timer.cancel()
        for *_, future in self._line:
            future.cancel()
        for lane in self.lanes:
            await lane.client.close()


_OUTCOMES: Final[dict[str, Outcome]] = {
    "rate": "rate", "overload": "overload", "server": "server", "timeout": "timeout",
    "connection": "connection",
}  # fmt: skip


def _load(lane: EndpointWorker) -> tuple[bool, int]:
    return lane.limiter.failures > 0, lane.limiter.in_flight
