"""`--residual adaptive`: the seed where the parent has drifted, and an end to branches that are lost; other kinds of
residual end none.
"""

import json
from pathlib import Path

import pytest

from aide.metrics.drift import DriftBounds, measure_likeness
from cli.shell import SEEDS, SIM, aide


def test_hops_are_anchored_by_drift_and_lost_branches_end(tmp_path: Path) -> None:
    seeds = SEEDS / "word_problems.jsonl"
    wanted = ("--target", "40", "--hops", "4", "--residual", "adaptive", "--no-exam", "-o", tmp_path / "run")
    done = aide("expand", seeds, "--base-url", SIM, *wanted)
    assert done.returncode in (0, 6), done.stderr
    texts = {}
    records = {}
    for shard in (tmp_path / "run" / "shards").glob("*.jsonl"):
        for line in shard.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            records[record["id"]] = record
    from aide.seeds import load_seeds

    loaded = load_seeds([str(seeds)]).seeds
    bounds = DriftBounds.of([seed.draft.input for seed in loaded])
    texts = {seed.id: seed.draft.input for seed in loaded}
    deeper = [record for record in records.values() if record["lineage"]["hop"] > 1]
    assert deeper
    for record in deeper:
        lineage = record["lineage"]
        near = measure_likeness(records[lineage["parent_id"]]["input"], texts[lineage["seed_id"]])
        assert lineage["anchored"] is (near < bounds.usual)
        assert near >= bounds.least
    assert not any(
        record["lineage"]["anchored"] for record in records.values() if record["lineage"]["hop"] == 1
    )


@pytest.mark.parametrize("residual", ["off", "fixed"])
def test_without_adaptive_residual_no_branch_ends_by_drift(tmp_path: Path, residual: str) -> None:
    """Seeds in one frame are so alike that records soon are further from theirs than any seed is from the rest."""
    seeds = tmp_path / "seeds.jsonl"
    goods = ("apples", "plums", "figs", "pears", "limes", "kiwis")
    rows = [
        {"input": f"Tom has {place + 3} {each} and buys {place + 5} more {each} today. How many {each} has he now?",
         "output": f"Tom has {place + 3} + {place + 5} = {2 * place + 8} {each}."}
        for place, each in enumerate(goods)
    ]  # fmt: skip
    seeds.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    wanted = ("--target", "60", "--hops", "4", "--plain-share", "0", "--residual", residual, "--no-exam")
    done = aide("expand", seeds, "--base-url", SIM, *wanted, "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert "drifted" not in summary["barren_reasons"]
    shards = (tmp_path / "run" / "shards").glob("*.jsonl")
    records = [
        json.loads(line) for shard in shards for line in shard.read_text(encoding="utf-8").splitlines()
    ]
    hops = [record["lineage"]["hop"] for record in records]
    assert [hops.count(hop) for hop in (1, 2, 3, 4)] == [15, 15, 15, 15]
    assert residual == "fixed" or not any(record["lineage"]["anchored"] for record in records)
