"""How all calls of a run fare together: by it one call tells its own trouble from everybody's, and a run its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aide.errors import CallError, EndpointUnusable

# Before the first answer of a run the person is still watching, and what fails is mostly a wrong address or a server
# that was never started: neither heals.
FIRST_PATIENCE: Final = 10.0
# Failures of one call while others are answered, after which it is given up: the call is the trouble, not the server.
# Six attempts wait up to 15 s together, time for a replica to restart. Each timeout has cost the whole read timeout:
# three are enough. To be turned away is no fault of the call: thirty attempts last a quarter of an hour.
ATTEMPTS: Final = {"server": 6, "connection": 6, "refused": 6, "timeout": 3, "rate": 30, "overload": 30}
# Seconds without an answer before a person is told: shorter trouble is over before it is read.
WORTH_TELLING: Final = 3.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """An endpoint that has failed for a while."""

    seconds: float
    """Since the first failed attempt after the last answer."""
    reason: str
    """How the last attempt failed."""
    left: float
    """Seconds until the run stops, unless something is answered."""


class RunHealth:
    """Counts answers and failures, and knows when patience ends: so long after the first failure since the last answer.

    A server that is slow is not failing: only failed attempts count.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        patience: float = 300.0,
        first: float = FIRST_PATIENCE,
        attempts: Mapping[str, int] | None = None,
        count_sent: Callable[[], int] = lambda: 0,
    ) -> None:
        """`first` is the patience with a server that is not there or only fails, until the first answer of all.

        `attempts` replaces numbers of `ATTEMPTS`; `count_sent` counts the calls that are on the wire.
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
        self._count_sent = count_sent
        self._failing_since: float | None = None
        self._last: CallError | None = None

    def succeeded(self) -> None:
        """A call was answered."""
        self.successes += 1
        self._failing_since = self._last = None

    def failed(self, error: CallError, since: float | None = None) -> None:
        """An attempt failed in a way that may heal; `since` says when that began, where it was not now."""
        if self._failing_since is None:
            self._failing_since = self._clock() if since is None else since
        self._last = error

    def compute_time_left(self) -> float | None:
        """Seconds that are left for something to succeed; `None` where nothing has failed since the last success."""
        if self._failing_since is None or self._last is None:
            return None
        absent = not self.successes and self._last.kind in ("connection", "server")
        return (self._first if absent else self.patience) - (self._clock() - self._failing_since)

    def find_end(self) -> EndpointUnusable | None:
        """Why the run must stop now; `None` while there is time, or a call on the wire that may be answered."""
        left = self.compute_time_left()
        if left is None or left > 0 or self._count_sent() > 0:
            return None
        error = self._last
        assert error is not None
        if error.kind == "refused":  # its own words say what to change
            return EndpointUnusable(str(error), hint=error.hint)
        return EndpointUnusable(
            f"the endpoint is unusable: {error}{self._name_wait(error)}",
            hint=error.hint or "rerun when it is back to go on",
        )

    def find_absurd_wait(self, error: CallError) -> EndpointUnusable | None:
        """Why the run must stop at once: nothing was ever answered, and the server asks for more than all patience.

        Once calls have been answered such a wait may be a stray one, and is passed over until patience ends.
        """
        if self.successes or self.believe_wait(error) == error.retry_after:
            return None
        return EndpointUnusable(
            f"the endpoint asks to wait {error.retry_after:.0f} s: {error}", hint="rerun after that to go on"
        )

    def believe_wait(self, error: CallError) -> float | None:
        """The wait that the server named, where it is within patience."""
        wait = error.retry_after
        return wait if wait is not None and wait <= self.patience else None

    def _name_wait(self, error: CallError) -> str:
        return (
            ""
            if self.believe_wait(error) == error.retry_after
            else f" (asks to wait {error.retry_after:.0f} s)"
        )

    def is_alone(self, before: int) -> bool:
        """True when the trouble is one call's own: others were answered since `before`, or no other has any."""
        return self.successes > before or (self.successes > 0 and self.troubled == 1)

    @property
    def trouble(self) -> Trouble | None:
        """What a person is told while nothing is answered; `None` while all is well, or not worth a word."""
        if self._failing_since is None or self._last is None:
            return None
        seconds = self._clock() - self._failing_since
        if seconds < WORTH_TELLING:
            return None
        return Trouble(seconds, str(self._last), max(0.0, self.compute_time_left() or 0.0))
