"""The judge's two parts: how they are asked for and read, and what follows from them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.errors import Unusable
from aide.judging.verdict import (
    ComparisonReply,
    ReadingReply,
    Thresholds,
    apply_thresholds,
    make_comparison_payload,
    make_reading_payload,
    to_comparison,
    to_reading,
)
from aide.records import Comparison, Reading, Verdict

SAID: dict[str, Any] = {
    "answer": "card", "second": "", "fault": "", "on_task": True, "in_style": True, "plausible": True,
    "answerable": True, "gives_away": False, "relevance": 8,
}  # fmt: skip
BESIDE: dict[str, Any] = {"fault": "", "correct": True, "residue": False, "diversity": 7}
LABELS = ("card", "cash")


def read(*rows: Any, count: int | None = None, answer: str = "labels") -> list[Any]:
    payload = make_reading_payload(answer, LABELS, len(rows) if count is None else count)
    return payload.read(json.dumps({"verdicts": rows}))


def grades(found: list[Any]) -> list[int | None]:
    return [None if reply is None else reply.relevance for reply in found]


# --- what is asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        ("labels", ["n", "answer", "second", "fault"]),
        ("options", ["n", "answer", "fault"]),
        ("worked", ["n", "working", "answer", "fault"]),
        ("text", ["n", "answer", "fault"]),
        ("", ["n", "fault"]),
    ],
)
def test_the_judge_answers_and_criticises_before_it_grades(answer: str, first: list[str]) -> None:
    schema = make_reading_payload(answer, LABELS, 3).schema
    assert schema is not None
    verdicts = schema["properties"]["verdicts"]
    assert (verdicts["minItems"], verdicts["maxItems"]) == (3, 3)
    item = verdicts["items"]
    assert list(item["properties"]) == [
        *first, "on_task", "in_style", "plausible", "answerable", "gives_away", "relevance",
    ]  # fmt: skip
    assert item["required"] == list(item["properties"])
    assert item["additionalProperties"] is schema["additionalProperties"] is False
    assert (item["properties"]["relevance"]["minimum"], item["properties"]["relevance"]["maximum"]) == (1, 10)


def test_a_label_is_one_of_the_card_and_a_second_one_may_be_none() -> None:
    schema = make_reading_payload("labels", LABELS, 1).schema
    assert schema is not None
    fields = schema["properties"]["verdicts"]["items"]["properties"]
    assert fields["answer"]["enum"] == [*LABELS]
    assert fields["second"]["enum"] == [*LABELS, ""]


@pytest.mark.parametrize(
    ("answers", "fields"),
    [(True, ["n", "fault", "correct", "residue", "diversity"]), (False, ["n", "residue", "diversity"])],
)
def test_part_two_asks_for_answers_only_where_they_are_shown(answers: bool, fields: list[str]) -> None:
    schema = make_comparison_payload(answers, 2).schema
    assert schema is not None
    assert list(schema["properties"]["verdicts"]["items"]["properties"]) == fields


# --- what comes back ------------------------------------------------------------------------------------


def test_verdicts_come_by_their_numbers_in_whatever_order() -> None:
    rows = [{**SAID, "n": n, "relevance": n} for n in (3, 1, 2)]
    assert grades(read(*rows)) == [1, 2, 3]


def test_without_numbers_they_come_in_their_order() -> None:
    assert grades(read(*({**SAID, "relevance": n} for n in (4, 5, 6)))) == [4, 5, 6]


def test_a_number_may_be_a_word_of_a_kind() -> None:
    rows = [{**SAID, "n": n, "relevance": at} for at, n in enumerate(("2.", "#1"), start=1)]
    assert grades(read(*rows)) == [2, 1]


def test_a_model_may_count_from_nought() -> None:
    """Read as they stand, each text but the last would have the verdict on the next."""
    assert grades(read(*({**SAID, "n": n, "relevance": n + 1} for n in range(3)))) == [1, 2, 3]


def test_what_is_missing_is_none_and_nobody_else_s() -> None:
    rows = [{**SAID, "n": n, "relevance": n} for n in (1, 3)]
    assert grades(read(*rows, count=3)) == [1, None, 3]


def test_a_number_that_stands_twice_counts_for_neither() -> None:
    rows = [{**SAID, "n": n, "relevance": at} for at, n in enumerate((1, 2, 2), start=1)]
    assert grades(read(*rows, count=4)) == [1, None, None, None]


def test_where_there_is_one_for_each_the_order_says_which_is_which() -> None:
    rows = [{**SAID, "n": 1, "relevance": at} for at in (1, 2, 3)]
    assert grades(read(*rows)) == [1, 2, 3]


def test_a_number_beyond_the_texts_is_nobody_s() -> None:
    rows = [{**SAID, "n": n, "relevance": n} for n in (1, 7)]
    assert grades(read(*rows, count=2)) == [1, None]


@pytest.mark.parametrize(
    "junk",
    [
        {**SAID, "relevance": 11},
        {**SAID, "relevance": 0},
        {"n": 2},
        "fine",
        None,
        [1],
        {**SAID, "on_task": "?"},
    ],
)
def test_one_that_cannot_be_read_costs_itself_alone(junk: Any) -> None:
    found = read({**SAID, "relevance": 3}, junk, {**SAID, "relevance": 5})
    assert grades(found) == [3, None, 5]


def test_a_single_verdict_may_come_without_its_list() -> None:
    payload = make_reading_payload("labels", LABELS, 1)
    assert grades(payload.read(json.dumps(SAID))) == [8]
    assert grades(payload.read(json.dumps([SAID]))) == [8]
    assert make_comparison_payload(True, 1).read(json.dumps(BESIDE))[0].diversity == 7


@pytest.mark.parametrize(
    "text", ['{"verdicts": []}', '{"verdicts": ["good"]}', '{"other": 1}', "[]", '"fine"']
)
def test_where_not_one_can_be_read_the_model_is_told_what_is_wanted(text: str) -> None:
    with pytest.raises(Unusable, match="a list of 2 objects") as fault:
        make_reading_payload("labels", LABELS, 2).read(text)
    assert fault.value.said == text


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["verdicts", *SAID, "n", "diversity"]), inner, max_size=8
    ),
))  # fmt: skip
def test_whatever_json_comes_it_is_read_or_refused(value: Any) -> None:
    payload = make_reading_payload("labels", LABELS, 3)
    try:
        found = payload.read(json.dumps(value))
    except Unusable:
        return
    assert len(found) == 3


# --- as values ------------------------------------------------------------------------------------------


def test_a_reading_has_the_answers_as_the_format_reads_them() -> None:
    reply = ReadingReply(n=1, **{**SAID, "fault": " too long. ", "in_style": False})
    assert to_reading(reply, "card", "cash") == Reading(
        "card", "cash", "too long.", True, False, True, True, False, 8
    )


@pytest.mark.parametrize("nothing", ["", "none", "None.", "N/A", "null", "-", " no "])
def test_a_word_for_nothing_is_no_fault(nothing: str) -> None:
    assert to_reading(ReadingReply(n=1, **{**SAID, "fault": nothing}), "card").fault == ""
    assert to_comparison(ComparisonReply(n=1, **{**BESIDE, "fault": nothing})).fault == ""


def test_a_comparison_without_answers_finds_them_right() -> None:
    assert to_comparison(ComparisonReply(n=1, residue=True, diversity=3)) == Comparison(True, True, 3, "")


# --- what follows -----------------------------------------------------------------------------------------

GOOD = Verdict(Reading("card", relevance=8), Comparison(diversity=6))


def judge(
    reading: dict[str, Any] | None = None, comparison: dict[str, Any] | None = None, **thresholds: Any
) -> tuple[bool, str, str]:
    verdict = Verdict(
        replace(GOOD.reading, **(reading or {})),
        replace(GOOD.comparison or Comparison(), **(comparison or {})),
    )
    found = apply_thresholds(verdict, Thresholds(**thresholds))
    return found.accepted, found.reason, found.critique


def test_good_passes_and_grades_count_from_the_minimum_on() -> None:
    assert judge() == (True, "", "")
    assert judge({"relevance": 7}, {"diversity": 5})[0]
    assert not judge({"relevance": 6})[0]
    assert judge({"relevance": 6}, min_relevance=6)[0]
    assert not judge(comparison={"diversity": 4})[0]
    assert judge(comparison={"diversity": 4}, min_diversity=4)[0]


@pytest.mark.parametrize(
    ("reading", "comparison", "reason"),
    [
        ({"on_task": False}, {}, "off_task"),
        ({"in_style": False}, {}, "off_style"),
        ({"plausible": False}, {}, "implausible"),
        ({"answerable": False}, {}, "unanswerable"),
        ({"second_answer": "cash"}, {}, "ambiguous"),
        ({"gives_away": True}, {}, "gives_away"),
        ({}, {"residue": True}, "residue"),
        ({}, {"correct": False}, "wrong_answer"),
        ({"relevance": 3}, {}, "low_relevance"),
        ({}, {"diversity": 2}, "low_diversity"),
    ],
)
def test_each_question_refuses_by_itself_under_a_reason_of_its_own(
    reading: dict[str, Any], comparison: dict[str, Any], reason: str
) -> None:
    accepted, found, critique = judge(reading, comparison)
    assert (accepted, found) == (False, reason)
    assert critique


def test_the_first_fault_is_counted_and_all_are_told() -> None:
    accepted, reason, critique = judge(
        {"in_style": False, "relevance": 2, "fault": "Nobody says 'henceforth'."},
        {"residue": True, "fault": "It is 3."},
    )
    assert (accepted, reason) == (False, "off_style")
    for told in ("not written as the examples", "rest of its parent", "2 of 10", "henceforth", "It is 3."):
        assert told in critique


def test_a_blemish_alone_refuses_nothing() -> None:
    assert judge({"fault": "A comma is missing."})[0]


def test_ambiguous_texts_may_be_kept() -> None:
    assert judge({"second_answer": "cash"}, keep_ambiguous=True)[0]


def test_without_part_two_nothing_of_it_is_asked() -> None:
    plain = Verdict(Reading("card", relevance=8))
    assert apply_thresholds(plain, Thresholds(min_diversity=10)).accepted


def test_scores_say_what_was_noticed() -> None:
    assert GOOD.as_scores() == {"relevance": 8, "diversity": 6}
    verdict = Verdict(Reading("card", "cash", "Too long.", relevance=6))
    assert verdict.as_scores() == {"relevance": 6, "second_answer": "cash", "fault": "Too long."}
