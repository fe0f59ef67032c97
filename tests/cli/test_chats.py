"""Chats from the seeds to the exports, in real runs: the shape that came in goes out, whatever came between."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.seeds import load_seeds
from runs import SEEDS, aide, expand, few, lines, paid, records, summary

QUESTIONS = ("where do I park", "is there a shower", "may I bring a dog", "how deep is the lake")


def make_layouts() -> dict[str, list[dict[str, Any]]]:
    """Four chats of two turns in each layout."""
    said = [
        (
            f"hi, {question}?",
            "Do you mean today?",
            f"no, {question} on Monday",
            "On Monday as on any other day.",
        )
        for question in QUESTIONS
    ]
    sides = ("user", "assistant") * 2
    openai = [
        [{"role": role, "content": text} for role, text in zip(sides, each, strict=True)] for each in said
    ]
    names = {"user": "human", "assistant": "gpt"}
    sharegpt = [
        [{"from": names[role], "value": text} for role, text in zip(sides, each, strict=True)]
        for each in said
    ]
    head = {"role": "system", "content": "You keep the lido."}
    return {
        "messages": [{"messages": [head, *turns]} for turns in openai],
        "prompts that differ": [
            {"messages": [{**head, "content": f"You keep lido {n}."}, *turns]}
            for n, turns in enumerate(openai)
        ],
        "sharegpt": [{"conversations": turns, "system": "You keep the lido."} for turns in sharegpt],
        "text": [{"messages": json.dumps(turns)} for turns in openai],
        "trl": [{"prompt": turns[:-1], "completion": turns[-1:]} for turns in openai],
        "history": [
            {"instruction": each[2], "input": "", "output": each[3], "history": [list(each[:2])]}
            for each in said
        ],
    }


LAYOUTS = make_layouts()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_new_chats_go_out_in_the_layout_of_the_seeds(tmp_path: Path, layout: str) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(row) + "\n" for row in LAYOUTS[layout]))
    expand(seeds, tmp_path / "run", "--target", 3, "--yes", "--quiet")
    more = tmp_path / "more.jsonl"
    aide("export", tmp_path / "run", "--to", "seeds", "-o", more)
    before, after = load_seeds([str(seeds)]), load_seeds([str(more)])
    assert len(after.seeds) == 3
    assert (after.origin.columns, after.origin.roles, after.origin.shape) == (
        before.origin.columns,
        before.origin.roles,
        before.origin.shape,
    )
    kinds = {tuple(turn.role for turn in seed.draft.turns) for seed in (*before.seeds, *after.seeds)}
    assert len(kinds) == 1
    assert {seed.draft.system for seed in after.seeds} == {seed.draft.system for seed in before.seeds}


@pytest.mark.parametrize(
    "to", ["messages", "sharegpt", "prompt-completion", "llama-factory", "parquet", "dataset"]
)
def test_every_chat_export_takes_calls_and_results(tmp_path: Path, to: str) -> None:
    folder = tmp_path / "run"
    expand(SEEDS / "library_chats.jsonl", folder, "--target", 8, "--yes", "--quiet")
    assert {turn["role"] for record in records(folder) for turn in record["turns"]} >= {
        "user",
        "assistant",
        "tool",
    }
    dest = tmp_path / {"parquet": "x.parquet", "messages": "x.jsonl"}.get(to, "x")
    aide("export", folder, "--to", to, "-o", dest)
    if to == "messages":
        rows = lines(dest)
        assert all(row["messages"][0]["role"] == "system" for row in rows)
        assert [row["messages"][1:] for row in rows] == [record["turns"] for record in records(folder)]
        assert [row["tools"] for row in rows] == [record["tools"] for record in records(folder)]


def test_a_chat_that_ends_with_the_user_is_refused_or_answered(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    turns = [row["prompt"] for row in LAYOUTS["trl"]]
    seeds.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    told = expand(seeds, tmp_path / "run", "--target", 2, "--yes", code=2)
    assert "seeds.jsonl:1: has no answer: its last turn is the user's" in told
    assert "--answer-missing" in told
    expand(seeds, tmp_path / "run", "--target", 2, "--yes", "--quiet", "--answer-missing")
    assert [len(record["turns"]) for record in records(tmp_path / "run")] == [4, 4]
    assert summary(tmp_path / "run")["steps"]["answer"]["simulator"]["calls"] == len(turns)
    made = paid(tmp_path / "run")
    expand(seeds, tmp_path / "run", "--target", 2, "--yes", "--quiet", "--answer-missing")
    assert paid(tmp_path / "run") == made, "nothing is asked a second time"


def test_answer_and_grade_take_chats_in_any_layout(tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.jsonl"
    waiting.write_text(json.dumps({"messages": LAYOUTS["trl"][0]["prompt"]}) + "\n")
    shown = ("--seeds", few(tmp_path, "library_chats.jsonl"), "--base-url", "sim:")
    answered = json.loads(aide("answer", waiting, *shown, "--journal", tmp_path / "answers"))
    assert [turn["role"] for turn in answered["turns"]] == ["user", "assistant"] * 2
    assert answered["turns"][-1]["content"] == answered["output"]
    (tmp_path / "done.jsonl").write_text(json.dumps(answered) + "\n")
    graded = json.loads(aide("grade", tmp_path / "done.jsonl", *shown, "--journal", tmp_path / "grades"))
    assert 1 <= graded["scores"]["relevance"] <= 10


def test_one_that_wants_texts_gets_texts(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(row) + "\n" for row in LAYOUTS["messages"]))
    expand(seeds, tmp_path / "run", "--target", 2, "--yes", "--quiet", "--format", "free_text")
    assert all("turns" not in record for record in records(tmp_path / "run"))
