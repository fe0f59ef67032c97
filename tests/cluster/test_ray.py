"""`--engine ray` on a real Ray with two CPUs: an actor killed, the command killed, a cap, Ctrl-C.

`make test-ray` installs Ray and runs these; elsewhere they are skipped.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aide.simulator import SimulatorSettings
from runs import SMALL, command, contents, environment, expand, few, paid, reconciles, summary, watched

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (make test-ray)")

CONCURRENCY = 8
WAIT = 240  # seconds after which a test gives up on a command
AROUND = {"RAY_AUTH_MODE": "disabled", "RAY_ADDRESS": "", "RAY_USAGE_STATS_ENABLED": "0"}
"""Variables of Ray: nothing of the person who runs the tests, and nothing is left in their home."""
WINDOW = CONCURRENCY + CONCURRENCY // 8
"""Calls of one part that a kill may make it pay for again."""
TREE = (*SMALL, "--target", "all", "--duplicates", "off", "--no-exam", "--realism", "0")
SLOW = SimulatorSettings(latency=0.05)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray of two CPUs that outlives the commands."""
    with socket.socket() as free, TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = (
            "--head", "--block", "--num-cpus=2", f"--port={port}", "--object-store-memory=100000000",
            "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}",
        )  # fmt: skip
        ray = Path(sys.executable).with_name("ray")
        process = subprocess.Popen(
            [ray, "start", *words],
            env=environment(**AROUND),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ray runtime started" in line:
                    break
            else:
                pytest.fail(f"Ray did not start: {''.join(said)}")
            try:
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


class Watch:
    """Counts what the simulator is asked and answers, and does something once at a number of answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0
        self.then: Callable[[], None] | None = None
        self.at = 0

    def do(self, at: int, then: Callable[[], None]) -> None:
        self.at, self.then = self.answered + at, then

    def tell(self, what: str) -> None:
        self.asked += what == "asked"
        self.answered += what == "answered"
        if self.then is not None and what == "answered" and self.answered >= self.at:
            then, self.then = self.then, None
            then()


class Command:
    """`aide expand --engine ray` in a process of its own, as in a terminal: it has its process group."""

    def __init__(self, seeds: Path, root: Path, url: str, *words: object, address: str = "") -> None:
        there = ("--ray-address", address) if address else ()
        own = (
            "--engine",
            "ray",
            "--base-url",
            url,
            "--model",
            "simulator",
            "--concurrency",
            CONCURRENCY,
            "--json",
        )
        self.words = command("expand", seeds, "-o", root, *own, *there, *words)
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> tuple[int, str, str]:
        """Exit status, stdout and stderr."""
        self.process = await asyncio.create_subprocess_exec(
            *self.words, env=environment(**AROUND), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WAIT):
                said, told = await self.process.communicate()
        finally:
            if self.process.returncode is None:
                self.process.kill()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode(), told.decode()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def interrupt(self, number: signal.Signals) -> None:
        """A terminal sends SIGINT to all processes of the group; who sends SIGTERM means one."""
        assert self.process is not None
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)


def find_parts(root: Path) -> list[Path]:
    return sorted(root.glob("part-*-of-*"))


def paid_in_all(root: Path) -> int:
    return sum(map(paid, [root, *find_parts(root)]))


def unite(root: Path) -> dict[str, object]:
    """The records of all parts by id; none stands in two."""
    found: dict[str, object] = {}
    for part in find_parts(root):
        records = contents(part)
        assert not found.keys() & records.keys()
        found |= records
    return found


def kill_one_actor(root: Path) -> str:
    """End the process that writes in the folder of a part; returns the name of the folder."""
    held = {part: said for part in find_parts(root) if (said := (part / "lock").read_text().split())}
    part = min(held)
    os.kill(int(held[part][0]), signal.SIGKILL)
    return part.name


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def list_descendants(pid: int) -> set[int]:
    children = {
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    }
    return children.union(*map(list_descendants, children))


def test_an_actor_that_is_killed_is_begun_anew_by_ray_and_nothing_is_lost(
    tmp_path: Path, cluster: str
) -> None:
    seeds, root, watch = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "root", Watch()
    expand(seeds, tmp_path / "whole", *TREE)
    killed: list[str] = []

    async def play() -> tuple[int, str, str]:
        async with watched(watch.tell, SLOW) as url:
            watch.do(60, lambda: killed.append(kill_one_actor(root)))
            return await Command(seeds, root, url, "--parts", "2", *TREE, address=cluster).run()

    code, said, told = asyncio.run(play())
    assert code == 0, told
    ends = json.loads(said)["parts"]
    assert [name for name, end in sorted(ends.items()) if end["restarted"]] == killed != []
    assert unite(root) == contents(tmp_path / "whole")
    assert all(map(reconciles, find_parts(root)))
    assert 0 <= watch.asked - paid_in_all(root) <= WINDOW


def test_the_command_that_was_killed_goes_on_when_it_is_run_again(tmp_path: Path, cluster: str) -> None:
    seeds, root, watch = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "root", Watch()
    expand(seeds, tmp_path / "whole", *TREE)

    async def play() -> None:
        async with watched(watch.tell, SLOW) as url:
            first = Command(seeds, root, url, "--parts", "2", *TREE, address=cluster)
            watch.do(60, first.kill)
            assert (await first.run())[0] == -signal.SIGKILL
            again = Command(seeds, root, url, *TREE, address=cluster)
            code, _, told = await again.run()
            assert code == 0, told
            before = watch.asked
            code, _, told = await again.run()
            assert code == 0 and "nothing to do" in told
            assert watch.asked == before

    asyncio.run(play())
    assert len(find_parts(root)) == 2
    assert unite(root) == contents(tmp_path / "whole")
    assert all(map(reconciles, find_parts(root)))
    assert 0 <= watch.asked - paid_in_all(root) <= 2 * WINDOW


def test_a_cap_holds_for_all_parts_together(tmp_path: Path, cluster: str) -> None:
    seeds, root, watch = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "root", Watch()

    async def play() -> None:
        async with watched(watch.tell) as url:
            for cap in (15, 15, 27):
                words = ("--parts", "2", "--target", "400", "--max-calls", cap)
                code, _, told = await Command(seeds, root, url, *words, address=cluster).run()
                assert code == 3, told
                assert "2 of 2 parts stopped" in told
                assert watch.asked == paid_in_all(root) == cap

    asyncio.run(play())


def test_more_parts_than_cpus_come_one_after_another(tmp_path: Path, cluster: str) -> None:
    seeds, root = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "root"

    async def play() -> None:
        async with watched(lambda _: None) as url:
            words = ("--parts", "3", "--target", "30")
            code, said, told = await Command(seeds, root, url, *words, address=cluster).run()
            assert code == 0, told
            assert json.loads(said)["accepted"] == 30

    asyncio.run(play())
    assert len(find_parts(root)) == 3
    assert len(unite(root)) == 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_all_parts_and_the_ray_that_was_started_for_them(
    tmp_path: Path, number: signal.Signals
) -> None:
    seeds, root, watch = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "root", Watch()
    started: set[int] = set()

    async def play() -> None:
        async with watched(watch.tell, SLOW) as url:
            words = ("--parts", "2", "--target", "2000")
            running = Command(seeds, root, url, *words)

            def press() -> None:
                assert running.process is not None
                started.update(list_descendants(running.process.pid))
                running.interrupt(number)

            watch.do(20, press)
            code, said, told = await running.run()
            assert code == 130, told
            assert json.loads(said)["exit_code"] == 130
            assert "SIGTERM received" not in told, "an end that is asked for is no crash"

    asyncio.run(play())
    assert [summary(part)["exit_code"] for part in find_parts(root)] == [130, 130]
    assert all(map(reconciles_stopped, find_parts(root)))
    assert watch.asked == paid_in_all(root), "what was on the wire came and was kept"
    assert started
    assert [pid for pid in started if is_alive(pid)] == []


def reconciles_stopped(part: Path) -> bool:
    """Every planned record of a run that was stopped is settled or open."""
    told = summary(part)
    ends = ("accepted", "rejected", "failed", "surplus", "pruned", "open")
    return bool(told["planned"] == sum(told[name] for name in ends))


def test_an_address_where_no_ray_is_is_told(tmp_path: Path) -> None:
    seeds = few(tmp_path, "support_tickets_de.jsonl")
    code, _, told = asyncio.run(Command(seeds, tmp_path / "root", "sim:", address="127.0.0.1:1").run())
    assert code == 2
    assert "Ray can't be reached at 127.0.0.1:1" in told
