"""Steps that recipes share: what code checks first, whose votes count, what a record keeps of them."""

import asyncio
from typing import Any

import pytest

from aide.errors import Rejection
from aide.recipes import steps
from aide.recipes.base import Candidate
from aide.records import PLAIN, Comparison, Correction, Draft, Hop, Reading, Verdict
from aide.verify.answers import CheckedAnswer
from unit.recipes.scene import ANSWER, FRESH, INPUTS, Asked, Judged, Taken, make_context, make_hop

LABELS = ("travel", "money")
SOLVED = CheckedAnswer(Draft(FRESH, ANSWER))


def check(text: str, hop: Hop | None = None, **context: Any) -> str:
    """The reason for which an input is refused; empty where it passes."""
    try:
        asyncio.run(steps.check_input(make_context(**context), hop or make_hop(), Draft(text)))
    except Rejection as fault:
        assert fault.step == "synthesize"
        return fault.reason
    return ""


def reflect(
    found: CheckedAnswer,
    hop: Hop | None = None,
    *said: str,
    judge: Judged | None = None,
    reading: Reading | None = None,
    **context: Any,
) -> tuple[Verdict, CheckedAnswer, Candidate, Asked]:
    candidate, ask = Candidate(found.draft), Asked(*said)
    setting = make_context(judge=judge or Judged(), **context)
    verdict, after = asyncio.run(steps.reflect(setting, hop or make_hop(), found, candidate, ask, reading))
    assert ask.said == []
    return verdict, after, candidate, ask


# --- a new input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FRESH, ""),
        ("Too short, this.", "too_short"),
        ("many words " * 30, "too_long"),
        (INPUTS[0], "copy"),
        ("Wie viele Autos setzt die Fähre über, wenn sie achtzehn Wagen je Fahrt trägt und siebenmal am Tag ablegt, "
         "im Winter aber nur an drei Tagen der Woche?", "wrong_language"),
    ],
)  # fmt: skip
def test_code_refuses_what_it_can_see(text: str, reason: str) -> None:
    assert check(text) == reason


def test_a_text_is_held_to_its_drawn_traits() -> None:
    assert check(FRESH, make_hop(traits={"words": 17})) == ""
    assert check(FRESH, make_hop(traits={"words": 60})) == "off_traits"


def test_a_duplicate_is_refused_by_its_words_or_its_meaning() -> None:
    assert check(FRESH, deduplicator=Taken([FRESH])) == "duplicate"
    assert check(FRESH, deduplicator=Taken(meaning=[FRESH])) == "duplicate"


def test_people_say_the_same_in_other_words_and_so_may_plain_records() -> None:
    assert check(FRESH, make_hop(operation=PLAIN), deduplicator=Taken(meaning=[FRESH])) == ""
    assert check(FRESH, make_hop(operation=PLAIN), deduplicator=Taken([FRESH])) == "duplicate"


def test_nothing_more_is_paid_for_a_record_that_comes_too_late() -> None:
    assert check(FRESH, wants=lambda hop: False) == steps.NOT_NEEDED


# --- its answer -----------------------------------------------------------------------------------------------


def answer(
    draft: Draft, hop: Hop, *said: str, correction: Correction | None = None, **context: Any
) -> tuple[CheckedAnswer, Asked]:
    ask = Asked(*said)
    found = asyncio.run(steps.answer(make_context(**context), hop, draft, ask, correction))
    return found, ask


def test_a_label_is_the_one_that_the_hop_brought_and_costs_no_call() -> None:
    found, ask = answer(Draft(FRESH), make_hop(label="travel"), format="classification", labels=LABELS)
    assert (found.draft.output, ask.asked) == ("travel", [])


def test_a_label_is_answered_blind_where_a_vote_was_asked_for() -> None:
    said = ['{"label": "travel"}'] * 2
    found, ask = answer(
        Draft(FRESH), make_hop(label="travel"), *said, format="classification", labels=LABELS, agreement="2/3"
    )
    assert (found.draft.output, found.scores) == (
        "travel", {"agreement": "2/2", "label_shares": {"travel": 1.0}},
    )  # fmt: skip
    assert ask.steps == ["answer", "check"]


def test_an_answer_that_was_written_along_is_checked_as_any_other() -> None:
    found, ask = answer(SOLVED.draft, make_hop())
    assert (found.draft, ask.asked) == (SOLVED.draft, [])
    wrong = Draft(FRESH, "18 x 7 = 120\n#### 120")
    found, ask = answer(wrong, make_hop(), ANSWER)
    assert (found.draft.output, ask.steps) == (ANSWER, ["answer"])
    with pytest.raises(Rejection) as fault:
        answer(Draft(FRESH, "#### 2", ("a", "b")), make_hop(), format="multiple_choice")
    assert (fault.value.step, fault.value.reason) == ("answer", "broken_format")


def test_an_answer_that_was_wrong_is_asked_for_with_what_was_wrong() -> None:
    correction = Correction("#### 120", "Seven trips, not six.")
    found, ask = answer(SOLVED.draft, make_hop(), "#### 126", correction=correction)
    assert found.draft.output == "#### 126"
    assert ask.asked[0]["correction"] == correction


# --- the judge --------------------------------------------------------------------------------------------------


def test_record_and_judge_are_two_votes() -> None:
    verdict, found, candidate, _ = reflect(SOLVED)
    assert found.scores == {"agreement": "2/2"}
    assert candidate.scores == verdict.as_scores() == {"relevance": 9, "diversity": 8}


def test_where_they_differ_on_a_worked_answer_a_third_decides() -> None:
    judge = Judged([Reading("120", relevance=9)])
    _, found, _, ask = reflect(SOLVED, None, "#### 126", judge=judge)
    assert (found.draft, found.scores) == (SOLVED.draft, {"agreement": "2/3"})
    assert ask.steps == ["check"]
    _, found, _, _ = reflect(SOLVED, None, "#### 120", judge=Judged([Reading("120", relevance=9)]))
    assert found.draft.output == "#### 120"
    with pytest.raises(Rejection) as fault:
        reflect(SOLVED, None, "#### 9", judge=Judged([Reading("120", relevance=9)]))
    assert (fault.value.step, fault.value.reason) == ("answer", "no_agreement")


def test_without_a_quorum_a_difference_refuses_at_once() -> None:
    with pytest.raises(Rejection) as fault:
        reflect(SOLVED, judge=Judged([Reading("120", relevance=9)]), agreement="off")
    assert (fault.value.step, fault.value.reason) == ("reflect", "no_agreement")


@pytest.mark.parametrize(
    ("format", "label", "own", "reason"),
    [("classification", "travel", "money", "label_mismatch"), ("classification", "travel", "", "label_mismatch"),
     ("multiple_choice", None, "b", "no_agreement")],
)  # fmt: skip
def test_a_label_or_an_option_that_two_see_differently_is_not_clear_enough(
    format: str, label: str | None, own: str, reason: str
) -> None:
    found = CheckedAnswer(Draft(FRESH, label or "a", () if label else ("a", "b", "c")))
    with pytest.raises(Rejection) as fault:
        reflect(
            found,
            make_hop(label=label),
            judge=Judged([Reading(own, relevance=9)]),
            format=format,
            labels=LABELS,
        )
    assert (fault.value.step, fault.value.reason) == ("reflect", reason)
    assert (label or "a") in fault.value.detail


def test_a_text_that_reads_badly_is_neither_compared_nor_voted_on() -> None:
    judge = Judged([Reading("120", plausible=False, relevance=9)])
    verdict, found, candidate, ask = reflect(SOLVED, judge=judge)
    assert (verdict.comparison, found, ask.asked, judge.compared) == (None, SOLVED, [], [])
    assert candidate.scores == {"relevance": 9}


@pytest.mark.parametrize(
    ("format", "operation", "compared"),
    [
        ("open", "constraint", True),
        ("open", PLAIN, False),
        ("free_text", PLAIN, True),
        ("free_text", "constraint", True),
    ],
)
def test_there_is_a_comparison_where_there_is_something_to_compare(
    format: str, operation: str, compared: bool
) -> None:
    judge = Judged()
    verdict, _, _, _ = reflect(SOLVED, make_hop(operation=operation), judge=judge, format=format)
    assert bool(judge.compared) == bool(verdict.comparison) == compared


def test_free_text_is_right_where_the_judge_that_sees_the_answer_says_so() -> None:
    judge = Judged(comparisons=[Comparison(correct=False, fault="It is 3.")])
    verdict, found, _, _ = reflect(SOLVED, judge=judge, format="free_text")
    assert (verdict.comparison, found.scores) == (Comparison(correct=False, fault="It is 3."), {})


def test_a_text_that_was_read_is_not_read_again_for_another_answer() -> None:
    judge = Judged()
    known = Reading("126", relevance=7)
    verdict, _, _, _ = reflect(SOLVED, judge=judge, reading=known)
    assert (verdict.reading, judge.read_texts, len(judge.compared)) == (known, [], 1)


# --- the record -----------------------------------------------------------------------------------------------


def test_a_record_keeps_grades_votes_and_where_it_came_from() -> None:
    hop = make_hop(traits={"words": 17}, group="g")
    found = CheckedAnswer(SOLVED.draft, {"agreement": "2/2"})
    record = steps.make_record(make_context(), hop, found, Verdict(Reading("126", relevance=9)), 1)
    assert (record.id, record.task, record.format, record.draft) == (hop.id, "sums", "open", SOLVED.draft)
    assert dict(record.scores) == {"relevance": 9, "correct": True, "agreement": "2/2"}
    assert (record.revisions, dict(record.meta)) == (1, {"level": 3})
    assert (record.lineage.traits, record.lineage.group) == ({"words": 17}, "g")


def test_without_a_judge_a_record_claims_nothing() -> None:
    assert dict(steps.make_record(make_context(), make_hop(), SOLVED, None, 0).scores) == {}


def test_the_judge_s_label_is_a_vote_of_the_soft_label() -> None:
    voted = CheckedAnswer(
        Draft(FRESH, "money"), {"agreement": "2/3", "label_shares": {"money": 0.6667, "travel": 0.3333}},
        ("money", "travel", "money"),
    )  # fmt: skip
    hop = make_hop(label="money")
    _, after, _, _ = reflect(voted, hop, format="classification", labels=LABELS, agreement="2/3")
    assert after.scores == {"agreement": "2/3", "label_shares": {"money": 0.75, "travel": 0.25}}
