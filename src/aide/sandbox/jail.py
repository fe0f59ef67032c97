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
import struct
import sys

MEGABYTE = 1 << 20
# Architecture, and the system calls that begin a process or a thread.
_FORKING = {
    "x86_64": (0xC000003E, (56, 57, 58, 435)),
    "aarch64": (0xC00000B7, (220, 435)),
}
_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
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


def forbid_forks() -> None:
    """No process and no thread may be begun, root's included, whom the limit on processes does not bind."""
    known = _FORKING.get(platform.machine())
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


def run_job(code: str, tests: list[str]) -> dict[str, object]:
    """Run the solution, then each test in its names; the first thing that goes wrong ends it."""
    names: dict[str, object] = {"__name__": "solution"}
    at, problem = -1, ""
    try:
        exec(compile(code, "solution", "exec"), names)
        for at, test in enumerate(tests):  # noqa: B007 - `at` is read after the loop
            exec(compile(test, "test", "exec"), names)
    except BaseException as fault:  # noqa: BLE001 - whatever a solution raises is its result, exits included
        problem = f"{type(fault).__name__}: {fault}"[:_MAX_PROBLEM]
    return {"passed": not problem, "at": at, "problem": problem}


def main() -> None:
    """One job from standard input, one line back."""
    job = json.loads(sys.stdin.buffer.read())
    back = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(FileNotFoundError):
        os.chdir("/box")
    set_limits(job["seconds"], job["megabytes"])
    forbid_forks()
    found = run_job(job["code"], job["tests"])
    os.write(back, json.dumps({**found, "token": job["token"]}).encode("utf-8", "replace") + b"\n")
    os._exit(0)


if __name__ == "__main__":
    main()
