"""`aide merge` is killed between its steps: the root is not merged or merged, and the same command finishes it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from aide.crash_points import VARIABLE
from runs import SEEDS, aide, command, contents, environment, expand, paid, reconciles, shard_bytes

TICKETS = SEEDS / "support_tickets_de.jsonl"


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of three parts, one of which was killed and run again."""
    root = tmp_path_factory.mktemp("parts") / "root"
    run = ("--target", "60")
    expand(TICKETS, root, *run, "--card-only")
    for index in range(3):
        more = (*run, "--partition", f"{index}/3")
        if index == 1:
            line = command("expand", TICKETS, "--base-url", "sim:", "-o", root, *more)
            env = environment(**{VARIABLE: "before_shard:7"})
            assert subprocess.run(line, env=env, capture_output=True, check=False).returncode == -9
            assert "part-00001-of-00003 was killed" in aide("merge", root, code=2)
        expand(TICKETS, root, *more)
    return root


@pytest.mark.parametrize(
    "point", ["after_absorbing:1", "after_absorbing:3", "before_replace:1", "before_replace:3"]
)
def test_a_merge_that_was_killed_is_finished_by_the_next(parts: Path, tmp_path: Path, point: str) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for each in (whole, killed):
        shutil.copytree(parts, each)
    aide("merge", whole)
    env = environment(**{VARIABLE: point})
    done = subprocess.run(command("merge", killed), env=env, capture_output=True, check=False)
    assert done.returncode == -9
    told = json.loads(aide("status", killed, "--json"))
    assert told["accepted"] == 60
    aide("merge", killed)
    assert contents(killed) == contents(whole)
    assert shard_bytes(killed) == shard_bytes(whole)
    assert paid(killed) == paid(whole)
    assert reconciles(killed)
