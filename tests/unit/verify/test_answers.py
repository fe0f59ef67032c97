import asyncio
from collections.abc import Sequence

import pytest

from aide.errors import Rejection
from aide.formats import FORMATS, Label, Question, TaskCard
from aide.records import Draft
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import Quorum
from aide.verify.answers import AnswerChecks, CheckedAnswer
from unit.formats.scripted import Scripted

OPEN = TaskCard(format="open", convention="#### <number>")
QUIZ = TaskCard(format="multiple_choice", options=3)
TWO = Quorum(2, 3)
OPTIONS = '{"correct": "blue", "wrong": ["red", "green"]}'


def test_a_wrong_line_means_answering_again_with_what_was_wrong() -> None:
    ask = Scripted("3 x 4 = 13\n#### 13", "3 x 4 = 12\n#### 12")
    checked = asyncio.run(AnswerChecks(FORMATS["open"], OPEN).answer(ask, Question("r", "q")))
    assert checked.draft.output.endswith("#### 12")
    assert "it comes to 12" in ask.asked[1]["correction"].problem
    with pytest.raises(Rejection) as lost:
        asyncio.run(
            AnswerChecks(FORMATS["open"], OPEN).answer(
                Scripted(*["2 + 2 = 5\n#### 5"] * 2), Question("r", "q")
            )
        )
    assert lost.value.reason == "wrong_arithmetic"


def test_further_answers_are_a_step_of_their_own_and_the_agreement_is_kept() -> None:
    ask = Scripted("#### 7", "#### 12", "so it is\n#### 12.0")
    checked = asyncio.run(AnswerChecks(FORMATS["open"], OPEN, TWO).answer(ask, Question("r", "q")))
    assert (checked.draft.output, checked.scores) == ("#### 12", {"agreement": "2/3"})
    assert [(asked["step"], asked["draw"]) for asked in ask.asked] == [
        ("answer", 0),
        ("check", 1),
        ("check", 2),
    ]


def test_disagreement_rejects_and_says_what_was_answered() -> None:
    with pytest.raises(Rejection) as lost:
        ask = Scripted("#### 7", "#### 8", "1 + 1 = 3\n#### 7")
        asyncio.run(AnswerChecks(FORMATS["open"], OPEN, TWO).answer(ask, Question("r", "q")))
    assert (lost.value.reason, lost.value.detail) == ("no_agreement", "1/3 agreed: 7, 8, nothing")


def test_options_are_chosen_blind_and_only_the_marked_one_can_win() -> None:
    checks = AnswerChecks(FORMATS["multiple_choice"], QUIZ, TWO)
    ask = Scripted(OPTIONS, '{"label": "red"}', '{"label": "Blue"}')
    checked = asyncio.run(checks.answer(ask, Question("r", "q")))
    assert (checked.draft.output, checked.scores) == ("blue", {"agreement": "2/3"})
    shown = [[label.name for label in asked["labels"]] for asked in ask.asked[1:]]
    assert all(sorted(names[:-1]) == ["blue", "green", "red"] for names in shown)
    with pytest.raises(Rejection):
        asyncio.run(checks.answer(Scripted(OPTIONS, *['{"label": "red"}'] * 2), Question("r", "q")))


KINDS = TaskCard(format="classification", labels=(Label("late"), Label("lost"), Label("broken")))


def test_labels_keep_the_shares_of_their_votes_and_the_judge_s_vote_joins_them() -> None:
    checks = AnswerChecks(FORMATS["classification"], KINDS, Quorum(3, 5))
    ask = Scripted(*(f'{{"label": "{said}"}}' for said in ("lost", "hm", "hm", "late", "lost", "lost")))
    checked = asyncio.run(checks.answer(ask, Question("r", "q", label="lost")))
    assert (checked.draft.output, checked.scores["agreement"]) == ("lost", "3/5")
    assert checked.scores["label_shares"] == {"lost": 0.75, "late": 0.25}, "what is no label is no vote"
    assert checked.with_vote("late").scores == {
        "agreement": "3/5",
        "label_shares": {"lost": 0.6, "late": 0.4},
    }
    assert checked.with_vote("").scores == checked.scores


def test_where_no_vote_was_held_there_are_no_shares() -> None:
    checks = AnswerChecks(FORMATS["classification"], KINDS)
    checked = asyncio.run(checks.answer(Scripted('{"label": "late"}'), Question("r", "q")))
    assert (checked.scores, checked.with_vote("lost").scores) == ({}, {})


def test_a_solution_that_fails_its_tests_is_written_once_more() -> None:
    card = TaskCard(format="code", code="python")
    tests, first, second = (
        "```\nassert f() == 2\n```",
        "```\ndef f(): return 3\n```",
        "```\ndef f(): return 2\n```",
    )

    async def run(code: str, tests: Sequence[str]) -> SandboxResult:
        return SandboxResult("2" in code, "" if "2" in code else "test 1: AssertionError")

    script = (tests, first, tests, second)
    checked = asyncio.run(
        AnswerChecks(FORMATS["code"], card, None, run).answer(Scripted(*script), Question("r", "q"))
    )
    assert (checked.draft.output, checked.scores) == ("def f(): return 2", {"tests": "passed"})
    with pytest.raises(Rejection) as lost:
        asyncio.run(
            AnswerChecks(FORMATS["code"], card, None, run).answer(
                Scripted(tests, first, tests, first), Question("r", "q")
            )
        )
    assert (lost.value.reason, lost.value.detail) == ("tests_failed", "test 1: AssertionError")
    kept = asyncio.run(AnswerChecks(FORMATS["code"], card).answer(Scripted(tests, first), Question("r", "q")))
    assert kept.scores == {"tests": "unverified"}


# --- the judge's own answer is a vote -------------------------------------------------------------------

SEVEN = CheckedAnswer(Draft("q", "3 + 4 = 7\n#### 7"))


def decide(
    ask: Scripted, own_answer: str, found: CheckedAnswer = SEVEN, quorum: Quorum = TWO
) -> CheckedAnswer:
    checks = AnswerChecks(FORMATS["open"], OPEN, quorum, eager=False)
    return asyncio.run(checks.decide(ask, Question("r", "q"), found, own_answer))


def test_where_judge_and_record_differ_one_more_answer_decides() -> None:
    ask = Scripted("#### 7")
    decided = decide(ask, "8")
    assert (decided.draft, decided.scores) == (SEVEN.draft, {"agreement": "2/3"})
    assert [(asked["step"], asked["draw"]) for asked in ask.asked] == [("check", 2)]


def test_where_the_further_answer_is_the_judge_s_it_takes_the_place_of_the_record_s() -> None:
    decided = decide(Scripted("4 + 4 = 8\n#### 8"), "8.0")
    assert decided.draft.output == "4 + 4 = 8\n#### 8"
    assert decided.scores == {"agreement": "2/3"}


def test_three_opinions_refuse_the_record() -> None:
    with pytest.raises(Rejection) as lost:
        decide(Scripted("#### 9"), "8")
    assert (lost.value.step, lost.value.reason) == ("answer", "no_agreement")
    assert lost.value.detail == "1/3 agreed: 7, 8, 9"


def test_a_judge_without_an_answer_is_a_vote_for_nothing() -> None:
    assert decide(Scripted("#### 7"), "").draft == SEVEN.draft
    with pytest.raises(Rejection):
        decide(Scripted("#### 9"), "")


def test_a_record_whose_answer_has_stood_its_vote_is_not_voted_on_again() -> None:
    voted = CheckedAnswer(SEVEN.draft, {"agreement": "2/2"})
    with pytest.raises(Rejection) as lost:
        decide(Scripted(), "8", voted)
    assert (lost.value.reason, lost.value.detail) == ("no_agreement", "2/2 agreed, and the judge does not")


def test_a_vote_that_is_not_eager_waits_for_the_judge() -> None:
    ask = Scripted("#### 7")
    checks = AnswerChecks(FORMATS["open"], OPEN, TWO, eager=False)
    checked = asyncio.run(checks.answer(ask, Question("r", "q")))
    assert (checked.draft.output, checked.scores, len(ask.asked)) == ("#### 7", {}, 1)


def test_an_answer_that_came_with_its_question_is_not_asked_for() -> None:
    ask = Scripted()
    checks = AnswerChecks(FORMATS["open"], OPEN)
    assert asyncio.run(checks.answer(ask, Question("r", "q"), SEVEN.draft)).draft == SEVEN.draft
    wrong = Draft("q", "3 + 4 = 8\n#### 8")
    again = Scripted("3 + 4 = 7\n#### 7")
    assert asyncio.run(checks.answer(again, Question("r", "q"), wrong)).draft.output == SEVEN.draft.output
    assert "it comes to 7" in again.asked[0]["correction"].problem


def test_one_more_vote_is_held_at_once_where_a_number_was_asked_for() -> None:
    ask = Scripted("#### 7")
    checks = AnswerChecks(FORMATS["open"], OPEN, TWO)
    checked = asyncio.run(checks.answer(ask, Question("r", "q"), SEVEN.draft))
    assert checked.scores == {"agreement": "2/2"}
    assert [asked["step"] for asked in ask.asked] == ["check"]
