"""`--embeddings MODEL`: every new input is embedded once, and none of it is paid for again."""

import json
from pathlib import Path

from cli.shell import SEEDS, SIM, aide


def test_inputs_are_embedded_once_and_a_longer_run_goes_on_from_there(tmp_path: Path) -> None:
    words = (
        "expand",
        SEEDS / "word_problems.jsonl",
        "--base-url",
        SIM,
        "--embeddings",
        "simulator",
        "--no-exam",
    )
    first = aide(*words, "--target", "10", "-o", tmp_path / "run", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)["steps"]["embed"]["simulator"]
    assert told["calls"] >= 10 + 10  # the seeds, and at least one text for each record
    longer = aide(*words, "--target", "20", "-o", tmp_path / "run", "--json")
    assert longer.returncode == 0, longer.stderr
    again = json.loads(longer.stdout)
    assert again["accepted"] == 20
    grown = again["steps"]["embed"]["simulator"]["calls"] - told["calls"]
    assert 10 <= grown < 10 + told["calls"]


def test_other_embeddings_are_another_run(tmp_path: Path) -> None:
    words = ("expand", SEEDS / "word_problems.jsonl", "--base-url", SIM, "--no-exam", "--target", "2")
    assert aide(*words, "-o", tmp_path / "run").returncode == 0
    other = aide(*words, "-o", tmp_path / "run", "--embeddings", "simulator")
    assert other.returncode == 2
    assert "embeddings was" in other.stderr
