"""Named points of a run at which a test may kill the process; in every other run they pass unnoticed.

`AIDE_CRASH_AT=after_journal:12` ends the process as `kill -9` does when it comes to that point for the twelfth time.
The points stand where a crash would lose or repeat something if the order of two steps were wrong.
"""

import os
import signal
from itertools import count
from typing import Final, Literal

CrashPoint = Literal[
    "after_answer", "after_journal", "before_shard", "after_prune_log", "after_part", "before_replace",
    "before_journal", "after_lock",
    "before_submission", "after_submission", "during_collection", "after_collection",
    "before_decision", "after_decision", "after_absorbing",
]  # fmt: skip

VARIABLE: Final = "AIDE_CRASH_AT"
_armed, _, _times = os.environ.get(VARIABLE, "").partition(":")
_passed: Final = count(1)


def hit(point: CrashPoint) -> None:
    """Go on, unless this is the point at which the process is to die."""
    if point == _armed and next(_passed) == int(_times or 1):
        os.kill(os.getpid(), signal.SIGKILL)


__all__ = ["VARIABLE", "CrashPoint", "hit"]
