"""`aide review` as a process: its address, its end, kills, and what the other commands make of the decisions."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import SEEDS, WAIT, Running, aide, environment
from unit.review.folders import ask_server

TICKETS = SEEDS / "support_tickets_de.jsonl"
GROW = ("expand", TICKETS, "--base-url", "sim:", "--target", "30", "--quiet", "-o")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    assert aide(*GROW, folder).returncode == 0
    return folder


def start(folder: Path, **more: str) -> tuple[Running, str]:
    page = Running("review", folder, "--no-browser", **more)
    page.until("stdout", 1)
    return page, page.lines["stdout"][0].strip()


def test_decisions_reach_exports_stats_status_and_are_made_up_for(run: Path) -> None:
    page, url = start(run)
    with page:
        first, second, third = ask_server(url, "choose", {"kind": "record"})["numbers"][:3]
        ask_server(url, "decide", {"n": first, "verdict": "accept", "seen": 0})
        ask_server(url, "decide", {"n": second, "verdict": "reject", "seen": 0, "reason": "off task"})
        edits = {"input": "Wo bleibt das Paket?"}
        ask_server(url, "decide", {"n": third, "verdict": "accept", "seen": 0, "edits": edits})
        refused = ask_server(url, f"entry?n={second}")["id"]
        page.send(signal.SIGINT)
        code, out, err = page.end()
    assert (code, out.count("\n")) == (0, 1)
    assert "2 records accepted, 1 of them edited; 1 refused" in err
    assert "--refill" in err
    assert f"aide export {run} --to trl --split 90/10 -o train" in err

    exported = aide("export", run, "--to", "prompt-completion", "--instruction", "").stdout
    assert exported.count("\n") == 29
    assert "Wo bleibt das Paket?" in exported
    assert json.loads(aide("stats", run, "--json").stdout)["records"] == 29
    assert "2 accepted (1 edited), 1 refused; 29 records to export" in aide("status", run).stdout
    judge = ("--base-url", "sim:", "--journal", run.with_name("judge"), "--json")
    assert json.loads(aide("calibrate", run, *judge).stdout)["now"]["of"] == 3

    done = aide(*GROW, run, "--refill")
    assert done.returncode == 0, done.stderr
    assert aide("export", run, "--to", "messages").stdout.count("\n") == 30
    shards = "".join(path.read_text() for path in (run / "shards").iterdir())
    assert (shards.count("\n"), refused in shards) == (30, False)
    calls = json.loads(aide("status", run, "--json").stdout)["calls"]
    assert aide(*GROW, run, "--refill").returncode == 0  # nothing new was refused
    assert json.loads(aide("status", run, "--json").stdout)["calls"] == calls


def test_refilling_keeps_what_grew_from_a_refused_record(tmp_path: Path) -> None:
    run = tmp_path / "run"
    seeds, few = SEEDS / "word_problems.jsonl", ("--target", "60", "--plain-share", "0", "--hops", "3")
    grow = ("expand", seeds, "--base-url", "sim:", *few)
    assert aide(*grow, "-o", run, "--quiet").returncode == 0
    records = [json.loads(line) for line in (run / "shards" / "part-00000.jsonl").read_text().splitlines()]
    children = {record["lineage"]["parent_id"]: record["id"] for record in records}
    parent, child = next((r["id"], children[r["id"]]) for r in records if r["id"] in children)
    (run / "reviews.jsonl").write_text(json.dumps({"id": parent, "verdict": "reject"}) + "\n")
    done = aide(*grow, "-o", run, "--refill")
    assert done.returncode == 0
    assert "1 refused record to make up for" in done.stderr
    now = (run / "shards" / "part-00000.jsonl").read_text()
    assert f'"id":"{child}"' in now
    assert f'"id":"{parent}"' not in now
    assert now.count("\n") == 60


@pytest.mark.parametrize("point", ["before_decision:3", "after_decision:3"])
def test_a_kill_at_any_moment_loses_no_decision_that_was_told(run: Path, point: str) -> None:
    page, url = start(run, AIDE_CRASH_AT=point)
    told = 0
    with page:
        for number in range(4):
            try:
                ask_server(url, "decide", {"n": number, "verdict": "accept", "seen": 0})
            except OSError:
                break
            told += 1
        assert page.end()[0] == -signal.SIGKILL
    kept = (run / "reviews.jsonl").read_text()
    assert told == 2
    assert kept.count("\n") == (3 if point.startswith("after") else 2)
    with (run / "reviews.jsonl").open("a") as file:
        file.write('{"id":"torn off in the mid')  # as a power cut would leave it
    assert f"{kept.count(chr(10))} accepted, 0 refused" in aide("status", run).stdout
    page, url = start(run)
    with page:
        undecided = ask_server(url, "choose", {"state": "to do", "kind": "record"})["numbers"][0]
        ask_server(url, "decide", {"n": undecided, "verdict": "reject", "seen": 0})
        page.send(signal.SIGTERM)
        assert page.end()[0] == 0
    *before, last = (run / "reviews.jsonl").read_text().splitlines()
    assert "".join(f"{line}\n" for line in before) == kept
    assert json.loads(last)["verdict"] == "reject"


def test_a_folder_that_can_not_keep_decisions_is_refused(run: Path) -> None:
    (run / "reviews.jsonl").mkdir()
    done = aide("review", run, "--no-browser")
    assert (done.returncode, "reviews.jsonl can't be read" in done.stderr) == (2, True)
    (run / "reviews.jsonl").rmdir()
    done = aide("review", run / "shards", "--no-browser")
    assert (done.returncode, "is no run folder" in done.stderr) == (2, True)


def test_a_read_only_folder_is_refused(run: Path) -> None:
    script = (
        f"mount --bind {run} {run} && mount -o remount,bind,ro {run} && "
        f'exec "$0" -m aide review {run} --no-browser --port 0'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script, sys.executable],
        capture_output=True, text=True, check=False, env=environment(), timeout=WAIT,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount" in done.stderr.split(":")[0]:
        pytest.skip("this machine lets nobody mount")
    assert (done.returncode, "can't be written, so no decision could be kept" in done.stderr) == (2, True)
