"""What is reported about odd seeds, and that sound ones are left alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aide.config.resources import find_file, list_names
from aide.config.spec import RunSpec
from aide.dataset.seed_lint import LintFinding, lint_seeds
from aide.run.inputs import read_inputs

PLAIN = [
    {
        "input": f"Tom has {n} apples and buys {n * 7} more at the market by the river. How many now?",
        "output": f"{n * 8}",
    }
    for n in range(3, 9)
]


def found(tmp_path: Path, *rows: Mapping[str, Any], **settings: Any) -> list[LintFinding]:
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return lint_seeds(read_inputs(RunSpec(**{"format": "free_text", **settings}), (str(path),)))


def kinds(findings: list[LintFinding]) -> set[str]:
    return {finding.kind for finding in findings}


@pytest.mark.parametrize("name", sorted(list_names("sample_seeds")))
def test_the_sample_seeds_are_sound(name: str) -> None:
    assert lint_seeds(read_inputs(RunSpec(), (str(find_file("sample_seeds", name)),))) == []


def test_the_same_question_with_two_answers_is_a_conflict(tmp_path: Path) -> None:
    rows = [{"input": "How far is it?", "output": "9 km"}, {"input": "how far is it", "output": "8 km"}]
    [conflict] = [each for each in found(tmp_path, *rows) if each.kind == "conflict"]
    assert conflict.seeds == (1, 2)


def test_rows_that_repeat_are_counted_and_near_ones_named(tmp_path: Path) -> None:
    other = {"input": PLAIN[0]["input"] + " Please.", "output": "1"}
    told = found(tmp_path, PLAIN[0], PLAIN[0], other)
    assert [each.message for each in told if each.kind == "duplicate"] == [
        "1 row repeats an earlier one and is left out"
    ]
    assert [each.seeds for each in told if each.kind == "alike"] == [(1, 2)]


def test_a_seed_that_is_built_differently_is_named(tmp_path: Path) -> None:
    odd = {"input": "Which?", "output": "b", "choices": ["a", "b", "c"]}
    [shape] = [each for each in found(tmp_path, *PLAIN[:3], odd) if each.kind == "shape"]
    assert shape.seeds == (4,)


def test_a_very_long_seed_is_named(tmp_path: Path) -> None:
    huge = {"input": "Once upon a time. " * 800, "output": "1"}
    [long] = [each for each in found(tmp_path, *PLAIN, huge) if each.kind == "long"]
    assert long.seeds == (len(PLAIN) + 1,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("write to jo.doe+x@mail.acme.co.uk today", "e-mail"),
        ("call +49 (0)30 1234-5678 now", "telephone"),
        ("call 030 1234 5678 now", "telephone"),
        ("pay to DE89 3704 0044 0532 0130 00 please", "IBAN"),
        ("my card is 4111 1111 1111 1111 until May", "card"),
        ("my number is 078-05-1120 since birth", "social security"),
    ],
)
def test_personal_data_is_reported_by_kind_and_not_repeated(text: str, told: str, tmp_path: Path) -> None:
    [personal] = [
        each for each in found(tmp_path, {"input": text, "output": "ok then"}) if each.kind == "personal"
    ]
    assert told in personal.message
    assert not any(
        word in personal.message for word in text.split() if any(c.isdigit() for c in word) or "@" in word
    )


@pytest.mark.parametrize(
    "text",
    [
        "What is 12 - 34 - 56 - 78?",
        "In 1998-2004 it sold 1,234,567,890 pieces.",
        "mail to someone@example.com",
        "DE89 3704 0044 0532 0130 01 has a wrong check digit",
        "4111 1111 1111 1112 is no card",
        "3.14159265358979",
        "SELECT 0.123456789012",
        "x = 0000000000000000",
    ],
)
def test_numbers_that_are_no_personal_data_are_left_alone(text: str, tmp_path: Path) -> None:
    assert "personal" not in kinds(found(tmp_path, {"input": text, "output": "ok then"}))


def test_a_label_without_a_seed_is_named(tmp_path: Path) -> None:
    rows = [
        {"input": f"{word} it is number {n}", "output": label}
        for n, (word, label) in enumerate([("yes", "a"), ("no", "b")] * 3)
    ]
    told = found(tmp_path, *rows, format="classification", labels=("a", "b", "c"))
    assert any(each.kind == "label" and " c" in each.message for each in told)


def test_few_seeds_are_reported(tmp_path: Path) -> None:
    assert "few" in kinds(found(tmp_path, PLAIN[0]))
    assert "few" not in kinds(found(tmp_path, *PLAIN))


def test_a_seed_in_another_language_is_named(tmp_path: Path) -> None:
    odd = {
        "input": "Tom hat vier Äpfel und kauft am Fluss auf dem Markt noch acht dazu, die er nach Hause trägt. "
        "Wie viele Äpfel hat er nun im Korb?",
        "output": "12",
    }
    long = [
        {**row, "input": f"{row['input']} Say it in one number, with no words around it."} for row in PLAIN
    ]
    [language] = [each for each in found(tmp_path, *long, odd) if each.kind == "language"]
    assert (language.seeds, language.message) == (
        (7,),
        "seed 7 has an input in German, where most are in English",
    )
