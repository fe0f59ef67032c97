"""Calls that gather into waves, so that a day's wait is shared by as many as can share it.

A run has many records under way, and each asks one thing at a time. A wave is sent when nothing moves any more: when
everything that is open waits, for an answer or for others that do. Then a large wave goes out as a batch; a small one
goes out call by call if nothing else is pending, and otherwise waits for what comes back. Once nothing is left to do
here the run stops: it goes on when it is called again, or after `--batch-wait` has waited for it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aide.errors import AideError, BatchesPending, BudgetSpent
from aide.llm.batches import MOST_BYTES, MOST_CALLS, BatchService
from aide.llm.request import ChatRequest, ModelRequest
from aide.run.budget import Budget, Reservation
from aide.run.call_rows import CallName
from aide.run.wave_register import GatheredCall, WaveRegister
from aide.stop import StopSwitch
from aide.text.figures import format_plural

# Calls that may be gathered at once. More would save few waves and take memory: each is a group of records under way.
CAPACITY: Final = 1_000
# Seconds in which nothing may have moved. Between two calls of a record there are milliseconds of our own work, and a
# wave that leaves too early is only smaller than it could have been.
IDLE: Final = 0.25


@dataclass(slots=True, eq=False)
class _Waiting:
    """A call that waits for its wave, or to be let through by itself."""

    call: GatheredCall
    through: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class WaveGatherer:
    """Lets calls through one by one, or holds them for a wave."""

    def __init__(
        self,
        register: WaveRegister,
        budget: Budget,
        stop: StopSwitch,
        *,
        service: BatchService | None,
        least: int,
        online: bool,
        count_running: Callable[[], int],
        idle: float = IDLE,
    ) -> None:
        """`service` takes the waves; without one nothing is gathered, and only what is pending waits. A wave has at
        least so many calls, but for runs that are not `online`. `count_running` tells of work besides calls that may
        lead to calls, such as code that is run. `idle` is in seconds.
        """
        self._register = register
        self._budget = budget
        self._stop = stop
        self._service = service
        self._least = least
        self._online = online
        self._count_running = count_running
        self._idle = idle
        self._queue: list[_Waiting] = []
        self._held: set[asyncio.Future[None]] = set()
        self._in_flight = 0
        self._moved = False
        self._timer: asyncio.TimerHandle | None = None
        self._advancing: asyncio.Task[None] | None = None
        stop.on_request(self._fail_waiting)

    # --- for those who ask ----------------------------------------------------------------------------

    async def enter(self, request: ModelRequest, name: CallName) -> None:
        """Return once the call is to be made now, by itself; then `leave` has to be called when it ended.

        Raises:
            errors.AideError: the run stops, for this call or for others; or no service takes it.
        """
        self._note_move()
        if name.key in self._register.pending:
            await self._hold()
        refused = self._register.refused.get(name.key)
        if refused is not None and not self._online:
            raise refused
        if self._service is not None and isinstance(request, ChatRequest) and refused is None:
            waiting = _Waiting(GatheredCall(name, request))
            self._queue.append(waiting)
            await waiting.through
        self._in_flight += 1

    def leave(self) -> None:
        """A call that was let through ended."""
        self._in_flight -= 1
        self._note_move()

    async def wait_for_pending_costs(self) -> None:
        """Wait for a stop where something is pending; a call that was let through doesn't count as moving meanwhile."""
        if self._register.open:
            self._in_flight -= 1
            self._note_move()
            try:
                await self._hold()
            finally:
                self._in_flight += 1

    async def _hold(self) -> None:
        """Wait for a stop: what is pending is answered in another session."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.add(future)
        try:
            await future
        finally:
            self._held.discard(future)

    def _fail_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for future in (*self._held, *(each.through for each in self._queue)):
            if self._stop.reason is not None and not future.done():
                future.set_exception(self._stop.reason)
        self._queue.clear()

    # --- what moves -----------------------------------------------------------------------------------

    def _note_move(self) -> None:
        self._moved = True
        if self._timer is None and self._stop.reason is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._look)

    def _look(self) -> None:
        """Twice in a row nothing moved: then everything that is open waits."""
        self._timer = None
        if self._stop.reason is not None or self._advancing is not None or self._in_flight:
            return
        if self._moved or self._count_running():
            self._moved = False
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._look)
        elif self._queue or self._register.open:
            self._advancing = asyncio.get_running_loop().create_task(self._advance())

    async def _advance(self) -> None:
        try:
            await self._send()
        except AideError as fault:
            self._stop.request(fault)
        finally:
            self._advancing = None

    async def _send(self) -> None:
        """Send what is large enough, let through what is not, or end the session."""
        self._queue = [each for each in self._queue if not each.through.done()]
        if self._service is not None:
            unproven = self._list_unproven(self._service)
            if unproven:
                self._let_through(unproven)
                return
            by_model: dict[str, list[_Waiting]] = defaultdict(list)
            for each in self._queue:
                by_model[each.call.request.model].append(each)
            for model, calls in by_model.items():
                if len(calls) >= self._least or not self._online:
                    await self._send_model(self._service, model, calls)
        if not self._register.open:
            self._let_through(list(self._queue))
            return
        count = format_plural(sum(wave.calls for wave in self._register.open.values()), "call")
        number = len(self._register.open)
        batches = "a batch" if number == 1 else f"{number:,} batches"
        raise BatchesPending(f"{count} pending in {batches}", hint=self._describe_next_steps())

    def _list_unproven(self, service: BatchService) -> list[_Waiting]:
        """One call of each model and shape that the endpoint has answered none of: it goes ahead and finds out how."""
        first: dict[tuple[str, bool], _Waiting] = {}
        for each in self._queue:
            request = each.call.request
            if service.prepare(request) is None:
                first.setdefault((request.model, request.schema is None), each)
        return list(first.values())

    async def _send_model(self, service: BatchService, model: str, calls: Sequence[_Waiting]) -> None:
        """Send the calls of one model, in as many waves as it takes, and as many as the budget allows."""
        most = min(self._register.largest or MOST_CALLS, MOST_CALLS)
        part: list[_Waiting] = []
        cost, size = Reservation(0, 0.0), 0
        for each in calls:
            request = each.call.request
            length = sum(4 * len(message.content) for message in request.messages)
            if part and (len(part) >= most or size + length > MOST_BYTES):
                await self._send_wave(service, model, part, cost)
                part, cost, size = [], Reservation(0, 0.0), 0
            try:
                cost += self._budget.reserve_batched(
                    list(request.messages), request.max_output, request.model
                )
            except BudgetSpent:
                if not part and not self._register.open:
                    raise
                break
            part.append(each)
            size += length
        if part:
            await self._send_wave(service, model, part, cost)

    async def _send_wave(
        self, service: BatchService, model: str, part: Sequence[_Waiting], cost: Reservation
    ) -> None:
        await self._register.submit(service, model, [each.call for each in part], cost)
        sent = set(part)
        self._queue = [each for each in self._queue if each not in sent]
        self._held.update(each.through for each in part)

    def _let_through(self, calls: Sequence[_Waiting]) -> None:
        gone = set(calls)
        self._queue = [each for each in self._queue if each not in gone]
        for each in calls:
            if not each.through.done():
                each.through.set_result(None)

    def _describe_next_steps(self) -> str:
        commands = [
            self._service.describe_command(wave.id, wave.model)
            for wave in self._register.open.values()
            if self._service is not None and wave.where == self._service.where
        ]
        told = "; ".join(command for command in commands if command)
        again = "run the same command again to go on; `aide status` shows the batches"
        return f"have them answered with `{told}`, then {again}" if told else again
