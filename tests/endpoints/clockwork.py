"""Time that nobody waits for: an event loop whose clock jumps to the next timer when nothing else is to be done."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Looks for what is ready; where nothing is, the time of a wait passes at once."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.passed += max(0.0, timeout)
        return ready


class Clockwork(asyncio.SelectorEventLoop):
    """For work without threads and sockets."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in time that jumps."""
    with asyncio.Runner(loop_factory=Clockwork) as runner:
        return runner.run(work)
