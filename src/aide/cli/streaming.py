"""Records on stdout while a run goes on: a slow reader does not slow down the run's calls."""

import asyncio
import contextlib
import os
import select
import sys
import threading
from collections import deque
from typing import Final

from aide.cli.console import Output, describe_full_disk, detach_stdout

LAG: Final = 16 << 20  # bytes


class StdoutStream(Output):
    """Lines for stdout, written in order by a thread of its own, each as soon as the reader accepts it.

    A line is written as a whole unless the process is killed. When the reader goes away, `open` becomes false
    and waiting lines are dropped: that is no error.
    """

    def __init__(self, lag: int = LAG) -> None:
        super().__init__()
        self.behind = 0  # bytes that the reader has not accepted yet
        self.lag = lag
        """Bytes that may wait for the reader; whoever has more to say waits with them."""
        self._lines: deque[bytes] = deque()
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._progress = asyncio.Event()
        self._fault: OSError | None = None
        self._writer: threading.Thread | None = None

    def queue(self, text: bytes) -> None:
        """Queue a line; `caught_up` waits where the reader is too far behind."""
        if self._writer is None:
            self._loop = asyncio.get_running_loop()
            # A daemon: a reader that accepts nothing must not keep alive a process that was told to stop.
            self._writer = threading.Thread(target=self._write, name="stdout", daemon=True)
            self._writer.start()
        if self.open:
            line = text + b"\n"
            with self._news:
                self._lines.append(line)
                self.behind += len(line)
                self._news.notify()

    async def caught_up(self, at_most: int = 0) -> None:
        """Wait until at most so many bytes are waiting, or nobody reads any more.

        Raises:
            errors.AideError: stdout can't be written.
        """
        while self.open and self.behind > at_most:
            await self._progress.wait()
            self._progress.clear()
        if self._fault is not None:
            raise describe_full_disk(self._fault) from self._fault

    def listened(self) -> bool:
        """True if anybody still reads; a pipe shows it even while nothing is written to it."""
        if self.open:
            pipe = select.poll()
            pipe.register(sys.stdout.fileno(), 0)
            if any(event & select.POLLERR for _, event in pipe.poll(0)):
                self._close()
                self._progress.set()
        return self.open

    # --- in the thread --------------------------------------------------------------------------------

    def _write(self) -> None:
        file = sys.stdout.fileno()
        while self.open:
            with self._news:
                self._news.wait_for(lambda: self._lines)
                line = self._lines.popleft()
            try:
                _write_whole(file, line)
            except BrokenPipeError:
                self._close()
            except OSError as fault:
                self._fault = fault
                self._close()
            with self._news:
                self.behind -= len(line)
            assert self._loop is not None
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
                self._loop.call_soon_threadsafe(self._progress.set)

    def _close(self) -> None:
        self.open = False
        detach_stdout()


def _write_whole(file: int, line: bytes) -> None:
    """Write all of a line, also if whoever made the pipe left it non-blocking."""
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:
            writable = select.poll()
            writable.register(file, select.POLLOUT)
            writable.poll()
