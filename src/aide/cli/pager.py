"""Text in the pager of the person's terminal, and plainly into a file or a pipe."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from aide.cli.console import Output

USUAL: Final = ("less", "more")


def show_lines(lines: Iterable[str]) -> None:
    """Show lines as they come: on a terminal in `$PAGER`, or `less`; anywhere else as they are.

    Lines that the reader no longer wants are not asked for.
    """
    command = _choose_pager() if sys.stdout.isatty() and sys.stdin.isatty() else []
    if not command:
        output = Output()
        for line in lines:
            if not output.line(line):
                return
        return
    # Colours are passed on, and what fits on one screen stays there when the pager has ended.
    environ = {"LESS": "FRX", **os.environ}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environ) as pager:
        assert pager.stdin is not None
        # Ctrl-C is for the pager, which stops following with it and goes on.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for line in lines:
                pager.stdin.write(f"{line}\n".encode("utf-8", "replace"))
        except BrokenPipeError:
            pass  # it was left
        finally:
            with contextlib.suppress(BrokenPipeError):
                pager.stdin.close()
            pager.wait()
            signal.signal(signal.SIGINT, before)


def _choose_pager() -> list[str]:
    """The pager's command; empty where there is none, or where the terminal can't show one."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return []
    named = shlex.split(os.environ.get("PAGER", ""))
    if named and shutil.which(named[0]):
        return named
    return next(([found] for name in USUAL if (found := shutil.which(name))), [])
