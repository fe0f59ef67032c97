"""The growth loop: hand out work, settle what comes back, keep the folder true at every moment."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from aide.crash_points import hit
from aide.errors import AideError, NodeError, Rejection
from aide.frontier import Frontier, GroupWork, PlantWork, Slot
from aide.journal import Kind, Outcome
from aide.jsonl import encode_json
from aide.recipes import NOT_NEEDED, Found, Grown
from aide.records import PLAIN, Group, Hop, Lineage, Record, Reject, replace
from aide.run.context import RunContext
from aide.run.deduplication import SettlingDeduplicator
from aide.run.group_sizes import GUIDED, GroupSizes
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.guard import end_vain_run
from aide.run.hops import HopBuilder
from aide.run.judge_groups import GroupedJudge
from aide.run.known_texts import KnownTexts
from aide.run.progress import Progress
from aide.run.restore import GROUP, REPEATED, freeze_group, pack_offered, pack_slot
from aide.run.steering import LengthSteering
from aide.shards import AppendOnlyLines, Shards

Emit = Callable[[dict[str, Any]], Awaitable[None]]


class WorkLimit(Protocol):
    """Which pieces of work may begin."""

    set_aside: int
    """Candidates and parents of the pieces that may not."""

    def admits(self, work: PlantWork | GroupWork) -> bool:
        """True where this piece may begin; asked once for each."""
        ...


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
        judge: GroupedJudge,
        sizes: GroupSizes,
        steering: LengthSteering,
        output: RunOutput,
        progress: Progress,
        *,
        capacity: int,
        limit: WorkLimit | None = None,
    ) -> None:
        """`capacity` bounds the pieces of work that are open at once; the frontier says which come next.

        Work that `limit` refuses is not begun: the loop ends once the rest is done, and the run is not finished then.
        """
        self.context = context
        self._calls = context.session.calls
        self._journal = context.session.journal
        self._models = context.session.models
        self._stop = context.session.stop
        self._frontier = frontier
        self._hops = hops
        self._deduplicator = deduplicator
        self._judge = judge
        self._sizes = sizes
        self._steering = steering
        self._output = output
        self._progress = progress
        self._capacity = capacity
        self._limit = limit
        self._known = KnownTexts()
        self._open: dict[str, Slot] = {}
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._stop.on_request(self._wake.set)
        self._models.on_hold(self._wake.set)

    def note_standing(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in the records of earlier sessions: what is asked next must not depend on when a session ended."""
        if not self._frontier.shape.whole:  # there nothing is asked by what other records are
            for line in lines:
                self._note(Record.from_dict(line))

    def _note(self, record: Record) -> None:
        self._steering.note(record)
        self._known.note(record)

    # --- the loop -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Grow until nothing is left to do.

        Raises:
            errors.AideError: what stopped the run (budget, endpoint, interruption, the guard), once all that was on the
                wire is written.
        """
        try:
            while True:
                self._hand_out()
                if not self._tasks:
                    if self._limit is None and self._stop.reason is None and self._frontier.redistribute():
                        continue
                    break
                self._judge.send_full()
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
        end_vain_run(self.context.session, self._frontier)

    def _hand_out(self) -> None:
        # Whoever is held back needs others to tell whose fault it is: they come on top.
        while self._stop.reason is None and len(self._tasks) < self._capacity + self._models.held:
            self._frontier.group = self._sizes.most(GUIDED)
            self._frontier.plain_group = self._sizes.most(PLAIN_SIZE)
            work = self._frontier.next()
            self._calls.ending = work is None and self._frontier.ending
            if work is None:
                return
            if self._limit is not None and not self._limit.admits(work):
                continue
            job = self._plant(work) if isinstance(work, PlantWork) else self._grow(work)
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
        except Exception as fault:  # noqa: BLE001 - kept, and raised by run() once the rest is written
            self._end(fault)

    def _end(self, fault: Exception) -> None:
        """Stop the run for this fault."""
        if isinstance(fault, AideError):
            self._stop.request(fault)
        else:
            self._fault = self._fault or fault
            self._stop.request(AideError(f"a fault of ours: {fault!r}"))

    def _start(self, work: GroupWork) -> Group:
        """Compose a group. With a target, its makeup is a decision: a resume must go on with the same company."""
        group = self._hops.compose(work)
        if (work := self._pass_over_repeats(work, group)).settled != group.settled:
            group = replace(group, settled=work.settled)
        if not work.open:
            return group
        kept = self._journal.get_decision(GROUP, group.id)
        if kept is None:
            kept = {
                **freeze_group(work, [hop.id for hop in group.hops]),
                "correction": self._steering.correction,
                "there": [] if self._frontier.shape.whole else self._known.choose(group.hops),
            }
            self._journal.decide(GROUP, group.id, kept)
        if (correction := float(kept["correction"])) != 1.0:
            group = self._hops.compose(work, correction)
        return replace(group, there=tuple(self._hops.read_text(*known) for known in kept.get("there", ())))

    def _pass_over_repeats(self, work: GroupWork, group: Group) -> GroupWork:
        """The work without slots whose hop another slot has: a recipe may say one thing in two ways, and journals of
        earlier versions hold matters twice.
        """
        seen = {group.hops[place].id for place in work.settled}
        repeats = set()
        for place, hop in enumerate(group.hops):
            if place in work.settled:
                continue
            if hop.id in seen or hop.id in self._open or self._is_settled(hop):
                self._frontier.pass_over(work.slots[place])
                repeats.add(place)
            seen.add(hop.id)
        return replace(work, settled=work.settled | repeats) if repeats else work

    def _is_settled(self, hop: Hop) -> bool:
        outcome = self._journal.get_outcome(hop.id)
        return outcome is not None and outcome.kind != "failed"

    def wants(self, hop: Hop) -> bool:
        """False where a record of this open hop would come too late for the target."""
        return self._frontier.wants(self._open[hop.id])

    # --- one piece of work ----------------------------------------------------------------------------

    async def _plant(self, work: PlantWork) -> None:
        seed, point = self._hops.seed(work.seed), self._hops.point(work.seed, work.branch, work.depth)
        reason = ""
        try:
            self._hops.check_drift(seed, point)
            found = await self.context.recipe.plant(seed, point, work, self.context.ask_for(work.branch))
            found = found.drop_repeats()
        except NodeError as fault:
            found, reason = Found(), fault.reason
            self._progress.reasons_without_attributes[reason] += 1
        offered = found.count(self._frontier.shape.matters)
        payload = self._hops.keep(work.seed, work.branch, work.depth, found, reason)
        await self._journal.settle(
            Outcome(
                work.branch,
                "planted",
                work.seed,
                "",
                work.depth,
                pack_offered(offered),
                "",
                work.label,
                payload,
            )
        )
        self._frontier.planted(work.branch, offered)
        self._progress.without_attributes = self._frontier.without_attributes

    async def _grow(self, work: GroupWork) -> None:
        group = self._start(work)
        places = enumerate(zip(group.hops, work.slots, strict=True))
        opened = {hop.id: slot for place, (hop, slot) in places if place not in group.settled}
        if not opened:
            return
        self._open |= opened
        ask = self.context.ask_for(group.hops[0].id if len(group.hops) == 1 else group.id)
        async with aclosing(self.context.recipe.grow(group, ask)) as growing:
            async for grown in growing:
                try:
                    await self._settle(self._open[grown.hop.id], grown)
                    del self._open[
                        grown.hop.id
                    ]  # not before it is in the journal: another slot may have this hop
                except Exception as fault:  # noqa: BLE001 - as in `_guard`, but at once: others may wait for company
                    self._end(fault)
                self._wake.set()

    async def _settle(self, slot: Slot, grown: Grown) -> None:
        if isinstance(grown.outcome, Record):
            await self._keep(slot, grown.hop, replace(grown.outcome, model=grown.model))
        elif isinstance(grown.outcome, NodeError):
            await self._reject(slot, grown.hop, grown.outcome)
        else:
            raise grown.outcome

    async def _keep(self, slot: Slot, hop: Hop, record: Record) -> None:
        admitted = self._frontier.admit(slot)
        line = record.as_dict()
        kind: Kind = "accepted" if admitted else "surplus"
        await self._write(hop, slot, kind, encode_json(line))
        self._deduplicator.settle(hop.id, kept=True)
        if admitted:
            hit("before_shard")
            self._output.shards.append(line)
            self._note(record)
            self._frontier.accept(slot, record.id, hop.seed.id)
            self._progress.latest = line
        else:
            self._frontier.drop(slot, surplus=True)
        self._progress.count_outcome(kind, hop.depth, slot.label)
        if admitted and self._output.emit is not None:
            await self._output.emit(line)  # waits only where its reader is far behind

    async def _reject(self, slot: Slot, hop: Hop, fault: NodeError) -> None:
        step = fault.step if isinstance(fault, Rejection) else "call"
        reject = Reject(
            hop.id, step, fault.reason, str(fault), fault.failed, fault.input, Lineage.of(hop), fault.scores
        )
        kind: Kind = "failed" if fault.failed else "rejected"
        await self._write(hop, slot, kind, encode_json(reject.as_dict()))
        self._output.rejects.append(reject.as_dict())
        self._deduplicator.settle(hop.id, kept=False)
        self._frontier.drop(slot, repeated=fault.reason in REPEATED, surplus=fault.reason == NOT_NEEDED)
        self._progress.count_outcome(kind, hop.depth, slot.label, fault.reason)

    async def _write(self, hop: Hop, slot: Slot, kind: Kind, payload: bytes) -> None:
        plain = slot.kind == PLAIN
        place = slot.index if plain else pack_slot(slot.draw, slot.index)
        parent = hop.seed.id if plain else slot.parent
        await self._journal.settle(
            Outcome(hop.id, kind, hop.seed.id, parent, hop.depth, place, slot.kind, slot.label, payload)
        )
