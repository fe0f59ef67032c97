"""Named moments of a run at which a test may kill the process; in every other run they pass unnoticed.

`AIDE_CRASH_AT=after_journal:12` ends the process as `kill -9` does when it comes to that moment for the
twelfth time.
"""

import os
import signal
from itertools import count
from typing import Final, Literal

Moment = Literal["after_answer", "after_journal", "before_shard", "after_prune_log", "after_part"]

VARIABLE: Final = "AIDE_CRASH_AT"
_armed, _, _times = os.environ.get(VARIABLE, "").partition(":")
_passed: Final = count(1)


def hit(moment: Moment) -> None:
    """Go on, unless this is the moment at which the process is to die."""
    if moment == _armed and next(_passed) == int(_times or 1):
        os.kill(os.getpid(), signal.SIGKILL)


__all__ = ["VARIABLE", "Moment", "hit"]
