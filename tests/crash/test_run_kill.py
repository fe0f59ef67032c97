"""A run killed at any moment and run again ends as one never killed, and pays for no answer twice."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aide.crash_points import VARIABLE
from aide.journal import Journal
from aide.records import rng
from aide.simulator import SimulatorSettings
from runs import (
    AIDE,
    SMALL,
    contents,
    environment,
    expand,
    few,
    paid,
    query,
    reconciles,
    records,
    rejects,
    shard_bytes,
    summary,
    watched,
)

CONCURRENCY = 8
TREE = (*SMALL, "--target", "all", "--duplicates", "off", "--no-exam", "--realism", "0")
ALIKE = SimulatorSettings(near=0.3, repeat=0.1)
TARGET_COUNT = 120
TARGET = ("--target", str(TARGET_COUNT), "--duplicates", "near", "--shard-size", "15")


@dataclass
class Killer:
    """Counts what a simulator is asked and answers, and kills the run at a moment of that count."""

    asked: int = 0
    answered: int = 0
    kills: int = 0
    doomed: Callable[[], None] | None = None
    moment: tuple[str, int] = ("asked", 0)

    def tell(self, what: str) -> None:
        self.asked += what == "asked"
        self.answered += what == "answered"
        if self.doomed is not None and (what, getattr(self, what)) == self.moment:
            self.kills += 1
            self.doomed()
            self.doomed = None


async def run_once(
    url: str, seeds: Path, folder: Path, options: tuple[str, ...], killer: Killer | None
) -> int:
    """One invocation, killed where `killer` says so; returns its exit status as `subprocess` tells it."""
    arguments = [
        "expand",
        seeds,
        "--base-url",
        url,
        "--model",
        "simulator",
        "--concurrency",
        CONCURRENCY,
        "-o",
        folder,
        *options,
    ]
    process = await asyncio.create_subprocess_exec(
        *AIDE,
        *map(str, arguments),
        env=environment(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if killer is not None:
        killer.doomed = process.kill
    return await process.wait()


async def killed_again_and_again(
    seeds: Path,
    folder: Path,
    options: tuple[str, ...],
    kills: int,
    calls: int,
    after: Callable[[], None] = lambda: None,
    settings: SimulatorSettings | None = None,
) -> Killer:
    """Run to the end through `kills` kills, which fall at random moments of about the first `calls` calls."""
    killer = Killer()
    moments = rng("moments of death", *(word for word in options if "/" not in word))  # folders differ
    async with watched(killer.tell, settings) as url:
        for _ in range(kills):
            what = moments.choice(("asked", "answered"))
            killer.moment = (what, getattr(killer, what) + moments.randrange(1, 2 * calls // (kills + 2)))
            assert await run_once(url, seeds, folder, options, killer) == -signal.SIGKILL
            after()
        assert await run_once(url, seeds, folder, options, None) == 0
        before = killer.asked
        assert await run_once(url, seeds, folder, options, None) == 0
        assert killer.asked == before, "a rerun of a finished run calls nobody"
    return killer


def check_the_bill(killer: Killer, folder: Path) -> None:
    """Nothing is paid twice but what was on the wire or in the open commit when a kill came: together at most as many
    as may be in flight and an eighth.
    """
    assert 0 <= killer.asked - paid(folder) <= killer.kills * (CONCURRENCY + CONCURRENCY // 8)
    check_the_company(folder)


def check_the_company(folder: Path) -> None:
    """A resume asks in the company in which it was asked before: no record is written in two groups, and no text is
    judged in two calls.
    """
    written = Counter(id for value in read_decisions(folder, "group") for id in value["ids"])
    judged = Counter(
        (value["name"], json.dumps(item))
        for value in read_decisions(folder, "call group")
        for item in value["items"]
    )
    assert [id for id, count in written.items() if count > 1] == []
    assert [item for item, count in judged.items() if count > 1] == []


def read_decisions(folder: Path, kind: str) -> list[dict[str, Any]]:
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        return [value for _, value in journal.read_decisions(kind)]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("word_problems", ()),
        ("word_problems", ("--together", "1")),
        ("support_tickets_de", ()),
        ("contract_questions", ()),
        ("plain_explanations", ("--together", "3")),
    ],
)
def test_kills_leave_the_whole_tree_as_it_would_have_been(
    tmp_path: Path, name: str, more: tuple[str, ...]
) -> None:
    seeds, kills = few(tmp_path, f"{name}.jsonl"), 6 if more or name != "word_problems" else 20
    expand(seeds, tmp_path / "whole", *TREE, *more)
    killer = asyncio.run(
        killed_again_and_again(seeds, tmp_path / "killed", (*TREE, *more), kills, paid(tmp_path / "whole"))
    )
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert paid(tmp_path / "killed") == paid(tmp_path / "whole")
    assert reconciles(tmp_path / "killed")
    check_the_bill(killer, tmp_path / "killed")


def decisions(folder: Path) -> dict[tuple[str, str], bytes]:
    """What was decided in the order of things: whose twin a text is, refills, who asks."""
    if not (folder / "journal.sqlite").exists():
        return {}
    rows = query(folder, "SELECT kind, key, value FROM decisions")
    return {(kind, key): value for kind, key, value in rows}


def check_that_nobody_is_judged_alone_too(folder: Path) -> None:
    """A group of one is asked on behalf of its record, all others on their own."""
    groups = read_decisions(folder, "call group")
    alone = Counter(value["items"][0]["id"] for value in groups if len(value["items"]) == 1)
    asked = query(folder, "SELECT node, count(*) FROM calls WHERE step = 'reflect' GROUP BY node")
    members = {item["id"] for value in groups for item in value["items"]}
    assert [node for node, count in asked if node in members and count > alone[node]] == []


def test_items(folder: Path, seeds: Path) -> Path:
    """A test set that a run from these seeds runs into: every fourth of its inputs, in capitals."""
    expand(seeds, folder / "plain", *TARGET, url="sim:?near=0.3&repeat=0.1")
    path = folder / "test_items.jsonl"
    taken = [record["input"].upper() for record in records(folder / "plain")[::4]]
    path.write_text("".join(json.dumps({"question": text}) + "\n" for text in taken), encoding="utf-8")
    return path


test_items.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "near duplicate of"),
        (("--together", "1"), "duplicate of"),
        (("--duplicates", "exact", "--embeddings", "simulator", "--plain-share", "0"), "means the same as"),
        (("--avoid",), "test_items.jsonl"),
    ],
    ids=["words", "one by one", "meaning", "test sets"],
)
def test_with_a_target_and_duplicates_every_line_stays_where_it_was_written(
    tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    folder, seeds = tmp_path / "killed", few(tmp_path, "science_quiz.jsonl")
    options = (*TARGET, *more, *([str(test_items(tmp_path, seeds))] if "--avoid" in more else []))
    expand(seeds, tmp_path / "whole", *options, url="sim:?near=0.3&repeat=0.1")
    seen: list[bytes] = []
    decided: dict[tuple[str, str], bytes] = {}

    def look() -> None:
        on_disk = shard_bytes(folder) if (folder / "shards").exists() else b""
        seen.append(on_disk[: on_disk.rfind(b"\n") + 1])
        now = decisions(folder)
        assert {key: now.get(key) for key in decided} == decided, "a decision stands"
        decided.update(now)

    killer = asyncio.run(
        killed_again_and_again(seeds, folder, options, 8, paid(tmp_path / "whole"), look, ALIKE)
    )
    final = shard_bytes(folder)
    assert [len(lines) for lines in seen if not final.startswith(lines)] == []
    assert len(set(seen)) >= 4, "the kills fell while lines were written"
    assert {key: decisions(folder)[key] for key in decided} == decided
    assert len(records(folder)) == TARGET_COUNT
    assert any(told in reject["detail"] for reject in rejects(folder))
    assert reconciles(folder)
    check_the_bill(killer, folder)
    if "--together" not in more:
        check_that_nobody_is_judged_alone_too(folder)


@pytest.mark.parametrize(
    ("moment", "times"),
    [("after_answer", 1), ("after_journal", 40), ("before_shard", 1), ("before_shard", 12)],
)
def test_a_kill_at_a_named_moment_changes_nothing(
    tmp_path: Path, whole_tree: Path, moment: str, times: int
) -> None:
    seeds, folder = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "killed"
    expand(seeds, folder, *TREE, code=-signal.SIGKILL, env={VARIABLE: f"{moment}:{times}"})
    assert not (folder / "summary.json").exists()
    expand(seeds, folder, *TREE)
    assert contents(folder) == contents(whole_tree)
    assert summary(folder)["this_run"]["calls"] < summary(whole_tree)["calls"] or times == 1
    assert paid(folder) == paid(whole_tree)
    assert reconciles(folder)


@pytest.fixture(scope="module")
def whole_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was never killed."""
    here = tmp_path_factory.mktemp("whole")
    expand(few(here, "support_tickets_de.jsonl"), here / "run", *TREE)
    return here / "run"
