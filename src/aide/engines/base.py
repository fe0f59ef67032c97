"""What an engine is: it runs one job to its end, reports to an observer, and is told to stop by a switch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aide.run.expansion import RunObserver
from aide.run.inputs import SeedSource
from aide.run.loop import Emit, WorkLimit
from aide.run.session import RunRequest
from aide.stop import StopSwitch


class EngineObserver(RunObserver, Protocol):
    """Where an engine reports."""

    def tell(self, line: str, event: str = "note", **facts: Any) -> None:
        """A line about the engine itself: where parts run, and how many; `facts` are the same for a program."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run, and where it reports."""

    request: RunRequest
    source: SeedSource
    observer: EngineObserver
    emit: Callable[[StopSwitch], Emit] | None = None
    """Makes what is given each accepted record; its waits end with the switch."""
    limit: WorkLimit | None = None
    """Which pieces of work may begin; all of them where it is `None`."""
    expected: Mapping[str, Any] | None = None
    """What the plan expected, to be held against what was used."""
    transports: Mapping[str, Any] = field(default_factory=dict)
    """What stands in for the network, by the name of an endpoint."""


class Engine(Protocol):
    """One job on its way. Made anew for each job; `run` is called once."""

    @property
    def stop(self) -> StopSwitch:
        """Where the job is told to stop."""
        ...

    @property
    def growing(self) -> bool:
        """True once the first record may be grown: all that comes before can be refused as a whole."""
        ...

    async def run(self) -> dict[str, Any]:
        """Run to the end; returns the summary.

        Raises:
            errors.AideError: what stopped the run; the same job goes on from there.
        """
        ...

    def read_totals(self) -> dict[str, Any]:
        """The summary as it stands on the disk, also of a run that was stopped; empty where nothing was begun."""
        ...
