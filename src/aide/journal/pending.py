"""Calls that wait in batches: which, in which wave, and what became of each wave.

A wave is what is submitted together. It and its calls are on the disk before anything is submitted, so that whoever
comes after a crash knows what to look for, and nobody pays for these calls a second time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from aide.journal.packing import Unpacker
from aide.journal.rows import dump_json
from aide.jsonl import parse_json

if TYPE_CHECKING:
    from asyncio import Future

    from aide.journal.writes import WriteStatements

TABLES: Final = """
CREATE TABLE IF NOT EXISTS waves (id TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (key TEXT PRIMARY KEY, wave TEXT NOT NULL, value BLOB NOT NULL) STRICT;
"""

WaveState = Literal["composed", "submitted", "ended"]


@dataclass(frozen=True, slots=True)
class Wave:
    """Calls of one model that are submitted together, as one batch."""

    id: str
    where: str
    """The service that it goes to."""
    model: str
    calls: int
    tokens: int
    """That it may take at most; counted against the budget until it has ended."""
    money: float
    composed: float
    """When, in Unix time; so are the next two."""
    submitted: float = 0.0
    ended: float = 0.0
    state: WaveState = "composed"
    """`composed`: on the disk, and perhaps submitted · `submitted`: the service has it · `ended`: taken in."""
    batch: str = ""
    """The service's own name for it."""
    outcome: str = ""
    """The service's last word on it, such as `completed` or `expired`."""
    answered: int = 0
    """Of its calls those that came back with an answer."""
    failed: int = 0
    """Those that came back with an error. All others did not come back."""


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call of a wave: all that its row among the answered calls will need besides the answer."""

    key: str
    node: str
    step: str
    draw: int
    attempt: int
    model: str
    endpoint: str
    system: str
    user: str
    sent: Mapping[str, Any]


class Waves:
    """The waves of a journal. Their calls are forgotten once they are answered, or have to be asked again."""

    def __init__(
        self,
        query: Callable[..., list[tuple[Any, ...]]],
        commit: Callable[[Callable[[Any], None], object], "Future[None]"],
        writes: "WriteStatements | None",
        unpacker: Unpacker,
    ) -> None:
        """`query` gives all rows of a statement; `commit` queues a row and is done once it is on the disk."""
        self._query = query
        self._commit = commit
        self._writes = writes
        self._unpacker = unpacker

    async def put(self, wave: Wave, calls: Sequence[PendingCall] = ()) -> None:
        """Keep a wave in place of what was known of it, with its calls where it is new; all of it, or nothing."""
        assert self._writes is not None
        rows = [(call.key, wave.id, dump_json(asdict(call))) for call in calls]
        await self._commit(self._writes.put_wave, (wave.id, dump_json(asdict(wave)), rows))

    async def end(self, wave: Wave) -> None:
        """Keep a wave that has ended, and forget which calls it had: they are answered, or are asked again."""
        assert self._writes is not None
        await self._commit(self._writes.end_wave, (wave.id, dump_json(asdict(wave))))

    def read(self) -> list[Wave]:
        """All waves in the order in which they were composed."""
        if not self._query("SELECT 1 FROM sqlite_schema WHERE name = 'waves'"):
            return []  # a file of an older version, opened for reading
        waves = [Wave(**parse_json(value)) for (value,) in self._query("SELECT value FROM waves")]
        return sorted(waves, key=lambda wave: (wave.composed, wave.id))

    def read_calls(self, wave: str) -> Iterator[PendingCall]:
        """The calls of a wave that has not ended."""
        for (value,) in self._query("SELECT value FROM pending WHERE wave = ? ORDER BY rowid", wave):
            yield PendingCall(**parse_json(self._unpacker.unpack(value)))

    def read_keys(self, wave: str) -> list[str]:
        """The keys of these calls."""
        return [key for (key,) in self._query("SELECT key FROM pending WHERE wave = ?", wave)]
