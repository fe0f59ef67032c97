"""`--embeddings MODEL`: every new input is embedded once, and none of it is paid for again."""

import json
import os
import pty
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from aide.journal import Journal
from aide.records import digest
from aide.shards import FolderLock
from cli.shell import SEEDS, SIM, WAIT, aide, bash, command, environment


def test_inputs_are_embedded_once_and_a_longer_run_goes_on_from_there(tmp_path: Path) -> None:
    words = (
        "expand",
        SEEDS / "word_problems.jsonl",
        "--base-url",
        SIM,
        "--embeddings",
        "simulator",
        "--no-exam",
        "--plain-share",
        "0",  # of plain texts only the wording is compared
    )
    first = aide(*words, "--target", "10", "-o", tmp_path / "run", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)["steps"]["embed"]["simulator"]
    assert told["calls"] >= 10 + 10  # the seeds, and at least one text for each record
    longer = aide(*words, "--target", "20", "-o", tmp_path / "run", "--json")
    assert longer.returncode == 0, longer.stderr
    again = json.loads(longer.stdout)
    assert again["accepted"] == 20
    grown = again["steps"]["embed"]["simulator"]["calls"] - told["calls"]
    assert 10 <= grown < 10 + told["calls"]


def test_embeddings_that_are_paid_for_elsewhere_are_asked_about_though_the_model_is_local(
    tmp_path: Path,
) -> None:
    terminal, theirs = pty.openpty()
    words = (
        "expand",
        SEEDS / "word_problems.jsonl",
        "--base-url",
        SIM,
        "--target",
        "10",
        "-o",
        tmp_path / "run",
    )
    apart = ("--embeddings", "vectors", "--embeddings-url", "http://embeddings.invalid/v1")
    os.write(terminal, b"n\n")
    try:
        done = subprocess.run(
            command(*words, *apart), stdin=theirs, stdout=theirs, stderr=theirs, check=False, timeout=WAIT,
            env=environment(OPENAI_API_KEY="none"),
        )  # fmt: skip
        said = os.read(terminal, 1 << 16).decode()
    finally:
        os.close(terminal)
        os.close(theirs)
    assert "This may spend an unknown amount. Go on?" in said
    assert done.returncode == 2
    assert "nothing was started" in said


def test_personas_from_a_bank_are_ranked_by_embeddings_and_the_bank_is_embedded_once(tmp_path: Path) -> None:
    """The simulator's vectors are of hashed words, so that a persona lies near a topic that it is spelled as."""
    seeds = SEEDS / "word_problems.jsonl"
    words = (
        "--base-url", SIM, "--no-exam", "--hops", "1", "--attributes", "1", "--graph-triples", "0", "--plain-share", "0"
    )  # fmt: skip
    first = aide("expand", seeds, *words, "--personas", "0", "--target", "all", "-o", tmp_path / "plain")
    assert first.returncode == 0, first.stderr
    shards = (tmp_path / "plain" / "shards").glob("*.jsonl")
    lines = [json.loads(line) for path in shards for line in path.read_text(encoding="utf-8").splitlines()]
    topics = sorted({line["lineage"]["triple"]["topic"] for line in lines if line["lineage"]["triple"]})
    assert topics
    bank = tmp_path / "bank.txt"
    bank.write_text("".join(f"{topic}\n" for topic in topics) + "nobody at all\n" * 2, encoding="utf-8")
    ranked = (*words, "--personas", "3", "--persona-file", bank, "--embeddings", "simulator", "--json")
    done = aide("expand", seeds, *ranked, "--target", "20", "-o", tmp_path / "run")
    assert done.returncode in (0, 6), done.stderr
    shards = (tmp_path / "run" / "shards").glob("*.jsonl")
    lines = [json.loads(line) for path in shards for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = {line["lineage"]["persona"] for line in lines} - {None}
    assert chosen
    assert "nobody at all" not in chosen
    drift = json.loads(done.stdout)["drift"]["meaning"]
    assert sum(hop["records"] for hop in drift["by_hop"].values()) == len(lines)
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        of_bank = "SELECT count(*) FROM calls WHERE step = 'embed' AND node = ?"
        [(asked,)] = journal.execute(of_bank, (digest("personas"),)).fetchall()
    with Journal.open(tmp_path / "run" / "journal.sqlite", readonly=True) as known:
        planted = [json.loads(outcome.payload) for outcome in known.read_outcomes("planted")]
    used = {each["topic"] for each in planted if each["personas"]}
    assert used
    assert asked == 1 + len(used), "the bank in one call, and in one each topic for which personas are wanted"


def test_other_embeddings_are_another_run(tmp_path: Path) -> None:
    words = ("expand", SEEDS / "word_problems.jsonl", "--base-url", SIM, "--no-exam", "--target", "2")
    assert aide(*words, "-o", tmp_path / "run").returncode == 0
    other = aide(*words, "-o", tmp_path / "run", "--embeddings", "simulator")
    assert other.returncode == 2
    assert "embeddings was" in other.stderr


def test_dedup_drops_what_means_the_same_and_pays_once(tmp_path: Path) -> None:
    """The simulator's vectors know no order of words: a text turned round means the same to it."""
    rows = [json.loads(line) for line in (SEEDS / "word_problems.jsonl").read_text("utf-8").splitlines()]
    turned = [
        {**row, "id": f"turned-{row['id']}", "input": " ".join(row["input"].split()[::-1])} for row in rows
    ]
    given = "".join(f"{json.dumps(row)}\n" for row in [*rows, *turned, turned[0]])
    model = ("--embeddings", "simulator", "--base-url", SIM, "--mode", "exact")
    hits, state = tmp_path / "hits.jsonl", str(tmp_path / "state")
    first = aide("dedup", "-", *model, "--report", hits, stdin=given, XDG_STATE_HOME=state)
    assert first.returncode == 0, first.stderr
    assert [json.loads(line)["id"] for line in first.stdout.splitlines()] == [row["id"] for row in rows]
    assert "dropped 11 of 21 records: 1 exact, 0 near, 10 meaning from 0.98; 22 calls" in first.stderr
    told = [json.loads(line) for line in hits.read_text("utf-8").splitlines()]
    assert [hit["of"] for hit in told[:10]] == [row["id"] for row in rows]
    assert [hit["how"] for hit in told] == ["meaning"] * 10 + ["exact"]
    again = aide("dedup", "-", *model, "--mark", stdin=given, XDG_STATE_HOME=state)
    assert "marked 11 of 21 records: 1 exact, 0 near, 10 meaning from 0.98; 0 calls" in again.stderr
    assert [json.loads(line).get("duplicate", {}).get("how") for line in again.stdout.splitlines()] == [
        *[None] * 10, *["meaning"] * 10, "exact",
    ]  # fmt: skip
    there = tmp_path / "there.jsonl"
    there.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    beside = aide("dedup", "-", *model, "--against", there, stdin=given, XDG_STATE_HOME=state)
    assert "10 exact" not in beside.stderr
    assert beside.stdout == ""


def test_dedup_asks_nobody_unless_a_model_is_named(tmp_path: Path) -> None:
    seeds = SEEDS / "word_problems.jsonl"
    assert "dropped 0 of 10" in aide("dedup", seeds, AIDE_EMBEDDINGS="simulator").stderr
    refused = aide("dedup", seeds, "--base-url", SIM)
    assert (refused.returncode, "--embeddings MODEL" in refused.stderr) == (2, True)
    nowhere = aide("dedup", seeds, "--embeddings", "simulator")
    assert (nowhere.returncode, "no endpoint" in nowhere.stderr) == (2, True)


def test_dedup_takes_the_embeddings_of_a_run(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    model = ("--embeddings", "simulator", "--base-url", SIM)
    words = (
        "expand",
        SEEDS / "word_problems.jsonl",
        *model,
        "--no-exam",
        "--plain-share",
        "0",
        "--target",
        "10",
    )
    assert aide(*words, "-o", tmp_path / "run").returncode == 0
    done = aide("dedup", tmp_path / "run", *model, "--reuse", tmp_path / "run", XDG_STATE_HOME=state)
    assert "dropped 0 of 10 records: 0 exact, 0 near, 0 meaning from 0.98; 0 calls" in done.stderr


def test_two_in_one_pipe_need_a_journal_each(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    model = f"--embeddings simulator --base-url {SIM}"
    seeds = SEEDS / "word_problems.jsonl"
    done = bash(
        f"aide dedup {seeds} {model} | aide dedup - {model} --journal {tmp_path}/second", XDG_STATE_HOME=state
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 10
    with FolderLock(tmp_path / "second"):
        held = aide("dedup", seeds, *model.split(), "--journal", tmp_path / "second")
    assert (held.returncode, "--journal DIR" in held.stderr) == (5, True)


def test_embeddings_may_come_from_an_endpoint_of_their_own(tmp_path: Path) -> None:
    done = aide(
        "expand", SEEDS / "word_problems.jsonl", "--base-url", SIM, "--embeddings", "small-model",
        "--embeddings-url", "sim:", "--no-exam", "--target", "10", "-o", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    embedded = summary["steps"]["embed"]["small-model"]["calls"]
    assert embedded >= 20  # ten seeds and ten records
    assert summary["endpoints"]["embeddings"]["calls"] == embedded
    [chat] = [told for name, told in summary["endpoints"].items() if name != "embeddings"]
    assert chat["calls"] == summary["calls"] - embedded


def test_an_address_of_embeddings_that_is_none_is_told_before_anything_is_spent(tmp_path: Path) -> None:
    done = aide(
        "expand", SEEDS / "word_problems.jsonl", "--base-url", SIM, "--embeddings", "small-model",
        "--embeddings-url", "nowhere", "--target", "10", "-o", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 2
    assert "--embeddings-url: 'nowhere' is no URL" in done.stderr
