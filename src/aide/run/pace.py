"""How fast records come now, and how long the rest will take: from the last minutes, not from the whole run.

A run begins with calls that make no record, and changes its pace with the endpoint's; a mean over all of it would
promise too much or too little for a long time.
"""

from collections import deque
from typing import Final

LEAST_RECORDS: Final = 10
LEAST_SECONDS: Final = 10.0
"""Before so many records and seconds nothing is said: a guess would be worse."""
_WINDOW: Final = (
    30.0,
    600.0,
)  # seconds that are looked back, at least and at most; else half of the time so far
_STEP: Final = 1.0  # seconds between two marks


class Pace:
    """Records accepted by the seconds of this invocation."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, seconds: float, accepted: int) -> None:
        """So many records were there after so many seconds. The first mark is set by the first record."""
        if not self._marks and not accepted:
            return
        if self._marks and seconds - self._marks[-1][0] < _STEP:
            return
        self._marks.append((seconds, accepted))
        window = min(max(seconds / 2, _WINDOW[0]), _WINDOW[1])
        while len(self._marks) > 2 and self._marks[1][0] <= seconds - window:
            self._marks.popleft()

    @property
    def rate(self) -> float | None:
        """Records a second over the last while; `None` where too little was seen."""
        if len(self._marks) < 2:
            return None
        (began, before), (now, after) = self._marks[0], self._marks[-1]
        if now - began < LEAST_SECONDS or after - before < LEAST_RECORDS:
            return None
        return (after - before) / (now - began)

    def count_seconds_left(self, records: int) -> float | None:
        """How long so many records will take; `None` where nobody can tell."""
        rate = self.rate
        return max(0, records) / rate if rate else None
