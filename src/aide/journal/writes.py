"""What is done to the tables inside the transaction of a group."""

import sqlite3
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from aide.config.spec import EMBED
from aide.journal.packing import SHORTEST, Packer, join_exchange
from aide.journal.rows import CALL_COLUMNS, OUTCOME_COLUMNS, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

REMEMBERED: Final = 128  # shared texts whose ids stay in memory: a run has some dozens
# How a settled node may end otherwise after all; everything else is final.
REPLACEABLE: Final = {"failed": {"accepted", "rejected", "failed", "surplus"}, "surplus": {"accepted"}}
# Rows of one statement. A statement costs as much as four rows, see `WriteStatements.finish`; beyond sixteen
# nothing is gained, and each size is a statement for SQLite to keep prepared.
ROWS_AT_ONCE: Final = (16, 4, 1)

_CALL: Final = f"INSERT OR IGNORE INTO calls ({CALL_COLUMNS}, system, sent, id) VALUES "
_CALLS: Final = {n: _CALL + ", ".join([f"({'?, ' * 19}?)"] * n) for n in ROWS_AT_ONCE}
_EXCHANGES: Final = {
    n: "INSERT INTO exchanges VALUES " + ", ".join(["(?, ?, ?, ?)"] * n) for n in ROWS_AT_ONCE
}
_ORPHANS: Final = "DELETE FROM exchanges WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT id FROM calls)"
_OUTCOME: Final = f"INSERT INTO outcomes ({OUTCOME_COLUMNS}) VALUES ({'?, ' * 7}?) RETURNING seq"

CallRow = tuple[tuple[Any, ...], bytes, bytes, bytes, bytes]


class WriteStatements:
    """What the writer does to the tables of one connection. Nobody else may call it.

    Small memories save look-ups: the last id of a call, the ids of the texts seen last, the dictionaries. They hold
    because there is one writer, and because nothing is written after a rollback.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        (last,) = self._execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()
        self._last: int = last
        self._calls: list[tuple[Any, ...]] = []
        self._exchanges: list[tuple[Any, ...]] = []
        self._texts: dict[bytes, int] = {}
        self._packer = Packer(connection)

    def add_call(self, row: CallRow) -> None:
        """Store an answered call, with `finish`; the first answer to a key stays."""
        columns, system, sent, user, body = row
        step = columns[2]
        self._last += 1
        # The digits of embeddings take long to be packed to little less than half.
        if step != EMBED:
            user, body = b"", self._packer.pack(step, join_exchange(user, body))
        self._calls.append((*columns, self._find_text(system), self._find_text(sent), self._last))
        self._exchanges.append((self._last, None, user, body))

    def finish(self) -> None:
        """Write the calls of a group, many with one statement.

        The interpreter's lock changes hands several times in each statement. With a statement for each
        row, that costs as much as the writing while the event loop is busy.
        """
        calls, self._calls = self._calls, []
        exchanges, self._exchanges = self._exchanges, []
        at = 0
        while at < len(calls):
            size = next(size for size in ROWS_AT_ONCE if size <= len(calls) - at)
            new = self._execute(_CALLS[size], [*chain.from_iterable(calls[at : at + size])]).rowcount
            self._execute(_EXCHANGES[size], [*chain.from_iterable(exchanges[at : at + size])])
            at += size
            if new < size:
                self._execute(_ORPHANS, (exchanges[at - size][0], exchanges[at - 1][0]))

    def add_outcome(self, outcome: Outcome) -> None:
        """Store a settled node at the end of the order; the same once more changes nothing.

        Raises:
            ValueError: the node is settled otherwise, in a way that is final.
        """
        row = self._execute(
            "SELECT seq, kind FROM outcomes WHERE node = ? AND (kind = 'planted') = ?",
            (outcome.node, outcome.kind == "planted"),
        ).fetchone()
        if row is not None:
            seq, kind = row
            if outcome.kind not in REPLACEABLE.get(kind, ()):
                if outcome.kind == kind:
                    return
                raise ValueError(f"{outcome.node} is {kind}: it can't become {outcome.kind}")
            self._execute("DELETE FROM outcomes WHERE seq = ?", (seq,))
            self._execute("DELETE FROM payloads WHERE seq = ?", (seq,))
        (seq,) = self._execute(_OUTCOME, outcome.as_columns()).fetchone()
        packed = self._packer.pack(f"outcome {outcome.kind}", outcome.payload)
        self._execute("INSERT INTO payloads VALUES (?, ?)", (seq, packed))

    def add_decision(self, row: tuple[str, str, bytes]) -> None:
        """Store a decision; that it reverses none was made sure before it was queued."""
        kind, key, value = row
        if len(value) >= SHORTEST:
            value = self._packer.pack(f"decision {kind}", value)
        self._execute(
            "INSERT OR IGNORE INTO decisions (kind, key, value) VALUES (?, ?, ?)", (kind, key, value)
        )

    def put_meta(self, row: tuple[str, bytes]) -> None:
        """Store a fact of the whole run in place of the last of that name."""
        self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)

    def put_wave(self, row: tuple[str, bytes, list[tuple[str, str, bytes]]]) -> None:
        """Store a wave in place of what was known of it, and the calls that are pending in it."""
        id, value, calls = row
        self._execute("INSERT OR REPLACE INTO waves VALUES (?, ?)", (id, value))
        for key, wave, call in calls:
            packed = self._packer.pack("pending", call)
            self._execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", (key, wave, packed))

    def end_wave(self, row: tuple[str, bytes]) -> None:
        """Store a wave in which nothing is pending any more."""
        id, value = row
        self._execute("INSERT OR REPLACE INTO waves VALUES (?, ?)", (id, value))
        self._execute("DELETE FROM pending WHERE wave = ?", (id,))

    def add_nothing(self, row: None) -> None:
        """Store nothing: a mark in the queue, done once all before it is."""

    def _find_text(self, data: bytes) -> int:
        """The id of a text that many calls share, stored where it is new."""
        known = self._texts.get(data)
        if known is None:
            name = blake2b(data, digest_size=16).digest()
            self._execute("INSERT OR IGNORE INTO texts (hash, text) VALUES (?, ?)", (name, data))
            (known,) = self._execute("SELECT id FROM texts WHERE hash = ?", (name,)).fetchone()
            if len(self._texts) >= REMEMBERED:
                self._texts.clear()
            self._texts[data] = known
        return known
