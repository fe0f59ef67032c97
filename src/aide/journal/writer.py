"""What is queued for a journal: written in the event loop's thread, committed in another, a group at a time."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final

from aide.errors import AideError
from aide.journal.database import Database, convert_database_error

# Rows of one transaction at most. More are never waiting in a run, since no more calls are in flight; a bulk
# import must not hold the event loop for longer than some milliseconds.
GROUP: Final = 512
Future = asyncio.Future[None]
_Entry = tuple[Callable[[Any], None], Any, Future | None, Callable[[], None] | None]


class JournalWriter:
    """Commits queued rows in the order in which they were queued.

    Commits begin at least `pace` seconds apart: a lone row is committed at once, and under load a few
    milliseconds' rows share the cost of one. A group is one transaction, so what is durable is always
    a beginning of what was queued. After a failed commit nothing is written any more: everybody who
    waits or comes later is told why. `finish` is called before each commit, for what is better written
    together.

    Rows are written where they are queued, which takes microseconds each; only the commit, which waits for the disk,
    has a thread of its own. Writing there as well would have the two threads fight over the interpreter at every
    statement: see docs/design/journal-commits.md.

    Event loops may follow each other; what is queued outside of any is written with the next row that is queued
    within one, or by `close`.
    """

    def __init__(
        self, database: Database, *, finish: Callable[[], None], pace: float, lock: threading.Lock
    ) -> None:
        assert database.write is not None
        self._path = database.path
        self._connection = database.write
        self._finish = finish
        self._pace = pace
        self._earliest = time.monotonic()
        self._lock = lock  # held from the beginning of a transaction to its end
        self._queued: list[_Entry] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # hears of the next commit
        self._due: asyncio.AbstractEventLoop | None = None  # will write what is queued
        self._group: list[_Entry] = []  # written, not yet committed
        self._refused: dict[int, ValueError] = {}
        self._ended: list[BaseException | None] = []  # by the thread: how its commit ended
        self._closed = False
        self._fault: AideError | None = None
        self._fault_raised = False
        self._listener: Callable[[AideError], None] = lambda fault: None
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="aide-journal", daemon=True)
        self._thread.start()

    def put(
        self,
        write: Callable[[Any], None],
        row: Any,
        future: Future | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Have `write(row)` called; once that is committed, `then` is called and `future` is done.

        `write` may raise `ValueError` before it has written anything: that refuses this row alone.

        Raises:
            AideError: an earlier commit failed.
        """
        if self._fault is not None:
            self._fault_raised = True
            raise self._fault
        if self._closed:
            raise RuntimeError("the journal is closed")
        self._queued.append((write, row, future, then))
        self._schedule()

    def on_fault(self, listener: Callable[[AideError], None]) -> None:
        """Call `listener` when a commit fails, before those who wait for it hear of that."""
        self._listener = listener

    def close(self) -> None:
        """Commit what is queued and end the thread.

        Raises:
            AideError: rows were lost and nobody has been told yet.
        """
        if not self._closed:
            self._closed = True
            self._orders.put(False)
            self._thread.join()
            self._collect()
            while self._queued:
                if self._write():
                    self._commit()
                    self._collect()
        if self._fault is not None and not self._fault_raised:
            self._fault_raised = True
            raise self._fault

    # --- in the thread of the event loop --------------------------------------------------------

    def _schedule(self) -> None:
        """Have the running loop write what is queued, if there is one and no commit is under way."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._loop = loop
        if self._ended:  # and the loop that would have heard of it is gone
            self._collect()
        if self._due is not loop and not self._group:
            self._due = loop
            loop.call_later(max(0.0, self._earliest - time.monotonic()), self._start)

    def _start(self) -> None:
        self._due = None
        if self._queued and not self._group and not self._closed and self._write():
            self._orders.put(True)

    def _write(self) -> bool:
        """Write a group, up to its commit; false where that failed."""
        self._earliest = time.monotonic() + self._pace
        self._group, self._queued = self._queued[:GROUP], self._queued[GROUP:]
        self._refused = {}
        self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for i, (write, row, _, _) in enumerate(self._group):
                try:
                    write(row)
                except ValueError as error:
                    self._refused[i] = error
            self._finish()
        except BaseException as error:  # a mistake of ours too is raised where somebody waits
            self._roll_back()
            self._ended.append(error)
            self._collect()
            if not isinstance(error, Exception):
                raise
            return False
        return True

    def _collect(self) -> None:
        """Tell those who wait how a commit ended, and go on with the next."""
        if not self._ended:
            return
        error = self._ended.pop()
        group, self._group = self._group, []
        if error is None:
            for *_, then in group:
                if then is not None:
                    then()
            self._answer(group, self._refused)
            if self._queued:
                self._schedule()
            return
        if isinstance(error, sqlite3.Error):
            self._fault = convert_database_error(self._path, error)
        else:
            self._fault = AideError(f"writing {self._path} failed: {error!r}")
        self._fault.__cause__ = error
        self._listener(self._fault)
        lost, self._queued = [*group, *self._queued], []
        self._answer(lost, dict.fromkeys(range(len(lost)), self._fault))

    def _answer(self, group: Sequence[_Entry], errors: dict[int, Any]) -> None:
        """Wake the waiting who still wait; where a loop is closed the rows are there, and nobody waits."""
        for i, (_, _, future, _) in enumerate(group):
            if future is None or future.done() or future.get_loop().is_closed():
                continue
            if (error := errors.get(i)) is None:
                future.set_result(None)
            else:
                future.set_exception(error)
                self._fault_raised = self._fault_raised or error is self._fault

    # --- in the thread that commits -------------------------------------------------------------

    def _run(self) -> None:
        while self._orders.get():
            self._commit()
            loop = self._loop
            if loop is not None:
                with suppress(RuntimeError):  # closed: the next loop that queues something will see to it
                    loop.call_soon_threadsafe(self._collect)

    def _commit(self) -> None:
        """End the transaction and note how."""
        try:
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - told by `_collect`
            self._roll_back()
            self._ended.append(error)
        else:
            self._lock.release()
            self._ended.append(None)

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # the first error is the one to tell
            self._connection.execute("ROLLBACK")
        self._lock.release()
