import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from aide.errors import InputError
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
