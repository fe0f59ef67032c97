"""Whose fault a refusal is: the request's, or the endpoint's that refuses everything from now on.

A model that is unloaded or retired, an account that is suspended, a filter that is put in front: each server says so in
words and with a status of its own, mostly as if the request were wrong. What tells them apart is the company: when
`LIKE` refusals in a row are alike and of unlike requests, it is the endpoint. One refusal alone says nothing yet, so it
is held back until the endpoint has answered a request that was sent later; only then it is the request's own.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from aide.errors import NodeError
from aide.llm.request import ModelRequest

# By chance, where one request in five is refused alike, so many follow each other once in 400,000.
LIKE: Final = 8
# So many requests refused in a row, and none answered yet: then it is the endpoint. One or two may be odd seeds.
HOPELESS: Final = 3
REMEMBERED: Final = (
    64  # unlike refusals in a row that are kept: they tell nothing, and may go on for a whole run
)
# A prompt that is too long is not among them: prompts of one long document follow each other, and each has its length.
HELD: Final = frozenset({"bad_request", "filtered", "server_fault"})

DOCTOR: Final = "aide doctor tells more"

# What differs between two refusals for one reason: numbers, ids, and what is quoted.
_OWN: Final = re.compile(r"\"[^\"]{1,200}\"|'[^']{1,200}'|`[^`]{1,200}`|\b[\w-]*\d[\w-]*\b")
_COMPARED: Final = 120  # characters of a refusal: what a server repeats of the request stands behind them


@dataclass(frozen=True, slots=True)
class _Refusal:
    likeness: str
    request: int
    serial: int
    """The youngest call of the endpoint when it came."""
    at: float


class Refusals:
    """The refusals of one endpoint since it last answered."""

    def __init__(self) -> None:
        self.blamed = False
        """True while the endpoint is at fault: each refusal is a failed attempt, until a request is answered."""
        self._recent: list[_Refusal] = []
        self._held: list[tuple[int, asyncio.Future[bool]]] = []

    @property
    def held(self) -> int:
        """Refusals that wait until it is known whose fault they are."""
        return len(self._held)

    def note(self, error: NodeError, request: ModelRequest, serial: int, now: float) -> None:
        """A request was refused; `serial` is that of the endpoint's youngest call. The same request counts once."""
        likeness, id = _compute_likeness(error), hash(request)
        if all((each.likeness, each.request) != (likeness, id) for each in self._recent):
            self._recent = [*self._recent[-REMEMBERED:], _Refusal(likeness, id, serial, now)]

    def count_requests(self) -> int:
        """Unlike requests that were refused in a row."""
        return len({each.request for each in self._recent})

    def find_beginning(self, error: NodeError) -> float | None:
        """When the refusals like this one began, where they are so many that the endpoint is at fault."""
        likeness = _compute_likeness(error)
        alike = [each.at for each in self._recent if each.likeness == likeness]
        return min(alike) if len(alike) >= LIKE else None

    def hold(self, serial: int) -> "asyncio.Future[bool]":
        """Hold a refusal back. True when it turns out to be the request's own, false when it is the endpoint's."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = (serial, future)
        self._held.append(entry)
        future.add_done_callback(lambda done: self._held.remove(entry))
        return future

    def blame(self) -> None:
        """The endpoint is at fault: what is held back is to be asked again."""
        self.blamed = True
        self._release(False)

    def acquit(self) -> None:
        """Nobody can tell any more: what is held back is the requests' own."""
        self._release(True)

    def answered(self, serial: int) -> None:
        """The call `serial` was answered: refusals that came before it was sent are the requests' own."""
        if not self._recent and not self._held and not self.blamed:
            return
        self._recent = [each for each in self._recent if each.serial >= serial]
        self._release(True, before=serial)
        self.blamed = self.blamed and bool(self._recent)

    def _release(self, own: bool, before: int | None = None) -> None:
        for serial, future in tuple(self._held):
            if (before is None or serial < before) and not future.done():
                future.set_result(own)


def _compute_likeness(error: NodeError) -> str:
    """What refusals for one and the same reason have in common."""
    return f"{error.reason} {_OWN.sub('', str(error)[:_COMPARED].lower())}"
