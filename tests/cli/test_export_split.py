"""`aide export --split`: everything that a trainer needs in one folder, and nothing held out that training knows."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.splitting import SplitPool, plan_split
from aide.exporters.written import NOTE
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


def export_anew(folder: Path, to: str, *words: str) -> str:
    done = aide("export", write_run(folder), "--to", to, *words, "-o", folder / "x")
    assert done.returncode == 0, done.stderr
    return done.stderr


def list_names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {NOTE}


@pytest.mark.parametrize(
    ("to", "config"), [("trl", {"train.py"}), ("axolotl", {"lora.yaml"}), ("openai", set[str]())]
)
def test_without_a_split_nothing_held_out_is_left_of_an_earlier_one(
    to: str, config: set[str], tmp_path: Path
) -> None:
    export_anew(tmp_path, to, "--split", "60/20/20")
    told = export_anew(tmp_path, to)
    folder = tmp_path / "x"
    assert list_names(folder) == {"train.jsonl", *config}
    assert f"removed {folder}/validation.jsonl, which an earlier export wrote" in told
    assert f"removed {folder}/test.jsonl" in told
    assert not any("validation" in (folder / name).read_text() for name in config)
    assert "removed" not in export_anew(tmp_path, to), "there is nothing more to remove"
    export_anew(tmp_path, to, "--split", "80/20")
    assert list_names(folder) == {"train.jsonl", "validation.jsonl", *config}
    assert all("validation.jsonl" in (folder / name).read_text() for name in config)


def test_another_trainer_in_the_folder_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    export_anew(tmp_path, "trl", "--split", "80/20")
    assert "train.py, which an earlier" in export_anew(tmp_path, "axolotl", "--split", "80/20")
    assert list_names(tmp_path / "x") == {"train.jsonl", "validation.jsonl", "lora.yaml"}


def test_a_file_that_a_person_made_or_changed_stays_and_is_named(tmp_path: Path) -> None:
    export_anew(tmp_path, "trl", "--split", "60/20/20")
    (tmp_path / "x" / "validation.jsonl").write_text("mine\n")
    (tmp_path / "x" / "notes.txt").write_text("mine")
    told = export_anew(tmp_path, "trl")
    assert (tmp_path / "x" / "validation.jsonl").read_text() == "mine\n"
    assert f"{tmp_path}/x/validation.jsonl is not of this export and was left" in told
    assert list_names(tmp_path / "x") == {"train.jsonl", "train.py", "validation.jsonl", "notes.txt"}
    assert "validation" not in (tmp_path / "x" / "train.py").read_text()


def test_an_edited_script_is_told_what_it_names_in_vain(tmp_path: Path) -> None:
    export_anew(tmp_path, "trl", "--split", "80/20")
    script = tmp_path / "x" / "train.py"
    mine = script.read_text().replace("5e-5", "1e-3")
    script.write_text(mine)
    assert "train.py has been edited and is kept\n" in export_anew(tmp_path, "trl", "--split", "80/20")
    told = export_anew(tmp_path, "trl")
    assert (
        "train.py has been edited and is kept; it names validation.jsonl, which this export did not" in told
    )
    assert script.read_text() == mine
    script.write_text('load_dataset("json", data_files={"train": "train.jsonl"})')
    assert "names no validation.jsonl, which this" in export_anew(tmp_path, "trl", "--split", "80/20")


def test_an_earlier_script_of_another_version_is_replaced_unless_edited(tmp_path: Path) -> None:
    export_anew(tmp_path, "trl", "--split", "80/20")
    script, note = tmp_path / "x" / "train.py", tmp_path / "x" / NOTE
    old = script.read_text() + "# of another version\n"
    script.write_text(old)
    noted = json.loads(note.read_text())
    noted[""]["train.py"] = hashlib.sha256(old.encode()).hexdigest()
    note.write_text(json.dumps(noted))
    assert "edited" not in export_anew(tmp_path, "trl")
    assert "another version" not in script.read_text()


def test_a_data_set_of_a_shared_folder_loses_its_own_parts_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_anew(tmp_path, "llama-factory", "--name", name, "--split", "80/20")
    export_anew(tmp_path, "llama-factory", "--name", "one")
    kept = {"one.jsonl", "two.jsonl", "two_validation.jsonl"}
    assert list_names(tmp_path / "x") == {*kept, "dataset_info.json"}
    index = json.loads((tmp_path / "x" / "dataset_info.json").read_text())
    assert {f"{name}.jsonl" for name in index} == kept


def test_a_data_set_folder_has_no_split_of_an_earlier_one(tmp_path: Path) -> None:
    records, folder = write_run(tmp_path), tmp_path / "x"
    assert aide("split", records, "-o", tmp_path / "cut").returncode == 0
    for source in (tmp_path / "cut", records):
        done = aide("export", source, "--to", "dataset", "-o", folder)
        assert done.returncode == 0, done.stderr
    assert list_names(folder) == {"README.md", "data/train-00000-of-00001.parquet"}


def test_a_split_has_no_part_of_an_earlier_one(tmp_path: Path) -> None:
    command = ("split", write_run(tmp_path), "-o", tmp_path / "cut")
    assert aide(*command, "--test", "0.2").returncode == 0
    assert f"removed {tmp_path}/cut/test.jsonl, which an earlier split wrote" in aide(*command).stderr
    assert list_names(tmp_path / "cut") == {"train.jsonl", "validation.jsonl"}


def test_what_is_read_is_never_removed(tmp_path: Path) -> None:
    export_anew(tmp_path, "messages", "--split", "80/20")
    held_out = tmp_path / "x" / "validation.jsonl"
    done = aide("export", held_out, "--to", "openai", "-o", tmp_path / "x")
    assert done.returncode == 0, done.stderr
    assert held_out.exists()
    assert "validation.jsonl is not of this export" in done.stderr


def test_a_note_that_leads_out_of_the_folder_removes_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "mine.txt"
    outside.write_text("mine")
    (tmp_path / "x").mkdir()
    digest = hashlib.sha256(b"mine").hexdigest()
    (tmp_path / "x" / NOTE).write_text(json.dumps({"": {"../mine.txt": digest, str(outside): digest}}))
    export_anew(tmp_path, "trl")
    assert outside.exists()


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
