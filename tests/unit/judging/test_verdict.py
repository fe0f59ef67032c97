"""The verdict: how it is asked for and read, and what follows from it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from aide.errors import Unusable
from aide.judging.verdict import VERDICT, Thresholds, apply_thresholds
from aide.records import Verdict

GOOD = Verdict("42", "Fine.", True, True, False, True, 8, 6)


def test_the_judge_solves_and_criticises_before_it_scores() -> None:
    assert VERDICT.schema is not None
    assert list(VERDICT.schema["properties"]) == [
        "own_answer", "critique", "on_task", "answerable", "gives_away", "correct", "relevance", "diversity",
    ]  # fmt: skip
    assert VERDICT.schema["properties"]["relevance"] == {"minimum": 1, "maximum": 10, "type": "integer"}
    assert VERDICT.schema["additionalProperties"] is False


def test_a_verdict_is_read() -> None:
    said = {
        "own_answer": 42, "critique": "Fine.", "on_task": True, "answerable": "true", "gives_away": False,
        "correct": True, "relevance": "8", "diversity": 6,
    }  # fmt: skip
    assert VERDICT.read(json.dumps(said)) == GOOD
    with pytest.raises(Unusable, match="relevance"):
        VERDICT.read(json.dumps({**said, "relevance": 11}))


def test_good_passes_and_grades_count_from_the_minimum_on() -> None:
    assert apply_thresholds(GOOD, Thresholds()).accepted
    assert apply_thresholds(replace(GOOD, relevance=7, diversity=5), Thresholds()).accepted
    assert not apply_thresholds(replace(GOOD, relevance=6), Thresholds()).accepted
    assert apply_thresholds(replace(GOOD, relevance=6), Thresholds(min_relevance=5)).accepted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"on_task": False, "correct": False}, "off_task"),
        ({"answerable": False, "relevance": 1}, "unanswerable"),
        ({"gives_away": True}, "gives_away"),
        ({"correct": False}, "wrong_answer"),
        ({"relevance": 6, "diversity": 1}, "low_relevance"),
        ({"diversity": 4}, "low_diversity"),
    ],
)
def test_the_first_failure_is_counted(change: dict[str, Any], reason: str) -> None:
    judgement = apply_thresholds(replace(GOOD, **change), Thresholds())
    assert not judgement.accepted
    assert judgement.reason == reason
    assert "Fine." in judgement.critique


def test_only_a_wrong_answer_alone_is_answered_again() -> None:
    alone = apply_thresholds(replace(GOOD, correct=False), Thresholds())
    assert alone.answer_only
    assert "42" in alone.critique
    both = apply_thresholds(replace(GOOD, correct=False, diversity=2), Thresholds())
    assert not both.answer_only
    assert "diversity 2 of 10" in both.critique
