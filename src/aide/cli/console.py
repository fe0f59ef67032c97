"""What the command line says, and how it ends: exit codes, stderr for people, stdout for data.

Text that a model wrote is shown only through `safe`.
"""

import contextlib
import errno
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from aide.errors import AideError

if TYPE_CHECKING:
    from rich.console import Console

OK: Final = 0
FAULT: Final = 1
USAGE: Final = 2
BUDGET: Final = 3
ENDPOINT: Final = 4
HELD: Final = 5
SHORT: Final = 6
INTERRUPTED: Final = 130

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk that takes no more

_DEBUG: Final = "AIDE_DEBUG"


def stderr(*, quiet: bool = False) -> "Console":
    """A console on stderr: plain where it is no terminal or `NO_COLOR` is set, silent where `quiet`.

    Off a terminal lines are not folded, so that a log or a mail keeps each in one piece. Where nobody reads any
    more, what is said goes nowhere, and the command goes on.
    """
    from rich.console import Console

    class Lasting(Console):
        def on_broken_pipe(self) -> None:
            _forsake(sys.stderr)

    console = Lasting(stderr=True, highlight=False, quiet=quiet)
    if not console.is_terminal:
        console.soft_wrap = True
    return console


def fail(error: AideError) -> int:
    """Say on stderr what is wrong and what helps, without a traceback; returns the exit code."""
    if os.environ.get(_DEBUG):
        traceback.print_exception(error)
    lines = [f"aide: {_plain(line)}" for line in str(error).splitlines() or [""]]
    if error.hint:
        lines.append(f"hint: {_plain(error.hint)}")
    _say(lines)
    return error.exit_code


def crash(error: BaseException, *, log: Path | None = None) -> int:
    """Own up to a fault of ours, with a traceback only where `AIDE_DEBUG=1`; returns the exit code."""
    if os.environ.get(_DEBUG):
        traceback.print_exception(error)
    told = f": {_plain(str(error))}" if str(error) else ""
    where = f"details are in {log}; " if log else ""
    _say(
        [
            f"aide: a fault in aide itself ({type(error).__name__}{told})",
            f"hint: {where}{_DEBUG}=1 shows the traceback; nothing that was answered is lost",
        ]
    )
    return FAULT


def no_room(fault: OSError) -> AideError:
    """What a full disk is told as; whatever a run was answered stays in its journal."""
    where = f"{fault.filename} can't be written" if fault.filename else "what comes out can't be written"
    return AideError(f"{where}: {fault.strerror}", hint="make room, then run the same command again")


def safe(text: str, width: int | None = None) -> str:
    """Text of a model made fit to show on one line: no terminal codes, no markup, at most `width` columns.

    Wide characters count as two columns; what is cut off is marked by an ellipsis.
    """
    from rich.cells import cell_len, set_cell_size
    from rich.markup import escape

    plain = _plain(text)
    if width is not None and cell_len(plain) > width:
        plain = set_cell_size(plain, max(0, width - 1)).rstrip() + "…"
    return escape(plain)


class Output:
    """Data on stdout, a line at a time. A reader that has gone away is no error: `open` turns false."""

    def __init__(self) -> None:
        self.open = True

    def line(self, text: str) -> bool:
        """Write a line and flush it, so that the next program in the pipe has it; false when nobody reads."""
        if self.open:
            try:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
            except BrokenPipeError:
                self.open = False
                forsake_stdout()
        return self.open


def forsake_stdout() -> None:
    """Point stdout at nothing after its reader has gone: the interpreter's last flush stays silent."""
    _forsake(sys.stdout)


def _forsake(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _say(lines: list[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()


def _plain(text: str) -> str:
    """One line without control characters or marks that turn its direction; imports wait until something is said."""
    import re

    from aide.parsing import clean

    return " ".join(re.sub("[\u202a-\u202e\u2066-\u2069]", "", clean(text)).split())


__all__ = [
    "BUDGET", "ENDPOINT", "FAULT", "FULL", "HELD", "INTERRUPTED", "OK", "SHORT", "USAGE", "Output", "crash",
    "fail", "forsake_stdout", "no_room", "safe", "stderr",
]  # fmt: skip
