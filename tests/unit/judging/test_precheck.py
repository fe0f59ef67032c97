import asyncio
from typing import Any

import pytest

from aide.formats import FORMATS, Label, TaskCard
from aide.formats.choices import NONE
from aide.judging.precheck import Precheck, SeedCheck, check_seed
from aide.records import Draft, Seed, rng
from aide.verify.answers import AnswerChecks
from unit.formats.scripted import Scripted

CHOICES = AnswerChecks(FORMATS["multiple_choice"], TaskCard(format="multiple_choice", options=3))
LABELS = AnswerChecks(
    FORMATS["classification"], TaskCard(format="classification", labels=(Label("a"), Label("b")))
)
NUMBERS = AnswerChecks(FORMATS["open"], TaskCard(format="open", convention="#### <number>"))
QUIZ = Seed("s", Draft("Which?", "two", ("one", "two", "three")), name="quiz-1")
SUM = Seed("n", Draft("How many?", "3 x 4 = 12\n#### 12"), name="sum-1")


def run_check(seed: Seed, checks: AnswerChecks, said: str, takes: Any) -> SeedCheck:
    async def judge(draft: Draft) -> bool:
        return bool(takes(draft))

    return asyncio.run(check_seed(seed, [seed], checks, (), Scripted(said), judge))


def test_a_wrong_key_is_named_with_what_the_model_says() -> None:
    check = run_check(QUIZ, CHOICES, '{"label": "three"}', lambda draft: draft.output == "three")
    precheck = Precheck((check,))
    assert precheck.list_misses() == ["quiz-1: the seed says 'two', the model 'three'"]
    assert (precheck.right, precheck.takes_right) == ((0, 1), (0, 1))
    assert precheck.list_warnings()[0][0] == "the model got 1 of 1 seeds wrong"


def test_numbers_are_compared_as_numbers() -> None:
    assert run_check(SUM, NUMBERS, "12.00 in all\n#### 12.00", lambda draft: True).right is True
    assert run_check(SUM, NUMBERS, "4 x 4 = 16\n#### 16", lambda draft: True).right is False


def test_a_judge_that_takes_everything_is_warned_of() -> None:
    precheck = Precheck(tuple(SeedCheck(str(n), "a", "a", True, True, True) for n in range(10)))
    assert (
        precheck.describe()
        == "precheck: the model got 10 of 10 seeds right; the judge accepts 10 of 10 right and 10 of 10 wrong answers"
    )
    assert [warning for warning, _ in precheck.list_warnings()] == [
        "the judge accepts 10 of 10 wrong answers"
    ]
    assert (
        Precheck(tuple(SeedCheck(str(n), "a", "a", True, True, n < 2) for n in range(10))).list_warnings()
        == []
    )


def test_labels_that_are_taken_for_each_other_are_told() -> None:
    precheck = Precheck(tuple(SeedCheck(str(n), "a", "b", False, True, False) for n in range(3)))
    assert precheck.list_misses()[-1] == "'a' is taken for 'b' 3 times"


@pytest.mark.parametrize(
    ("seed", "checks"), [(QUIZ, CHOICES), (SUM, NUMBERS), (Seed("l", Draft("t", "a")), LABELS)]
)
def test_the_wrong_answer_is_of_the_same_form_and_wrong(seed: Seed, checks: AnswerChecks) -> None:
    wrong = checks.format.make_wrong(seed.draft, checks.card, (), rng("wrong"))
    assert wrong is not None
    assert wrong.output != seed.draft.output
    assert checks.format.check(wrong, checks.card) == ""


def test_what_no_code_can_compare_counts_for_nobody() -> None:
    checks = AnswerChecks(FORMATS["free_text"], TaskCard(format="free_text"))
    seed, other = Seed("f", Draft("Why?", "Because.")), Seed("g", Draft("How?", "Like this."))

    async def judge(draft: Draft) -> bool:
        return draft.output == "Because."

    check = asyncio.run(check_seed(seed, [seed, other], checks, (), Scripted(), judge))
    assert (check.right, check.takes_right, check.takes_wrong) == (None, True, False)
    assert Precheck((check,)).share == 1.0


def test_none_of_the_options_is_an_answer_of_the_model() -> None:
    assert run_check(QUIZ, CHOICES, f'{{"label": "{NONE}"}}', lambda draft: True).said == NONE
