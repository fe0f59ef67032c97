"""`aide stats` in a real shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.metrics.diversity import measure_distinct, measure_self_bleu
from aide.text.words import split_tokens
from cli.shell import aide

TEXTS = [
    f"A baker sells {n} {what} before noon. How many does he sell?"
    for n, what in enumerate(["rolls", "buns"] * 4)
]
SEED = {"id": "s1", "question": "A baker sells 7 loaves. How many does he sell?", "answer": "7"}


def record(place: int, text: str, seed: str) -> dict[str, Any]:
    operation = "persona" if place % 2 else "reasoning"
    lineage = {
        "seed_id": seed, "parent_id": seed, "hop": 1 + place // 4, "operation": operation, "triple": None,
        "persona": "a cook" if place % 2 else None, "anchored": False,
    }  # fmt: skip
    choices = ["one", "two", "three"]
    return {
        "id": f"r{place}",
        "input": text,
        "output": choices[place % 2],
        "choices": choices,
        "lineage": lineage,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_figures_are_those_of_the_measures(tmp_path: Path) -> None:
    from aide.seeds import load_seeds

    seeds = write(tmp_path / "seeds.jsonl", [SEED])
    seed = load_seeds([str(seeds)]).seeds[0]
    data = write(tmp_path / "data.jsonl", [record(place, text, seed.id) for place, text in enumerate(TEXTS)])
    human = write(
        tmp_path / "human.jsonl", [{"question": f"Who is number {n}?", "answer": "x"} for n in range(5)]
    )
    done = aide("stats", data, "--seeds", seeds, "--against", human, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    split = [split_tokens(text) for text in TEXTS]
    assert told["records"] == 8
    assert told["distinct_2"] == pytest.approx(measure_distinct(split, 2), abs=1e-4)
    assert told["self_bleu"] == pytest.approx(measure_self_bleu(split), abs=1e-4)
    assert told["self_bleu_sample"] == {"texts": 8, "seed": 0}
    assert told["option_positions"] == {"3": {"1": 4, "2": 4, "3": 0}}
    assert {name: group["records"] for name, group in told["by_hop"].items()} == {"1": 4, "2": 4}
    assert {name: group["measured"] for name, group in told["by_operation"].items()} == {
        "persona": 4,
        "reasoning": 4,
    }
    assert told["personas"] == {"different": 1, "records": 4, "most": 4}
    assert told["likeness"]["by_hop"]["1"]["records"] == 4
    assert told["against"]["texts"] == 5
    assert told["distribution"]["human"]["size"] == 5
    assert told["distribution"]["human"]["traits"]["sentences"]["2"] == {"these": 1.0, "those": 0.0}
    shown = aide("stats", data, "--seeds", seeds, "--against", human, "--sample", "6")
    assert "Self-BLEU of at most 6 texts, drawn with seed 0" in shown.stdout
    assert "these, human: 5 of each" in shown.stdout
    assert "longer than human data: 12 words, human data 4" in shown.stdout
    assert "begin alike" in shown.stdout
    assert "position of the correct one of 3 options: 1: 4, 2: 4, 3: 0" in shown.stdout


def test_labels_are_counted(tmp_path: Path) -> None:
    rows = [
        {"format": "classification", "input": text, "output": "ab"[place % 4 == 0]}
        for place, text in enumerate(TEXTS)
    ]
    done = aide("stats", write(tmp_path / "data.jsonl", rows), "--json")
    told = json.loads(done.stdout)
    assert told["labels"] == {"a": 6, "b": 2}
    assert told["label_evenness"] == pytest.approx(0.8113, abs=1e-4)


def test_nothing_to_measure_is_reported(tmp_path: Path) -> None:
    done = aide("stats", write(tmp_path / "empty.jsonl", []))
    assert done.returncode == 2
    assert "no records to measure" in done.stderr


def test_a_run_beside_human_data_is_kept_for_its_report(tmp_path: Path) -> None:
    run = tmp_path / "run"
    seeds = Path(__file__).parents[2] / "sample_seeds" / "word_problems.jsonl"
    aide("expand", seeds, "--base-url", "sim:", "--target", "30", "-o", run, "--quiet")
    assert aide("stats", run, "--json").returncode == 0
    assert not (run / "stats.json").exists()  # nothing to compare
    done = aide("stats", run, "--human", seeds)
    assert done.returncode == 0, done.stderr
    assert f"kept in {run}/stats.json" in done.stderr
    kept = json.loads((run / "stats.json").read_text())
    assert kept["records"] == 30
    assert kept["against"]["texts"] == 10
    aide("report", run)
    page = (run / "report.html").read_text()
    assert "Beside human data" in page
    assert "beside human data" in page
    assert "word_problems.jsonl" in page
    assert f"{kept['against']['those']['self_bleu']:.3f}" in page
    piped = aide("stats", run, run, "--against", seeds)  # not one run: whose comparison would it be?
    assert "kept in" not in piped.stderr


def write_own_columns(path: Path, texts: list[str]) -> Path:
    return write(path, [{"remark": text, "team": f"team {at % 2}"} for at, text in enumerate(texts)])


@pytest.mark.parametrize("option", ["", "--human"])
def test_columns_of_any_name_are_asked_for_and_then_read(option: str, tmp_path: Path) -> None:
    records = write(tmp_path / "r.jsonl", [record(at, text, "s1") for at, text in enumerate(TEXTS)])
    own = write_own_columns(tmp_path / "own.jsonl", TEXTS[:6])
    command = ("stats", records, option, own) if option else ("stats", own)
    asked = aide(*command)
    assert asked.returncode == 2
    assert "own.jsonl:1: has no input; its fields are remark, team" in asked.stderr
    named = ("--input-field", "remark", "--output-field", "team")
    assert f"own.jsonl {named[0]} {named[1]} {named[2]} {named[3]}" in asked.stderr, "a command that goes on"
    done = aide(*command, *named, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["against"]["texts"] if option else figures["records"]) == 6


def test_a_run_knows_the_columns_that_it_was_grown_from(tmp_path: Path) -> None:
    seeds = write_own_columns(tmp_path / "seeds.jsonl", [f"seed {text}" for text in TEXTS])
    run, named = tmp_path / "run", ("--input-field", "remark", "--output-field", "team")
    grown = aide("expand", seeds, *named, "--base-url", "sim:", "--target", "6", "-o", run, "--quiet")
    assert grown.returncode == 0, grown.stderr
    human = write_own_columns(tmp_path / "human.jsonl", TEXTS)
    done = aide("stats", run, "--human", human, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["distribution"]["human"]["size"] == len(TEXTS)
    usual = write(tmp_path / "usual.jsonl", [{"input": text, "output": "team 0"} for text in TEXTS])
    assert aide("stats", run, "--human", usual).returncode == 0, "names that are known are read as ever"
    assert aide("compare", run, "--gold", human).returncode == 0
