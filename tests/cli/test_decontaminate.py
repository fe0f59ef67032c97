"""`aide decontaminate` in a real shell."""

import json
from pathlib import Path

from cli.shell import SEEDS, aide, bash


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_hits_are_dropped_or_marked_and_reported(tmp_path: Path) -> None:
    seeds = (SEEDS / "word_problems.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "test.jsonl").write_text(seeds[1] + "\n", encoding="utf-8")
    shouted = {**json.loads(seeds[1]), "id": "loud"}
    shouted["input"] = str(shouted["input"]).upper()
    piped = "\n".join([seeds[0], json.dumps(shouted)])
    done = aide(
        "decontaminate", "--against", tmp_path / "test.jsonl", "--report", tmp_path / "hits", stdin=piped
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == seeds[0] + "\n"
    assert "dropped 1 of 2 records: exact 1; 1 of 1 test item" in done.stderr
    [hit] = rows((tmp_path / "hits").read_text(encoding="utf-8"))
    assert hit["where"] == "stdin:2"
    assert str(hit["item"]).endswith("test.jsonl:1")
    marked = aide("decontaminate", "--against", tmp_path / "test.jsonl", "--mark", stdin=piped)
    first, second = rows(marked.stdout)
    assert "contamination" not in first
    assert second["contamination"] == {"item": hit["item"], "rule": "exact", "share": 1.0}


def test_without_a_test_set_nothing_is_read() -> None:
    done = aide("decontaminate", stdin='{"input": "x"}')
    assert (done.returncode, done.stdout) == (2, "")
    assert "hint: name one: --avoid" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(
        '{"input": "What is the name of the river in that town?"}\n', encoding="utf-8"
    )
    lines = "".join(json.dumps({"input": f"{n} and then some"}) + "\n" for n in range(5000))
    (tmp_path / "many.jsonl").write_text(lines, encoding="utf-8")
    done = bash("aide decontaminate many.jsonl --against test.jsonl | head -n 1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
