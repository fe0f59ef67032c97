from pathlib import Path

import pytest

from aide.dedup.contamination import BenchmarkItem
from aide.dedup.test_sets import read_test_items, row_as_item
from aide.errors import InputError

LETTERED = {"text": ["9 km", "7 km"], "label": ["A", "B"]}
CHAT = [{"role": "user", "content": "How far?"}, {"role": "assistant", "content": "9 km"}]


@pytest.mark.parametrize(
    ("row", "text", "options"),
    [
        ({"question": "How far?", "answer": "9 km"}, "How far?", ()),
        ({"question": "How far?"}, "How far?", ()),
        ({"prompt": "How far?", "choices": ["9 km", "7 km"]}, "How far?", ("9 km", "7 km")),
        ({"question": "How far?", "choices": LETTERED, "answerKey": "A"}, "How far?", ("9 km", "7 km")),
        ({"messages": CHAT}, "How far?", ()),
    ],
)
def test_rows_of_many_shapes_are_items(row: dict[str, object], text: str, options: tuple[str, ...]) -> None:
    item = row_as_item(row, "t:1")
    assert item is not None
    assert (item.text, item.options) == (text, options)


def test_of_parts_the_last_varies() -> None:
    row = {
        "input": "Deed: …\nQuestion: Who?",
        "output": "X",
        "parts": {"deed": "X owns it.", "question": "Who?"},
    }
    assert row_as_item(row, "t:1") == BenchmarkItem("t:1", "Who?", (), "X owns it.")


def test_a_named_column_goes_first() -> None:
    item = row_as_item({"question": "ignored", "stem": "How far?"}, "t:1", ("stem",))
    assert item is not None
    assert item.text == "How far?"


def test_files_are_read_and_a_row_without_a_question_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.jsonl"
    good.write_text("question,answer\nHow far?,9 km\n", encoding="utf-8")
    bad.write_text('{"question": "How far?"}\n{"n": 3}\n', encoding="utf-8")
    assert [item.text for item in read_test_items([str(good)])] == ["How far?"]
    with pytest.raises(InputError, match=r"bad\.jsonl:2: holds no question"):
        read_test_items([str(bad)])
