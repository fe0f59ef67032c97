"""`aide records`: records to read, in a pager on a terminal and plainly in a pipe."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from cli.shell import SEEDS, aide, bash, command, environment


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "run.aide"
    words = (SEEDS / "word_problems.jsonl", "--base-url", "sim:?low=0.3", "--target", "30", "--quiet")
    assert aide("expand", *words, "-o", folder).returncode in (0, 6)
    return folder


def on_terminal(*words: str | Path, **more: str) -> str:
    """What a command writes on a terminal of 60 columns."""
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        command(*words), stdin=theirs, stdout=theirs, stderr=theirs,
        env=environment(**{"TERM": "xterm", "COLUMNS": "60", "LINES": "24", **more}),
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = bytearray()
        try:
            while piece := os.read(mine, 1 << 16):
                shown += piece
        except OSError:  # how a terminal ends
            pass
        finally:
            os.close(mine)
        assert process.wait() == 0
    return shown.decode()


def test_every_record_is_shown_with_origin_grades_and_texts(run: Path) -> None:
    done = aide("records", run)
    lines = [json.loads(line) for line in (run / "shards" / "part-00000.jsonl").read_text().splitlines()]
    assert done.returncode == 0
    assert done.stderr == "30 records\n"
    shown = done.stdout.split("\n\n")
    for number, (text, record) in enumerate(zip(shown, lines, strict=False), 1):
        head, said, answered = text.splitlines()
        assert head.startswith(f"{number}  {record['id']}  hop {record['lineage']['hop']}, ")
        assert f"relevance {record['scores']['relevance']}" in head
        assert " ".join(said.split()) == f"input {' '.join(record['input'].split())}"
        assert answered.split() == ["output", *record["output"].split()]


def test_conditions_samples_and_fields_choose(run: Path) -> None:
    done = aide(
        "records", run, "--where", "hop == 2 and relevance >= 7", "--fields", "operation,scores.relevance"
    )
    blocks = [block.splitlines() for block in done.stdout.strip().split("\n\n")]
    assert all(len(block) == 3 and block[1].startswith("  operation ") for block in blocks)
    assert all(int(block[2].split()[1]) >= 7 for block in blocks)
    assert done.stderr == f"{len(blocks)} of 30 records\n"
    drawn = [aide("records", run, "-n", "4", "--random-seed", seed).stdout for seed in ("1", "1", "2")]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0].strip().split("\n\n")) == 4


def test_json_lines_hold_the_fields_that_were_named(run: Path) -> None:
    done = aide("records", run, "--json", "--fields", "id,relevance", "-n", "3")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(row) for row in rows] == [["id", "relevance"]] * 3
    whole = [json.loads(line) for line in aide("records", run, "--json").stdout.splitlines()]
    assert whole == [
        json.loads(line) for line in (run / "shards" / "part-00000.jsonl").read_text().splitlines()
    ]


def test_rejects_are_shown_with_their_reasons(run: Path) -> None:
    rejects = [json.loads(line) for line in (run / "rejects.jsonl").read_text().splitlines()]
    assert rejects, "the simulator grades some of them low"
    done = aide("records", run, "--rejects")
    assert done.stderr.split() == [str(len(rejects)), "rejects"]
    assert f"{rejects[0]['step']}: {rejects[0]['reason']}" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--where", "relevence > 5"), "no record has the field 'relevence'; did you mean 'relevance'?"),
        (("--where", "relevance = 5"), "can't be read"),
        (("-n", "ten"), "--size 'ten' is no number"),
    ],
)
def test_what_can_not_be_shown_is_an_error(run: Path, words: tuple[str, str], told: str) -> None:
    done = aide("records", run, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_reader_that_leaves_is_no_error(run: Path) -> None:
    done = bash(f"aide records {run} | head -n 1")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_control_characters_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text(
        json.dumps({"id": "1", "input": "a\x1b[2Jb\nc", "output": "\u202ed"}) + "\n"
    )
    assert aide("records", tmp_path / "odd.jsonl").stdout.splitlines() == [
        "1  1",
        "  input   ab c",
        "  output  d",
        "",
    ]


def test_shares_of_labels_are_shown_by_their_names(tmp_path: Path) -> None:
    row = {
        "id": "1",
        "input": "Where is it?",
        "output": "lost",
        "scores": {"label_shares": {"lost": 0.8, "late": 0.2}},
    }
    (tmp_path / "soft.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert "[label_shares lost 0.8 / late 0.2]" in aide("records", tmp_path / "soft.jsonl").stdout


def test_passages_that_are_no_answer_are_shown_below_the_one_that_is(tmp_path: Path) -> None:
    line = {
        "input": "where does salt go",
        "output": "Salt goes below.",
        "negatives": ["Rinse aid.", "Filter."],
    }
    (tmp_path / "queries.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    shown = aide("records", tmp_path / "queries.jsonl").stdout
    assert "  output  Salt goes below.\n  not     Rinse aid.\n  not     Filter.\n" in shown


def test_rows_of_another_kind_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"ticket text": "my card is gone", "team": "cards"}\n')
    assert aide("records", tmp_path / "t.jsonl").stdout.splitlines() == [
        "1", "  ticket text my card is gone", "  team    cards", "",
    ]  # fmt: skip


def test_on_a_terminal_texts_keep_their_lines_and_fit(tmp_path: Path) -> None:
    record = {"id": "1", "input": "word " * 30, "output": "def f():\n    return 1", "choices": ["x", "y"]}
    (tmp_path / "one.jsonl").write_text(json.dumps(record) + "\n")
    shown = on_terminal("records", tmp_path / "one.jsonl", PAGER="cat").splitlines()
    assert max(map(len, shown)) <= 60
    assert "  output  def f():" in shown
    assert "              return 1" in shown
    assert shown[-1] == "1 record"


def test_the_pager_is_the_one_of_the_person(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"id": "1", "input": "a", "output": "b"}\n')
    shown = on_terminal("records", tmp_path / "one.jsonl", PAGER="sed s/^/PAGED:/")
    assert all(line.startswith("PAGED:") for line in shown.splitlines())
    left = on_terminal("records", tmp_path / "one.jsonl", PAGER="true")
    assert left == "", "a pager that is left at once is no error"
