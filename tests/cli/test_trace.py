"""`aide trace`: on one screen of a terminal, on texts that would harm one, and by every kind of id."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from cli.shell import SEEDS, aide, command, environment
from unit.report.folders import SEED, hostile


def trace(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aide", "trace", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_hostile_texts_are_shown_on_one_screen_and_act_on_nothing(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run").path
    screen = trace(folder, "bbbb")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", screen)
    assert "<script>alert('owned')</script>" in screen
    assert len(screen.splitlines()) < 30
    assert max(map(len, screen.splitlines())) < 1300  # the text of a million characters is cut
    assert not re.search("[\x1b\x07\u202a-\u202e\u2066-\u2069]", trace(folder, "bbbb", "--prompts"))


def test_the_way_as_json_runs_from_the_seed_to_the_record_with_cost(tmp_path: Path) -> None:
    told = json.loads(trace(hostile(tmp_path / "run").path, "bbbb", "--json"))
    assert [step["id"][:4] for step in told["way"]] == [SEED[:4], "aaaa", "bbbb"]
    assert [step["kind"] for step in told["way"]] == ["seed", "accepted", "accepted"]
    assert told["way"][1]["tokens"] == {"prompt": 10, "completion": 4}
    assert told["way"][1]["cost"] == 0.25


def screen(folder: Path, id: str) -> list[str]:
    """What stands on a terminal of 80 columns and 40 lines."""
    ours, theirs = pty.openpty()
    surroundings = environment(COLUMNS="80", LINES="40")
    with subprocess.Popen(command("trace", folder, id), stdout=theirs, env=surroundings) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 1 << 16):
                shown += part
        except OSError:  # the other end has closed
            pass
    os.close(ours)
    assert process.returncode == 0
    return shown.decode().splitlines()


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hops from seeds with fixed parts."""
    run = tmp_path_factory.mktemp("trace") / "run"
    words = ("--hops", "3", "--target", "24", "--plain-share", "0", "--no-exam", "--quiet")
    aide("expand", SEEDS / "contract_questions.jsonl", "--base-url", "sim:?reject=0.3", *words, "-o", run)
    return run


def records(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "shards" / "part-00000.jsonl").read_text().splitlines()]


def test_three_hops_fit_on_one_screen_with_the_varying_parts(deep: Path) -> None:
    last = next(row for row in records(deep) if '"hop": 3' in json.dumps(row))
    lines = screen(deep, str(last["id"]))
    assert len(lines) < 40
    assert max(map(cell_len, lines)) <= 80
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["seed", *["accepted"] * 3]
    assert last["parts"]["question"][:40] in "\n".join(lines)  # type: ignore[index]
    assert sum(line.startswith("  contract") for line in lines) == 1  # the fixed part, once


def test_hostile_texts_fit_on_one_screen_too(tmp_path: Path) -> None:
    lines = screen(hostile(tmp_path / "run").path, "bbbb")
    assert len(lines) < 40
    assert max(map(cell_len, lines)) <= 80


def test_ids_may_be_cut_and_seeds_named_by_their_own(deep: Path) -> None:
    row = records(deep)[0]
    whole = trace(deep, str(row["id"]))
    assert trace(deep, str(row["id"])[:10]) == whole
    assert trace(deep, "contract-04").startswith("seed ")
    unknown = aide("trace", deep, "ffffffffff")
    assert (unknown.returncode, "hint: ids stand in" in unknown.stderr) == (2, True)
    rejects = [json.loads(line) for line in (deep / "rejects.jsonl").read_text().splitlines()]
    for reject in rejects[:3]:
        assert f"{reject['reason']}, at {reject['step']}" in trace(deep, reject["id"])
