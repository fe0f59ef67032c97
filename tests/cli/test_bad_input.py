"""Bad input is one sentence with file and line, a hint, exit 2, and nothing is written; odd input works."""

import json
from pathlib import Path

import pytest

from cli.shell import SEEDS, SIM, aide

WORDS = SEEDS / "word_problems.jsonl"
GOOD = {"input": "A tram has 3 cars of 20 seats. How many seats?", "output": "3 * 20 = 60\nAnswer: 60"}


def refused(*words: str | Path, cwd: Path) -> tuple[str, str]:
    """The sentence and the hint of an expansion that must not start."""
    before = sorted(path for path in cwd.rglob("*"))
    done = aide("expand", *words, "--base-url", SIM, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert sorted(path for path in cwd.rglob("*")) == before
    said = [line for line in done.stderr.splitlines() if line.startswith("aide: ")]
    hints = [line for line in done.stderr.splitlines() if line.startswith("hint: ")]
    assert len(hints) == 1, done.stderr
    return "\n".join(said), hints[0]


def test_no_file(tmp_path: Path) -> None:
    assert "none.jsonl" in refused("none.jsonl", cwd=tmp_path)[0]


def test_a_torn_workbook_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.xlsx").write_bytes(b"PK\x03\x04 and no more")
    assert refused("torn.xlsx", cwd=tmp_path)[0].startswith("aide: torn.xlsx is a broken ")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert refused("empty.jsonl", cwd=tmp_path)[0] == "aide: empty.jsonl is empty"


def test_every_bad_line_is_named_with_its_reason(tmp_path: Path) -> None:
    rows = [json.dumps(GOOD), "{oops", '{"input": "only"}', '{"output": "only"}']
    (tmp_path / "bad.jsonl").write_text("\n".join(rows) + "\n")
    said, hint = refused("bad.jsonl", cwd=tmp_path)
    assert [line.split(": ")[1] for line in said.splitlines()] == [
        "bad.jsonl:2",
        "bad.jsonl:3",
        "bad.jsonl:4",
    ]
    assert "--skip-bad" in hint
    done = aide(
        "expand", "bad.jsonl", "--base-url", SIM, "--skip-bad", "--target", "2", "-o", "run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "skipped bad.jsonl:2" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "haiku"), "--format must be one of"),
        (("--hops", "0"), "--hops must be at least 1"),
        (("--hops", "two"), "--hops must be a whole number"),
        (("--price", "cheap"), "--price"),
        (("--encoding", "klingon"), "--encoding names no encoding"),
        (("--input-pattern", "("), "--input-pattern is no regular expression"),
        (("--persona-file", "none.txt"), "none.txt"),
        (("--contexts", "none.txt"), "none.txt"),
        (("--prompts", "nowhere"), "nowhere"),
        (("--reuse", "nowhere"), "nowhere"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
        (("--personas", "0", "--attributes", "0", "--graph-triples", "0"), "nothing can grow"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_a_wrong_setting(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert told in refused(WORDS, *words, cwd=tmp_path)[0]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file/run" in refused(WORDS, "-o", "file/run", cwd=tmp_path)[0]
    assert "file" in refused(WORDS, "-o", "file", cwd=tmp_path)[0]


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").touch()
    assert "thesis.doc" in refused(WORDS, "-o", "full", cwd=tmp_path)[0]


def test_a_folder_that_holds_no_seeds(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"\xff\xd8")
    assert "photos" in refused("photos", cwd=tmp_path)[0]


def test_a_folder_of_another_run_names_what_differs(tmp_path: Path) -> None:
    assert (
        aide("expand", WORDS, "--base-url", SIM, "--target", "4", "-o", "run", cwd=tmp_path).returncode == 0
    )
    done = aide(
        "expand", WORDS, "--base-url", SIM, "--target", "4", "--attributes", "2", "-o", "run", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "attributes was 3, is 2" in done.stderr


def test_words_that_may_be_labels_or_answers_need_a_decision(tmp_path: Path) -> None:
    rows = [
        {"input": f"Which animal has mark {n}?", "output": name}
        for n, name in enumerate(("cat", "dog", "owl", "emu"))
    ]
    (tmp_path / "words.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said, hint = refused("words.jsonl", cwd=tmp_path)
    assert "--labels" in said + hint
    assert "--format" in said + hint


def test_standard_input_without_anything_in_it(tmp_path: Path) -> None:
    assert refused("-", cwd=tmp_path)


def test_odd_seeds_work(tmp_path: Path) -> None:
    rows = [
        '{"input": "x \\ud83d half a pair, how many halves?", "output": "one half 1"}',
        json.dumps({"input": "כמה ימים יש בשבוע? 🎉", "output": "שבעה ימים 7"}, ensure_ascii=False),
        json.dumps({"input": "word " * 6000, "output": "a long one 3"}),
        json.dumps({"input": "line\u2028separator and\ttab", "output": "two of them 2"}, ensure_ascii=False),
    ]
    (tmp_path / "odd.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = aide(
        "expand",
        "odd.jsonl",
        "--base-url",
        SIM,
        "--target",
        "8",
        "--format",
        "free_text",
        "-o",
        "run",
        "--json",
        cwd=tmp_path,
    )
    assert done.returncode in (0, 6), done.stderr
    assert json.loads(done.stdout)["planned"] >= 8
