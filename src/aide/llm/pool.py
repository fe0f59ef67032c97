"""Several endpoints as one: which is asked next, and in which order callers wait."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any, Final

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.bodies import BodyMeter
from aide.llm.faults import ServerFault
from aide.llm.health import RunHealth
from aide.llm.limiter import START, Limiter, Outcome, Permit
from aide.llm.refusals import DOCTOR, HELD, HOPELESS
from aide.llm.request import Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.usage import CHARS_PER_TOKEN
from aide.llm.worker import EndpointWorker
from aide.stop import StopSwitch

# Seconds that an endpoint with a bad key, a spent quota or a wrong model is left alone while others serve. A
# person may mend it meanwhile; asked more often, it would only refuse more often.
SET_ASIDE: Final = 60.0
# Seconds that an endpoint rests once it is to blame for its refusals, before one call tries it again; each vain
# try doubles that, as after other failures.
FIRST_PAUSE: Final = 1.0
# Seconds without any call, after which nobody is left who could tell whose fault a refusal is: longer than it takes to
# find new work, short enough that nobody minds at the end of a run.
IDLE: Final = 2.0


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
        stop: StopSwitch | None = None,
    ) -> None:
        """`ceiling` bounds the calls in flight at each endpoint that sets no `concurrency` of its own.

        `timeout` and `patience` are in seconds; `attempts` is as in `RunHealth`. `transport` stands in for the
        network: one for all, or a mapping by the endpoint's name. `stop` ends all calls: it is asked before each
        request, and told where no endpoint can be waited for any longer.
        """
        self.stop = stop or StopSwitch()
        """The scope of all calls."""
        self.health = RunHealth(
            clock, patience=patience, attempts=attempts, count_sent=lambda: self.stop.sent
        )
        """How all calls fare together; `with_retries` needs it."""
        self.on_hold: Callable[[], None] = lambda: None
        """Called when a call is held back: only others can tell whose fault its refusal is."""
        self.model = model
        """The run's model, for which an endpoint may have a name of its own."""
        self._clock = clock
        bodies = BodyMeter()
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
                self.stop,
                bodies,
            )
            for endpoint in endpoints
        ]
        """One for each endpoint, in the order given."""
        # A heap of callers: rank, number of arrival (so that equals go in order), tokens, and what they wait for.
        self._queue: list[tuple[int, int, float, asyncio.Future[tuple[EndpointWorker, Permit]]]] = []
        self._arrivals = 0
        self._timer: asyncio.TimerHandle | None = None
        self._patience_timer: asyncio.TimerHandle | None = None
        self._patience_ends = -inf
        self._idle_timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Calls that hold a permit."""
        return sum(worker.limiter.in_flight for worker in self.workers)

    @property
    def waiting(self) -> int:
        """Calls that wait for a permit."""
        return sum(not entry[3].done() for entry in self._queue)

    @property
    def held(self) -> int:
        """Calls that were refused, and wait until it is known whose fault that is."""
        return sum(worker.refusals.held for worker in self.workers)

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
            NodeError: this request can't be served; `hold` knows whether it is the request's own fault.
            EndpointUnusable: no endpoint can serve.
            AideError: the reason of a stop.
        """
        tokens = _estimate(request)
        while True:
            worker, permit = await self._wait_for_permit(rank, tokens)
            try:
                answer = await self._attempt(worker, permit, request, fall_back=fall_back)
            except EndpointUnusable as error:
                self.stop.raise_if_requested()
                if not self._set_aside(worker, error):
                    raise
                continue
            try:
                await keep(answer)
            finally:
                worker.unsaved -= 1
                self._dispatch()
            return answer

    async def _attempt(
        self, worker: EndpointWorker, permit: Permit, request: ModelRequest, *, fall_back: bool
    ) -> ModelAnswer:
        """One attempt at one endpoint, of which limiter and health are told."""
        outcome: Outcome = "neutral"
        wait: float | None = None
        work, used = 1.0, None
        model = self.name_model(worker, request.model)
        try:
            answer = await worker.attempt(request, model, permit, self._clock, fall_back=fall_back)
            outcome, used = "ok", float(answer.usage.prompt + answer.usage.completion)
            # In decoding steps: a server reads some twenty tokens in the time in which it writes one, and each
            # call costs it a few steps whatever its length.
            work = 10.0 + answer.usage.completion + answer.usage.prompt / 20
            self.health.succeeded()
            worker.refusals.answered(permit.serial)
            worker.unsaved += 1
            return answer
        except CallError as error:
            error.endpoint = worker.endpoint.name
            outcome, wait = error.kind, self.health.believe_wait(error)
            worker.errors[error.kind] += 1
            self.health.failed(error)
            # Another endpoint may serve at once what this one could not; a 5xx may lie in the request itself.
            if not isinstance(error, ServerFault) and self._has_another(worker):
                raise CallError(str(error), kind=error.kind, at_once=True, hint=error.hint) from error
            raise
        except AideError as error:
            if error is not self.stop.reason:
                error.endpoint = worker.endpoint.name
                worker.errors[getattr(error, "reason", "unusable")] += 1
            raise
        finally:
            worker.limiter.finish(permit, outcome, work=work, tokens=used, wait=wait)
            self._dispatch()

    # --- whose fault a refusal is -------------------------------------------------------------------

    async def hold(self, error: NodeError, request: ModelRequest) -> None:
        """Wait until it is known whose fault a refusal is; returns where the endpoint's, so that trying again helps.

        Raises:
            NodeError: the given one: the fault is the request's own, since others were answered.
            EndpointUnusable: nothing was ever answered, and every request so far was refused.
            AideError: the reason of a stop.
        """
        worker = next((each for each in self.workers if each.endpoint.name == error.endpoint), None)
        if worker is None or error.reason not in HELD:
            raise error
        self.stop.raise_if_requested()
        refusals, serial = worker.refusals, worker.limiter.latest
        if refusals.blamed:
            return
        refusals.note(error, request, serial, self._clock())
        if not worker.calls and refusals.count_requests() >= HOPELESS:
            unusable = EndpointUnusable(f"every request so far was refused; {error}", hint=DOCTOR)
            if not self._set_aside(worker, unusable):
                raise unusable from error
            refusals.blame()
            return
        since = refusals.find_beginning(error)
        if since is not None:
            worker.limiter.suspend(FIRST_PAUSE)
            words = f"every request is refused; {error}"
            self.health.failed(CallError(words, kind="refused", hint=DOCTOR), since)
            refusals.blame()
            self._dispatch()
            return
        fault_is_its_own = refusals.hold(serial)
        self._watch_idle()
        self.on_hold()
        with self.stop.waiting():
            if await fault_is_its_own:
                raise error

    def _watch_idle(self) -> None:
        """Acquit everybody who is held back once no other call could tell."""
        if self._idle_timer is None and self.held:
            self._idle_timer = asyncio.get_running_loop().call_later(
                IDLE, self._end_of_idling, self._arrivals
            )

    def _end_of_idling(self, arrivals: int) -> None:
        self._idle_timer = None
        if self.waiting or self.in_flight or self.health.troubled or self._arrivals != arrivals:
            self._watch_idle()
            return
        for worker in self.workers:
            worker.refusals.acquit()

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
        self.stop.raise_if_requested()
        self._arrivals += 1
        if not self._queue and not self._is_patience_over():
            worker, wait = self._choose_worker()
            if worker is not None:
                return worker, worker.limiter.start(tokens)
            self._set_timer(wait)
        self.stop.raise_if_requested()
        future: asyncio.Future[tuple[EndpointWorker, Permit]] = asyncio.get_running_loop().create_future()
        heappush(self._queue, (rank, self._arrivals, tokens, future))
        try:
            with self.stop.waiting():
                return await future
        except (asyncio.CancelledError, AideError):
            if future.done() and not future.cancelled():
                worker, permit = future.result()
                worker.limiter.finish(permit, "neutral")
                self._dispatch()
            raise

    def _dispatch(self) -> None:
        """Let in as many waiting callers as there is capacity for."""
        if self._is_patience_over():
            return
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

    def _is_patience_over(self) -> bool:
        """True where nothing may start any more; the run is stopped then, unless a call on the wire may be answered.

        As long as patience lasts, this is looked at again when it ends: all callers may be waiting by then.
        """
        left = self.health.compute_time_left()
        if left is None:
            return False
        if left > 0:
            self._set_patience_timer(left)
            return False
        if (end := self.health.find_end()) is not None:
            self.stop.request(end)
        return True

    def _set_patience_timer(self, left: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._patience_ends <= loop.time() + left:
            return
        if self._patience_timer is not None:
            self._patience_timer.cancel()
        self._patience_ends = loop.time() + left
        self._patience_timer = loop.call_later(left, self._end_patience)

    def _end_patience(self) -> None:
        self._patience_ends = -inf  # a timer may be early by its rounding: then it is set anew
        self._dispatch()

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

    def count_thinking(self, model: str) -> int:
        """Tokens that a call may write beside those of its answer, because the model thinks first."""
        known = (worker.profiles.get(self.name_model(worker, model)) for worker in self.workers)
        return max((profile.thinking for profile in known if profile), default=0)

    def export_profiles(self) -> dict[str, Any]:
        """What was learned, by endpoint and model, as JSON-able data."""
        return {worker.endpoint.name: worker.export_profiles() for worker in self.workers}

    def import_profiles(self, snapshot: Mapping[str, Any]) -> None:
        """Start from what `export_profiles` gave earlier; what does not fit is learned anew."""
        for worker in self.workers:
            worker.import_profiles(snapshot.get(worker.endpoint.name))

    def collect_stats(self) -> dict[str, Any]:
        """By endpoint: answered calls, failures by kind, what the limiter found, the rung for each model."""
        return {worker.endpoint.name: worker.collect_stats() for worker in self.workers}

    async def close(self) -> None:
        """Close all connections; calls that still wait are cancelled."""
        for timer in (self._timer, self._patience_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
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
