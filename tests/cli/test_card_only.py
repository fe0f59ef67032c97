"""`--card-only`: the task card is checked and shown, a person edits it, and nothing is paid for twice."""

import json
from pathlib import Path

from cli.shell import SEEDS, aide
from runs import simulate

TEXTS, TICKETS = SEEDS / "plain_explanations.jsonl", SEEDS / "support_tickets_de.jsonl"


def calls_of(folder: Path) -> int:
    return int(json.loads((folder / "summary.json").read_text())["calls"])


def test_a_run_goes_on_with_the_edited_card(tmp_path: Path) -> None:
    run = ("expand", TEXTS, "--base-url", "sim:", "--target", "6", "-o", tmp_path / "run")
    first = aide(*run, "--card-only")
    assert first.returncode == 0, first.stderr
    card = tmp_path / "run" / "task.toml"
    assert first.stderr.splitlines()[-1] == (
        f"edit {card}, then run the same command without --card-only; no answer is paid for twice"
    )
    assert not (tmp_path / "run" / "shards").exists() and not (tmp_path / "run" / "summary.json").exists()
    lines = card.read_text().splitlines()
    edited = ['task = "Explain it to a child."' if line.startswith("task = ") else line for line in lines]
    card.write_text("\n".join(edited) + "\n")
    done = aide(*run)
    assert done.returncode == 0, done.stderr
    assert "Explain it to a child." in done.stderr
    shard = (tmp_path / "run" / "shards" / "part-00000.jsonl").read_text()
    assert len(shard.splitlines()) == 6


def test_card_and_precheck_are_paid_for_once(tmp_path: Path) -> None:
    with simulate() as url:
        run = ("expand", TICKETS, "--base-url", url, "--model", "m", "--target", "8", "--concurrency", "1")
        whole = aide(*run, "-o", tmp_path / "whole")
        card = aide(*run, "-o", tmp_path / "parts", "--card-only")
        assert card.returncode == 0, card.stderr
        rest = aide(*run, "-o", tmp_path / "parts")
    assert whole.returncode == rest.returncode, rest.stderr
    assert calls_of(tmp_path / "parts") == calls_of(tmp_path / "whole")
    shards = [(tmp_path / name / "shards" / "part-00000.jsonl").read_text() for name in ("whole", "parts")]
    assert shards[0] == shards[1]


def test_the_summary_of_a_run_stays_when_its_card_is_shown_again(tmp_path: Path) -> None:
    run = ("expand", TEXTS, "--base-url", "sim:", "-o", tmp_path / "run", "--quiet")
    assert aide(*run, "--target", "5").returncode == 0
    before = (tmp_path / "run" / "summary.json").read_text()
    assert aide(*run, "--target", "9", "--card-only").returncode == 0
    assert (tmp_path / "run" / "summary.json").read_text() == before
    assert aide(*run, "--target", "9").returncode == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["accepted"] == 9
