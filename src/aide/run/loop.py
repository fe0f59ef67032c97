"""The growth loop: hand out work, settle what comes back, keep the folder true at every moment."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import orjson

from aide.crash_points import hit
from aide.errors import AideError, NodeError, Rejection
from aide.frontier import Frontier, GrowWork, PlantWork
from aide.journal import Kind, Outcome
from aide.recipes import Attributes
from aide.records import Hop, Lineage, Record, Reject, replace
from aide.run.context import RunContext
from aide.run.deduplication import SettlingDeduplicator
from aide.run.hops import HopBuilder
from aide.run.progress import Progress
from aide.run.restore import START, pack_slot
from aide.shards import AppendOnlyLines, Shards

Emit = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RunOutput:
    """Where records and rejects go."""

    shards: Shards
    rejects: AppendOnlyLines
    emit: Emit | None
    """Is given each accepted record, once it is safe on disk."""


class GrowthLoop:
    """The loop over one frontier."""

    def __init__(
        self,
        context: RunContext,
        frontier: Frontier,
        hops: HopBuilder,
        deduplicator: SettlingDeduplicator,
        output: RunOutput,
        progress: Progress,
        *,
        capacity: int,
    ) -> None:
        """`capacity` bounds the records that are open at once; the frontier says which come next."""
        self._context = context
        self._calls = context.session.calls
        self._journal = context.session.journal
        self._stop = context.session.stop
        self._frontier = frontier
        self._hops = hops
        self._deduplicator = deduplicator
        self._output = output
        self._progress = progress
        self._capacity = capacity
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._stop.on_request(self._wake.set)

    # --- the loop -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Grow until nothing is left to do.

        Raises:
            errors.AideError: what stopped the run (budget, endpoint, interruption), once all that was on the wire is
                written.
        """
        try:
            while True:
                self._hand_out()
                if not self._tasks:
                    if self._stop.reason is None and self._frontier.redistribute():
                        continue
                    break
                await self._wake.wait()
                self._wake.clear()
        except asyncio.CancelledError:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks) if self._tasks else None
            raise
        if self._fault is not None:
            raise self._fault
        self._stop.raise_if_requested()

    def _hand_out(self) -> None:
        while self._stop.reason is None and len(self._tasks) < self._capacity:
            work = self._frontier.next_work()
            self._calls.ending = work is None and self._frontier.ending
            if work is None and len(self._tasks) < self._capacity // 2:  # slots are idle
                work = self._frontier.next_spare()
            if work is None:
                return
            job = self._plant(work) if isinstance(work, PlantWork) else self._grow(work, self._start(work))
            task = asyncio.create_task(self._guard(job))
            self._tasks.add(task)
            task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _guard(self, job: Coroutine[Any, Any, None]) -> None:
        """Nothing that happens to one piece of work may be swallowed: it stops the run, or it is an outcome."""
        try:
            await job
        except AideError as reason:
            self._stop.request(reason)
        except Exception as fault:  # noqa: BLE001 - kept, and raised by run() once the rest is written
            self._fault = self._fault or fault
            self._stop.request(AideError(f"a fault of ours: {fault!r}"))

    def _start(self, work: GrowWork) -> Hop:
        """With a target, which slot fills a place is a decision: a resume must go on with the same ones."""
        hop = self._hops.hop(work)
        if self._frontier.shape.target is not None and self._journal.get_decision(START, hop.id) is None:
            self._journal.decide(START, hop.id, [*work.slot.as_list(), work.seed, work.depth])
        return hop

    # --- one piece of work ----------------------------------------------------------------------------

    async def _plant(self, work: PlantWork) -> None:
        seed, point = self._hops.seed(work.seed), self._hops.point(work.seed, work.branch)
        reason = ""
        try:
            self._hops.check_drift(seed, point)
            found = await self._context.recipe.plant(seed, point, self._context.ask_for(work.branch))
        except NodeError as fault:
            found, reason = Attributes("", (), ()), fault.reason
            self._progress.barren_reasons[reason] += 1
        slot = pack_slot(len(found.triples), len(found.personas))
        payload = self._hops.keep(work.branch, found, reason)
        await self._journal.settle(
            Outcome(work.branch, "planted", work.seed, "", work.depth, slot, "", "", payload)
        )
        self._frontier.finish_planting(work.branch, len(found.triples), len(found.personas))
        self._progress.barren = self._frontier.without_attributes

    async def _grow(self, work: GrowWork, hop: Hop) -> None:
        ask = self._context.ask_for(hop.id)
        try:
            record = await self._context.recipe.grow(hop, ask)
        except NodeError as fault:
            await self._reject(work, hop, fault)
            return
        models = ask.models
        record = replace(record, model=models.get("synthesize") or next(iter(models.values()), ""))
        await self._keep(work, hop, record)

    async def _keep(self, work: GrowWork, hop: Hop, record: Record) -> None:
        label = record.draft.output if work.slot.label else ""
        admitted = self._frontier.admit(work, label)
        line = record.as_dict()
        kind: Kind = "accepted" if admitted else "surplus"
        await self._settle(work, hop, kind, label, orjson.dumps(line))
        if admitted:
            hit("before_shard")
            self._output.shards.append(line)
            self._deduplicator.settle(hop.id, kept=True)
            self._frontier.accept(work, record.id, label)
        else:
            self._deduplicator.settle(hop.id, kept=True)
            self._frontier.drop(work)
        self._progress.count_outcome(kind, work.depth, label)
        if admitted and self._output.emit is not None:
            await self._output.emit(line)  # waits only where its reader is far behind

    async def _reject(self, work: GrowWork, hop: Hop, fault: NodeError) -> None:
        step = fault.step if isinstance(fault, Rejection) else "call"
        reject = Reject(hop.id, step, fault.reason, str(fault), fault.failed, fault.input, Lineage.of(hop))
        kind: Kind = "failed" if fault.failed else "rejected"
        await self._settle(work, hop, kind, work.slot.label, orjson.dumps(reject.as_dict()))
        self._output.rejects.append(reject.as_dict())
        self._deduplicator.settle(hop.id, kept=False)
        self._frontier.drop(work)
        self._progress.count_outcome(kind, work.depth, work.slot.label, fault.reason)

    async def _settle(self, work: GrowWork, hop: Hop, kind: Kind, label: str, payload: bytes) -> None:
        slot = pack_slot(work.slot.draw, work.slot.index)
        await self._journal.settle(
            Outcome(
                hop.id, kind, work.seed, work.slot.parent, work.depth, slot, work.slot.kind, label, payload
            )
        )
