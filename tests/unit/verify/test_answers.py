import asyncio
from collections.abc import Sequence

import pytest

from aide.errors import Rejection
from aide.formats import FORMATS, Question, TaskCard
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import Quorum
from aide.verify.answers import AnswerChecks
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
