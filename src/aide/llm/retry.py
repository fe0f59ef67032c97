"""What happens after an attempt failed: wait and try again, give up this record, or stop the run.

tenacity runs the attempts. What is here are the three answers it asks for after a failure: may this be tried again,
when, and what is raised when it may not.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from aide.errors import AideError, CallError, NodeError
from aide.llm.faults import GATEWAY, ServerFault
from aide.llm.health import RunHealth

T = TypeVar("T")

# Half a second lets a reset or a restarting worker pass. Half a minute is the most that a run idles after a long
# outage has ended.
BACKOFF: Final = wait_exponential(multiplier=0.5, max=30.0)


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
        if (end := health.find_end() or health.find_absurd_wait(error)) is not None:
            return end
        # The same fault for the same request while others are served lies in the request. A gateway's fault does not
        # count: it speaks of the moment, in the same words each time.
        if isinstance(error, ServerFault) and error.fault.status not in GATEWAY:
            if error.fault.mark in self._seen_bodies and health.is_alone(self._successes_before):
                return _give_up("server_fault", f"the same fault twice: {error}", error)
            self._seen_bodies.add(error.fault.mark)
        if failures >= health.attempts[error.kind] and health.successes > self._successes_before:
            return _give_up("gave_up", f"{failures} attempts failed, the last one: {error}", error)
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
        if (named := self._health.believe_wait(error)) is not None:
            return named + self._rng.uniform(0.0, min(1.0, backoff))
        left = self._health.compute_time_left()
        wait = backoff * self._rng.uniform(0.5, 1.0)
        return wait if left is None else max(0.0, min(wait, left))

    def give_up(self, state: RetryCallState) -> NoReturn:
        """Raise why the call is not tried again."""
        assert self._verdict is not None
        raise self._verdict from _get_error(state)


def _give_up(reason: str, message: str, error: CallError) -> NodeError:
    fault = NodeError(reason, message, failed=True)
    fault.endpoint = error.endpoint
    return fault


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
    hold: Callable[[NodeError], Awaitable[None]] | None = None,
) -> T:
    """The result of `attempt`, tried again after every `CallError`.

    Waits grow from half a second to half a minute with jitter; a wait that the server named is kept to.
    `sleep` is called between attempts, when no permit is held. `hold` is given each `NodeError`: it raises it once it
    is the request's own, and returns where the endpoint was at fault, and the request is to be tried anew.

    Raises:
        NodeError: `server_fault` where the same request gets the same 5xx body twice while others are
            answered, `gave_up` where its attempts are used up while others are answered; both `failed`.
        EndpointUnusable: nothing at all succeeded for as long as `health` allows.
    """
    while True:
        try:
            return await _with_retries(attempt, health, rng, sleep)
        except NodeError as refusal:
            if hold is None:
                raise
            await hold(refusal)


async def _with_retries(
    attempt: Callable[[], Awaitable[T]],
    health: RunHealth,
    rng: random.Random,
    sleep: Callable[[float], Awaitable[Any]],
) -> T:
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
