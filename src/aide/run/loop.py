"""One run: hand out work, settle what comes back, keep the folder true at every moment."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import orjson

from aide.crash_points import hit
from aide.errors import AideError, NodeError, Rejection
from aide.frontier import Frontier, GrowWork, PlantWork
from aide.journal import Journal, Kind, Outcome
from aide.recipes import Attributes, Recipe
from aide.records import Hop, Lineage, Record, Reject, replace
from aide.run.calls import ModelCalls
from aide.run.deduplication import JournaledDeduplicator, NoDeduplication
from aide.run.hops import HopBuilder
from aide.run.progress import Progress
from aide.run.restore import START, pack_slot
from aide.shards import AppendOnlyLines, Shards


class GrowthLoop:
    """The loop over one frontier. `emit` is given each accepted record, once it is safe on disk.

    At most `room` records are open at once (twice the concurrency); the frontier says which come next.
    """

    def __init__(
        self,
        recipe: Recipe,
        frontier: Frontier,
        calls: ModelCalls,
        points: HopBuilder,
        novelty: JournaledDeduplicator | NoDeduplication,
        shards: Shards,
        rejects: AppendOnlyLines,
        progress: Progress,
        *,
        room: int,
        emit: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
    ) -> None:
        self.recipe = recipe
        self.frontier = frontier
        self.calls = calls
        self.journal: Journal = calls.journal
        self.points = points
        self.novelty = novelty
        self.shards = shards
        self.rejects = rejects
        self.progress = progress
        self.room = room
        self.emit = emit
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None

    # --- the loop -----------------------------------------------------------------------------------

    async def expand(self) -> None:
        """Grow until nothing is left to do.

        Raises:
            errors.AideError: what stopped the run (budget, endpoint, interruption), once all that was on the wire is
                written.
        """
        try:
            while True:
                self._hand_out()
                if not self._tasks:
                    if self.calls.stop is None and self.frontier.spill():
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
        if self.calls.stop is not None:
            raise self.calls.stop

    def drain(self, reason: AideError) -> None:
        """Start nothing new; what is on the wire is finished and written. The first reason is kept."""
        if self.calls.stop is None:
            self.calls.stop = reason
        self._wake.set()

    def _hand_out(self) -> None:
        while self.calls.stop is None and len(self._tasks) < self.room:
            work = self.frontier.next()
            self.calls.ending = work is None and self.frontier.ending
            if work is None and len(self._tasks) < self.room // 2:  # slots are idle
                work = self.frontier.spare()
            if work is None:
                return
            job = self._plant(work) if isinstance(work, PlantWork) else self._grow(work, self._started(work))
            task = asyncio.create_task(self._guard(job))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _guard(self, job: Coroutine[Any, Any, None]) -> None:
        """Nothing that happens to one piece of work may be swallowed: it stops the run, or it is an outcome."""
        try:
            await job
        except AideError as stop:
            self.drain(stop)
        except Exception as fault:  # noqa: BLE001 - kept, and raised by expand() once the rest is written
            self._fault = self._fault or fault
            self.drain(AideError(f"a fault of ours: {fault!r}"))

    def _started(self, work: GrowWork) -> Hop:
        """With a target, which slot fills a place is a decision: a resume must go on with the same ones."""
        hop = self.points.hop(work)
        if self.frontier.shape.target is not None and self.journal.decided(START, hop.id) is None:
            self.journal.decide(START, hop.id, [*work.slot.as_list(), work.seed, work.depth])
        return hop

    # --- one piece of work ----------------------------------------------------------------------------

    async def _plant(self, work: PlantWork) -> None:
        seed, point = self.points.seed(work.seed), self.points.point(work.seed, work.branch)
        reason = ""
        try:
            self.points.check_drift(seed, point)
            found = await self.recipe.plant(seed, point, self.calls.asker(work.branch))
        except NodeError as barren:
            found, reason = Attributes("", (), ()), barren.reason
            self.progress.barren_reasons[reason] += 1
        slot = pack_slot(len(found.triples), len(found.personas))
        payload = self.points.keep(work.branch, found, reason)
        await self.journal.settle(
            Outcome(work.branch, "planted", work.seed, "", work.depth, slot, "", "", payload)
        )
        self.frontier.planted(work.branch, len(found.triples), len(found.personas))
        self.progress.barren = self.frontier.barren

    async def _grow(self, work: GrowWork, hop: Hop) -> None:
        ask = self.calls.asker(hop.id)
        try:
            record = await self.recipe.grow(hop, ask)
        except NodeError as reject:
            await self._reject(work, hop, reject)
            return
        models = ask.models
        record = replace(record, model=models.get("synthesize") or next(iter(models.values()), ""))
        await self._keep(work, hop, record)

    async def _keep(self, work: GrowWork, hop: Hop, record: Record) -> None:
        label = record.draft.output if work.slot.label else ""
        admitted = self.frontier.admit(work, label)
        line = record.as_dict()
        kind: Kind = "accepted" if admitted else "surplus"
        await self._settle(work, hop, kind, label, orjson.dumps(line))
        if admitted:
            hit("before_shard")
            self.shards.append(line)
            self.novelty.settle(hop.id, kept=True)
            self.frontier.accept(work, record.id, label)
        else:
            self.novelty.settle(hop.id, kept=True)
            self.frontier.drop(work)
        self.progress.book(kind, work.depth, label)
        if admitted and self.emit is not None:
            await self.emit(line)  # waits only where its reader is far behind

    async def _reject(self, work: GrowWork, hop: Hop, fault: NodeError) -> None:
        step = fault.step if isinstance(fault, Rejection) else "call"
        reject = Reject(hop.id, step, fault.reason, str(fault), fault.failed, fault.input, Lineage.of(hop))
        kind: Kind = "failed" if fault.failed else "rejected"
        await self._settle(work, hop, kind, work.slot.label, orjson.dumps(reject.as_dict()))
        self.rejects.append(reject.as_dict())
        self.novelty.settle(hop.id, kept=False)
        self.frontier.drop(work)
        self.progress.book(kind, work.depth, work.slot.label, fault.reason)

    async def _settle(self, work: GrowWork, hop: Hop, kind: Kind, label: str, payload: bytes) -> None:
        slot = pack_slot(work.slot.draw, work.slot.index)
        await self.journal.settle(
            Outcome(
                hop.id, kind, work.seed, work.slot.parent, work.depth, slot, work.slot.kind, label, payload
            )
        )
