"""What a person decided in `reviews.jsonl`, from the run folder to the trainer's file and to the judge."""

import json
from pathlib import Path

from cli.shell import aide

SEEDS = Path(__file__).parents[2] / "sample_seeds" / "word_problems.jsonl"


def test_reviews_count_in_exports_and_calibrate_the_judge(tmp_path: Path) -> None:
    run, journal = tmp_path / "run", tmp_path / "judge"
    aide("expand", SEEDS, "--base-url", "sim:", "--target", "30", "-o", run, "--quiet")
    shard = run / "shards" / "part-00000.jsonl"
    good, bad, mended, *_ = (json.loads(line) for line in shard.read_text().splitlines() if '"hop":2' in line)
    reviews = [
        {"id": good["id"], "verdict": "accept"},
        {"id": bad["id"], "verdict": "reject"},
        {"id": mended["id"], "verdict": "accept", "input": "How many is two and two?", "output": "4"},
    ]
    (run / "reviews.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in reviews))

    exported = aide("export", run, "--to", "prompt-completion", "--instruction", "").stdout
    rows = [json.loads(line) for line in exported.splitlines()]
    assert len(rows) == 29
    assert {"prompt": "How many is two and two?\n", "completion": "4"} in rows
    assert f"{bad['input']}\n" not in {row["prompt"] for row in rows}
    assert shard.read_text().count("\n") == 30  # the run itself is as it was

    judged = ("calibrate", "--base-url", "sim:", "--journal", journal, "--json")
    told = aide(*judged, run)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["now"]["of"] == 3
    aide("prune", run, "--ids", "-", stdin=f"{bad['id']}\n")
    again = aide(*judged, "--labels", run / "reviews.jsonl")
    assert again.stdout == told.stdout  # what was pruned is a judgement still
    assert "3 records, 0 calls" in again.stderr


def test_a_run_without_reviews_can_not_calibrate_the_judge(tmp_path: Path) -> None:
    run = tmp_path / "run"
    aide("expand", SEEDS, "--base-url", "sim:", "--target", "5", "-o", run, "--quiet")
    done = aide("calibrate", run, "--base-url", "sim:")
    assert (done.returncode, "there is no review" in done.stderr) == (2, True)
