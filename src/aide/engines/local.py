"""The engine that runs a whole expansion in this process, on one event loop."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aide.config.spec import EndpointSpec, RunSpec
from aide.config.values import CEILING
from aide.engines.timeline import Timeline, make_sample
from aide.llm.pool import EndpointPool
from aide.llm.request import Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.retry import with_retries
from aide.records import rng
from aide.run.folder import RunFolder
from aide.run.inputs import PreparedInputs
from aide.run.session import Order, Stage, run, write_progress

TICK = 1.0  # seconds between two versions of progress.json


def make_endpoint(spec: EndpointSpec, run_model: str) -> Endpoint:
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
    )


def open_pool(spec: RunSpec) -> EndpointPool:
    """The endpoints of a run behind one pool; `sim:` is answered in this process."""
    served = spec.served_by()
    transports = {each.name: make_transport(each) for each in served if each.simulated}
    return EndpointPool(
        [make_endpoint(each, spec.model) for each in served],
        ceiling=CEILING,
        timeout=spec.timeout,
        patience=spec.endpoint_patience,
        model=spec.model,
        transport=transports,
    )


def total_concurrency(spec: RunSpec) -> int:
    """Most calls in flight over all endpoints."""
    return sum(each.ceiling for each in spec.served_by())


def make_transport(each: EndpointSpec) -> Any:
    """What stands in for the network: the simulator for `sim:`, nothing for any other endpoint."""
    return _simulator(each.base_url) if each.simulated else None


def _simulator(url: str) -> Any:
    from aide.llm.client import CallableTransport
    from aide.simulator import from_url

    simulator = from_url(url)

    async def answer(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return await simulator.respond(path, body, headers)

    return CallableTransport(answer)


def order(
    spec: RunSpec,
    origins: Mapping[str, str],
    seeds: tuple[str, ...],
    folder: RunFolder,
    pool: EndpointPool,
    emit: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
) -> Order:
    """The order for a pool: its retries, its counts, and the clocks of this machine."""
    jitter = rng("jitter")

    async def complete(request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        return await with_retries(
            lambda: pool.complete(request, rank=rank, keep=keep), health=pool.health, rng=jitter
        )

    return Order(
        spec=spec,
        origins=origins,
        seeds=seeds,
        folder=folder,
        complete=complete,
        now=time.time,  # noqa: TID251 - the engine is where the outside world begins
        clock=time.monotonic,
        room=2 * total_concurrency(spec),
        emit=emit,
        note_invalid=lambda model, endpoint, rung, shapeless: pool.note_invalid(
            model, endpoint=endpoint, rung=rung, shapeless=shapeless
        ),
        restore=pool.restore,
        snapshot=pool.capabilities,
        stats=pool.stats,
        in_flight=lambda: (pool.in_flight, pool.limit),
    )


async def run_locally(stage: Stage, ground: PreparedInputs, pool: EndpointPool) -> dict[str, Any]:
    """Run to the end and return the summary, with `progress.json` kept fresh beside it; raises what stopped the run."""
    ticker = asyncio.create_task(_tick(stage))
    try:
        return await run(stage, ground)
    finally:
        ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticker
        if stage.run is not None:
            Timeline(stage.order.folder.timeline).sample(_moment(stage))
        await pool.close()


async def _tick(stage: Stage) -> None:
    began = stage.order.clock()
    timeline = Timeline(stage.order.folder.timeline)
    while True:
        await asyncio.sleep(TICK)
        stage.progress.seconds = stage.order.clock() - began
        if stage.run is not None:
            await asyncio.to_thread(_write_down, stage, timeline)


def _write_down(stage: Stage, timeline: Timeline) -> None:
    write_progress(stage)
    timeline.sample(_moment(stage))


def _moment(stage: Stage) -> dict[str, Any]:
    return make_sample(stage.order.now(), stage.progress, stage.order.stats())
