"""Damaged files beside a run, odd names and odd texts: the run works, or one sentence says what is wrong."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from aide.errors import InputError
from aide.run.folder import RunFolder
from aide.shards import FolderLock
from cli.shell import SEEDS, SIM, Running, aide, bash
from unit.documents.makers import DOCS

WORDS = SEEDS / "word_problems.jsonl"
RUN = ("--base-url", SIM, "--no-exam", "--target")
DEEP = "[" * 100_000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    done = aide("expand", WORDS, *RUN, "3", "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder


def tear_timeline(folder: Path) -> None:
    with (folder / "timeline.jsonl").open("a") as file:
        file.write('garbage\n{"at": 1}\n[1]\n{"at":')


def lose_log(folder: Path) -> None:
    (folder / "aide.log").unlink()
    (folder / "aide.log").mkdir()


def lose_report(folder: Path) -> None:
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()


def damage_stats(folder: Path) -> None:
    (folder / "stats.json").write_text("{bad")


@pytest.mark.parametrize("damage", [tear_timeline, lose_log, lose_report, damage_stats])
def test_what_a_run_does_not_need_can_be_damaged(
    damage: Callable[[Path], None], finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    damage(folder)
    done = aide("expand", WORDS, *RUN, "5", "-o", folder)
    assert done.returncode == 0, done.stderr
    assert "fault in aide" not in done.stderr
    assert done.stderr.count("aide.log can't be written") == (damage is lose_log)
    assert done.stderr.count("no report was written") == (damage in (lose_report, damage_stats))


@pytest.mark.parametrize("content", ["", "x", "[]", DEEP])
def test_a_damaged_manifest_is_one_sentence(content: str, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / "run.json").write_text(content)
    with pytest.raises(InputError, match=r"run\.json"):
        RunFolder(folder).read_manifest()


@pytest.mark.parametrize("words", [
    ("nested.json",), ("nested.jsonl",), (WORDS, "--config", "nested.toml"), (WORDS, "--extra", DEEP),
    (WORDS, "--persona-file", "persona.jsonl"), (WORDS, "--labels", "nested.json"),
    (WORDS, "--contexts", "nested.jsonl"),
])  # fmt: skip
def test_what_is_nested_too_deeply_is_one_sentence(words: tuple[str | Path, ...], tmp_path: Path) -> None:
    (tmp_path / "nested.json").write_text(DEEP)
    (tmp_path / "nested.jsonl").write_text(DEEP + "\n")
    (tmp_path / "persona.jsonl").write_text('{"persona": ' + DEEP + "\n")
    (tmp_path / "nested.toml").write_text(f"hops = {DEEP}")
    done = aide("expand", *words, *RUN, "3", "-o", "run", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "fault in aide" not in done.stderr


def test_half_a_character_in_a_further_field_comes_through(tmp_path: Path) -> None:
    rows = [{**json.loads(line), "source": "cut \ud83d off"} for line in WORDS.read_text().splitlines()]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = aide("expand", "seeds.jsonl", *RUN, "3", "-o", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run/shards/part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert aide("report", tmp_path / "run").returncode == 0


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"se\xffds")
    shutil.copy(WORDS, tmp_path / f"{name}.jsonl")
    for said in ("accepted 3", "nothing to do"):
        done = aide("expand", f"{name}.jsonl", *RUN, "3", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
    told = aide("status", f"{name}.aide", "--json", cwd=tmp_path)
    assert json.loads(told.stdout)["accepted"] == 3
    assert aide("report", f"{name}.aide", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "option", [("--contexts",), ("--recipe", "retrieval", "--contexts"), ("--knowledge",)]
)
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_document_whose_name_is_no_utf8_is_read_and_named(
    option: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    file = tmp_path / "texts" / os.fsdecode(b"inv\xff\xfealid.md")
    file.parent.mkdir()
    shutil.copy(DOCS / "report.md", file)
    given = file if named == "file" else file.parent
    for said in ("accepted 3", "nothing to do"):
        done = aide("expand", "sample:plain_explanations", *option, given, *RUN, "3", "-o", tmp_path / "run")
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
    shards = (tmp_path / "run/shards/part-00000.jsonl").read_text(encoding="utf-8")
    assert json.dumps("inv\\xff\\xfealid.md").strip('"') in shards


def test_a_link_to_nothing_is_named_with_what_helps(tmp_path: Path) -> None:
    (tmp_path / "broken.md").symlink_to("nowhere.md")
    shutil.copy(DOCS / "report.md", tmp_path / "good.md")
    words = ("plan", "sample:plain_explanations", "--contexts")
    for given in (tmp_path, tmp_path / "broken.md"):
        done = aide(*words, given, *RUN, "3", cwd=tmp_path)
        assert done.returncode == 2
        assert "it is a link to nowhere.md" in done.stderr
        assert "did you mean" not in done.stderr
        assert ("--skip-bad" in done.stderr) == (given == tmp_path)
    assert aide(*words, tmp_path, "--skip-bad", *RUN, "3", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("option", ["--contexts", "--knowledge"])
def test_a_pipe_in_a_folder_of_documents_is_left_out(option: str, tmp_path: Path) -> None:
    shutil.copy(DOCS / "report.md", tmp_path / "good.md")
    os.mkfifo(tmp_path / "pipe.md")
    done = aide("plan", "sample:plain_explanations", option, tmp_path, *RUN, "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{option} leaves out 1 file of other kinds (pipe or device 1)" in done.stdout


@pytest.mark.parametrize("option", ["--contexts", "--knowledge"])
def test_a_pipe_of_documents_that_is_named_is_read(option: str, tmp_path: Path) -> None:
    done = bash(
        f"mkfifo pipe.md; cat {DOCS / 'report.md'} > pipe.md & "
        f"aide expand sample:plain_explanations {option} pipe.md {' '.join(RUN)} 3 -o run",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_data_is_utf8_whatever_the_terminal_is_set_to(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(json.dumps({"input": "Grüße", "output": "ß"}) + "\n")
    done = aide("sample", tmp_path / "one.jsonl", "-n", "1", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["input"] == "Grüße"


def test_a_pipe_can_be_read_once_and_is(tmp_path: Path) -> None:
    named = bash(f"mkfifo f.jsonl; cat {WORDS} > f.jsonl & aide expand f.jsonl {' '.join(RUN)} 3", tmp_path)
    assert named.returncode == 0, named.stderr
    nameless = bash(f"aide expand <(cat {WORDS}) {' '.join(RUN)} 3", tmp_path)
    assert nameless.returncode == 0, nameless.stderr
    assert (tmp_path / "seeds.aide" / "journal.sqlite").exists()


@pytest.mark.parametrize("calls", [1, 3, 7, 13, 20])
def test_the_counts_of_a_run_agree_wherever_it_stops(calls: int, tmp_path: Path) -> None:
    done = aide("expand", WORDS, *RUN, "30", "--max-calls", str(calls), "-o", tmp_path / "run")
    assert done.returncode == 3, done.stderr
    told = json.loads((tmp_path / "run" / "summary.json").read_text())
    ends = ("accepted", "rejected", "failed", "surplus", "pruned", "open")
    assert told["planned"] == sum(told[name] for name in ends)


def test_a_seed_that_comes_while_another_run_holds_the_folder_is_part_of_the_run(tmp_path: Path) -> None:
    lines = WORDS.read_text(encoding="utf-8").splitlines(keepends=True)
    seeds, folder = tmp_path / "seeds.jsonl", tmp_path / "run"
    seeds.write_text("".join(lines[:-1]), encoding="utf-8")
    with FolderLock(folder):
        waiting = Running("expand", seeds, *RUN, "3", "--lock-wait", "60", "-o", folder)
        waiting.until_told("stderr", "plan:")
        with seeds.open("a", encoding="utf-8") as file:
            file.write(lines[-1])
    assert waiting.end()[0] == 0
    kept = sqlite3.connect(folder / "journal.sqlite").execute(
        "SELECT count(*) FROM decisions WHERE kind = 'seed'"
    )
    assert kept.fetchone()[0] == len(lines)
