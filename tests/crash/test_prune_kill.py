"""A prune or a restore killed at any moment: the next command finds or makes shards that agree with the journal."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from aide.crash_points import VARIABLE
from runs import aide, command, environment, expand, few, paid, records, shard_bytes, summary

TARGET = ("--target", "80", "--shard-size", "15", "--quiet")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of several parts, beside its seeds."""
    place = tmp_path_factory.mktemp("prune")
    few(place, "word_problems.jsonl")
    expand(place / "4_word_problems.jsonl", place / "run", *TARGET)
    return place


@pytest.fixture
def folder(grown: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(grown / "run", tmp_path / "run"))


def killed(moment: str, *words: object) -> None:
    """A command that dies at a moment as by `kill -9`."""
    surroundings = environment(**{VARIABLE: moment})
    done = subprocess.run(command(*words), env=surroundings, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def busiest(folder: Path) -> tuple[str, set[str]]:
    """The seed with the most records, so that its branch stands in several parts; and these records."""
    seeds = [line["lineage"]["seed_id"] for line in records(folder)]
    seed = max(sorted(set(seeds)), key=seeds.count)
    return seed, {line["id"] for line in records(folder) if line["lineage"]["seed_id"] == seed}


MOMENTS = ("after_prune_log:1", "after_part:1", "after_part:2")


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_prune_again_ends_what_a_killed_one_began(folder: Path, moment: str) -> None:
    before, (seed, branch) = shard_bytes(folder), busiest(folder)
    kept = b"".join(
        line
        for line in before.splitlines(keepends=True)
        if not any(id.encode() in line[:40] for id in branch)
    )
    killed(moment, "prune", folder, "--ancestor", seed)
    aide("prune", folder, "--ancestor", seed)
    assert shard_bytes(folder) == kept
    assert (summary(folder)["accepted"], summary(folder)["pruned"]) == (80 - len(branch), len(branch))
    aide("prune", folder, "--restore")
    assert shard_bytes(folder) == before
    assert (summary(folder)["accepted"], summary(folder)["pruned"]) == (80, 0)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_ends_what_a_killed_prune_began(grown: Path, folder: Path, moment: str) -> None:
    (seed, branch), calls = busiest(folder), paid(folder)
    killed(moment, "prune", folder, "--ancestor", seed)
    expand(grown / "4_word_problems.jsonl", folder, *TARGET)
    ids = [line["id"] for line in records(folder)]
    assert len(ids) == len(set(ids)) == 80
    assert not branch & set(ids)
    assert paid(folder) > calls


@pytest.mark.parametrize("moment", ("after_part:1", "after_part:2", "after_prune_log:1"))
def test_a_killed_restore_is_done_wholly_or_not_at_all(folder: Path, moment: str) -> None:
    before, (seed, _) = shard_bytes(folder), busiest(folder)
    aide("prune", folder, "--ancestor", seed)
    pruned = shard_bytes(folder)
    killed(moment, "prune", folder, "--restore")
    aide("prune", folder, "--where", "lineage.hop > 9")  # takes nothing out, and sets things right
    assert shard_bytes(folder) == (before if moment == "after_prune_log:1" else pruned)
    aide("prune", folder, "--restore")
    assert shard_bytes(folder) == before
    assert (summary(folder)["accepted"], summary(folder)["pruned"]) == (80, 0)


def test_what_a_crash_kept_out_of_the_shards_is_pruned_all_the_same(grown: Path, folder: Path) -> None:
    torn = records(folder)[-1]["lineage"]["seed_id"]
    branch = {line["id"] for line in records(folder) if line["lineage"]["seed_id"] == torn}
    last = max((folder / "shards").iterdir())
    last.write_bytes(last.read_bytes()[:-20])  # a torn end, as after a loss of power
    aide("prune", folder, "--ancestor", torn)
    expand(grown / "4_word_problems.jsonl", folder, *TARGET)
    ids = [line["id"] for line in records(folder)]
    assert len(ids) == len(set(ids)) == 80
    assert not branch & set(ids)
