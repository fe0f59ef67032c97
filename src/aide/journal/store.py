"""The journal of a run: ask it what is known, tell it what is new."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Self

from aide.errors import AideError
from aide.journal.database import Database, open_for_reading, open_for_writing, open_in_memory
from aide.journal.key_filter import KeyFilter
from aide.journal.packing import MARK, Unpacker, split_exchange
from aide.journal.pending import Waves
from aide.journal.rows import (
    CALL_COLUMNS,
    OUTCOME_COLUMNS,
    AnsweredCall,
    Outcome,
    SpentAtHop,
    dump_json,
    encode_text,
)
from aide.journal.writer import JournalWriter
from aide.journal.writes import WriteStatements
from aide.jsonl import parse_json
from aide.records import Usage

# Seconds between the beginnings of two commits. A commit costs as much CPU as the rows of four calls; within 8 ms
# a fast server answers a dozen calls, which then share it. Longer, a kill would cost more answers.
PACE: Final = 0.008
PAGE: Final = (
    256  # rows read at once: a reader must not hold a statement open, and need not hold a table in memory
)

_BODY: Final = "SELECT body, answered_by FROM calls JOIN exchanges USING (id) WHERE key = ?"
_CALLS: Final = f"""SELECT {CALL_COLUMNS}, (SELECT text FROM texts WHERE id = system),
    (SELECT text FROM texts WHERE id = sent), (SELECT text FROM texts WHERE id = front), user, body, id
    FROM calls JOIN exchanges USING (id)"""
_USAGE: Final = """SELECT step, model, count(*), sum(prompt), sum(completion), sum(cached), sum(reasoning),
    sum(estimated), CASE WHEN count(cost) = count(*) THEN sum(cost) END
    FROM calls WHERE reused = ? GROUP BY step, model ORDER BY step, model"""
_SPENT: Final = """SELECT step, depth, operation = 'plain', sum(attempt > 0), count(*), sum(prompt), sum(completion),
    sum(cached), sum(reasoning), sum(estimated)
    FROM calls LEFT JOIN outcomes ON outcomes.node = calls.node AND (outcomes.kind = 'planted') = 0
    GROUP BY step, depth, operation = 'plain' ORDER BY step, depth"""
_KEYS: Final = f"SELECT key, id FROM calls WHERE id > :after ORDER BY id LIMIT {PAGE}"
_DECIDED: Final = f"SELECT kind, key, seq FROM decisions WHERE seq > :after ORDER BY seq LIMIT {PAGE}"
_DECISIONS: Final = f"""SELECT key, value, seq FROM decisions WHERE kind = :kind AND seq > :after
    ORDER BY seq LIMIT {PAGE}"""


class Journal:
    """One SQLite file that remembers every answered call, decision and outcome.

    What a coroutine waited for (`record`, `settle`, `flush`) is on the disk when it goes on, and survives
    kill -9 and loss of power. `decide` and `set_meta` don't wait: they are seen at once and are on the disk
    no later than anything queued after them. One process writes; others may read what is committed.

    A failed commit (a full disk) is final: it is raised, as an `AideError` of scope `run`, to everyone
    who waits, calls later, or closes the journal with rows that were lost unnoticed.
    """

    def __init__(self, database: Database, pace: float) -> None:
        self._database = database
        lock = threading.Lock()
        self._reading: AbstractContextManager[Any] = lock if database.alone else nullcontext()
        self._unpacker = Unpacker(self._load_dictionary)
        self._queued: dict[tuple[str, ...], bytes] = {}
        self._writes: WriteStatements | None = None
        self._writer: JournalWriter | None = None
        self._known: KeyFilter | None = None  # only the one process that writes can know what is not there
        if database.write is not None:
            self._known = KeyFilter(self._pages(_KEYS))
            for kind_and_key in self._pages(_DECIDED):
                self._known.add(kind_and_key)
            self._writes = WriteStatements(database.write)
            self._writer = JournalWriter(database, finish=self._writes.finish, pace=pace, lock=lock)
        self.waves = Waves(self._query, self._commit, self._writes, self._unpacker)
        """Calls that wait in batches."""

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False, pace: float = PACE, vfs: str = "") -> "Journal":
        """The journal at `path`, made where there is none (not for readers).

        `pace` is the least time in seconds between the beginnings of two commits. `vfs` names another of
        SQLite's file layers than the platform's own.

        Raises:
            InputError: the file can't be opened, is no journal, or was written by a newer version.
            FolderHeld: another process has it to itself.
        """
        database = open_for_reading(path, vfs) if readonly else open_for_writing(path, vfs)
        return cls(database, pace)

    @classmethod
    def in_memory(cls) -> "Journal":
        """A journal that leaves no trace: for what runs the code of a run without one."""
        return cls(open_in_memory(), PACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def on_fault(self, listener: Callable[[AideError], None]) -> None:
        """Call `listener` when nothing can be written any more, before those who wait for a commit hear of it."""
        self._writable()[1].on_fault(listener)

    def close(self) -> None:
        """Commit what is queued, fold the log into the file, close it; a second time does nothing."""
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            self._database.close()

    def measure_size(self) -> int:
        """Bytes that the file has once it is closed. While it is open, a log of up to 4 MB lies beside it."""
        [(pages, bytes_a_page)] = self._query("SELECT * FROM pragma_page_count(), pragma_page_size()")
        return int(pages * bytes_a_page)

    # --- calls ---------------------------------------------------------------------------------

    def recall_body(self, key: str) -> tuple[bytes, str] | None:
        """Body and answering model of the call with that key, if it was ever answered; a few µs."""
        if self._known is not None and (key,) not in self._known:
            return None
        with self._reading:
            row = self._database.read.execute(_BODY, (key,)).fetchone()
        return None if row is None else (self._unpack_exchange(None, b"", row[0])[1], row[1])

    def recall(self, key: str) -> AnsweredCall | None:
        """All that is known of the call with that key."""
        rows = self._query(f"{_CALLS} WHERE key = ?", key)
        return self._read_call(rows[0][:-1]) if rows else None

    async def record(self, call: AnsweredCall) -> None:
        """Keep an answered call; returns once it is committed. The first answer to a key stays.

        It is kept even where the waiting task is cancelled.
        """
        writes, _ = self._writable()
        row = (
            call.as_columns(),
            encode_text(call.system),
            dump_json(call.sent),
            encode_text(call.user),
            call.body,
        )
        if self._known is not None:
            self._known.add((call.key,))
        await self._commit(writes.add_call, row)

    def read_calls(self, *, node: str | None = None) -> Iterator[AnsweredCall]:
        """All calls, or those made for one node, in the order of their answers."""
        only = "" if node is None else " AND node = :node"
        sql = f"{_CALLS} WHERE id > :after{only} ORDER BY id LIMIT {PAGE}"
        for row in self._pages(sql, node=node):
            yield self._read_call(row)

    def find_call_ids(self, nodes: Collection[str]) -> dict[str, list[int]]:
        """For each of these nodes the numbers of its calls, for `read_calls_at`; no text is read."""
        found: dict[str, list[int]] = {}
        for row in self._pages(f"SELECT id, node, id FROM calls WHERE id > :after ORDER BY id LIMIT {PAGE}"):
            if row[1] in nodes:
                found.setdefault(row[1], []).append(row[0])
        return found

    def read_calls_at(self, ids: Iterable[int]) -> Iterator[AnsweredCall]:
        """The calls of these numbers, a page at a time, each page in the order of the answers."""
        numbers = list(ids)
        for start in range(0, len(numbers), PAGE):
            page = numbers[start : start + PAGE]
            marks = ", ".join("?" * len(page))
            for row in self._query(f"{_CALLS} WHERE id IN ({marks}) ORDER BY id", *page):
                yield self._read_call(row[:-1])

    def read_timings(self) -> Iterator[tuple[float, float, str, int]]:
        """Of all calls paid for here: when each came in Unix time, how many seconds it took, step, tokens."""
        sql = f"""SELECT at, seconds, step, prompt + completion, id FROM calls
            WHERE id > :after AND reused = 0 ORDER BY id LIMIT {PAGE}"""
        for row in self._pages(sql):
            yield row[0], row[1], row[2], row[3]

    def sum_usage(self, *, reused: bool = False) -> list[tuple[str, str, Usage, float | None]]:
        """Sums by step and configured model: of the calls paid for here, or of the reused ones.

        The cost of a sum is `None` where the cost of one of its calls is unknown.
        """
        return [
            (step, model, Usage(*sums), cost) for step, model, *sums, cost in self._query(_USAGE, int(reused))
        ]

    def sum_usage_by_hop(self) -> list[SpentAtHop]:
        """Sums by step and by what the calls were booked on, over all answered calls."""
        return [
            SpentAtHop(step, depth, bool(plain), again, Usage(*sums))
            for step, depth, plain, again, *sums in self._query(_SPENT)
        ]

    # --- decisions -----------------------------------------------------------------------------

    def decide(self, kind: str, key: str, value: object) -> None:
        """Queue a decision, which is for good: it is durable before anything that is queued after it.

        Raises:
            ValueError: it would reverse an earlier decision of that kind and key, or is `None`.
            TypeError: `value` is not JSON.
        """
        if value is None:
            raise ValueError(f"nothing is decided about {kind} {key}")
        data = dump_json(value)
        earlier = self._decision(kind, key)
        if earlier is None:
            writes, _ = self._writable()
            if self._known is not None:
                self._known.add((kind, key))
            self._queue(("decision", kind, key), data, writes.add_decision, (kind, key, data))
        elif earlier != data:
            raise ValueError(
                f"{kind} {key} is decided as {earlier.decode()}: it can't become {data.decode()}"
            )

    def get_decision(self, kind: str, key: str) -> Any | None:
        """What was decided, queued decisions included; `None` where nothing was."""
        data = self._decision(kind, key)
        return None if data is None else parse_json(data)

    def read_decisions(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Keys and values of all decisions of that kind in the order in which they fell."""
        queued = {name[2]: data for name, data in self._queued.items() if name[:2] == ("decision", kind)}
        for key, data in self._pages(_DECISIONS, kind=kind):
            queued.pop(key, None)
            yield key, parse_json(self._unpacker.unpack(data))
        for key, data in queued.items():
            yield key, parse_json(data)

    def get_meta(self, name: str) -> Any:
        """A fact of the whole run, queued ones included; `None` where it was never set."""
        queued = self._queued.get(("meta", name))
        if queued is not None:
            return parse_json(queued)
        rows = self._query("SELECT value FROM meta WHERE name = ?", name)
        return parse_json(rows[0][0]) if rows else None

    def set_meta(self, name: str, value: Any) -> None:
        """Queue a fact of the whole run in place of the last of that name.

        Raises:
            ValueError: the name is the journal's own.
        """
        if name == "schema":
            raise ValueError("the schema's version is the journal's own")
        data = dump_json(value)
        writes, _ = self._writable()
        self._queue(("meta", name), data, writes.put_meta, (name, data))

    # --- outcomes ------------------------------------------------------------------------------

    async def settle(self, outcome: Outcome) -> None:
        """Keep how a node ended; returns once it is committed. The same kind once more changes nothing.

        A node may be planted besides being anything else. `surplus` may become `accepted`, and `failed`
        anything; either then stands at the end of the order.

        Raises:
            ValueError: the node is settled otherwise, for good.
        """
        writes, _ = self._writable()
        await self._commit(writes.add_outcome, outcome)

    def read_outcomes(self, *kinds: str, payload: bool = True) -> Iterator[Outcome]:
        """Settled nodes (of these kinds) in the order in which they were settled.

        Without `payload` it is left empty, and never read from the disk.
        """
        marks = ", ".join(f":kind{i}" for i in range(len(kinds)))
        only = f" AND kind IN ({marks})" if kinds else ""
        sql = f"{_settled(payload)} WHERE seq > :after{only} ORDER BY seq LIMIT {PAGE}"
        for row in self._pages(sql, **{f"kind{i}": kind for i, kind in enumerate(kinds)}):
            yield self._read_outcome(row)

    def get_outcome(self, node: str, *, planted: bool = False) -> Outcome | None:
        """How a node ended; with `planted`, what was planted at it."""
        rows = self._query(f"{_settled(True)} WHERE node = ? AND (kind = 'planted') = ?", node, planted)
        return self._read_outcome(rows[0][:-1]) if rows else None

    def count_outcomes(self) -> dict[str, int]:
        """How many nodes ended as what."""
        return dict(self._query("SELECT kind, count(*) FROM outcomes GROUP BY kind"))

    # --- within --------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Return once everything queued so far is committed."""
        if self._writes is not None:
            await self._commit(self._writes.add_nothing, None)

    def _commit(self, write: Callable[[Any], None], row: object) -> asyncio.Future[None]:
        """Queue a row; what comes back is done with its group."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writable()[1].put(write, row, future)
        return future

    def _queue(self, name: tuple[str, ...], data: bytes, write: Callable[[Any], None], row: object) -> None:
        """Queue a row that is seen at once under `name`, in memory until it is committed."""
        self._queued[name] = data
        try:
            self._writable()[1].put(write, row, then=lambda: self._forget(name, data))
        except BaseException:
            self._forget(name, data)
            raise

    def _forget(self, name: tuple[str, ...], data: bytes) -> None:
        """Once `data` can be read from the file."""
        if self._queued.get(name) is data:
            del self._queued[name]

    def _decision(self, kind: str, key: str) -> bytes | None:
        """A decision as JSON. Queued ones first: they leave that place only once the file has them."""
        queued = self._queued.get(("decision", kind, key))
        if queued is not None or (self._known is not None and (kind, key) not in self._known):
            return queued
        rows = self._query("SELECT value FROM decisions WHERE kind = ? AND key = ?", kind, key)
        return self._unpacker.unpack(rows[0][0]) if rows else None

    def _read_call(self, row: tuple[Any, ...]) -> AnsweredCall:
        """A row of `_CALLS` as a call."""
        *columns, front, user, body = row
        return AnsweredCall.from_row((*columns, *self._unpack_exchange(front, user, body)))

    def _read_outcome(self, row: tuple[Any, ...]) -> Outcome:
        """A row of `_settled` as an outcome."""
        *columns, payload = row
        return Outcome.from_row((*columns, self._unpacker.unpack(payload)))

    def _unpack_exchange(self, front: bytes | None, user: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Prompt and answer; before version 2 they stood apart, and prompts shared their fronts."""
        if body[:1] == MARK:
            return split_exchange(self._unpacker.unpack(body))
        return (front or b"") + user, body

    def _load_dictionary(self, number: int) -> bytes:
        [(data,)] = self._query("SELECT data FROM dictionaries WHERE id = ?", number)
        found: bytes = data
        return found

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows at once, so that no statement stays open and hides what is committed meanwhile."""
        with self._reading:
            return self._database.read.execute(sql, values).fetchall()

    def _pages(self, sql: str, **values: object) -> Iterator[tuple[Any, ...]]:
        """Rows without their last column, which counts up and is where the next page goes on."""
        after = 0
        while True:
            with self._reading:
                rows = self._database.read.execute(sql, {**values, "after": after}).fetchall()
            for row in rows:
                yield row[:-1]
            if len(rows) < PAGE:
                return
            after = rows[-1][-1]

    def _writable(self) -> tuple[WriteStatements, JournalWriter]:
        """The writing side; `RuntimeError` where the journal was opened for reading."""
        if self._writes is None or self._writer is None:
            raise RuntimeError(f"{self._database.path} was opened for reading")
        return self._writes, self._writer


def _settled(payload: bool) -> str:
    """The start of a query for outcomes, whose last column is `seq`."""
    body = "(SELECT payload FROM payloads WHERE payloads.seq = outcomes.seq)" if payload else "x''"
    return f"SELECT {OUTCOME_COLUMNS}, {body}, seq FROM outcomes"
