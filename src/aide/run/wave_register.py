"""The waves of a run folder: submitted once, found again after a crash, taken in line by line.

A wave is on the disk before it is submitted. Where nobody knows whether it was, it is looked for by its name at the
service; only if it is not there its calls are asked again. So none is paid for twice, whenever the process dies.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aide.crash_points import hit
from aide.errors import AideError, CallError, EndpointUnusable, InputError
from aide.journal import AnsweredCall, Journal, PendingCall, Wave
from aide.llm.batches import BatchLine, BatchService, BatchState, make_line
from aide.llm.request import ChatRequest, ModelAnswer
from aide.records import digest
from aide.run.budget import Budget, Reservation
from aide.run.call_rows import CallName, make_row, split_messages
from aide.run.service import Clock, ModelService

T = TypeVar("T")

# Seconds between attempts to reach a service; a minute in all, in which it may restart.
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
# Seconds in which a request that was on its way when the process died has either arrived or never will.
ARRIVAL: Final = 5.0
# Seconds in which a service may not yet know a batch that it has just taken.
YOUNG: Final = 60.0
# Seconds after which services delete the files of a batch (OpenAI: after 30 days). What can't be read then never will.
KEPT: Final = 30 * 86_400.0
# Answers that are written together: as many as a kill may cost, and they can be fetched again.
AT_ONCE: Final = 64
LARGEST: Final = "wave_most"  # under which the journal keeps how many calls a wave may have
_TOO_MANY: Final = re.compile(r"token.?limit|enqueued|too many (tokens|requests)")


@dataclass(frozen=True, slots=True)
class GatheredCall:
    """A call that waits for its wave."""

    name: CallName
    request: ChatRequest


class WaveRegister:
    """All waves of one folder that have not ended."""

    def __init__(
        self,
        journal: Journal,
        budget: Budget,
        models: ModelService,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self.open: dict[str, Wave] = {}
        """Waves that were submitted and have not come back."""
        self.pending: set[str] = set()
        """The keys of their calls."""
        self.refused: dict[str, AideError] = {}
        """Calls whose lines came back with a refusal: another wave would only refuse them again."""
        self.failure = ""
        """Why a wave was refused as a whole; empty where none was."""
        self.collected = 0
        """Answers that were taken in."""
        self._journal = journal
        self._budget = budget
        self._models = models
        self._clock = clock
        self._sleep = sleep

    # --- what came back -------------------------------------------------------------------------------

    async def collect(self) -> None:
        """Take in what came back of every wave; what did not come is to be asked again.

        Raises:
            errors.InputError: a wave went to a service that is none of this run's.
            errors.EndpointUnusable: the service can't be reached.
        """
        for wave in self._journal.waves.read():
            if wave.state != "ended":
                await self._settle(wave)

    async def _settle(self, wave: Wave) -> None:
        service = self._models.open_batches(wave.where)
        if service is None:
            raise InputError(
                f"{wave.calls:,} calls wait in a batch at {wave.where}, which is no endpoint of this command",
                hint="name it with --base-url, or end the batch with `aide batch cancel`",
            )
        if wave.state == "composed":
            batch = await self._find(service, wave)
            if not batch:
                await self._end(wave, "never submitted")
                return
            wave = replace(wave, batch=batch, state="submitted", submitted=self._clock.now())
            await self._journal.waves.put(wave)
        state = await self._reach(lambda: service.look(wave.batch))
        if state is not None and state.final:
            try:
                await self._reach(lambda: self._take_in(service, wave, state))
            except EndpointUnusable:
                if self._clock.now() - wave.submitted < KEPT:
                    raise
                await self._end(wave, "gone")
        elif state is None and self._clock.now() - wave.submitted > YOUNG:
            await self._end(wave, "gone")
        else:
            self._note_open(wave, self._journal.waves.read_keys(wave.id))
            self._budget.hold(Reservation(wave.tokens, wave.money), wave.calls)

    async def _find(self, service: BatchService, wave: Wave) -> str:
        """The service's name for a wave of which nobody knows whether it arrived."""
        batch = await self._reach(lambda: service.find(wave.id, wave.composed))
        rest = wave.composed + ARRIVAL - self._clock.now()
        if not batch and rest > 0:
            await self._sleep(rest)
            batch = await self._reach(lambda: service.find(wave.id, wave.composed))
        return batch

    async def _take_in(self, service: BatchService, wave: Wave, state: BatchState) -> None:
        """Keep every answer of a wave, wanted or not. Done again after a crash it keeps what was missing."""
        left = {call.key: call for call in self._journal.waves.read_calls(wave.id)}
        faults: dict[str, AideError] = {}
        rows: list[AnsweredCall] = []
        async for line in service.read_lines(state):
            if (call := left.get(line.key)) is None:  # it came twice, or is none of this wave
                continue
            try:
                answer = _read_answer(line, call, wave)
            except AideError as fault:
                faults[line.key] = fault
                continue
            del left[line.key]
            if self._journal.recall_body(line.key) is None:
                cost = self._budget.charge(answer.usage, call.model, answer.tier)
                texts = (call.system, call.user)
                rows.append(
                    make_row(
                        _name(call), call.step, call.model, texts, answer, at=self._clock.now(), cost=cost
                    )
                )
            if len(rows) >= AT_ONCE:
                await self._keep(rows)
        await self._keep(rows)
        failed = {key: fault for key, fault in faults.items() if key in left}
        # A fault of the moment may heal in the next wave; whoever refuses a request will refuse it again.
        self.refused.update({key: fault for key, fault in failed.items() if not isinstance(fault, CallError)})
        answered = wave.calls - len(left)
        if state.status == "failed" and not answered:
            self._note_failure(wave, state.error)
        await self._end(wave, state.status, answered=answered, failed=len(failed))
        hit("after_collection")

    async def _keep(self, rows: list[AnsweredCall]) -> None:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._journal.record(row))
        self.collected += len(rows)
        if rows:
            hit("during_collection")
        rows.clear()

    def _note_failure(self, wave: Wave, error: str) -> None:
        """A wave that was refused as a whole: for its size, which is halved, or for good."""
        if _TOO_MANY.search(error.lower()) and wave.calls > 1:
            self._journal.set_meta(LARGEST, wave.calls // 2)
        else:
            self.failure = error or "no reason was given"

    async def _end(self, wave: Wave, outcome: str, *, answered: int = 0, failed: int = 0) -> None:
        ended = replace(
            wave, state="ended", ended=self._clock.now(), outcome=outcome, answered=answered, failed=failed
        )
        await self._journal.waves.end(ended)

    # --- what goes out --------------------------------------------------------------------------------

    @property
    def largest(self) -> int | None:
        """Most calls of a wave, as far as the service has told; `None` where it has not."""
        most: int | None = self._journal.get_meta(LARGEST)
        return most

    async def submit(
        self, service: BatchService, model: str, calls: Sequence[GatheredCall], cost: Reservation
    ) -> Wave:
        """Submit these calls as one wave. `cost` is what was set aside for them.

        Raises:
            errors.EndpointUnusable: the service takes no batches, or can't be reached.
        """
        now = self._clock.now()
        name = digest("wave", str(now), *(call.name.key for call in calls))
        wave = Wave(name, service.where, model, len(calls), cost.tokens, cost.money, now)
        lines, rows = [], []
        for call in calls:
            prepared = service.prepare(call.request)
            assert prepared is not None
            body, sent = prepared
            lines.append(make_line(call.name.key, body))
            rows.append(_make_pending(call, service.endpoint, {**sent, "batch": name}))
        await self._journal.waves.put(wave, rows)
        hit("before_submission")
        batch = await self._submit(service, wave, lines)
        hit("after_submission")
        wave = replace(wave, batch=batch, state="submitted", submitted=self._clock.now())
        await self._journal.waves.put(wave)
        self._note_open(wave, [call.name.key for call in calls])
        return wave

    async def _submit(self, service: BatchService, wave: Wave, lines: Sequence[bytes]) -> str:
        """Submitted once: after a failure that leaves it open the wave is looked for before it is sent again."""
        for pause in (*PAUSES, None):
            try:
                return await service.submit(wave.id, wave.model, lines)
            except CallError as fault:
                if pause is None:
                    raise EndpointUnusable(f"a batch can't be submitted: {fault}", hint=fault.hint) from fault
                await self._sleep(pause)
                if batch := await self._reach(lambda: service.find(wave.id, wave.composed)):
                    return batch
            except AideError:
                await self._end(wave, "refused")
                raise
        raise AssertionError("the last attempt returns or raises")

    def _note_open(self, wave: Wave, keys: Sequence[str]) -> None:
        self.open[wave.id] = wave
        self.pending.update(keys)

    # --- the end --------------------------------------------------------------------------------------

    async def cancel(self) -> None:
        """Have nothing more of the open waves answered, and take in what was answered by then."""
        for wave in list(self.open.values()):
            service = self._models.open_batches(wave.where)
            if service is not None:
                await self._reach(lambda service=service, wave=wave: service.cancel(wave.batch))  # type: ignore[misc]
        await self.look_again()

    async def look_again(self) -> None:
        """Take in what came back of the open waves meanwhile."""
        waves = list(self.open.values())
        self.open.clear()
        self.pending.clear()
        for wave in waves:
            self._budget.release(Reservation(wave.tokens, wave.money), wave.calls)
            await self._settle(wave)

    async def _reach(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, which may be done again.

        Raises:
            errors.EndpointUnusable: the service can't be reached.
        """
        for pause in (*PAUSES, None):
            try:
                return await work()
            except CallError as fault:
                if pause is None:
                    raise EndpointUnusable(
                        f"the batches can't be reached: {fault}", hint="run again when they can"
                    ) from fault
                await self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _name(call: PendingCall) -> CallName:
    return CallName(call.key, call.node, call.draw, call.attempt)


def _make_pending(call: GatheredCall, endpoint: str, sent: dict[str, Any]) -> PendingCall:
    name, request = call.name, call.request
    system, user = split_messages(request.messages)
    return PendingCall(
        name.key,
        name.node,
        request.step,
        name.draw,
        name.attempt,
        request.model,
        endpoint,
        system,
        user,
        sent,
    )


def _read_answer(line: BatchLine, call: PendingCall, wave: Wave) -> ModelAnswer:
    return line.read(call.system, call.user, endpoint=call.endpoint, model=wave.model, sent=call.sent)
