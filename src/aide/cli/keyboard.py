"""The keyboard while a picture is drawn: what is typed is not shown, because it would land in the middle of it."""

import contextlib
import os
import sys
from typing import Any


class SilentKeyboard:
    """Turns the terminal's echo off from `start` to `stop`. Ctrl-C and Ctrl-Z work as ever."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def start(self) -> None:
        """Turn the echo off, if standard input is a terminal that this process may change.

        To be called again now and then: a shell turns it on when a process that was stopped goes on.
        """
        with contextlib.suppress(ImportError, OSError, ValueError):
            import termios

            number = sys.stdin.fileno()
            # A process in the background that changes the terminal is stopped.
            if not os.isatty(number) or os.tcgetpgrp(number) != os.getpgrp():
                return
            before = termios.tcgetattr(number)
            if not before[3] & termios.ECHO:
                return
            silent = [*before]
            silent[3] = before[3] & ~termios.ECHO
            termios.tcsetattr(number, termios.TCSADRAIN, silent)
            self._before = before

    def stop(self) -> None:
        """Put it back as it was."""
        before, self._before = self._before, None
        if before is None:
            return
        with contextlib.suppress(ImportError, OSError, ValueError):
            import termios

            number = sys.stdin.fileno()
            if os.tcgetpgrp(number) == os.getpgrp():
                termios.tcsetattr(number, termios.TCSADRAIN, before)
