"""Cells that hold nothing, in the ways that tables write it: they never become a text or a label."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds
from aide.seeds.values import is_missing

NOTHING = [
    "",
    " ",
    "NaN",
    "nan",
    "None",
    "null",
    "NULL",
    "NA",
    "N/A",
    "<NA>",
    None,
    float("nan"),
    float("inf"),
]


def load(folder: Path, text: str, name: str = "seeds.jsonl", **mapping: Any) -> LoadedSeeds:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_seeds([str(path)], SeedMapping(**mapping))


@pytest.mark.parametrize("value", NOTHING, ids=repr)
def test_what_pandas_takes_for_missing_is_missing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", ["none", "Nan", "nothing", "0", "-", 0, 0.0, False, [], "None of these"])
def test_words_and_numbers_are_not(value: Any) -> None:
    assert not is_missing(value)


@pytest.mark.parametrize("value", NOTHING, ids=repr)
@pytest.mark.parametrize("half", ["input", "output"])
def test_a_row_with_an_empty_half_is_told_by_its_line(tmp_path: Path, half: str, value: Any) -> None:
    good = {"input": "Is it on?", "output": "yes"}
    text = json.dumps(good) + "\n" + json.dumps({**good, half: value}) + "\n"
    with pytest.raises(InputError, match=rf"seeds\.jsonl:2: has (an empty|no) {half}"):
        load(tmp_path, text)


def test_a_table_with_gaps_is_told_by_its_lines_and_shows_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t\.csv:3: has an empty output \(it says NA\)") as fault:
        load(tmp_path, "text,label\nIt rains.,yes\nIt snows.,NA\n", "t.csv")
    assert "--labels" in (fault.value.hint or "")


def test_what_stands_among_the_labels_is_a_label(tmp_path: Path) -> None:
    loaded = load(tmp_path, "text,label\nIt rains.,yes\nIt snows.,NA\n", "t.csv", labels=("yes", "NA"))
    assert [seed.draft.output for seed in loaded.seeds] == ["yes", "NA"]


def test_an_option_may_be_called_none(tmp_path: Path) -> None:
    row = {"question": "How many are left?", "choices": ["One", "None"], "answer": "None"}
    assert load(tmp_path, json.dumps(row)).seeds[0].draft.output == "None"


def test_alpacas_empty_input_and_a_context_that_is_not_there(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Name a tree.", "input": float("nan"), "output": "Oak."},
        {"instruction": "Name a bird.", "input": "nan", "output": "Wren."},
    ]
    loaded = load(tmp_path, "\n".join(map(json.dumps, rows)))
    assert [seed.draft.input for seed in loaded.seeds] == ["Name a tree.", "Name a bird."]
    row = {"question": "Who?", "context": "NaN", "answer": "Me."}
    assert load(tmp_path, json.dumps(row)).seeds[0].parts.fixed == ()


@pytest.mark.parametrize("gap", [{"answer": None}, {}], ids=["null", "absent"])
def test_another_column_is_never_read_in_place_of_an_empty_one(tmp_path: Path, gap: dict[str, Any]) -> None:
    rows = [{"question": f"Question {n}?", "answer": f"Answer {n}.", "category": "x"} for n in range(3)]
    rows.append({"question": "Question 3?", "category": "x", **gap})
    with pytest.raises(InputError, match=r"seeds\.jsonl:4: has an empty answer"):
        load(tmp_path, "\n".join(map(json.dumps, rows)))


def test_another_name_for_the_same_column_is_read(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [{"question": f"Question {n}?", "answer": f"Answer {n}."} for n in range(3)]
    rows.append({"prompt": "Question 3?", "completion": "Answer 3."})
    assert len(load(tmp_path, "\n".join(map(json.dumps, rows))).seeds) == 4
