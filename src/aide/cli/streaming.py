"""Records to stdout while a run goes on: a slow reader delays what it reads, not the calls of the run."""

import asyncio
import contextlib
import os
import select
import sys
import threading
from collections import deque
from typing import Final

from aide.cli.console import Output, describe_full_disk, detach_stdout

LAG: Final = 16 << 20  # bytes that may wait for the reader before records have to


class StdoutStream(Output):
    """Lines for stdout, written in order by a thread of their own, each as soon as the reader takes it.

    A line that was begun is written whole unless the process is killed. When the reader goes away `open` turns
    false and what waits is dropped: that is no error.
    """

    def __init__(self, lag: int = LAG) -> None:
        super().__init__()
        self.behind = 0
        self._lag = lag
        self._lines: deque[bytes] = deque()
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taken = asyncio.Event()
        self._fault: OSError | None = None
        self._writer: threading.Thread | None = None

    async def put(self, text: bytes) -> None:
        """Hand a line over; returns at once unless the reader is more than the lag behind.

        Raises:
            errors.AideError: stdout can't be written, such as a file on a full disk.
        """
        if self._writer is None:
            self._loop = asyncio.get_running_loop()
            # A daemon: a reader that takes nothing must not keep a process that was told to stop.
            self._writer = threading.Thread(target=self._write, name="stdout", daemon=True)
            self._writer.start()
        if self.open:
            line = text + b"\n"
            with self._news:
                self._lines.append(line)
                self.behind += len(line)
                self._news.notify()
        await self.caught_up(self._lag)

    async def caught_up(self, at_most: int = 0) -> None:
        """Wait until so many bytes are left, or nobody reads any more.

        Raises:
            errors.AideError: stdout can't be written.
        """
        while self.open and self.behind > at_most:
            await self._taken.wait()
            self._taken.clear()
        if self._fault is not None:
            raise describe_full_disk(self._fault) from self._fault

    def listened(self) -> bool:
        """Whether anybody still reads; a pipe tells even while nothing is written to it."""
        if self.open:
            pipe = select.poll()
            pipe.register(sys.stdout.fileno(), 0)
            if any(event & select.POLLERR for _, event in pipe.poll(0)):
                self._close()
                self._taken.set()
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
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._taken.set)

    def _close(self) -> None:
        self.open = False
        detach_stdout()


def _write_whole(file: int, line: bytes) -> None:
    """Write all of a line, also where the pipe was left non-blocking by whoever made it."""
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:
            room = select.poll()
            room.register(file, select.POLLOUT)
            room.poll()


__all__ = ["LAG", "StdoutStream"]
