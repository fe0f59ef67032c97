"""Branches out of a run and back, as a person does it: real commands on a folder grown with the simulator."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).parents[2] / "sample_seeds" / "word_problems.jsonl"


def aide(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aide", *words], input=stdin, capture_output=True, text=True, check=False
    )


def expand(folder: Path) -> dict[str, Any]:
    done = aide(
        "expand", str(SEEDS), "--base-url", "sim:", "--target", "60", "-o", str(folder), "--quiet", "--json"
    )
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prune") / "run"
    expand(folder)
    return folder


@pytest.fixture
def folder(grown: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(grown, tmp_path / "run"))


def records(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for part in sorted((folder / "shards").iterdir())
        for line in part.read_text().splitlines()
    ]


def shards(folder: Path) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in (folder / "shards").iterdir()}


def subtree(rows: list[dict[str, Any]], root: str) -> set[str]:
    branch = {root}
    for row in rows:
        if row["lineage"]["parent_id"] in branch:
            branch.add(row["id"])
    return branch


def parent_of_some(rows: list[dict[str, Any]]) -> str:
    return next(str(row["lineage"]["parent_id"]) for row in rows if row["lineage"]["hop"] == 2)


def test_a_branch_goes_with_all_that_grew_from_it_and_comes_back_as_it_was(folder: Path) -> None:
    before, rows = shards(folder), records(folder)
    root = parent_of_some(rows)
    branch = subtree(rows, root)
    assert len(branch) > 1
    assert aide("prune", str(folder), "--ancestor", root[:12]).returncode == 0
    assert [row["id"] for row in records(folder)] == [row["id"] for row in rows if row["id"] not in branch]
    assert aide("prune", str(folder), "--restore").returncode == 0
    assert shards(folder) == before


def test_two_prunes_come_back_in_any_order(folder: Path) -> None:
    before, rows = shards(folder), records(folder)
    first, second = rows[0]["id"], rows[5]["id"]
    for id in (first, second):
        assert aide("prune", str(folder), "--ancestor", id).returncode == 0
    for id in (first, second):
        assert aide("prune", str(folder), "--restore", "--ancestor", id).returncode == 0
    assert shards(folder) == before


def test_the_next_expand_refills_and_pays_only_for_the_new(folder: Path) -> None:
    rows = records(folder)
    calls = json.loads((folder / "summary.json").read_text())["calls"]
    branch = subtree(rows, parent_of_some(rows))
    aide("prune", str(folder), "--ancestor", parent_of_some(rows))
    status = json.loads(aide("status", str(folder), "--json").stdout)
    assert (status["accepted"], status["left"]) == (60 - len(branch), len(branch))
    summary = expand(folder)
    after = {row["id"] for row in records(folder)}
    assert len(after) == 60
    assert not branch & after
    assert {row["id"] for row in rows} - branch <= after
    counts = ("accepted", "rejected", "failed", "surplus", "pruned", "open")
    assert summary["planned"] == sum(summary[name] for name in counts)
    assert 0 < summary["calls"] - calls <= 15 * len(branch)  # the whole run took several hundred
    assert expand(folder)["calls"] == summary["calls"]


def test_a_condition_and_ids_from_stdin(folder: Path) -> None:
    rows = records(folder)
    low = [row["id"] for row in rows if row["scores"]["relevance"] < 8]
    branch = set().union(*(subtree(rows, id) for id in low))
    done = aide("prune", str(folder), "--where", "scores.relevance < 8", "--json")
    assert json.loads(done.stdout)["moved"] == len(branch)
    left = records(folder)
    assert {row["id"] for row in left} == {row["id"] for row in rows} - branch
    leaves = [row for row in left if row["lineage"]["hop"] == 2][:2]
    words = f"{leaves[0]['id']}\n{json.dumps(leaves[1])}\n"
    assert json.loads(aide("prune", str(folder), "--ids", "-", "--json", stdin=words).stdout)["moved"] == 2


def test_dry_run_changes_nothing(folder: Path) -> None:
    before = shards(folder)
    done = aide("prune", str(folder), "--where", "lineage.hop == 1", "--dry-run")
    assert "would be" in done.stderr
    assert shards(folder) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing is named"),
        (("--ancestor", "ffffffffffff"), "no record"),
        (("--where", "scores.relevence < 3"), "scores.relevence"),
        (("--where", "open('x')"), "not allowed"),
        (("--ids", "missing.txt"), "can't be read"),
    ],
)
def test_what_is_wrong_is_reported_and_nothing_moves(folder: Path, words: tuple[str, ...], told: str) -> None:
    before = shards(folder)
    done = aide("prune", str(folder), *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "hint:" in done.stderr
    assert shards(folder) == before
