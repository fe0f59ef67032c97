"""What happens after an attempt failed: wait and try again, give up this record, or stop the run.

tenacity runs the attempts. What is here are the three answers it asks for after a failure: may this be tried again,
when, and what is raised when it may not.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.faults import GATEWAY, ServerFault

T = TypeVar("T")

# Before the first answer of a run the person is still watching, and what fails is mostly a wrong address or a server
# that was never started: neither heals.
FIRST_PATIENCE: Final = 10.0
# Half a second lets a reset or a restarting worker pass. Half a minute is the most that a run idles after a long
# outage has ended.
BACKOFF: Final = wait_exponential(multiplier=0.5, max=30.0)
# Failures of one call while others are answered, after which it is given up: the call is the trouble, not the server.
# Six attempts wait up to 15 s together, time for a replica to restart. Each timeout has cost the whole read timeout:
# three are enough. To be turned away is no fault of the call: thirty attempts last a quarter of an hour.
ATTEMPTS: Final = {"server": 6, "connection": 6, "timeout": 3, "rate": 30, "overload": 30}


class RunHealth:
    """How all calls of a run fare together, by which one call tells its own trouble from everybody's."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        patience: float = 300.0,
        first: float = FIRST_PATIENCE,
        attempts: Mapping[str, int] | None = None,
    ) -> None:
        """`first` is the patience with a server that is not there or only fails, until the first answer of all.

        `attempts` replaces numbers of `ATTEMPTS`.
        """
        self.attempts = {**ATTEMPTS, **(attempts or {})}
        """Failures of one call, by their kind, after which it is given up while others are answered."""
        self.patience = patience
        """Seconds without any success, while calls fail, after which the endpoint counts as unusable."""
        self.successes = 0
        """Calls answered so far."""
        self.troubled = 0
        """Calls that have failed at least once and are neither answered nor given up."""
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

    def compute_time_left(self, error: CallError) -> float:
        """Seconds that are left for something to succeed."""
        absent = not self.successes and error.kind in ("connection", "server")
        since = self._clock() if self._failing_since is None else self._failing_since
        return (self._first if absent else self.patience) - (self._clock() - since)

    def is_alone(self, before: int) -> bool:
        """True when the trouble is one call's own: others were answered since `before`, or no other has any."""
        return self.successes > before or (self.successes > 0 and self.troubled == 1)


class _FailedCall:
    """The failures of one call in a row; its methods are what tenacity asks after each of them."""

    def __init__(self, health: RunHealth, rng: random.Random) -> None:
        self.counted = False
        """True once the call counts among `RunHealth.troubled`."""
        self._health = health
        self._rng = rng
        self._successes_before = health.successes
        self._seen_bodies: set[str] = set()
        self._verdict: AideError | None = None

    def note(self, state: RetryCallState) -> None:
        """Judge an attempt that has just failed."""
        self._health.troubled += not self.counted
        self.counted = True
        self._verdict = self._judge(_get_error(state), state.attempt_number)

    def _judge(self, error: CallError, failures: int) -> AideError | None:
        """Why the call is not to be tried again; `None` when it is."""
        health = self._health
        if health.compute_time_left(error) <= 0:
            hint = error.hint or "rerun when it is back to go on"
            return EndpointUnusable(f"the endpoint is unusable: {error}", hint=hint)
        # The same fault for the same request while others are served lies in the request. A gateway's fault does not
        # count: it speaks of the moment, in the same words each time.
        if isinstance(error, ServerFault) and error.fault.status not in GATEWAY:
            if error.fault.mark in self._seen_bodies and health.is_alone(self._successes_before):
                return NodeError("server_fault", f"the same fault twice: {error}", failed=True)
            self._seen_bodies.add(error.fault.mark)
        if failures >= health.attempts[error.kind] and health.successes > self._successes_before:
            return NodeError("gave_up", f"{failures} attempts failed, the last one: {error}", failed=True)
        if error.retry_after is not None and error.retry_after > health.patience:
            return EndpointUnusable(
                f"the endpoint asks to wait {error.retry_after:.0f} s: {error}",
                hint="rerun after that to go on",
            )
        return None

    def is_final(self, state: RetryCallState) -> bool:
        """True when the call is not to be tried again."""
        return self._verdict is not None

    def compute_wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: as the server asked, else growing. Jitter keeps callers apart."""
        error = _get_error(state)
        if error.at_once and state.attempt_number == 1:
            return 0.0
        backoff = BACKOFF(state)
        if error.retry_after is not None:
            return error.retry_after + self._rng.uniform(0.0, min(1.0, backoff))
        return min(backoff * self._rng.uniform(0.5, 1.0), self._health.compute_time_left(error))

    def give_up(self, state: RetryCallState) -> NoReturn:
        """Raise why the call is not tried again."""
        assert self._verdict is not None
        raise self._verdict from _get_error(state)


def _get_error(state: RetryCallState) -> CallError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, CallError)  # nothing else is retried
    return error


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
    # Nearly all calls are answered at once. They do not pass through tenacity, which would leave reference cycles
    # behind for each (docs/design/retries.md); a call that failed begins there with its first failure.
    try:
        return await attempt()
    except CallError as error:
        failures = [error]

    async def again() -> T:
        if failures:
            raise failures.pop()
        return await attempt()

    failed = _FailedCall(health, rng)
    trials = AsyncRetrying(
        retry=retry_if_exception_type(CallError),
        after=failed.note,
        stop=failed.is_final,
        wait=failed.compute_wait,
        sleep=sleep,
        retry_error_callback=failed.give_up,
    )
    try:
        return await trials(again)
    finally:
        health.troubled -= failed.counted
