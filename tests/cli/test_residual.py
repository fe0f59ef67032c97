"""`--residual adaptive`: the seed where the parent has drifted, and an end to branches that are lost."""

import json
from pathlib import Path

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
