"""Solutions that try to do harm, under each isolation that works here, as root and as a user."""

import asyncio
import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aide.errors import InputError
from aide.sandbox import isolation
from aide.sandbox.isolation import Sandbox, SandboxLimits, SandboxResult

LIMITS = SandboxLimits(seconds=1, wall=30, megabytes=256)


def found(name: str) -> Sandbox | None:
    try:
        return Sandbox.find((name,), LIMITS)
    except InputError:
        return None


@pytest.fixture(params=["bwrap", "unshare"], scope="module")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    sandbox = found(request.param)
    if sandbox is None:
        pytest.skip(f"{request.param} does not work here")
    yield sandbox
    sandbox.close()


def run(sandbox: Sandbox, code: str, *tests: str) -> SandboxResult:
    return asyncio.run(sandbox.run(code, tests or ("assert solve() == 2",)))


def test_a_right_solution_passes_and_a_wrong_one_names_the_test(sandbox: Sandbox) -> None:
    assert run(sandbox, "import math\ndef solve():\n    return math.isqrt(4)") == SandboxResult(True)
    ran = run(sandbox, "def solve():\n    return 3", "assert True", "assert solve() == 2, solve()")
    assert not ran.passed
    assert "test 2" in ran.problem
    assert "AssertionError: 3" in ran.problem


HOSTILE = {
    "loops for ever": ("while True: pass", "stopped: "),
    "sleeps through signals": (
        "import signal\nfor s in (14, 15, 24): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "stopped: ",
    ),
    "forks": ("import os\nwhile True: os.fork()", "PermissionError"),
    "starts threads": ("import threading\nthreading.Thread(target=print).start()", "RuntimeError"),
    "starts programs": ("import subprocess\nsubprocess.run(['/bin/ls'])", "PermissionError"),
    "eats memory": ("held = []\nwhile True: held.append(bytearray(1 << 34))", "MemoryError"),
    "fills the disk": ("open('big', 'wb').write(bytes(1 << 24))", "Error"),
    "recurses": ("def f(): f()\nf()", "RecursionError"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "stopped: "),
    "leaves early": ("import os\nos._exit(0)", "stopped: "),
    "exits": ("import sys\nsys.exit(0)", "SystemExit"),
    "floods its pipe": ("import os\nfor n in range(3, 32):\n    try:\n        while True: os.write(n, b'x' * 4096)\n"
                            "    except OSError: pass\nos._exit(0)", "stopped: "),
    "looks into a process": ("import ctypes\nif ctypes.CDLL(None).ptrace(0, 0, 0, 0) == -1: raise OSError('refused')",
                             "refused"),
    "makes a namespace": ("import ctypes\nif ctypes.CDLL(None).unshare(1 << 28): raise OSError('refused')", "refused"),
    "mounts": ("import ctypes\nif ctypes.CDLL(None).mount(b'x', b'/box', b'tmpfs', 0, None): raise OSError('refused')",
               "refused"),
    "changes the machine's settings": ("open('/proc/sys/kernel/hostname', 'r+')", "Error"),
    "pulls the emergency brake": ("open('/proc/sysrq-trigger', 'w')", "Error"),
    "ends all processes": ("import os, signal\nos.kill(-1, signal.SIGKILL)", "Error"),
    "changes its user": ("import os\nos.setuid(0)", "Error"),
    "writes among the programs": ("open('/usr/lib/written', 'w')", "Error"),
    "looks at the files": ("open('/etc/passwd').read()", "FileNotFoundError"),
    "writes to the root": ("open('/written', 'w')", "Read-only"),
    "floods its output": ("while True: print('x' * 10**6)", "stopped: "),
    "is no text": ("x = '\ud800'\ndef solve(): return 3", "AssertionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_does_harm_is_stopped_and_reported(sandbox: Sandbox, name: str) -> None:
    code, told = HOSTILE[name]
    ran = run(sandbox, code)
    assert not ran.passed
    assert told in ran.problem


def test_a_flood_that_nobody_reads_does_not_hold_the_run(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leave_unread(process: asyncio.subprocess.Process, job: bytes) -> bytes:
        assert process.stdin is not None
        process.stdin.write(job)
        process.stdin.close()
        while not process.stdout._paused:  # type: ignore[union-attr]  # noqa: ASYNC110
            await asyncio.sleep(0)
        return b""

    monkeypatch.setattr(isolation, "_exchange", leave_unread)
    assert not run(sandbox, HOSTILE["floods its pipe"][0]).passed


def test_there_is_no_network_not_even_to_this_machine(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        ran = run(sandbox, f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)")
        assert not ran.passed
        assert "Error" in ran.problem
        with pytest.raises(BlockingIOError):
            server.accept()


def test_nothing_can_be_written_outside_its_own_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("whole")
    ran = run(sandbox, f"open({str(victim)!r}, 'w').write('broken')")
    assert not ran.passed
    assert victim.read_text() == "whole"
    assert run(sandbox, "open('own', 'w').write('2')\ndef solve(): return int(open('own').read())").passed
    assert not run(sandbox, "def solve(): return int(open('own').read())").passed, (
        "the folder is empty each time"
    )


def test_whoever_runs_it_a_solution_is_not_root_and_has_no_power(sandbox: Sandbox) -> None:
    ran = run(
        sandbox,
        "import os\ndef solve():\n    lines = dict(x.split(':', 1) for x in open('/proc/self/status') if ':' in x)\n"
        "    caps = [int(lines[n], 16) for n in ('CapPrm', 'CapEff', 'CapAmb')]\n"
        "    return os.getuid(), os.geteuid(), os.getgid(), caps, os.getgroups()",
        "uid, euid, gid, caps, groups = solve()",
        "assert 0 not in (uid, euid, gid) and not any(caps), (uid, euid, gid, caps)",
        "assert 0 not in groups, groups",
        "import json, decimal, random",
    )  # fmt: skip
    assert ran == SandboxResult(True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_what_is_mounted_inside_a_shown_folder_is_read_only_too(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        inner = Path(folder) / "inner"
        inner.mkdir()
        Path(folder).chmod(0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", inner], check=True)
        try:
            monkeypatch.setattr(isolation, "_SYSTEM", (*isolation._SYSTEM, folder))
            assert run(sandbox, f"import os\ndef solve(): return len(os.listdir({folder!r})) + 1").passed
            ran = run(sandbox, f"open({str(inner / 'written')!r}, 'w')")
            assert "Read-only" in ran.problem
            assert not (inner / "written").exists()
        finally:
            subprocess.run(["umount", inner], check=True)


HELPER = """
import asyncio, sys
from aide.sandbox.isolation import Sandbox
sandbox = Sandbox(sys.argv[1])
async def main():
    code = "import time; time.sleep(10**6)"
    running = asyncio.create_task(sandbox.run(code, ()))
    await asyncio.sleep(0)
    print("begun", flush=True)
    await running
asyncio.run(main())
"""


def list_descendants(pid: int) -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found |= {child} | list_descendants(child)
    return found


def is_confined(pid: int) -> bool:
    """True once the solution runs: its filter of system calls is the last that is set up."""
    try:
        return "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("running", [False, True], ids=["as it starts", "as it runs"])
def test_after_kill_9_no_solution_lives_on(sandbox: Sandbox, running: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", HELPER, sandbox.name], stdout=subprocess.PIPE, env=environment, text=True
    ) as helper:
        assert helper.stdout is not None
        assert helper.stdout.readline() == "begun\n"
        while not (living := list_descendants(helper.pid)) or (running and not any(map(is_confined, living))):
            assert helper.poll() is None
        watched = {pid: os.pidfd_open(pid) for pid in living}
        helper.kill()
        for descriptor in watched.values():
            ended = select.poll()
            ended.register(descriptor, select.POLLIN)
            assert ended.poll(60_000), "it lives on"
            os.close(descriptor)


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as a user already")
def test_all_of_this_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    become = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
    for python in ("/usr/bin/python3", sys.executable):
        line = [*become, python, "-c", f"import sys; print(sys.version_info[:2] == {sys.version_info[:2]})"]
        found = subprocess.run(line, capture_output=True, text=True, check=False)
        if found.stdout.strip() == "True":
            break
    else:
        pytest.skip("no interpreter that a user may run")
    root = Path(__file__).parents[3]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(root / "src"), *sys.path]),
    }  # fmt: skip
    done = subprocess.run(
        [*become, python, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "--rootdir", root, __file__],
        env=environment, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_the_environment_stays_outside(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert run(
        sandbox, "import os\ndef solve(): return 'OPENAI_API_KEY' in os.environ", "assert not solve()"
    ).passed


def test_several_at_once_keep_to_themselves(sandbox: Sandbox) -> None:
    async def all_of_them() -> list[bool]:
        jobs = [sandbox.run(f"def solve(): return {n}", ("assert solve() % 2 == 0",)) for n in range(6)]
        return [(await job).passed for job in asyncio.as_completed(jobs)]

    assert sorted(asyncio.run(all_of_them())) == [False] * 3 + [True] * 3


def test_without_isolation_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no isolation") as refused:
        Sandbox.find(())
    assert "bubblewrap" in refused.value.hint
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError):
        Sandbox.find()
