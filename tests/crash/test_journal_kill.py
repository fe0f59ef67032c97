"""Killed at any moment: what was acknowledged is there, and nothing is torn or doubled."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from aide.journal import Journal
from aide.records import digest, rng
from aide.shards import FolderLock, Shards, list_shards

ROUNDS = 12
SHARD = 50

CHILD = """
import asyncio, os, sys
from pathlib import Path
from aide.journal import AnsweredCall, Journal, Outcome
from aide.records import Usage, digest
from aide.shards import FolderLock, Shards

folder, name, tasks = Path(sys.argv[1]), sys.argv[2], 8


def tell(kind, key):
    os.write(1, f"{kind} {key}\\n".encode())


async def work(journal, shards, task):
    number = 0
    while True:
        number += 1
        node = digest("node", name, str(task), str(number))
        for step in ("synthesize", "answer"):
            key = digest("call", node, step)
            await journal.record(
                AnsweredCall(key, node, step, 0, 0, "m", "http://x/v1", "m", "system", "prompt " * 99 + node, {},
                     node.encode() * 50, Usage(1, 9, 9), 0.1, float(number), None)
            )
            tell("call", key)
        journal.decide("unique", node, number)
        record = {"id": node, "input": node * 20, "output": name}
        await journal.settle(Outcome(node, "accepted", "s", "p", 1, number, "reasoning", "", b"{}"))
        tell("outcome", node)
        shards.append(record)
        tell("line", node)


async def main():
    with FolderLock(folder), Journal.open(folder / "journal.sqlite", pace=float(sys.argv[3])) as journal:
        with Shards(folder / "shards", size=int(sys.argv[4])) as shards:
            accepted = journal.read_outcomes("accepted")
            shards.rebuild({"id": each.node, "input": each.node * 20, "output": name} for each in accepted)
            tell("ready", name)
            async with asyncio.TaskGroup() as group:
                for task in range(tasks):
                    group.create_task(work(journal, shards, task))

asyncio.run(main())
"""


def run_until_killed(folder: Path, name: str, acknowledgements: int, pace: float) -> list[tuple[str, str]]:
    """Start the child, kill it once it has told so many things, and return all that it has told."""
    arguments = [sys.executable, "-c", CHILD, str(folder), name, str(pace), str(SHARD)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(line)
            if len(told) == acknowledgements:
                process.kill()
    assert process.returncode == -signal.SIGKILL
    pairs = [line.split() for line in told if line.endswith("\n")]
    return [(kind, key) for kind, key in pairs if kind != "ready"]


def read_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for part in list_shards(folder) for line in part.read_bytes().splitlines()]


def check(folder: Path, told: list[tuple[str, str]]) -> None:
    """Reopen what the killed process left, and find everything there that it told."""
    on_disk = b"".join(part.read_bytes() for part in list_shards(folder / "shards"))
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        outcomes = {each.node for each in journal.read_outcomes("accepted")}
        for kind, key in told:
            if kind == "call":
                call = journal.recall(key)
                assert call is not None
                assert call.body == call.node.encode() * 50
                assert call.user.endswith(call.node)
            elif kind == "outcome":
                assert key in outcomes
                assert journal.get_decision("unique", key)
            else:
                assert key.encode() in on_disk
        decided = {key for key, _ in journal.read_decisions("unique")}
        assert outcomes <= decided
        assert len(list(journal.read_calls())) == len({call.key for call in journal.read_calls()})

    with FolderLock(folder), Shards(folder / "shards", size=SHARD) as shards:
        before = [line["id"] for line in read_lines(folder / "shards")]
        assert len(before) == len(set(before)) == len(shards)
        assert set(before) <= outcomes
        assert shards.rebuild({"id": node, "input": node * 20} for node in sorted(outcomes)) == len(
            outcomes
        ) - len(before)
    after = [line["id"] for line in read_lines(folder / "shards")]
    assert after[: len(before)] == before
    assert sorted(after) == sorted(outcomes)
    assert all(len(part.read_bytes().splitlines()) == SHARD for part in list_shards(folder / "shards")[:-1])


def test_one_folder_killed_again_and_again_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    moments = rng("moments")
    told: list[tuple[str, str]] = []
    for number in range(ROUNDS):
        pace = (0.0, 0.002, 0.008)[number % 3]
        told += run_until_killed(tmp_path, f"round{number}", moments.randrange(2, 400), pace)
        check(tmp_path, told)
    assert len(told) > 500


def test_a_line_cut_anywhere_leaves_whole_lines_after_the_next_start(tmp_path: Path) -> None:
    """Loss of power can keep any beginning of what was not yet brought to the disk."""
    records = [{"id": digest("r", str(n)), "input": "ü" * n, "output": str(n)} for n in range(6)]
    whole = b"".join(orjson.dumps(each) + b"\n" for each in records)
    for cut in range(0, len(whole), 7):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "part-00000.jsonl").write_bytes(whole[:cut])
        with Shards(folder) as shards:
            shards.rebuild(records)
        assert read_lines(folder) == records
