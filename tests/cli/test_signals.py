"""A run that is interrupted, and a reader that leaves early: nothing is lost, nothing is said in vain."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from cli.shell import SEEDS, Running, aide, bash

WORDS = SEEDS / "word_problems.jsonl"
SLOW = ("--base-url", "sim:?latency=0.05", "--target", "120", "--concurrency", "8")


def calls(folder: Path) -> int:
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        found: int = journal.execute("SELECT count(*) FROM calls").fetchone()[0]
    return found


def ids(folder: Path) -> list[str]:
    return [
        json.loads(line)["id"]
        for part in sorted(folder.glob("shards/*"))
        for line in part.read_text().splitlines()
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_drains_and_the_rerun_pays_for_nothing_twice(
    number: signal.Signals, tmp_path: Path
) -> None:
    run = ("expand", WORDS, *SLOW, "-o", "-", "--run-dir", tmp_path / "run")
    with Running(*run) as first:
        first.until("stdout", 5)
        first.send(number)
        code, out, err = first.end()
    assert code == 130
    assert "interrupted" in err
    assert "run the same command again" in err
    assert "Traceback" not in err
    shown = [json.loads(line)["id"] for line in out.splitlines()]
    assert shown == ids(tmp_path / "run")
    before = calls(tmp_path / "run")
    second = aide("expand", WORDS, "--base-url", "sim:", "--target", "120", "-o", tmp_path / "run", "--json")
    assert second.returncode == 0, second.stderr
    facts = json.loads(second.stdout)
    assert facts["calls"] == before + facts["this_run"]["calls"] == calls(tmp_path / "run")
    assert ids(tmp_path / "run")[: len(shown)] == shown
    assert len(set(ids(tmp_path / "run"))) == 120


def test_a_second_signal_gives_up_what_is_on_the_wire_and_loses_nothing(tmp_path: Path) -> None:
    stuck = ("--base-url", "sim:?latency=30", "--target", "40", "--concurrency", "8")
    folder = tmp_path / "run"
    assert aide("expand", WORDS, "--base-url", "sim:", "--target", "20", "-o", folder).returncode == 0
    kept = ids(folder)
    with Running("expand", WORDS, *stuck, "-o", folder) as run:
        run.until("stderr", 2)
        while json.loads((folder / "run.json").read_text()).get("ended"):
            assert run.process.poll() is None
        run.send(signal.SIGINT)
        run.until_told("stderr", "second Ctrl-C")
        run.send(signal.SIGINT)
        code, _, err = run.end()
    assert code == 130, err
    assert "Traceback" not in err
    assert json.loads(aide("status", folder, "--json").stdout)["state"] == "stopped"
    assert aide("expand", WORDS, "--base-url", "sim:", "--target", "40", "-o", folder).returncode == 0
    assert ids(folder)[: len(kept)] == kept
    assert len(set(ids(folder))) == 40


def test_a_lock_left_by_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Running("expand", WORDS, *SLOW, "-o", "-", "--run-dir", folder) as first:
        first.until("stdout", 3)
        first.send(signal.SIGKILL)
        first.end()
    told = aide("status", folder).stdout
    assert "killed" in told and "run the same command again" in told
    again = aide("expand", WORDS, "--base-url", "sim:", "--target", "120", "-o", folder)
    assert again.returncode == 0, again.stderr


def test_a_reader_that_has_enough_ends_the_run_cleanly(tmp_path: Path) -> None:
    script = f"aide expand {WORDS} --base-url 'sim:?latency=0.02' --target 300 -o - --run-dir run | head -n 3"
    done = bash(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3
    written = ids(tmp_path / "run")
    assert 3 <= len(written) < 300
    again = bash(
        f"aide expand {WORDS} --base-url sim: --target 300 -o - --run-dir run --quiet | wc -l", cwd=tmp_path
    )
    assert again.stdout.strip() == "300"


def test_a_stream_has_nothing_but_records_on_stdout_and_replays_first(tmp_path: Path) -> None:
    run = f"aide expand - --base-url sim: -o - --run-dir run --target 20 < {WORDS}"
    first, second = bash(run, cwd=tmp_path), bash(run, cwd=tmp_path)
    assert first.returncode == second.returncode == 0, first.stderr
    assert [json.loads(line)["id"] for line in first.stdout.splitlines()] == ids(tmp_path / "run")
    assert second.stdout == first.stdout
    assert "run folder: run" in first.stderr


def test_pipefail_sees_a_real_failure(tmp_path: Path) -> None:
    done = bash(
        f"aide expand {WORDS} --base-url sim: --target 50 --max-calls 9 -o - --run-dir run | cat",
        cwd=tmp_path,
    )
    assert done.returncode == 3
