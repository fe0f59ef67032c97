"""Code that a model wrote, run where it can do no harm: no network, no other files, little time and memory.

Each run is a process of its own in an isolation that the system offers: bubblewrap, the kernel's namespaces by
`unshare`, docker or podman, the first that really works. Without any of them nothing is run. The isolation takes away
files and network; `jail.py`, inside, limits its own time, memory and forks before it looks at the code.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

import orjson

from aide.errors import InputError
from aide.processes import end_process, read_output
from aide.records import digest

IMAGE: Final = "python:3-slim"
_PROGRAM: Final = Path(__file__).with_name("jail.py").read_text(encoding="utf-8")
_BUILDER: Final = Path(__file__).with_name("box.py").read_text(encoding="utf-8")
_QUERIES: Final = Path(__file__).with_name("queries.py").read_text(encoding="utf-8")
_NOBODY: Final = "65534"
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_BOX: Final = (
    16 << 20
)  # bytes that a solution may write: enough for a test's files, too little to fill memory
# Bytes that may come back: a line has some hundreds. A solution can write to the same pipe, and without end.
_OUTPUT: Final = 1 << 16
_PROBE_SECONDS: Final = 60  # a container engine may have to start itself for the first run


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one run may take."""

    seconds: int = 5
    """Of the processor, so that a busy machine fails no good solution."""
    wall: int = 30
    """Of the clock, for a solution that sleeps."""
    megabytes: int = 512


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """How a run ended."""

    passed: bool
    problem: str = ""
    """What went wrong, for the log and the reject."""
    value: str = ""
    """Of a query what came of it: the hash of its rows, whatever their order."""
    unfit: bool = False
    """True when a query was not run, because its schema makes no tables here."""


Command = Callable[[str], list[str]]


def _bubblewrap(folder: str) -> list[str]:
    folders = _folders()
    above = sorted({str(parent) for each in folders for parent in Path(each).parents} - {"/"})
    # Left to itself it makes the folders above a bound one with the rights of its own user, and nobody could not pass.
    bound = [word for each in above for word in ("--perms", "0755", "--dir", each)]
    bound += [word for each in folders for word in ("--ro-bind", each, each)]
    # In a user namespace of root's, root stays root to the machine's own files and settings whatever its name inside.
    # So root makes none, and the program becomes nobody, for which it keeps two capabilities until then.
    user = (
        ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--cap-drop", "ALL",
         "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        if os.geteuid() == 0
        else ["--unshare-all", "--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL"]
    )  # fmt: skip
    return [
        "bwrap", *user, "--die-with-parent", "--new-session", *bound,
        "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(_BOX), "--tmpfs", "/box",
        "--remount-ro", "/proc", "--remount-ro", "/", "--chdir", "/box",
        _python(), "-I", "-S", "-B", "-c", _PROGRAM,
    ]  # fmt: skip


def _unshare(folder: str) -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    # `--kill-child` ends the program with `unshare`, and `setpriv` ends `unshare` with us, also after a kill -9.
    return [
        "setpriv", "--pdeathsig", "KILL", "unshare", *user, "--net", "--ipc", "--uts", "--pid", "--fork",
        "--kill-child", "--mount", _python(), "-I", "-S", "-B", "-c", _BUILDER,
        folder, _python(), _PROGRAM, *_folders(),
    ]  # fmt: skip


def _container(engine: str, folder: str) -> list[str]:
    # Killing the client does not end the container, so the limit on the clock stands inside as well. Nothing is
    # pulled: a run must not load an image from the network on its own.
    return [
        engine, "run", "--rm", "-i", "--pull=never", "--network=none", "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", "--user=65534:65534", "--memory=640m", "--pids-limit=16",
        "--cpus=1",
        f"--tmpfs=/box:rw,size={_BOX},mode=1777", IMAGE, "timeout", "-s", "KILL", "40",
        "python3", "-I", "-S", "-B", "-c", _PROGRAM,
    ]  # fmt: skip


ISOLATIONS: Final[Mapping[str, Command]] = {
    "bwrap": _bubblewrap,
    "unshare": _unshare,
    "docker": partial(_container, "docker"),
    "podman": partial(_container, "podman"),
}


class Sandbox:
    """Runs solutions in the isolation `name`, `at_once` of them together, by default one a core."""

    def __init__(self, name: str, limits: SandboxLimits | None = None, *, at_once: int = 0) -> None:
        self.name = name
        self.running = 0
        """Solutions that run, or wait for their turn."""
        self.limits = limits or SandboxLimits()
        self._command = ISOLATIONS[name]
        self._slots = asyncio.Semaphore(at_once or os.cpu_count() or 1)
        self._folder = tempfile.TemporaryDirectory(prefix="aide-box-")

    @classmethod
    def find(cls, names: Sequence[str] = tuple(ISOLATIONS), limits: SandboxLimits | None = None) -> Self:
        """The first isolation that is there and works: one trivial program is run in it.

        Raises:
            InputError: there is none; nothing of a model may then be run.
        """
        for name in names:
            if shutil.which(name) is not None:
                sandbox = cls(name, limits)
                if sandbox._works():
                    return sandbox
                sandbox.close()
        raise InputError(
            "--run-code finds no isolation on this system that works",
            hint=f"install bubblewrap, or docker or podman with the image {IMAGE}; without it no code is run",
        )

    def close(self) -> None:
        """Take away the empty folder of the sandbox."""
        self._folder.cleanup()

    async def run(self, code: str, tests: Sequence[str]) -> SandboxResult:
        """Run `code`, then each of `tests`; passed where nothing raised and the code did not end by itself.

        Raises:
            InputError: the isolation, which worked before, can't be started any more.
        """
        line = await self._run_job(code, tests)
        if isinstance(line, str):
            return SandboxResult(False, line)
        if line.get("passed") is True:
            return SandboxResult(True)
        at = line.get("at")
        where = f"test {at + 1}" if isinstance(at, int) and at >= 0 else "the solution itself"
        return SandboxResult(False, f"{where}: {line.get('problem')}")

    async def query(self, schema: str, words: Sequence[str], query: str) -> SandboxResult:
        """Run a query in SQLite over rows made from its schema, in which `words` occur.

        Raises:
            InputError: as `run`.
        """
        line = await self._run_job(
            f"{_QUERIES}\nresult = run({schema!r}, {[*words]!r}, {query!r})", (), "result"
        )
        if isinstance(line, str):
            return SandboxResult(False, line)
        found = _parse_line(str(line.get("value") or "").encode())
        if not found:
            return SandboxResult(False, f"{line.get('problem')}")
        if fault := found.get("fault"):
            return SandboxResult(False, str(fault), unfit=found.get("in") == "schema")
        return SandboxResult(True, value=str(found.get("digest")))

    async def _run_job(self, code: str, tests: Sequence[str], wanted: str = "") -> dict[str, object] | str:
        """The line that came back, or a sentence that says why none did."""
        # An engine may print lines of its own: ours carries the token.
        token = digest("sandbox", code, *tests)
        self.running += 1
        try:
            async with self._slots:
                status, out = await self._run(self._job(code, tests, token, wanted))
        finally:
            self.running -= 1
        line = _parse_line(out)
        return line if line.get("token") == token else self._explain(status)

    def _job(self, code: str, tests: Sequence[str], token: str, wanted: str = "") -> bytes:
        # Lone surrogates can't be written as UTF-8 and can't stand in a program either.
        code, *tests = (text.encode("utf-8", "replace").decode() for text in (code, *tests))
        job = {"code": code, "tests": tests, "token": token, "wanted": wanted}
        return orjson.dumps({**job, "seconds": self.limits.seconds, "megabytes": self.limits.megabytes})

    async def _run(self, job: bytes) -> tuple[int | None, bytes]:
        """Exit status and output; no status where the time of the clock ran out."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(self._folder.name), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=_environment(), start_new_session=True,
            )  # fmt: skip
        except OSError as fault:
            raise InputError(
                f"{self.name} can't be started: {fault}", hint="is it still installed?"
            ) from fault
        try:
            out = await asyncio.wait_for(_exchange(process, job), self.limits.wall)
        except TimeoutError:
            return None, b""
        finally:
            await end_process(process, group=True)
        return process.returncode, out

    def _explain(self, status: int | None) -> str:
        if status is None:
            return f"stopped: it took more than {self.limits.wall} s"
        seconds = self.limits.seconds
        return (
            f"stopped: it ended the process, or took more than {seconds} s of the processor (status {status})"
        )

    def _works(self) -> bool:
        job = self._job("def two():\n    return 2", ["assert two() == 2"], "probe")
        try:
            done = subprocess.run(
                self._command(self._folder.name), input=job, capture_output=True, env=_environment(),
                timeout=_PROBE_SECONDS, check=False, start_new_session=True,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return False
        return _parse_line(done.stdout).get("passed") is True


async def _exchange(process: asyncio.subprocess.Process, job: bytes) -> bytes:
    """Hand the job over and read what comes back; nothing where it is too much, and then the process lives still."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(job)
        await process.stdin.drain()
    process.stdin.close()
    return await read_output(process, _OUTPUT) or b""


def _parse_line(out: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(out)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _python() -> str:
    """The interpreter behind a virtual environment: what it needs lies below its own prefix."""
    return str(Path(sys.executable).resolve())


def _folders() -> list[str]:
    """What the interpreter needs to start, read-only inside."""
    # Of a prefix only what the interpreter reads: it may be a person's home.
    prefixes = dict.fromkeys((sys.base_prefix, str(Path(_python()).parent.parent)))
    needed = [*_SYSTEM, *(f"{prefix}/{name}" for prefix in prefixes for name in ("bin", "lib", "lib64"))]
    found = [each for each in dict.fromkeys(needed) if os.access(f"{each}/.", os.X_OK)]
    # A folder inside another of these needs no mount of its own.
    return [
        each for each in found if not any(each != top and Path(each).is_relative_to(top) for top in found)
    ]


def _environment() -> dict[str, str]:
    """Nothing of the person's environment: it holds their keys."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": "/box"}
