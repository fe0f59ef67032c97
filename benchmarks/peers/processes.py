"""One process tree to its end: its CPU, its memory, and SIGKILL for all of it at once."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 600.0  # seconds for a run


@dataclass(frozen=True)
class Ran:
    """A process tree that ended: its leader's exit code (less than 0: a signal), seconds of CPU, most memory in MiB."""

    code: int
    began: float
    cpu: float
    peak: float


def adopt_orphans() -> None:
    """Processes whose parent has ended come to this one (Linux), so that their CPU is counted too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def group_of(leader: int) -> list[int]:
    """The live processes of a session (Linux, else none)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def held(processes: list[int]) -> float:
    """MiB of memory, a page that several share counted once."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def run(
    command: list[str],
    environment: dict[str, str],
    folder: Path,
    *,
    patience: float = PATIENCE,
    kill_when: Callable[[], bool] | None = None,
) -> Ran:
    """A command to its end, or until `kill_when` or for `patience` seconds; its words go to `folder`/log."""
    with (folder / "log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    leader, looked, alone = process.pid, began, True
    cpu = most = own = 0.0
    limit, code = began + patience, None
    while True:
        try:
            gone, status, used = os.wait4(-leader, os.WNOHANG)
        except ChildProcessError:
            break
        now = time.monotonic()
        if gone:
            cpu += used.ru_utime + used.ru_stime
            if gone == leader:
                own = used.ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
                process.returncode = code = os.waitstatus_to_exitcode(status)
                limit = now + 5
            continue
        if now > limit or (code is None and kill_when is not None and kill_when()):
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)
            limit = now + 60
        if now - looked > 0.2:
            looked, processes = now, group_of(leader)
            alone = alone and len(processes) < 2
            most = max(most, 0 if alone else held(processes))
        time.sleep(0.005 if kill_when else 0.02)
    assert code is not None  # the leader is one of those that were reaped
    return Ran(code, began, cpu, own if alone else most)
