"""A model that repeats itself half of the time: the target counts different records."""

import json
from pathlib import Path

from cli.shell import SEEDS, aide


def test_a_target_is_so_many_different_records(tmp_path: Path) -> None:
    words = (
        "--base-url",
        "sim:?repeat=0.5",
        "--target",
        "150",
        "--no-exam",
        "-o",
        tmp_path / "run",
        "--json",
    )
    done = aide("expand", SEEDS / "word_problems.jsonl", *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["accepted"] == 150
    assert told["reasons"]["duplicate"] > 50
    assert told["calls_per_record"] == round(told["calls"] / 150, 2)
    assert f"({told['calls_per_record']:g} a record)" in done.stderr
    again = aide("dedup", tmp_path / "run")
    assert "dropped 0 of 150 records" in again.stderr
    assert again.stdout.count("\n") == 150
