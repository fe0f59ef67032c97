"""`aide export --split`: everything that a trainer needs in one folder, and nothing held out that training knows."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.splitting import SplitPool, plan_split
from aide.jsonl import encode_json
from cli.shell import aide


def write_run(folder: Path, labels: int = 3, each: int = 12) -> Path:
    """Plain records of several labels, each a family of its own, as JSON lines."""
    rows = []
    for label in range(labels):
        for number in range(each):
            id = f"{label}-{number}"
            words = " ".join(f"w{label}{number}{place}" for place in range(12))
            lineage = {"seed_id": f"s{label}", "parent_id": f"s{label}", "hop": 1, "operation": "plain"}
            lineage |= {"triple": None, "persona": None, "anchored": False}
            record = {"id": id, "input": words, "output": f"label {label}", "format": "classification"}
            rows.append({**record, "choices": [f"label {n}" for n in range(labels)], "lineage": lineage})
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_one_command_leads_to_the_trainer(tmp_path: Path) -> None:
    records = write_run(tmp_path)
    done = aide("export", records, "--to", "trl", "--split", "80/20", "-o", tmp_path / "train")
    assert done.returncode == 0, done.stderr
    parts = {
        name: [json.loads(line) for line in (tmp_path / "train" / f"{name}.jsonl").read_text().splitlines()]
        for name in ("train", "validation")
    }
    assert {set(row) == {"prompt", "completion"} for rows in parts.values() for row in rows} == {True}
    answers = {name: {row["completion"] for row in rows} for name, rows in parts.items()}
    assert answers["train"] == answers["validation"] == {"label 0", "label 1", "label 2"}
    prompts = [{row["prompt"] for row in rows} for rows in parts.values()]
    assert not prompts[0] & prompts[1]
    assert "train.jsonl" in (tmp_path / "train" / "train.py").read_text()
    assert f"next: cd {tmp_path / 'train'} && " in done.stderr
    assert "label 1" in done.stderr


def test_seeds_that_are_named_are_trained_on(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    rows = [{"input": f"seed {n} of its own words", "output": f"label {n}"} for n in range(3)]
    seeds.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("export", write_run(tmp_path), "--to", "trl", "--split", "80/20", "--seeds", seeds)
    assert aide(*command, "-o", tmp_path / "train").returncode == 0
    assert "seed 2 of its own words" in (tmp_path / "train" / "train.jsonl").read_text()


def test_the_table_of_labels_counts_what_is_in_the_files(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    rows = [{"input": f"seed {n} of its own words", "output": f"label {n}"} for n in range(2)]
    seeds.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("export", write_run(tmp_path), "--to", "trl", "--split", "80/20", "--seeds", seeds)
    told = aide(*command, "-o", tmp_path / "train").stderr
    table = {row[0]: row[1:] for row in re.findall(r"^(label \d) +(\d+) +(\d+)$", told, re.MULTILINE)}
    assert len(table) == 3
    for place, name in enumerate(("train", "validation")):
        written = (tmp_path / "train" / f"{name}.jsonl").read_text().splitlines()
        labels = Counter(json.loads(line)["completion"] for line in written)
        assert {label: int(counts[place]) for label, counts in table.items()} == labels


def test_a_configuration_that_a_person_edited_is_left(tmp_path: Path) -> None:
    records = write_run(tmp_path)
    command = ("export", records, "--to", "axolotl", "--split", "80/10/10", "-o", tmp_path / "x")
    assert aide(*command).returncode == 0
    (tmp_path / "x" / "lora.yaml").write_text("mine")
    assert aide(*command).returncode == 0
    assert (tmp_path / "x" / "lora.yaml").read_text() == "mine"
    assert (tmp_path / "x" / "test.jsonl").read_text()


@pytest.mark.parametrize("shares", ["90/20", "90", "a/b", "0/100", "50/20/20/10"])
def test_shares_that_are_no_whole_are_refused(tmp_path: Path, shares: str) -> None:
    done = aide("export", write_run(tmp_path), "--to", "trl", "--split", shares, "-o", tmp_path / "x")
    assert done.returncode == 2
    assert "90/10" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_split_needs_a_folder(tmp_path: Path) -> None:
    done = aide("export", write_run(tmp_path), "--to", "messages", "--split", "90/10", cwd=tmp_path)
    assert done.returncode == 2
    assert "try:  aide export " in done.stderr and "-o messages_data" in done.stderr


def test_a_missing_source_is_told_before_a_missing_folder(tmp_path: Path) -> None:
    done = aide("export", "nix", "--to", "trl", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no file or folder nix" in done.stderr
    assert "stdout" not in done.stderr


def test_every_label_with_three_families_is_held_out() -> None:
    sizes = {"rare": 3, "usual": 60, "often": 90}
    lines = [
        RecordLine(record, encode_json(record))
        for label, count in sizes.items()
        for number in range(count)
        for record in [{"id": f"{label}{number}", "input": "x", "output": label, "format": "classification"}]
    ]
    with SplitPool(lines) as pool:
        counts = plan_split(pool, "record", validation=0.1, test=0, seed=0).count_labels(pool)
    assert all(held >= 1 and trained >= 2 for trained, held, _ in counts.values()), counts
