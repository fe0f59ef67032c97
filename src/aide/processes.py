"""Processes whose output nobody can trust to be short, or to end."""

import asyncio
import contextlib
import os
import signal
from typing import Final

_CHUNK: Final = 1 << 16  # bytes
_GRACE: Final = 5.0  # seconds until a killed process is not waited for any longer


async def read_output(process: asyncio.subprocess.Process, most: int) -> bytes | None:
    """All that a process writes until it ends; `None` where that is more than `most` bytes, and then it lives still."""
    assert process.stdout is not None
    out = bytearray()
    while chunk := await process.stdout.read(_CHUNK):
        out += chunk
        if len(out) > most:
            return None
    await process.wait()
    return bytes(out)


async def end_process(process: asyncio.subprocess.Process, *, group: bool) -> None:
    """Kill a process and wait until it is gone; with `group`, all processes of the session that it leads.

    asyncio tells the end of a process only once its pipes are at theirs, and stops reading from a pipe of which much
    is unread: so what it was flooded with is read to the end first. A child of its own may hold the pipe open and write
    on: that one is waited for a moment only.
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            while await process.stdout.read(_CHUNK):
                pass
            await process.wait()
    # Our end of a pipe that is still held open: closing it ends whoever writes on, and asyncio has no public way to it.
    process._transport.close()  # type: ignore[attr-defined]
