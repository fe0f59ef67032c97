"""The engine that runs a whole expansion in this process, on one event loop."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from aide.config.spec import BATCH_FILES, EndpointSpec, RunSpec
from aide.config.values import CEILING
from aide.engines.base import Job
from aide.engines.timeline import Timeline, make_sample
from aide.errors import AideError, CallError, NodeError
from aide.llm.batch_api import BatchApi
from aide.llm.batch_folder import BatchFolder
from aide.llm.batches import BatchService
from aide.llm.client import CallableTransport
from aide.llm.health import Trouble
from aide.llm.pool import EndpointPool
from aide.llm.profile import EndpointProfile
from aide.llm.request import EmbeddingRequest, Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.retry import with_retries
from aide.llm.tiers import FALL_BACK_AFTER, FLEX, FLEX_ATTEMPTS, FLEX_PATIENCE, FLEX_TIMEOUT, choose_tiers
from aide.records import rng
from aide.run.expansion import Expansion
from aide.run.service import SYSTEM_CLOCK
from aide.stop import StopSwitch

TICK: Final = (
    0.2  # seconds between two looks at a run; a picture that changes less often seems to stand still
)
WRITE_EVERY: Final = 5  # looks between two versions of `progress.json`


class LocalModels:
    """The endpoints of a run behind one pool, with retries: a `run.service.ModelService`."""

    def __init__(
        self,
        spec: RunSpec,
        *,
        transports: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`transports` stand in for the network, by the endpoint's name; `clock` gives the seconds of the event loop.

        After a stop an answer is awaited as long as the endpoint may be silent.

        Raises:
            InputError: an endpoint has no tier such as the spec asks for.
        """
        served = spec.list_endpoints()
        flex = FLEX in spec.tier
        self.capacity = sum(each.ceiling for each in served)
        """Most calls in flight, over all endpoints."""
        timeout = max(spec.timeout, FLEX_TIMEOUT) if flex else spec.timeout
        self.stop = StopSwitch(timeout)
        """The scope of all calls."""
        patience = max(spec.endpoint_patience, FLEX_PATIENCE) if flex else spec.endpoint_patience

        def make_pool(chosen: Sequence[EndpointSpec], model: str) -> EndpointPool:
            simulated = {each.name: make_transport(each) for each in chosen if each.simulated}
            return EndpointPool(
                [make_endpoint(each, model, spec.tier) for each in chosen],
                ceiling=CEILING,
                timeout=timeout,
                patience=patience,
                attempts=FLEX_ATTEMPTS if flex else {},
                model=model,
                clock=clock,
                transport={**simulated, **(transports or {})},
                stop=self.stop,
            )

        self.pool = make_pool(served, spec.model)
        apart = spec.embeddings_endpoint
        self._embedding_pool = make_pool([apart], spec.embeddings) if apart else self.pool
        self._batch_folder = spec.batch_folder
        self._jitter = rng("jitter")
        self._falls_back = len(spec.tier) > 1

    @property
    def _pools(self) -> tuple[EndpointPool, ...]:
        return tuple(dict.fromkeys((self.pool, self._embedding_pool)))

    @property
    def held(self) -> int:
        """See `ModelService`."""
        return sum(pool.held for pool in self._pools)

    def on_hold(self, listener: Callable[[], None]) -> None:
        """See `ModelService`."""
        for pool in self._pools:
            pool.on_hold = listener

    @property
    def trouble(self) -> Trouble | None:
        """See `ModelService`."""
        return self.pool.health.trouble or self._embedding_pool.health.trouble

    @property
    def in_flight(self) -> int:
        """Calls on the wire now."""
        return sum(pool.in_flight for pool in self._pools)

    @property
    def limit(self) -> int:
        """Calls that may be on the wire now."""
        return self.pool.limit

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        """See `ModelService`."""
        turned_away = 0
        pool = self._embedding_pool if isinstance(request, EmbeddingRequest) else self.pool

        async def attempt() -> ModelAnswer:
            nonlocal turned_away
            fall_back = self._falls_back and turned_away >= FALL_BACK_AFTER
            try:
                return await pool.complete(request, rank=rank, keep=keep, fall_back=fall_back)
            except CallError as error:
                turned_away += error.kind in ("rate", "overload")
                raise

        async def hold(refusal: NodeError) -> None:
            await pool.hold(refusal, request)

        return await with_retries(attempt, health=pool.health, rng=self._jitter, sleep=self._sleep, hold=hold)

    async def _sleep(self, seconds: float) -> None:
        with self.stop.waiting():
            await asyncio.sleep(seconds)

    def note_invalid(self, model: str, endpoint: str, rung: str, shapeless: bool) -> None:
        """See `ModelService`."""
        self.pool.note_invalid(model, endpoint=endpoint, rung=rung, shapeless=shapeless)

    def count_thinking(self, model: str) -> int:
        """See `ModelService`."""
        return self.pool.count_thinking(model)

    def capabilities(self) -> Mapping[str, Any]:
        """See `ModelService`."""
        return self.pool.export_profiles()

    def restore(self, capabilities: Mapping[str, Any]) -> None:
        """See `ModelService`."""
        self.pool.import_profiles(capabilities)

    def open_batches(self, where: str = "") -> BatchService | None:
        """See `ModelService`. Waves go to the first endpoint, or to a folder."""
        folder = (
            Path(where.removeprefix(BATCH_FILES)) if where.startswith(BATCH_FILES) else self._batch_folder
        )
        if folder is not None and where in ("", f"{BATCH_FILES}{folder}"):
            return BatchFolder(folder, self._find_profile, SYSTEM_CLOCK.now)
        for worker in self.pool.workers:
            if where in ("", worker.endpoint.base_url):
                return BatchApi(worker, partial(self.pool.name_model, worker))
        return None

    def _find_profile(self, model: str) -> EndpointProfile | None:
        """What the first endpoint honours; `None` where there is no endpoint."""
        for worker in self.pool.workers:
            return worker.get_profile(self.pool.name_model(worker, model))
        return None

    def stats(self) -> Mapping[str, Any]:
        """See `ModelService`."""
        return {name: told for pool in self._pools for name, told in pool.collect_stats().items()}

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.close()


def make_endpoint(spec: EndpointSpec, run_model: str, tiers: Sequence[str] = ()) -> Endpoint:
    """An endpoint as the client takes it; its model only where it differs from the run's."""
    return Endpoint(
        name=spec.name,
        base_url=spec.base_url,
        model=spec.model if spec.model != run_model else "",
        key_env=spec.api_key_env,
        key_command=spec.api_key_command,
        headers=spec.headers,
        query=spec.query,
        concurrency=spec.ceiling,
        eager=spec.concurrency is not None,
        rpm=spec.rpm,
        tpm=spec.tpm,
        tiers=choose_tiers(spec.base_url, tiers),
    )


def make_transport(each: EndpointSpec) -> CallableTransport | None:
    """What stands in for the network: the simulator for `sim:`, nothing for any other endpoint."""
    if not each.simulated:
        return None
    from aide.simulator import from_url

    simulator = from_url(each.base_url)

    async def answer(path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str]) -> Any:
        return await simulator.respond(path, body, headers)

    return CallableTransport(answer)


class LocalEngine:
    """Runs a job in this process: an `engines.base.Engine`."""

    def __init__(self, job: Job) -> None:
        """Raises `InputError` where an endpoint has no tier such as the settings ask for."""
        models = LocalModels(job.request.spec, transports=job.transports)
        self._expansion = Expansion(
            job.request,
            job.source,
            models,
            job.observer,
            emit=job.emit(models.stop) if job.emit else None,
            limit=job.limit,
            expected=job.expected,
        )

    @property
    def stop(self) -> StopSwitch:
        """See `Engine`."""
        return self._expansion.stop

    @property
    def growing(self) -> bool:
        """See `Engine`."""
        return self._expansion.growing

    async def run(self) -> dict[str, Any]:
        """See `Engine`."""
        return await run_locally(self._expansion)

    def read_totals(self) -> dict[str, Any]:
        """See `Engine`."""
        return self._expansion.request.folder.read_summary()


async def run_locally(expansion: Expansion) -> dict[str, Any]:
    """Run to the end and return the summary, with `progress.json` kept fresh beside it.

    Raises:
        errors.AideError: what stopped the run.
    """
    ticker = asyncio.create_task(_tick(expansion))
    ticker.add_done_callback(partial(_stop_on_fault, expansion.stop))
    try:
        return await expansion.run()
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
        if expansion.progress is not None:
            with contextlib.suppress(OSError, AideError):  # a sample less, of a run that is over
                _sample(expansion, Timeline(expansion.request.folder.timeline))
        await expansion.models.close()


def _stop_on_fault(stop: StopSwitch, ticker: asyncio.Task[None]) -> None:
    """A run that can't be seen, or whose folder can't be written, is drained while what it has can be kept."""
    fault = None if ticker.cancelled() else ticker.exception()
    if fault is not None:
        told = (
            fault if isinstance(fault, AideError) else AideError(f"the run can't write its progress: {fault}")
        )
        stop.request(told)


async def _tick(expansion: Expansion) -> None:
    """Show where the run stands, and write it down now and then."""
    timeline: Timeline | None = None
    ticks = 0
    while True:
        await asyncio.sleep(TICK)
        ticks += 1
        expansion.observer.on_trouble(expansion.models.trouble)
        if (progress := expansion.look()) is None:
            continue
        expansion.observer.on_progress(progress)
        if ticks % WRITE_EVERY == 0:
            timeline = timeline or Timeline(expansion.request.folder.timeline)
            await asyncio.to_thread(_write_down, expansion, timeline)


def _write_down(expansion: Expansion, timeline: Timeline) -> None:
    expansion.write_progress()
    _sample(expansion, timeline)


def _sample(expansion: Expansion, timeline: Timeline) -> None:
    assert expansion.progress is not None
    timeline.sample(make_sample(expansion.clock.now(), expansion.progress, expansion.models.stats()))
