"""Reasoning from seeds to records and out again, in real processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.shell import SEEDS, aide

THINKS = "sim:?faults=think:1&near=0"
QUESTIONS = (
    "Which of the two paths to the lake is shorter in winter?",
    "Why does the old clock in the hall lose a minute a day?",
    "How do I keep bread fresh when the cellar is damp?",
    "Is it worth to repair a kettle that leaks at the spout?",
)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def make_rows(form: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for n, question in enumerate(QUESTIONS):
        thought, said = (
            f"There are {n} things to weigh.",
            f"It depends on the weather, and on {n} other things.",
        )
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
        made: dict[str, dict[str, Any]] = {
            "marks": {"question": question, "answer": f"<think>{thought}</think> {said}"},
            "column": {"question": question, "reasoning": thought, "answer": said},
            "turn": {"messages": [turns[0], {**turns[1], "reasoning_content": thought}]},
            "chat": {"messages": [
                {"role": "user", "content": "May I ask you something?"}, {"role": "assistant", "content": "You may."},
                turns[0], {**turns[1], "content": f"<think>{thought}</think> {said}"},
            ]},
            "none": {"question": question, "answer": said},
        }  # fmt: skip
        rows.append(made[form])
    return rows


def expand(folder: Path, form: str, *words: str) -> list[dict[str, Any]]:
    seeds = write(folder / "seeds.jsonl", make_rows(form))
    done = aide(
        "expand", seeds, "-o", folder / "out", "--base-url", THINKS, "--target", "4", "--realism", "0", *words
    )
    assert done.returncode == 0, done.stderr
    out = aide("records", folder / "out", "--json").stdout
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("form", ["marks", "column", "turn", "chat"])
def test_seeds_with_reasoning_give_records_with_reasoning_in_their_form(tmp_path: Path, form: str) -> None:
    records = expand(tmp_path, form)
    assert {record["reasoning"] for record in records} == {"What is wanted here?"}
    assert not any("think" in record["output"] for record in records)
    rows = [
        json.loads(line) for line in aide("export", tmp_path / "out", "--to", "seeds").stdout.splitlines()
    ]
    assert rows[0].keys() == make_rows(form)[0].keys()
    if form == "marks":
        assert rows[0]["answer"] == f"<think>What is wanted here?</think> {records[0]['output']}"
    elif form == "column":
        assert (rows[0]["reasoning"], rows[0]["answer"]) == ("What is wanted here?", records[0]["output"])
    elif form == "chat":
        shown = [turn["content"] for turn in rows[0]["messages"]]
        assert shown[-1] == f"<think>What is wanted here?</think> {records[0]['output']}"
        assert not any("think" in content for content in shown[:-1])
    else:
        last = rows[0]["messages"][-1]
        assert (last["reasoning_content"], last["content"]) == ("What is wanted here?", records[0]["output"])


def test_reasoning_that_no_record_has_comes_from_the_journal_without_a_call(tmp_path: Path) -> None:
    records = expand(tmp_path, "none", "--answer", "separate")
    assert not any("reasoning" in record for record in records)
    shown = aide("export", tmp_path / "out", "--reasoning", "think")
    turns = [json.loads(line)["messages"][-1]["content"] for line in shown.stdout.splitlines()]
    assert all(turn.startswith("<think>\nWhat is wanted here?\n</think>\n\n") for turn in turns)
    assert "without reasoning" not in shown.stderr
    refused = aide("export", tmp_path / "out", "--to", "dpo", "--reasoning", "think")
    assert refused.returncode == 2
    assert "compare answers alone" in refused.stderr


def test_a_model_that_shows_no_thoughts_is_told(tmp_path: Path) -> None:
    seeds = write(tmp_path / "seeds.jsonl", make_rows("marks"))
    done = aide("expand", seeds, "-o", tmp_path / "out", "--base-url", "sim:?near=0", "--target", "4")
    assert "4 of 4 records without reasoning" in done.stderr


@pytest.mark.parametrize("task", ["word_problems", "science_quiz", "support_tickets_de"])
def test_the_plan_knows_the_calls_that_answers_of_their_own_take(task: str) -> None:
    def plan(reasoning: str) -> int:
        words = ("--base-url", "sim:", "--target", "40", "--json", "--reasoning", reasoning)
        done = aide("plan", SEEDS / f"{task}.jsonl", *words)
        return int(json.loads(done.stdout)["expected"]["calls"])

    assert plan("auto") == plan("drop")
    assert 40 <= plan("keep") - plan("drop") <= 80
