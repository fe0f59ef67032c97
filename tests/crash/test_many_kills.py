"""Kills at random moments, start-up and the making of the folder included: `make test-kills` has 200 of them."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from crash.test_run_kill import CONCURRENCY, TREE, Killer, check_the_company
from runs import AIDE, contents, environment, expand, few, paid, reconciles, watched

KILLS = int(os.environ.get("AIDE_KILLS", "20"))
EACH = 5
"""Most kills of one folder, before it is run to its end."""
SHARE = 20
"""Kills of one test, so that several can run side by side."""
# Seconds in which a process starts, takes the lock and makes manifest and journal. Half of the kills fall there: it is
# short beside a run, and holds most of the states in which a folder is neither nothing nor a run.
STARTING = 1.2


async def run_for(url: str, seeds: Path, folder: Path, seconds: float | None) -> int:
    """One invocation, killed after so many seconds; returns its exit status as `subprocess` tells it."""
    words = ("expand", seeds, "--base-url", url, "--model", "simulator", "-o", folder, *TREE)
    process = await asyncio.create_subprocess_exec(
        *AIDE, *map(str, words), "--concurrency", str(CONCURRENCY),
        env=environment(), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if seconds is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await process.wait()
        process.kill()
    return await process.wait()


@pytest.mark.parametrize("seed", range(max(1, KILLS // SHARE)))
def test_a_folder_completes_whenever_it_is_killed(
    seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Of as many folders as it takes: no line is lost, and a kill costs at most what may be in flight and an eighth."""
    seeds, dice = few(tmp_path, "support_tickets_de.jsonl"), Random(f"kills {seed}")
    whole = tmp_path / "whole"
    expand(seeds, whole, *TREE)

    async def play() -> None:
        killer, kills, number = Killer(), 0, 0
        async with watched(killer.tell) as url:
            began = time.monotonic()
            assert await run_for(url, seeds, tmp_path / "first", None) == 0
            lasts = time.monotonic() - began
            while kills < SHARE:
                folder, before, states = tmp_path / f"killed {number}", killer.asked, list[str]()
                while len(states) < EACH:
                    after = dice.uniform(0.0, lasts if (kills + len(states)) % 2 else min(lasts, STARTING))
                    ended = await run_for(url, seeds, folder, after)
                    if ended == 0:  # it was faster; another folder takes the rest
                        break
                    assert ended == -signal.SIGKILL
                    states.append(describe(folder))
                assert await run_for(url, seeds, folder, None) == 0
                repaid = killer.asked - before - paid(folder)
                record_property(f"folder {number}", f"{' '.join(states)}: {repaid} repaid")
                assert contents(folder) == contents(whole)
                assert paid(folder) == paid(whole)
                assert reconciles(folder)
                assert 0 <= repaid <= len(states) * (CONCURRENCY + CONCURRENCY // 8)
                check_the_company(folder)
                kills, number = kills + len(states), number + 1

    asyncio.run(play())


def describe(folder: Path) -> str:
    """How far a folder has come."""
    for name in ("summary.json", "shards", "journal.sqlite", "run.json", "lock"):
        if (folder / name).exists():
            return name
    return "folder" if folder.exists() else "nothing"
