"""Records by their difficulty for a student: which are kept, and in which order they are written."""

import json
from typing import Any

import pytest

from aide.dataset.difficulty import make_difficulty_condition, order_lines
from aide.dataset.lines import RecordLine
from aide.errors import InputError


def line(**record: Any) -> RecordLine:
    return RecordLine(record, json.dumps(record).encode(), "test", 0)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("easy", [0, 0.25]),
        ("hard", [0.5, 0.75, 1]),
        ("spread", [0, 0.25, 0.5, 0.75, 1]),
        ("0.25-0.75", [0.25, 0.5, 0.75]),
        ("1-1", [1]),
    ],
)
def test_a_difficulty_is_a_word_or_a_range_with_both_ends(wanted: str, kept: list[float]) -> None:
    condition = make_difficulty_condition(wanted)
    tried = [0, 0.25, 0.5, 0.75, 1]
    assert [each for each in tried if condition({"scores": {"difficulty": each}})] == kept
    assert not condition({"scores": {"relevance": 9}}), "a record that no student saw"


@pytest.mark.parametrize("wanted", ["", "simple", "0.7", "0.7-0.2", "-1-2", "0-1.5", "0.1.2-0.3"])
def test_any_other_difficulty_is_refused(wanted: str) -> None:
    with pytest.raises(InputError, match="no difficulty"):
        make_difficulty_condition(wanted)


def test_an_order_puts_the_smallest_first_and_keeps_the_order_of_equals() -> None:
    tried = [0.5, None, 1, 0.5, 0, True, "late"]
    lines = [line(n=place, scores={} if each is None else {"d": each}) for place, each in enumerate(tried)]
    assert [each.record["n"] for each in order_lines(lines, "scores.d")] == [4, 0, 3, 2, 5, 6, 1]


def test_at_a_level_the_topics_take_turns_before_the_next_level_begins() -> None:
    rows = [("law", 1), ("law", 1), ("law", 1), ("tax", 2), ("tax", 1), ("law", 2), ("tax", 1)]
    lines = [line(n=place, topic=topic, level=level) for place, (topic, level) in enumerate(rows)]
    assert [each.record["n"] for each in order_lines(lines, "level", ["topic"])] == [0, 4, 1, 6, 2, 3, 5]
