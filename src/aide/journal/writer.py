"""The one thread that writes a journal: it commits whatever is queued, a group at a time."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

from aide.errors import AideError
from aide.journal.database import Database, fault

GROUP: Final = 512
Future = asyncio.Future[None]
_Entry = tuple[Callable[[Any], None], Any, Future | None, Callable[[], None] | None]


class Writer:
    """Commits queued rows in the order in which they were queued.

    Commits begin at least `pace` seconds apart: a lone row is committed at once, and under load a few
    milliseconds' rows share the cost of one. A group is one transaction, so what is durable is always
    a beginning of what was queued. After a failed commit nothing is written any more: everybody who
    waits or comes later is told why. `finish` is called before each commit, for what is better written
    together.
    """

    def __init__(
        self, database: Database, *, finish: Callable[[], None], pace: float, lock: threading.Lock
    ) -> None:
        assert database.write is not None
        self._path = database.path
        self._connection = database.write
        self._finish = finish
        self._pace = pace
        self._lock = lock
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._closing = threading.Event()
        self._fault: AideError | None = None
        self._told = False
        self._thread = threading.Thread(target=self._run, name="aide-journal", daemon=True)
        self._thread.start()

    def put(
        self,
        write: Callable[[Any], None],
        row: Any,
        future: Future | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Have `write(row)` called in the writer's thread; once that is committed, `future` is done.

        `then` is called in that thread after the commit. `write` may raise `ValueError` before it has
        written anything: that refuses this row alone.

        Raises:
            AideError: an earlier commit failed.
        """
        if self._fault is not None:
            self._told = True
            raise self._fault
        if self._closing.is_set():
            raise RuntimeError("the journal is closed")
        self._queue.put((write, row, future, then))

    def close(self) -> None:
        """Commit what is queued and end the thread.

        Raises:
            AideError: rows were lost and nobody has been told yet.
        """
        if not self._closing.is_set():
            self._closing.set()
            self._queue.put(None)
        self._thread.join()
        if self._fault is not None and not self._told:
            self._told = True
            raise self._fault

    def _run(self) -> None:
        earliest = time.monotonic()
        more = True
        while more:
            entries = [self._queue.get()]
            rest = earliest - time.monotonic()
            if rest > 0 and entries[0] is not None:
                self._closing.wait(rest)
            earliest = time.monotonic() + self._pace
            with suppress(Empty):
                while len(entries) < GROUP:
                    entries.append(self._queue.get_nowait())
            group = [entry for entry in entries if entry is not None]
            more = len(group) == len(entries)
            if group:
                self._settle(group)

    def _settle(self, group: list[_Entry]) -> None:
        """Commit a group and tell those who wait for it."""
        refused: dict[int, ValueError] = {}
        if self._fault is None:
            try:
                refused = self._commit(group)
            except sqlite3.Error as error:
                self._fault = fault(self._path, error)
                self._fault.__cause__ = error
            except Exception as error:  # noqa: BLE001 - a mistake of ours: it is raised where somebody waits
                self._fault = AideError(f"writing {self._path} failed: {error!r}")
                self._fault.__cause__ = error
        if self._fault is None:
            for *_, then in group:
                if then is not None:
                    then()
        self._answer((entry[2], self._fault or refused.get(i)) for i, entry in enumerate(group))

    def _commit(self, group: list[_Entry]) -> dict[int, ValueError]:
        """Write a group in one transaction; returns which of its rows were refused."""
        refused: dict[int, ValueError] = {}
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for i, (write, row, _, _) in enumerate(group):
                    try:
                        write(row)
                    except ValueError as error:
                        refused[i] = error
                self._finish()
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    self._connection.execute("ROLLBACK")
                raise
        return refused

    def _answer(self, answers: Iterable[tuple[Future | None, Exception | None]]) -> None:
        """Wake the waiting: one signal for each event loop, which is one in all but tests."""
        waiting: dict[asyncio.AbstractEventLoop, list[tuple[Future, Exception | None]]] = {}
        for future, error in answers:
            if future is not None:
                waiting.setdefault(future.get_loop(), []).append((future, error))
        for loop, settled in waiting.items():
            with suppress(RuntimeError):  # the loop is closed: the rows are there, and nobody waits
                loop.call_soon_threadsafe(_wake, settled)
                self._told = self._fault is not None


def _wake(settled: list[tuple[Future, Exception | None]]) -> None:
    """In the loop's thread: end the waiting of those who still wait."""
    for future, error in settled:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
