"""`aide expand --batch` from the shell: it ends with 7, goes on, waits, is told of, cancelled and interrupted."""

import json
import signal
from pathlib import Path

import pytest

from cli.shell import SEEDS, SIM, Running, aide
from runs import paid, query, records, simulate, summary

TICKETS = SEEDS / "support_tickets_de.jsonl"
RUN = ("--target", "150", "--no-exam", "--quiet", "--batch")


def at(url: str) -> tuple[str, ...]:
    return ("--base-url", url, "--model", "simulator")


def test_it_ends_with_7_until_everything_has_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with simulate() as url:
        command: tuple[str | Path, ...] = ("expand", TICKETS, *at(url), *RUN, "-o", folder)
        first = aide(*command)
        assert first.returncode == 7, first.stderr
        assert "pending in a batch; run the same command again" in first.stderr
        assert first.stderr.count("\n") == 1, "quiet but for the reason"
        told = json.loads(aide("status", folder, "--json").stdout)["batches"]
        assert [wave["state"] for wave in told] == ["submitted"]
        assert f"1 pending with {told[0]['calls']} calls" in aide("status", folder).stdout
        codes: list[int] = []
        while not codes or codes[-1] == 7:
            codes.append(aide(*command).returncode)
        assert codes[-1] == 0
    assert len(records(folder)) == 150
    found = summary(folder)
    assert found["batches"] == {"waves": len(codes), "answered": found["batches"]["answered"], "pending": 0}
    # What follows a few faults is less than --batch-min, and goes out at once: in a run this small, half of all calls.
    assert found["batches"]["answered"] > 0.4 * found["calls"]
    listed = aide("batch", "list", folder).stdout.splitlines()
    assert len(listed) == len(codes)
    assert all("completed" in line for line in listed)


def test_it_waits_where_it_is_told_to_and_writes_each_record_once(tmp_path: Path) -> None:
    run: tuple[str | Path, ...] = (
        "--base-url",
        SIM,
        *RUN,
        "--batch-wait",
        "1000",
        "-o",
        "-",
        "--run-dir",
        tmp_path / "run",
    )
    done = aide("expand", TICKETS, *run)
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert len(ids) == len(set(ids)) == 150
    assert summary(tmp_path / "run")["batches"]["waves"] > 1


def test_batches_that_would_end_with_the_command_are_refused(tmp_path: Path) -> None:
    done = aide("expand", TICKETS, "--base-url", SIM, *RUN, "-o", tmp_path / "run")
    assert done.returncode == 2
    assert "hint: add --batch-wait" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_the_wait_leaves_the_batch_where_it_is(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "run"
    with simulate("--batch-latency", "3600") as url:
        run: tuple[str | Path, ...] = (
            "expand",
            TICKETS,
            *at(url),
            *RUN[:-2],
            "--batch",
            "--batch-wait",
            "3600",
            "-o",
            folder,
        )
        with Running(*run) as waiting:
            waiting.until_told("stderr", "waiting for batches")
            waiting.send(number)
            assert waiting.end()[0] == 130
        pending = query(folder, "SELECT key FROM pending")
        assert pending
        again = aide("expand", TICKETS, *at(url), *RUN, "-o", folder)
        assert again.returncode == 7
        assert query(folder, "SELECT key FROM pending") == pending


def test_cancelled_batches_keep_what_was_answered_and_the_run_goes_on_without(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with simulate("--batch-latency", "3600") as url:
        assert aide("expand", TICKETS, *at(url), *RUN, "-o", folder).returncode == 7
        [wave] = json.loads(aide("batch", "list", folder, "--json").stdout)["batches"]
        before = paid(folder)
        [ended] = json.loads(aide("batch", "cancel", folder, "--json").stdout)["batches"]
        assert (ended["state"], ended["outcome"]) == ("ended", "cancelled")
        assert ended["answered"] == wave["calls"] // 2 == paid(folder) - before
        assert aide("batch", "cancel", folder).stdout == "no batches\n"
        done = aide("expand", TICKETS, *at(url), *RUN[:-1], "-o", folder)
        assert done.returncode == 0, done.stderr
    assert len(records(folder)) == 150


def test_files_are_written_for_somebody_else_without_an_endpoint(tmp_path: Path) -> None:
    waves = tmp_path / "waves"
    run: tuple[str | Path, ...] = ("--model", "m", *RUN, f"files:{waves}", "-o", tmp_path / "run")
    done = aide("expand", TICKETS, *run)
    assert done.returncode == 7, done.stderr
    [given] = waves.iterdir()
    line = json.loads(given.read_text(encoding="utf-8").splitlines()[0])
    assert (line["method"], line["url"], line["body"]["model"]) == ("POST", "/v1/chat/completions", "m")
    assert f"vllm run-batch -i {given}" in done.stderr
    assert aide("batch", "cancel", tmp_path / "run").returncode == 0
    assert list(waves.iterdir()) == [], "what nobody has answered is taken away"


def test_it_is_no_folder_that_follows_the_flag(tmp_path: Path) -> None:
    done = aide("expand", "--batch", TICKETS, "--base-url", SIM, "--target", "5", "-o", tmp_path / "run")
    assert "add --batch-wait" in done.stderr, "the seeds are still the seeds"
    assert aide("batch", "list", tmp_path).returncode == 2
