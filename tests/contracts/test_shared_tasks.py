"""Real tasks kept outside the project: `AIDE_TASKS` names a folder that holds `seeds/*.jsonl` and `gold/*.jsonl`."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from contracts.test_registered import check_run
from runs import aide, expand, lines, query, records, summary

TASKS = Path(os.environ.get("AIDE_TASKS", "")) / "seeds"
FILES = sorted(TASKS.glob("*.jsonl")) if "AIDE_TASKS" in os.environ else []
GOLD = sorted((TASKS.parent / "gold").glob("*.jsonl")) if FILES else []

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FILES, reason="AIDE_TASKS names no folder with seeds/"),
]


def named(word: str) -> list[Path]:
    """The files whose names have this word in them."""
    return [path for path in FILES if word in path.stem]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_task_runs_to_the_end_of_its_tree(path: Path, tmp_path: Path) -> None:
    small = ("--attributes", "1", "--graph-triples", "0", "--personas", "1", "--hops", "2", "--target", "all")
    expand(path, tmp_path / "run", *small)
    told = summary(tmp_path / "run")
    assert told["planned"] == told["accepted"] + told["rejected"] + told["failed"] + told["surplus"]
    check_run(tmp_path / "run", told["format"], None)
    assert told["accepted"] > told["planned"] / 2


@pytest.mark.parametrize("path", named("banking77"), ids=lambda path: path.stem)
def test_labels_of_a_real_task_end_even(path: Path, tmp_path: Path) -> None:
    expand(path, tmp_path / "run", "--target", "200")
    counts = Counter(record["output"] for record in records(tmp_path / "run"))
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize("path", named("cuad"), ids=lambda path: path.stem)
def test_the_seeds_of_a_real_task_are_read_whole(path: Path, tmp_path: Path) -> None:
    expand(path, tmp_path / "run", "--target", "20")
    assert query(tmp_path / "run", "SELECT count(*) FROM decisions WHERE kind = 'seed'") == [
        (len(lines(path)),)
    ]
    assert len(records(tmp_path / "run")) == 20


@pytest.mark.parametrize("path", [*FILES, *GOLD], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_command_that_reads_takes_a_real_file_whole(path: Path) -> None:
    rows = lines(path)
    told = json.loads(aide("plan", path, "--base-url", "sim:", "--json"))
    assert told["seeds"] == len(rows)
    assert told["format"] == rows[0]["format"]
    assert json.loads(aide("stats", path, "--sample", 20, "--json"))["records"] == len(rows)
    assert aide("sample", path, "-n", "100%") == path.read_text(encoding="utf-8")
    kept = aide("dedup", path, "--mode", "exact")
    assert kept == path.read_text(encoding="utf-8")
