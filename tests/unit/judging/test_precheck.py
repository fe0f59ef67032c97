"""What a blind reading of the seeds tells of model, judge and seeds."""

import asyncio
from collections.abc import Sequence

import pytest

from aide.formats import FORMATS, Demonstration, Label, TaskCard
from aide.formats.choices import NONE
from aide.judging.precheck import Precheck, SeedCheck, answer_seed, read_seed
from aide.judging.verdict import Thresholds
from aide.records import Comparison, Draft, Reading, Seed
from aide.sandbox.isolation import SandboxResult
from aide.verify.answers import AnswerChecks
from unit.formats.scripted import Scripted

TICKETS = TaskCard(format="classification", labels=(Label("card"), Label("cash")))
QUIZ = TaskCard(format="multiple_choice", options=3)
SUMS = TaskCard(format="open", convention="#### <number>")
PROSE = TaskCard(format="free_text")
CODE = TaskCard(format="code", code="python")
TICKET = Seed("t", Draft("Where is it?", "card"), name="ticket-1")
QUESTION = Seed("s", Draft("Which?", "two", ("one", "two", "three")), name="quiz-1")
SUM = Seed("n", Draft("How many?", "3 x 4 = 12\n#### 12"), name="sum-1")
WHY = Seed("f", Draft("Why?", "Because."))


def check(
    seed: Seed,
    card: TaskCard,
    reading: Reading | None,
    right: Comparison | None = None,
    wrong: Comparison | None = None,
) -> SeedCheck:
    return read_seed(seed, FORMATS[card.format], card, reading, right, wrong)


# --- one seed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "card", "own", "right"),
    [
        (TICKET, TICKETS, "card", True),
        (TICKET, TICKETS, "cash", False),
        (QUESTION, QUIZ, "two", True),
        (QUESTION, QUIZ, "", False),
        (SUM, SUMS, "12.0", True),
        (SUM, SUMS, "16", False),
        (WHY, PROSE, "Who knows.", None),
    ],
)
def test_the_judge_s_own_answer_is_held_against_the_seed_s(
    seed: Seed, card: TaskCard, own: str, right: bool | None
) -> None:
    found = check(seed, card, Reading(own))
    assert found.right is right
    assert found.said == own


def test_a_fault_that_would_refuse_a_new_record_is_told_and_a_low_grade_is_none() -> None:
    found = check(TICKET, TICKETS, Reading("card", plausible=False, relevance=4))
    assert (found.takes_right, found.reason, found.relevance) == (False, "implausible", 4)
    assert check(TICKET, TICKETS, Reading("card", relevance=1)).takes_right is True
    assert check(WHY, PROSE, Reading(), Comparison(diversity=1)).takes_right is True


def test_where_no_code_can_compare_the_judge_is_shown_a_right_and_a_wrong_answer() -> None:
    found = check(WHY, PROSE, Reading(), Comparison(correct=True), Comparison(correct=False))
    assert (found.right, found.takes_right, found.takes_wrong) == (None, True, False)
    fooled = check(WHY, PROSE, Reading(), Comparison(correct=False), Comparison(correct=True))
    assert (fooled.takes_right, fooled.reason, fooled.takes_wrong) == (False, "wrong_answer", True)


@pytest.mark.parametrize(("seed", "card", "right"), [(TICKET, TICKETS, False), (WHY, PROSE, None)])
def test_a_reading_that_cannot_be_read_is_no_right_answer(
    seed: Seed, card: TaskCard, right: bool | None
) -> None:
    found = check(seed, card, None)
    assert (found.said, found.right, found.takes_right, found.relevance) == (
        "(unreadable)",
        right,
        None,
        None,
    )


def test_a_check_comes_back_from_the_journal_as_it_was() -> None:
    found = check(TICKET, TICKETS, Reading("cash", relevance=6))
    assert SeedCheck.from_dict(found.as_dict()) == found


def test_a_check_of_version_0_1_is_read() -> None:
    old = {
        "name": "a", "expected": "x", "said": "y", "right": False, "takes_right": True, "takes_wrong": None,
    }  # fmt: skip
    found = SeedCheck.from_dict(old)
    assert (found.right, found.relevance, found.reason) == (False, None, "")
    assert Precheck((found,)).grades == ()


def test_long_answers_are_cut() -> None:
    essay = Seed("e", Draft("Why?", "word " * 200))
    found = check(essay, PROSE, Reading("other " * 200))
    assert len(found.expected) == len(found.said) == 200


# --- the solver's answer, where no judge gives one ------------------------------------------------------


def solve(
    seed: Seed, card: TaskCard, *said: str, demos: Sequence[Demonstration] = ()
) -> tuple[SeedCheck, Scripted]:
    ask = Scripted(*said)
    return asyncio.run(answer_seed(seed, AnswerChecks(FORMATS[card.format], card), demos, ask)), ask


def test_a_wrong_key_is_named_with_what_the_model_says() -> None:
    found, _ = solve(QUESTION, QUIZ, '{"label": "three"}')
    assert Precheck((found,)).list_misses() == ["quiz-1: the seed says 'two', the model 'three'"]
    assert solve(QUESTION, QUIZ, f'{{"label": "{NONE}"}}')[0].said == NONE


def test_no_demonstration_tells_the_answer() -> None:
    demos = (Demonstration("How many?", "12"), Demonstration("How few?", "3"))
    _, ask = solve(SUM, SUMS, "#### 12", demos=demos)
    assert ask.asked[0]["demos"] == demos[1:]


def test_a_model_that_cannot_answer_at_all_has_not_got_it_right() -> None:
    found, _ = solve(TICKET, TICKETS, "??", "??")
    assert (found.said, found.right) == ("(invalid)", False)


def test_a_solution_is_run_against_the_seed_s_tests() -> None:
    seed = Seed("c", Draft("Write f.", "def f(): return 2", tests=("assert f() == 2",)))

    async def run(code: str, tests: Sequence[str]) -> SandboxResult:
        return SandboxResult("return 2" in code, "" if "return 2" in code else "test 1: AssertionError")

    checks = AnswerChecks(FORMATS["code"], CODE, run=run)
    script = ("```\nassert f() == 2\n```", "```\ndef f(): return 3\n```")
    found = asyncio.run(answer_seed(seed, checks, (), Scripted(*script)))
    assert (found.said, found.right) == ("test 1: AssertionError", False)
    unrun, ask = solve(seed, CODE)
    assert (unrun.right, ask.asked) == (None, []), "what can't be run is not paid for"


# --- all seeds ------------------------------------------------------------------------------------------


def make_check(
    n: int = 0,
    *,
    right: bool | None = True,
    takes_right: bool | None = True,
    takes_wrong: bool | None = None,
    grade: int | None = None,
    said: str = "a",
    reason: str = "",
) -> SeedCheck:
    return SeedCheck(f"seed-{n}", "a", said, right, takes_right, takes_wrong, grade, reason)


def test_shares_count_what_could_be_compared() -> None:
    precheck = Precheck((make_check(), make_check(right=False), make_check(right=None, takes_right=None)))
    assert (precheck.right, precheck.takes_right, precheck.takes_wrong) == ((1, 2), (2, 2), (0, 0))
    assert precheck.share == 0.5
    assert Precheck((make_check(right=None),)).share == 1.0


@pytest.mark.parametrize(
    ("grades", "minimum"),
    [
        ([9] * 10, 7),
        ([6] * 10, 6),
        ([3, 3, *[8] * 8], 7),
        ([3, 3, 3, *[8] * 7], 3),
        ([6, 6, 6], 7),
        ([], 7),
    ],
)
def test_a_judge_that_gives_real_texts_a_six_must_not_ask_for_a_seven(
    grades: list[int], minimum: int
) -> None:
    precheck = Precheck(tuple(make_check(n, grade=grade) for n, grade in enumerate(grades)))
    assert precheck.calibrate(Thresholds()).min_relevance == minimum
    assert precheck.calibrate(Thresholds(min_relevance=2)).min_relevance == 2
    assert precheck.calibrate(Thresholds(min_diversity=3)).min_diversity == 3


def test_misses_are_listed_and_labels_that_are_taken_for_each_other() -> None:
    precheck = Precheck(tuple(make_check(n, right=False, said="b") for n in range(12)))
    listed = precheck.list_misses()
    assert listed[0] == "seed-0: the seed says 'a', the model 'b'"
    assert listed[-2:] == ["and 2 more", "'a' is taken for 'b' 12 times"]


def test_good_seeds_hold_a_hard_one_or_two_of_ten() -> None:
    checks = [make_check(n, right=n > 1, takes_right=n > 1, takes_wrong=n < 2) for n in range(10)]
    assert Precheck(tuple(checks)).list_warnings() == []


def test_a_weak_model_a_strict_judge_and_a_blind_one_are_warned_of() -> None:
    checks = [
        make_check(n, right=n > 3, takes_right=n > 4, takes_wrong=n < 3, reason="off_style" if n <= 4 else "")
        for n in range(10)
    ]
    told = [warning for warning, _ in Precheck(tuple(checks)).list_warnings()]
    assert told == [
        "the model got 4 of 10 seeds wrong",
        "the judge faults 5 of 10 seeds as it would new records, most as off_style",
        "the judge takes 3 of 10 wrong answers for right",
    ]


def test_one_sentence_says_it_all() -> None:
    checks = tuple(make_check(n, takes_wrong=n < 1, grade=5 + n) for n in range(4))
    assert Precheck(checks).describe() == (
        "precheck: the model got 4 of 4 seeds right, the judge finds no fault in 4 of 4, grades them 5 to 8, "
        "and takes 1 of 4 wrong answers for right"
    )


def test_the_summary_has_counts_grades_and_misses() -> None:
    precheck = Precheck((make_check(0, grade=8), make_check(1, right=False, said="b", grade=3)))
    assert precheck.as_dict() == {
        "right": {"n": 1, "of": 2}, "judge_takes_right": {"n": 2, "of": 2}, "judge_takes_wrong": {"n": 0, "of": 0},
        "relevance": [3, 8], "misses": [{"seed": "seed-1", "expected": "a", "said": "b"}],
    }  # fmt: skip
