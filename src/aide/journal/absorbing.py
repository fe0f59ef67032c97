"""Taking over all that another journal holds: calls, outcomes, decisions and facts, in one transaction.

Packed values keep their bytes: their dictionaries are copied, and only the numbers of these are others here.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Connection
from sqlite3 import Error as DatabaseError
from typing import Any, Final

from aide.journal.database import convert_database_error, open_for_reading, open_for_writing
from aide.journal.packing import HEAD, MARK
from aide.journal.rows import CALL_COLUMNS, Outcome
from aide.journal.store import Journal
from aide.journal.writes import WriteStatements

PAGE: Final = 512
_CALLS: Final = f"""SELECT id, {CALL_COLUMNS}, system, sent, front, user, body FROM calls JOIN exchanges USING (id)
    WHERE id > ? ORDER BY id LIMIT {PAGE}"""
_MARKS: Final = ", ".join("?" * (CALL_COLUMNS.count(",") + 1))
_ADD_CALL: Final = (
    f"INSERT OR IGNORE INTO calls (id, {CALL_COLUMNS}, system, sent) VALUES (?, {_MARKS}, ?, ?)"
)
_AT: Final = CALL_COLUMNS.replace(" ", "").split(",").index("at") - 1  # after the key
_DECISIONS: Final = f"SELECT seq, kind, key, value FROM decisions WHERE seq > ? ORDER BY seq LIMIT {PAGE}"


def absorb_journal(
    target: Path,
    source: Path,
    change: Callable[[Outcome], Outcome],
    *,
    skip_decisions: Collection[str] = (),
    skip_meta: Collection[str] = (),
) -> None:
    """Put into the journal `target` what `source` has and it has not; all of it, or nothing.

    What both have stays as the target has it, but for failed nodes and surplus, as `Journal.settle` says. `change` is
    given each outcome and returns it as it is to be kept.

    Raises:
        InputError: one of them is no journal.
        FolderHeld: one of them is being written.
        AideError: the disk is full or failed.
    """
    database = open_for_writing(target)
    with (
        closing(database),
        Journal.open(source, readonly=True) as reader,
        closing(open_for_reading(source)) as other,
    ):
        assert database.write is not None
        try:
            database.write.execute("BEGIN IMMEDIATE")
            copier = _Copier(database.write, other.read)
            copier.copy_calls()
            copier.copy_decisions(skip_decisions)
            copier.copy_meta(skip_meta)
            writes = WriteStatements(database.write)
            for outcome in reader.read_outcomes():
                try:
                    writes.add_outcome(change(outcome))
                except ValueError:
                    continue  # settled otherwise here, for good
            database.write.execute("COMMIT")
        except DatabaseError as error:
            raise convert_database_error(target, error) from error


class _Copier:
    """Copies rows between two connections, within a transaction of the target."""

    def __init__(self, target: Connection, source: Connection) -> None:
        self._target = target
        self._source = source
        self._heads: dict[bytes, bytes] = {}
        self._texts: dict[int, int] = {}

    def copy_calls(self) -> None:
        """The answered calls, with the shared texts that they name."""
        (last,) = self._target.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()
        for id, key, *columns, system, sent, front, user, body in self._pages(_CALLS):
            texts = self._map_text(system), self._map_text(sent)
            new = self._target.execute(_ADD_CALL, (last + id, key, *columns, *texts)).rowcount
            if not new and (again := self._name_again(key, columns)):
                new = self._target.execute(_ADD_CALL, (last + id, again, *columns, *texts)).rowcount
            if new:
                shared = None if front is None else self._map_text(front)
                exchange = (last + id, shared, user, self._rehead(body))
                self._target.execute("INSERT INTO exchanges VALUES (?, ?, ?, ?)", exchange)

    def _name_again(self, key: str, columns: Sequence[Any]) -> str:
        """A key for a question that the target has paid for as well; empty where it is that very call.

        Nobody asks by that key: it is there so that what both have cost is counted.
        """
        at = columns[_AT]
        (there,) = self._target.execute("SELECT at FROM calls WHERE key = ?", (key,)).fetchone()
        return "" if there == at else f"{key} at {at!r}"

    def copy_decisions(self, skip: Collection[str]) -> None:
        """The decisions but those of the kinds to skip."""
        rows = (
            (kind, key, self._rehead(value))
            for _, kind, key, value in self._pages(_DECISIONS)
            if kind not in skip
        )
        self._target.executemany("INSERT OR IGNORE INTO decisions (kind, key, value) VALUES (?, ?, ?)", rows)

    def copy_meta(self, skip: Collection[str]) -> None:
        """The facts of the whole run but those to skip."""
        rows = [row for row in self._source.execute("SELECT name, value FROM meta") if row[0] not in skip]
        self._target.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", rows)

    def _pages(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Rows, of which the first column counts up."""
        after = 0
        while rows := self._source.execute(sql, (after,)).fetchall():
            yield from rows
            after = rows[-1][0]

    def _map_text(self, id: int) -> int:
        """The number that a shared text has in the target."""
        if id not in self._texts:
            (row,) = self._source.execute("SELECT hash, text FROM texts WHERE id = ?", (id,)).fetchall()
            self._target.execute("INSERT OR IGNORE INTO texts (hash, text) VALUES (?, ?)", row)
            (found,) = self._target.execute("SELECT id FROM texts WHERE hash = ?", row[:1]).fetchone()
            self._texts[id] = found
        return self._texts[id]

    def _rehead(self, data: bytes) -> bytes:
        """A value under the number that its dictionary has in the target."""
        head = data[:HEAD]
        if head[:1] != MARK or not int.from_bytes(head[1:], "big"):
            return data
        if head not in self._heads:
            self._heads[head] = MARK + self._copy_dictionary(int.from_bytes(head[1:], "big"))
        return self._heads[head] + data[HEAD:]

    def _copy_dictionary(self, number: int) -> bytes:
        row = self._source.execute("SELECT family, data FROM dictionaries WHERE id = ?", (number,)).fetchone()
        family = (
            f"{row[0]} {blake2b(row[1], digest_size=8).hexdigest()}"  # no family of the target's own values
        )
        self._target.execute(
            "INSERT OR IGNORE INTO dictionaries (family, data) VALUES (?, ?)", (family, row[1])
        )
        (found,) = self._target.execute("SELECT id FROM dictionaries WHERE family = ?", (family,)).fetchone()
        return int(found).to_bytes(HEAD - 1, "big")
