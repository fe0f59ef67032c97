"""What happens after an attempt failed: wait and try again, give up this node, or stop the run."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aide.errors import CallError, EndpointUnusable, NodeError
from aide.llm.faults import GATEWAY, ServerFault

T = TypeVar("T")

FIRST: Final = 10.0
SHORTEST: Final = 0.5
LONGEST: Final = 30.0
TRIES: Final = {"server": 6, "connection": 6, "timeout": 3, "rate": 30, "overload": 30}


class RunHealth:
    """How all calls of a run fare together.

    `patience` is for how many seconds nothing may succeed while calls fail, before the endpoint counts as
    unusable; until the first answer of all, `first` seconds are enough for a server that is not there or only
    fails.
    """

    def __init__(self, clock: Callable[[], float], *, patience: float = 300.0, first: float = FIRST) -> None:
        self.patience = patience
        self.successes = 0
        self.troubled = 0
        self._first = min(first, patience)
        self._clock = clock
        self._failing_since: float | None = None

    def succeeded(self) -> None:
        """A call was answered."""
        self.successes += 1
        self._failing_since = None

    def failed(self) -> None:
        """An attempt failed in a way that may heal."""
        if self._failing_since is None:
            self._failing_since = self._clock()

    def left(self, error: CallError) -> float:
        """Seconds that are left for something to succeed."""
        bound = (
            self._first if not self.successes and error.kind in ("connection", "server") else self.patience
        )
        since = self._clock() if self._failing_since is None else self._failing_since
        return bound - (self._clock() - since)

    def alone(self, before: int) -> bool:
        """Whether the trouble is one call's own: others were answered since `before`, or no other has any."""
        return self.successes > before or (self.successes > 0 and self.troubled == 1)


class _Course:
    """The failures of one call, in order."""

    def __init__(self, health: RunHealth, rng: random.Random) -> None:
        self.health = health
        self.rng = rng
        self.before = health.successes
        self.failures = 0
        self.marks: set[str] = set()

    def wait(self, error: CallError) -> float:
        """Seconds to wait before the next try.

        Raises:
            NodeError: the fault is this call's own: `server_fault`, `gave_up`.
            EndpointUnusable: it is everybody's, and patience is at its end.
        """
        self.failures += 1
        left = self.health.left(error)
        if left <= 0:
            raise EndpointUnusable(
                f"the endpoint is unusable: {error}", hint=error.hint or "rerun when it is back to go on"
            )
        if isinstance(error, ServerFault) and error.fault.status not in GATEWAY:
            if error.fault.mark in self.marks and self.health.alone(self.before):
                raise NodeError("server_fault", f"the same fault twice: {error}", failed=True)
            self.marks.add(error.fault.mark)
        if self.failures >= TRIES[error.kind] and self.health.successes > self.before:
            raise NodeError("gave_up", f"{self.failures} attempts failed, the last one: {error}", failed=True)
        if error.at_once and self.failures == 1:
            return 0.0
        backoff = min(LONGEST, SHORTEST * 2.0 ** min(self.failures - 1, 10))
        if error.retry_after is None:
            return min(backoff * self.rng.uniform(0.5, 1.0), left)
        if error.retry_after > self.health.patience:
            raise EndpointUnusable(
                f"the endpoint asks to wait {error.retry_after:.0f} s: {error}",
                hint="rerun after that to go on",
            )
        return error.retry_after + self.rng.uniform(0.0, min(1.0, backoff))


async def with_retries(
    attempt: Callable[[], Awaitable[T]],
    *,
    health: RunHealth,
    rng: random.Random,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> T:
    """The result of `attempt`, tried again after every `CallError`.

    Waits grow from half a second to half a minute with jitter; a wait that the server named is kept to.
    `sleep` is called between attempts, when no permit is held.

    Raises:
        NodeError: `server_fault` where the same request gets the same 5xx body twice while others are
            answered, `gave_up` where its attempts are used up while others are answered; both `failed`.
        EndpointUnusable: nothing at all succeeded for as long as `health` allows.
    """
    try:
        return await attempt()
    except CallError as error:
        first = error
    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

    course = _Course(health, rng)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return course.wait(error) if isinstance(error, CallError) else 0.0

    async def again() -> T:
        return await attempt()

    health.troubled += 1
    try:
        await sleep(course.wait(first))
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(CallError), wait=wait, sleep=sleep, reraise=True
        )
        return await retrying(again)
    finally:
        health.troubled -= 1
