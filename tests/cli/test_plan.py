"""`aide plan` in real processes: it spends nothing, and what it expects is what a run then uses."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aide.crash_points import VARIABLE
from cli.shell import SEEDS, SIM, aide

WORDS = SEEDS / "word_problems.jsonl"


def planned(*words: str | Path, cwd: Path) -> dict[str, Any]:
    done = aide("plan", *words, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_nothing_is_written_and_no_endpoint_is_needed(tmp_path: Path) -> None:
    facts = planned(WORDS, "--hops", "2", "--target", "all", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    guided = 10 * (20 + 400)
    plain = guided * 6 // 4  # six records in ten are plain ones, unless --plain-share says otherwise
    assert facts["at_most"]["candidates"] == guided + plain
    assert facts["expected"]["records"] < facts["at_most"]["records"] == guided + plain
    assert facts["expected"]["cost"] is None
    assert facts["basis"]["yield_from"] == "assumed"


def test_steps_and_hops_sum_up_to_the_whole(tmp_path: Path) -> None:
    expected = planned(WORDS, "--price", "1/2", cwd=tmp_path)["expected"]
    for name in ("calls", "prompt_tokens", "completion_tokens"):
        slack = len(expected["steps"]) * len(expected["hops"])  # each is rounded
        assert abs(sum(step[name] for step in expected["steps"].values()) - expected[name]) <= slack
        assert abs(sum(hop[name] for hop in expected["hops"]) - expected[name]) <= slack
    assert expected["records"] == 1000
    money = (expected["prompt_tokens"] * 1 + expected["completion_tokens"] * 2) / 1e6
    assert expected["cost"] == pytest.approx(money, rel=1e-3)


def test_every_option_of_expand_is_taken(tmp_path: Path) -> None:
    small = planned(
        WORDS,
        "--attributes",
        "1",
        "--graph-triples",
        "0",
        "--personas",
        "0",
        "--no-reflection",
        "--plain-share",
        "0",
        "--target",
        "all",
        "--expect-yield",
        "1",
        cwd=tmp_path,
    )
    assert small["expected"]["candidates"] == 10 * (3 + 9)
    assert [hop["candidates"] for hop in small["expected"]["hops"]] == [0, 30, 90]
    assert not {"reflect", "revise", "personas", "expand_graph"} & set(small["expected"]["steps"])
    assert small["basis"]["yield_from"] == "--expect-yield"


def test_a_yield_that_nobody_gave_is_said_to_be_the_recipes_own(tmp_path: Path) -> None:
    asked = (WORDS, "--recipe", "self-guide", "--target", "20")
    own = planned(*asked, cwd=tmp_path)["basis"]
    assert (own["yield"], own["yield_from"]) == (0.93, "what the recipe self-guide expects")
    given = planned(*asked, "--expect-yield", "0.93", cwd=tmp_path)["basis"]
    assert (given["yield"], given["yield_from"]) == (0.93, "--expect-yield")


@pytest.mark.parametrize("command", ["plan", "expand"])
def test_a_target_that_has_no_room_is_refused_with_the_ceiling(command: str, tmp_path: Path) -> None:
    most = 10 * (20 + 400) * 4  # a first sample along each triple and persona, and three more
    asked = (WORDS, "--base-url", SIM, "--plain-share", "0", "--target", str(most + 1), "-o", "run")
    refused = aide(command, *asked, cwd=tmp_path)
    assert refused.returncode == 2
    assert f"at most {most:,} can grow from 10 seeds over 2 hops" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_the_greatest_target_is_the_one_that_a_refusal_names(tmp_path: Path) -> None:
    tickets = SEEDS / "support_tickets_de.jsonl"  # each label has as many places as its seeds give it
    flags = ("--plain-share", "0", "--hops", "1", "--target")
    refused = aide("plan", tickets, *flags, "100000", cwd=tmp_path)
    ceiling = refused.stderr.partition("at most ")[2].partition(" can")[0].replace(",", "")
    assert aide("plan", tickets, *flags, ceiling, cwd=tmp_path).returncode == 0
    assert aide("plan", tickets, *flags, str(int(ceiling) + 1), cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("task", ["word_problems", "support_tickets_de"])
def test_after_a_pilot_of_one_hop_the_run_uses_what_was_expected(task: str, tmp_path: Path) -> None:
    seeds = SEEDS / f"{task}.jsonl"
    pilot = ("--hops", "1", "--target", "all", "--seed", "7")
    assert aide("expand", seeds, "--base-url", SIM, *pilot, "-o", "pilot", cwd=tmp_path).returncode == 0
    wanted = ("--base-url", SIM, "--hops", "2", "--target", "600")
    expected = planned(seeds, *wanted, "-o", "pilot", cwd=tmp_path)["expected"]
    run = aide("expand", seeds, *wanted, "-o", "run", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    used = json.loads(run.stdout)
    # A pilot has some eighty revisions, a third of all calls come of their share, and chance moves it by a ninth;
    # benchmarks/targets.py --only price holds the plan to a tenth, told the yield that was met.
    assert expected["calls"] == pytest.approx(used["calls"], rel=0.15)
    assert expected["tokens"] == pytest.approx(
        used["tokens"]["prompt"] + used["tokens"]["completion"], rel=0.2
    )


def test_a_run_that_was_killed_early_is_planned_no_cheaper_than_it_is(tmp_path: Path) -> None:
    """Candidates that are accepted at once end first: of a few dozen that ended hardly any was revised."""
    words = (WORDS, "--base-url", "sim:?latency=0.1", "--target", "400", "-o", "run")
    killed = aide("expand", *words, "--quiet", cwd=tmp_path, **{VARIABLE: "after_journal:110"})
    assert killed.returncode == -signal.SIGKILL
    facts = planned(*words, cwd=tmp_path)
    assert facts["basis"]["yield_from"].startswith("assumed: ")
    assert "of run are under way" in facts["basis"]["yield_from"]
    assert facts["basis"]["tokens_from"] == "run"
    told = aide("plan", *words, "--expect-yield", "0.5", cwd=tmp_path).stdout
    assert "basis   yield 50% (--expect-yield)" in told
    run = aide("expand", *words, "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert facts["expected"]["calls"] == pytest.approx(json.loads(run.stdout)["calls"], rel=0.12)
    assert planned(*words, cwd=tmp_path)["basis"]["yield_from"] == "run"


def test_what_a_killed_run_has_is_counted_by_its_journal(tmp_path: Path) -> None:
    words = (WORDS, "--base-url", "sim:?latency=0.05", "--target", "150", "-o", "run")
    killed = aide("expand", *words, "--quiet", cwd=tmp_path, **{VARIABLE: "after_journal:120"})
    assert killed.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        [records] = journal.execute("SELECT count(*) FROM outcomes WHERE kind = 'accepted'").fetchone()
        [calls] = journal.execute("SELECT count(*) FROM calls").fetchone()
    assert records
    status = json.loads(aide("status", "run", "--json", cwd=tmp_path).stdout)
    assert (status["accepted"], status["calls"]) == (records, calls)
    assert sum(status["by_hop"].values()) == records
    settled = sum(status[name] for name in ("accepted", "rejected", "failed", "surplus", "pruned", "open"))
    assert status["planned"] == settled
    done = planned(*words, cwd=tmp_path)["done"]
    assert (done["records"], done["calls"]) == (records, calls)
    resumed = aide("expand", *words, cwd=tmp_path).stderr
    assert f"the folder already has {records:,} records, from {calls:,} calls" in resumed


def test_the_error_of_the_estimate_is_shown_by_status(tmp_path: Path) -> None:
    assert (
        aide("expand", WORDS, "--base-url", SIM, "--target", "40", "-o", "run", cwd=tmp_path).returncode == 0
    )
    facts = json.loads(aide("status", "run", "--json", cwd=tmp_path).stdout)
    estimate = facts["estimate"]
    assert estimate["calls"]["used"] == facts["calls"]
    assert estimate["calls"]["error"] == pytest.approx(
        estimate["calls"]["expected"] / estimate["calls"]["used"] - 1, abs=1e-3
    )
    assert "estimate" in aide("status", "run", cwd=tmp_path).stdout


def test_what_the_folder_has_already_is_reported(tmp_path: Path) -> None:
    assert (
        aide("expand", WORDS, "--base-url", SIM, "--target", "40", "-o", "run", cwd=tmp_path).returncode == 0
    )
    facts = planned(WORDS, "--base-url", SIM, "--target", "80", "-o", "run", cwd=tmp_path)
    assert facts["done"]["records"] == 40
    assert facts["basis"]["yield_from"] == "run"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (("--seed", "7"), "run holds another run: random_seed was 0, is 7"),
        (("--input-field", "id"), "grew from"),
    ],
)
def test_what_expand_would_refuse_is_told(other: tuple[str, str], why: str, tmp_path: Path) -> None:
    words = (WORDS, "--base-url", SIM, "--target", "12", "-o", "run")
    assert aide("expand", *words, "--quiet", cwd=tmp_path).returncode == 0
    fitting = aide("plan", *words, cwd=tmp_path).stdout
    assert "would not go on" not in fitting
    assert fitting.endswith(f"next: aide expand {WORDS} --base-url sim: --target 12 -o run\n")
    assert "aide export run --to trl" in aide("status", "run", cwd=tmp_path).stdout
    told = aide("plan", *words, *other, cwd=tmp_path)
    assert told.returncode == 0
    assert "refused aide expand would not go on here: run " in told.stdout
    assert why in told.stdout
    assert "the folder already has" not in told.stdout
    assert planned(*words, *other, cwd=tmp_path)["basis"]["yield_from"] == (
        "run" if "--seed" in other else "assumed"
    )
    refused = aide("expand", *words, *other, cwd=tmp_path)
    assert refused.returncode == 2
    assert why in refused.stderr
    assert "plan: " not in refused.stderr


def test_of_a_folder_that_has_records_the_plan_tells_the_whole_and_what_is_left(tmp_path: Path) -> None:
    words = (WORDS, "--base-url", SIM, "-o", "run", "--target")
    assert aide("expand", *words, "40", "--quiet", cwd=tmp_path).returncode == 0
    expected = planned(*words, "80", cwd=tmp_path)["expected"]["calls"]
    *_, total, done, left = aide("plan", *words, "80", cwd=tmp_path).stdout.split("\n\n")[-2].splitlines()[:3]
    assert total == "total   the figures above are of the whole run, with what is done"
    used = int(done.removeprefix("done    the folder already has 40 records, from ").split()[0])
    assert left == f"left    about 40 records, {expected - used} calls"


def test_odd_seeds_are_named_and_change_no_exit_code(tmp_path: Path) -> None:
    rows = [
        {"input": "What is 2 + 3, Bob?", "output": "5"},
        {"input": "what is 2 + 3 bob", "output": "6"},
        {"input": "Write to bob@acme.org or call +49 170 1234567: how many ways are these?", "output": "2"},
    ]
    seeds = tmp_path / "odd.jsonl"
    seeds.write_text("".join(json.dumps(row) + "\n" for row in rows))
    facts = planned(seeds, "--format", "free_text", cwd=tmp_path)
    found = [(finding["kind"], finding["seeds"]) for finding in facts["lint"]]
    assert ("conflict", [1, 2]) in found
    assert found.count(("personal", [3])) == 2
    assert "bob@acme.org" not in json.dumps(facts["lint"])


def test_seeds_that_are_in_a_test_set_are_named(tmp_path: Path) -> None:
    row = json.loads(WORDS.read_text().splitlines()[3])
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": row["input"].upper(), "answer": "?"}) + "\n")
    for spelled in ("--avoid", "--against"):
        refused = aide("plan", WORDS, spelled, "test.jsonl", cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.startswith("aide: seed word-04 is the test item test.jsonl:1")
    missing = aide("plan", WORDS, "--avoid", "none.jsonl", cwd=tmp_path)
    assert missing.returncode == 2
    assert "none.jsonl" in missing.stderr


def test_a_call_that_all_parents_share_is_planned_once(tmp_path: Path) -> None:
    words = (WORDS, "--recipe", "tasks", "--base-url", SIM, "--target", "60")
    before, *hops = planned(*words, cwd=tmp_path)["expected"]["hops"]
    assert before["steps"]["extract"]["calls"] == 1, "the sub-tasks are named for the whole run"
    assert aide("expand", *words, "-o", "run", "--quiet", cwd=tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        [made] = journal.execute("SELECT count(*) FROM calls WHERE step = 'extract'").fetchone()
    assert made == 1 + sum(hop["steps"]["extract"]["calls"] for hop in hops)


def test_what_a_folder_has_is_told_without_its_endpoint(tmp_path: Path) -> None:
    run = ("-o", tmp_path / "run", "--target", "12")
    assert aide("expand", WORDS, "--base-url", SIM, "--quiet", *run).returncode == 0
    facts = planned(WORDS, *run, cwd=tmp_path)
    assert facts["done"]["records"] == 12
    assert "realism" not in facts["expected"]["steps"], "the simulator is asked for none"
