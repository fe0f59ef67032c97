"""What a session needs of the world outside: endpoints that answer, and clocks."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aide.llm.batches import BatchService
from aide.llm.health import Trouble
from aide.llm.request import KeepAnswer, ModelAnswer, ModelRequest
from aide.stop import StopSwitch


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks of a machine. The core reads no clock of its own, so that tests can give it one."""

    now: Callable[[], float]
    """Unix seconds, for what is written down."""
    monotonic: Callable[[], float]
    """Seconds that never jump, for what is measured."""


SYSTEM_CLOCK: Final = Clock(time.time, time.monotonic)  # noqa: TID251 - here the outside world begins


class ModelService(Protocol):
    """The endpoints of a run, retries included."""

    @property
    def capacity(self) -> int:
        """Most calls that may be in flight."""
        ...

    @property
    def stop(self) -> StopSwitch:
        """The scope of all calls: requested by whoever has a reason, the service itself included."""
        ...

    @property
    def held(self) -> int:
        """Calls that were refused, and wait for others to tell whose fault that is."""
        ...

    def on_hold(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever there is one more of the calls that `held` counts."""
        ...

    @property
    def trouble(self) -> Trouble | None:
        """That no call has been answered for a while; `None` where all is well."""
        ...

    @property
    def in_flight(self) -> int:
        """Calls on the wire now."""
        ...

    @property
    def limit(self) -> int:
        """Calls that may be on the wire now, as the limiters see it."""
        ...

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        """One answer, kept by `keep` before it is returned; lower ranks go first.

        Raises:
            errors.NodeError: this request can't be served.
            errors.AideError: of scope run, where none can; the reason of a stop.
        """
        ...

    def note_invalid(self, model: str, endpoint: str, rung: str, shapeless: bool) -> None:
        """An answer that should have been structured was not; `shapeless`: it was no JSON at all."""
        ...

    def count_thinking(self, model: str) -> int:
        """Tokens that a call of this model may write beside those of its answer."""
        ...

    def capabilities(self) -> Mapping[str, Any]:
        """What was learned of each endpoint and model, as JSON values."""
        ...

    def restore(self, capabilities: Mapping[str, Any]) -> None:
        """Start from what an earlier invocation learned."""
        ...

    def open_batches(self, where: str = "") -> BatchService | None:
        """Who takes the run's batches, or those that went to `where`; `None` where nobody does."""
        ...

    def stats(self) -> Mapping[str, Any]:
        """Figures by endpoint, as JSON values."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
