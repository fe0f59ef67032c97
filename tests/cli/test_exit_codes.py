"""Every documented exit code, from a real process, and the message that comes with it."""

import json
import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from aide.shards import FolderLock
from cli.shell import ROOT, SEEDS, SIM, WAIT, Running, aide, command, environment

WORDS = SEEDS / "word_problems.jsonl"
SMALL = ("--base-url", SIM, "--target", "12")


def lines(folder: Path) -> list[str]:
    return [line for part in sorted(folder.glob("shards/*.jsonl")) for line in part.read_text().splitlines()]


def test_0_where_all_is_settled_and_again_for_nothing(tmp_path: Path) -> None:
    first = aide("expand", WORDS, *SMALL, "-o", "run", "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["accepted"] == 12 == len(lines(tmp_path / "run"))
    again = aide("expand", WORDS, *SMALL, "-o", "run", cwd=tmp_path)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr
    assert again.stdout == ""


def test_1_where_the_disk_is_full_and_the_run_goes_on_when_it_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        command("expand", WORDS, "--base-url", SIM, "--target", "200", "-o", "run"),
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        cwd=tmp_path,
        timeout=WAIT,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "run the same command again" in done.stderr
    again = aide("expand", WORDS, "--base-url", SIM, "--target", "200", "-o", "run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(lines(tmp_path / "run")) == 200


def test_2_where_the_seeds_are_wrong(tmp_path: Path) -> None:
    done = aide("expand", "none.jsonl", *SMALL, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("aide: there is no file none.jsonl\nhint: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "cap",
    [
        ("--max-calls", "10"),
        ("--max-total-tokens", "12000"),
        ("--max-cost", "0.006"),
        ("--max-cost-per-run", "0.006"),
        ("--max-minutes", "0"),
    ],
)
def test_3_where_a_budget_is_spent_and_a_rerun_with_more_goes_on(
    cap: tuple[str, str], tmp_path: Path
) -> None:
    run = ("expand", WORDS, *SMALL, "--price", "0.5/1", "-o", "run", "--json")
    stopped = aide(*run, *cap, cwd=tmp_path)
    assert stopped.returncode == 3, stopped.stderr
    assert cap[0] in stopped.stderr
    spent = json.loads(stopped.stdout)
    if cap[0] == "--max-calls":
        assert spent["calls"] <= 10
    if cap[0] == "--max-total-tokens":
        assert spent["tokens"]["prompt"] + spent["tokens"]["completion"] <= 12_000
    if "cost" in cap[0]:
        assert spent["cost"] <= 0.006
    whole = aide(*run, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    facts = json.loads(whole.stdout)
    assert facts["accepted"] == 12
    assert facts["calls"] == spent["calls"] + facts["this_run"]["calls"]


def test_3_is_said_even_where_all_else_is_quiet(tmp_path: Path) -> None:
    stopped = aide("expand", WORDS, *SMALL, "--max-calls", "5", "--quiet", "-o", "run", cwd=tmp_path)
    assert stopped.returncode == 3
    assert stopped.stderr.splitlines() == [
        "stopped: --max-calls 5 is reached; rerun with a higher --max-calls to go on from here"
    ]


def test_a_cap_on_money_needs_a_price(tmp_path: Path) -> None:
    done = aide("expand", WORDS, *SMALL, "--max-cost", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "--price" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_4_where_nothing_listens(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = (
        "--base-url",
        f"http://127.0.0.1:{port}/v1",
        "--model",
        "m",
        "--endpoint-patience",
        "0",
        "--target",
        "5",
    )
    done = aide("expand", WORDS, *words, "-o", "run", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "hint" in done.stderr or "stopped" in done.stderr
    assert "Traceback" not in done.stderr


def test_5_if_another_process_holds_the_folder_or_0_after_waiting_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    lock = FolderLock(folder)
    lock.acquire()
    refused = aide("expand", WORDS, *SMALL, "-o", folder)
    with Running("expand", WORDS, *SMALL, "-o", folder, "--lock-wait", "100") as waiting:
        waiting.until("stderr", 2)
        assert not (folder / "run.json").exists()
        lock.release()
        assert waiting.end()[0] == 0
    assert refused.returncode == 5
    assert "is in use by process" in refused.stderr
    assert len(set(lines(folder))) == 12


def test_waiting_for_a_folder_can_be_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with FolderLock(folder), Running("expand", WORDS, *SMALL, "-o", folder, "--lock-wait", "100") as waiting:
        waiting.until("stderr", 2)
        waiting.send(signal.SIGTERM)
        assert waiting.end()[0] == 130


def test_6_where_the_tree_ends_short_of_the_target(tmp_path: Path) -> None:
    tiny = (
        "--attributes",
        "1",
        "--graph-triples",
        "0",
        "--personas",
        "0",
        "--hops",
        "1",
        "--plain-share",
        "0",
    )
    beyond = aide("expand", WORDS, "--base-url", SIM, *tiny, "--target", "500", "-o", "no", cwd=tmp_path)
    assert beyond.returncode == 2, "no tree of these seeds can hold so many"
    run = ("expand", WORDS, "--base-url", "sim:?reject=0.4", *tiny, "--target", "110", "-o", "run")
    done = aide(*run, cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "short of the target" in done.stderr
    assert "; add seeds or hops, raise --attributes (now 1), or set --plain-share above 0; " in done.stderr
    assert aide(*run, cwd=tmp_path).returncode == 6


def test_what_helps_a_recipe_that_falls_short_is_what_it_heeds(tmp_path: Path) -> None:
    passages = (
        (ROOT / "benchmarks/retrieval_data/passages.jsonl").read_text(encoding="utf-8").splitlines()[:5]
    )
    (tmp_path / "five.jsonl").write_text("\n".join(passages), encoding="utf-8")
    asked = ("--recipe", "retrieval", "--contexts", "five.jsonl", "--target", "58", "-o", "run")
    seeds = SEEDS / "plain_explanations.jsonl"
    done = aide("expand", seeds, "--base-url", SIM, *asked, cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    [told] = [line for line in done.stderr.splitlines() if line.startswith("short of the target")]
    assert "; add documents, or raise --queries (now 3); run/rejects.jsonl says what was refused" in told
    assert "--hops" not in told


def test_6_where_nothing_is_accepted_at_all(tmp_path: Path) -> None:
    done = aide(
        "expand",
        WORDS,
        "--base-url",
        "sim:?reject=1",
        "--hops",
        "1",
        "--target",
        "all",
        "-o",
        "run",
        cwd=tmp_path,
    )
    assert done.returncode == 6, done.stderr


def test_6_at_last_where_nothing_is_accepted_and_nobody_guards(tmp_path: Path) -> None:
    tiny = ("--hops", "1", "--target", "10", "--no-exam", "--no-guard")
    done = aide("expand", WORDS, "--base-url", "sim:?reject=1", *tiny, "-o", "run", cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "short of the target" in done.stderr


def test_errors_are_json_where_the_log_is(tmp_path: Path) -> None:
    done = aide(
        "expand", WORDS, *SMALL, "--max-calls", "5", "--log-format", "json", "-o", "run", cwd=tmp_path
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    stopped = [event for event in events if event["event"] == "stopped"]
    assert [event["exit_code"] for event in stopped] == [done.returncode] == [3]
    kept = [json.loads(line) for line in (tmp_path / "run" / "aide.log").read_text().splitlines()]
    assert kept == events


def test_status_shows_how_far_a_run_is_also_while_it_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    slow = ("--base-url", "sim:?latency=0.5", "--target", "60", "--concurrency", "2")
    with Running("expand", WORDS, *slow, "-o", folder) as run:
        run.until("stderr", 2)
        while not (folder / "progress.json").exists():
            assert run.process.poll() is None
        during = json.loads(aide("status", folder, "--json").stdout)
        run.send(signal.SIGTERM)
        assert run.end()[0] == 130
    assert (during["state"], during["target"], during["exit_code"]) == ("running", 60, None)
    stopped = json.loads(aide("status", folder, "--json").stdout)
    assert (stopped["state"], stopped["exit_code"], stopped["left"]) == (
        "stopped",
        130,
        60 - stopped["accepted"],
    )
    assert aide("expand", WORDS, "--base-url", SIM, "--target", "60", "-o", folder).returncode == 0
    after = json.loads(aide("status", folder, "--json").stdout)
    assert (after["state"], after["accepted"], after["left"], after["exit_code"]) == ("finished", 60, 0, 0)
    assert aide("status", tmp_path).returncode == 2
