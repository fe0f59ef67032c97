"""The one cancellation scope of a run: whoever waits for something hears of a stop at once.

There are two kinds of waiting. What is not sent yet (a turn in the line, the pause after a failure, a connection) ends
at once with the stop's reason, and costs nothing. What is on the wire is paid for: it is awaited, but not for ever.
"""

import asyncio
from collections.abc import Callable
from math import inf
from types import TracebackType

from aide.errors import AideError


class StopSwitch:
    """Whether a run was asked to stop, and why. The first reason is kept: later ones are its consequences."""

    def __init__(self, seconds: float = inf) -> None:
        """`seconds` is how long what is on the wire is awaited after a stop that names no time of its own."""
        self.reason: AideError | None = None
        """What stopped the run; `None` while it goes on."""
        self._seconds = seconds
        self._listeners: list[Callable[[], None]] = []
        self._unsent: set[_Wait] = set()
        self._on_the_wire: set[_Wait] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._until = inf

    def request(self, reason: AideError, *, seconds: float | None = None) -> None:
        """Stop the run: nothing new is sent, and what is on the wire is awaited for `seconds`, then given up.

        A further request changes no reason, but it may shorten the time: a person who interrupts a run that is
        already stopping wants it to end.
        """
        if self.reason is None:
            self.reason = reason
            for listener in self._listeners:
                listener()
            for wait in tuple(self._unsent):
                wait.end()
        self._bound(self._seconds if seconds is None else seconds)

    def _bound(self, seconds: float) -> None:
        """Give up in so many seconds what is still on the wire then."""
        if seconds == inf or not self._on_the_wire:
            return
        loop = asyncio.get_running_loop()
        if self._until <= loop.time() + seconds:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._until = loop.time() + seconds
        self._timer = loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        for wait in tuple(self._on_the_wire):
            wait.end()

    @property
    def sent(self) -> int:
        """Requests on the wire; one that still waits for its connection is not."""
        unsent = {wait.task for wait in self._unsent}
        return sum(wait.task not in unsent for wait in self._on_the_wire)

    def on_request(self, listener: Callable[[], None]) -> None:
        """Call `listener` once the run is asked to stop; at once where it was asked before."""
        self._listeners.append(listener)
        if self.reason is not None:
            listener()

    def raise_if_requested(self) -> None:
        """Raise the reason where there is one.

        Raises:
            errors.AideError: what stopped the run.
        """
        if self.reason is not None:
            # The same object is raised in hundreds of tasks: its traceback would keep the frames of all of them.
            raise self.reason.with_traceback(None)

    def waiting(self) -> "_Wait":
        """A `with` block around a wait for something before a request is sent; a stop ends it at once.

        Raises:
            errors.AideError: what stopped the run, before or while it waits.
        """
        return _Wait(self, self._unsent)

    def on_the_wire(self) -> "_Wait":
        """A `with` block around a request and its answer; it can't be entered after a stop, which bounds its time."""
        return _Wait(self, self._on_the_wire)


class _Wait:
    """The part of one task that a stop may end. It cancels the task, and turns that back into the stop's reason.

    As `asyncio.timeout` does: a cancellation from outside stays one.
    """

    __slots__ = ("_cancelling", "_ended", "_switch", "_waits", "task")

    def __init__(self, switch: StopSwitch, waits: "set[_Wait]") -> None:
        self._switch = switch
        self._waits = waits
        self._ended = False

    def end(self) -> None:
        """Cancel the task that is inside."""
        self._ended = True
        self.task.cancel()

    def __enter__(self) -> None:
        self._switch.raise_if_requested()
        task = asyncio.current_task()
        assert task is not None
        self.task, self._cancelling = task, task.cancelling()
        self._waits.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waits.discard(self)
        if self._ended and self.task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            self._switch.raise_if_requested()
