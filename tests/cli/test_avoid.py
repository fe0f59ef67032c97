"""`aide expand --avoid`: what would give a test item away is refused before its answer is paid for."""

import json
from pathlib import Path
from typing import Any

from cli.shell import SEEDS, SIM, aide


def records(folder: Path) -> list[dict[str, Any]]:
    shards = sorted((folder / "shards").glob("*.jsonl"))
    return [json.loads(line) for shard in shards for line in shard.read_text(encoding="utf-8").splitlines()]


def test_test_items_are_refused_and_their_places_filled(tmp_path: Path) -> None:
    seeds = SEEDS / "word_problems.jsonl"
    plain = aide(
        "expand", seeds, "--base-url", SIM, "--target", "20", "-o", tmp_path / "plain", "--quiet", "--no-exam"
    )
    assert plain.returncode == 0, plain.stderr
    taken = [record["input"] for record in records(tmp_path / "plain")][:5]
    tests = tmp_path / "test.jsonl"
    tests.write_text(
        "".join(json.dumps({"question": text.upper()}) + "\n" for text in taken), encoding="utf-8"
    )
    wanted = ("--base-url", SIM, "--target", "20", "-o", tmp_path / "clean", "--avoid", tests, "--no-exam")
    done = aide("expand", seeds, *wanted, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["accepted"] == 20
    assert summary["reasons"]["test_item"] >= 5
    assert not {record["input"] for record in records(tmp_path / "clean")} & set(taken)
    again = aide("decontaminate", tmp_path / "clean", "--against", tests)
    assert "dropped 0 of 20 records" in again.stderr
    tests.write_text(
        "".join(tests.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8"
    )
    other = aide("expand", seeds, *wanted)
    assert other.returncode == 2
    assert "--avoid was" in other.stderr


def test_a_seed_that_is_a_test_item_is_reported_before_anything_is_spent(tmp_path: Path) -> None:
    seeds = SEEDS / "word_problems.jsonl"
    done = aide("expand", seeds, "--base-url", SIM, "-o", tmp_path / "run", "--avoid", seeds)
    assert done.returncode == 2
    assert "is the test item" in done.stderr
    assert "hint: take it out of the seeds" in done.stderr
    assert not (tmp_path / "run").exists()
