"""The one place in which a run is told to stop, and from which everybody who may wait hears of it."""

from collections.abc import Callable

from aide.errors import AideError


class StopSwitch:
    """Whether a run was asked to stop, and why. The first reason is kept: later ones are its consequences."""

    def __init__(self) -> None:
        self.reason: AideError | None = None
        """What stopped the run; `None` while it goes on."""
        self._listeners: list[Callable[[], None]] = []

    def request(self, reason: AideError) -> None:
        """Stop the run: nothing new is started, what is on the wire is finished and written."""
        if self.reason is not None:
            return
        self.reason = reason
        for listener in self._listeners:
            listener()

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
            raise self.reason
