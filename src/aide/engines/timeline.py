"""How a run went, a sample a second: `timeline.jsonl`, which the report draws."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from aide.atomic import write_atomic

MOST: Final = (
    2400  # samples in the file: beyond it every second one goes, and the next are taken half as often
)


class Timeline:
    """Appends samples to a file that stays small however long the runs of a folder are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = path.read_bytes().count(b"\n") if path.exists() else 0
        self._every = 1
        self._ticks = 0

    def sample(self, facts: Mapping[str, Any]) -> None:
        """Called once a tick; keeps each one, or after a thinning one of several."""
        self._ticks += 1
        if self._ticks % self._every:
            return
        with self._path.open("ab") as file:
            file.write(orjson.dumps(facts, option=orjson.OPT_APPEND_NEWLINE))
        self._count += 1
        if self._count >= MOST:
            self._thin()

    def _thin(self) -> None:
        kept = self._path.read_bytes().splitlines(keepends=True)[1::2]
        write_atomic(self._path, kept)
        self._count = len(kept)
        self._every *= 2


def make_sample(at: float, progress: Any, stats: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a moment: `at` in Unix time, counts of the folder, calls on the wire, errors so far in this run."""
    errors: dict[str, int] = {}
    for endpoint in stats.values():
        for kind, count in endpoint["errors"].items():
            errors[kind] = errors.get(kind, 0) + count
    return {
        "at": round(at, 3),
        "accepted": progress.accepted,
        "rejected": progress.rejected + progress.failed,
        "open": progress.open,
        "calls": progress.calls,
        "in_flight": progress.in_flight,
        "limit": progress.limit,
        "errors": errors,
    }
