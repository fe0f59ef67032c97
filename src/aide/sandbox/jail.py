"""The program that runs inside the sandbox: limits on itself first, then a solution and its tests.

Run as a script with `-I -S` by an interpreter that may know nothing of this project, so it uses the standard library
alone. It reads one JSON object from its standard input and writes one line to its standard output, which
the solution never sees: a solution that ends the process early leaves no line, and has not passed.
"""

import contextlib
import ctypes
import json
import os
import platform
import resource
import select
import struct
import sys
from pathlib import Path

MEGABYTE = 1 << 20
# Architecture, and the system calls that no solution needs: those that begin a process, a thread or a program; that
# open a socket; that look into other processes; that make namespaces and mounts; and those in which kernels had holes.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        (
            56, 57, 58, 59, 322, 435, 41, 101, 310, 311, 434, 438, 155, 161, 165, 166, 272, 308, 428, 429, 430, 442,
            175, 246, 248, 249, 250, 298, 313, 320, 321, 323, 425,
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            220, 221, 281, 435, 198, 117, 270, 271, 434, 438, 41, 51, 40, 39, 97, 268, 428, 429, 430, 442,
            105, 104, 217, 218, 219, 241, 273, 294, 280, 282, 425,
        ),
    ),
}  # fmt: skip
_NO_NEW_PRIVS, _SECCOMP, _FILTER, _DEATH_SIGNAL, _KILL = 38, 22, 2, 1, 9
NOBODY = 65534
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_DENY, _ALLOW = 0x00050001, 0x7FFF0000
_MAX_PROBLEM = 300  # characters of an error, which may quote a whole structure


def set_limits(seconds: int, megabytes: int) -> None:
    """Bound CPU seconds, memory, files, processes and cores: hard limits, which nothing here can raise."""
    wanted = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: megabytes * MEGABYTE,
        resource.RLIMIT_FSIZE: MEGABYTE,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


def leave_root() -> None:
    """Be nobody, without any capability, and end with whoever started this; raises where that can't be had.

    Not even root inside a namespace: the machine's own settings and files ask for the user alone.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    held = [line.split()[1] for line in status if line.startswith(("CapPrm", "CapEff", "CapAmb"))]
    if 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid()) or any(int(each, 16) for each in held):
        raise PermissionError("a solution would run as root")
    # A change of user clears it, so it is set last.
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, _KILL, 0, 0, 0)


def forbid_calls() -> None:
    """Refuse `_REFUSED`, to root as well, whom the limit on processes does not bind."""
    known = _REFUSED.get(platform.machine())
    if known is None:
        return
    architecture, calls = known
    # Load the architecture, refuse a foreign one; load the number, refuse the other numbering and each of `calls`.
    rows = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _DENY), (_LOAD, 0, 0, 0)]
    refused = [(_AT_LEAST, 0x40000000), *((_EQUAL, number) for number in calls)]
    rows += [(test, len(refused) - place, 0, value) for place, (test, value) in enumerate(refused)]
    rows += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    program = b"".join(struct.pack("HBBI", *row) for row in rows)
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(rows), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def run_job(code: str, tests: list[str], wanted: str = "") -> dict[str, object]:
    """Run the solution, then each test in its names; the first thing that goes wrong ends it.

    With `wanted` the value of that name goes back, as text.
    """
    names: dict[str, object] = {"__name__": "solution"}
    at, problem = -1, ""
    try:
        exec(compile(code, "solution", "exec"), names)
        for at, test in enumerate(tests):  # noqa: B007 - `at` is read after the loop
            exec(compile(test, "test", "exec"), names)
    except BaseException as fault:  # noqa: BLE001 - whatever a solution raises is its result, exits included
        problem = f"{type(fault).__name__}: {fault}"[:_MAX_PROBLEM]
    value = names.get(wanted) if wanted else ""
    return {
        "passed": not problem,
        "at": at,
        "problem": problem,
        "value": value if isinstance(value, str) else "",
    }


def main() -> None:
    """One job from standard input, one line back."""
    leave_root()
    job = json.loads(sys.stdin.buffer.read())
    back = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(FileNotFoundError):
        os.chdir("/box")
    set_limits(job["seconds"], job["megabytes"])
    forbid_calls()
    # Whoever died before the signal above was set sends none, but reads no more either.
    reader = select.poll()
    reader.register(back, 0)
    if reader.poll(0):
        os._exit(1)
    found = run_job(job["code"], job["tests"], job.get("wanted", ""))
    os.write(back, json.dumps({**found, "token": job["token"]}).encode("utf-8", "replace") + b"\n")
    os._exit(0)


if __name__ == "__main__":
    main()
