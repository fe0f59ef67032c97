"""When two answers say the same, what an answer comes down to, and what a wrong one looks like."""

import asyncio

import pytest

from aide.formats import FORMATS, Question, TaskCard
from aide.formats.comparing import is_same_answer
from aide.records import Draft, rng
from unit.formats.scripted import Scripted

OPEN = TaskCard(format="open", convention="#### <number>")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,200", "1200"), ("$1200.00", "1200"), ("1200 apples", "1,200"), ("1 200", "1200"),
        ("3.33", "3.333"), ("1/2", "0.5"), ("−7", "-7"), ("Blue whale.", "blue  whale"),
        (".5", "0.50"), ("1.234.567", "1234567"),
    ],
)  # fmt: skip
def test_the_same_answer_in_two_spellings(one: str, other: str) -> None:
    assert is_same_answer(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("12", "13"), ("3.3", "3.33"), ("10", "-10"), ("12", "twelve"), ("3:30", "3:45"), ("", "0")],
)
def test_different_answers(one: str, other: str) -> None:
    assert not is_same_answer(one, other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2 + 2 = 4\n#### 4", "4"),
        ("so 5 x 3 = 15 and\nthe answer is 1,500 dollars.", "1,500"),
        ("first 3, then 8 in all", "8"),
        (r"hence \boxed{42}", "42"),
        ("none at all", ""),
    ],
)
def test_the_final_answer_stands_at_its_marker_or_is_the_last_number(text: str, found: str) -> None:
    assert FORMATS["open"].extract_final_answer(Draft("q", text), OPEN) == found


def test_options_are_compared_as_they_stand() -> None:
    """A question of equal fractions offers both; of worked answers they are one."""
    assert FORMATS["open"].compare("2/4", "1/2")
    assert not FORMATS["multiple_choice"].compare("2/4", "1/2")
    assert FORMATS["yes_no"].compare("Yes.", "yes")


def test_wrong_outputs_are_known_where_the_set_of_outputs_is() -> None:
    quiz, label = Draft("Which?", "b", ("a", "b", "c")), Draft("x", "no")
    assert FORMATS["multiple_choice"].list_wrong_outputs(quiz, ()) == ["a", "c"]
    assert FORMATS["yes_no"].list_wrong_outputs(label, ("yes", "no")) == ["yes"]
    assert FORMATS["open"].list_wrong_outputs(Draft("2 + 2?", "4"), ()) == []


def test_a_solution_with_a_number_slips_in_the_last_one() -> None:
    wrong = FORMATS["open"].make_wrong(Draft("q", "2 + 2 = 4\n#### 09"), OPEN, (), rng("slip"))
    assert wrong is not None
    assert wrong.output.startswith("2 + 2 = 4\n#### ")
    assert 11 <= int(wrong.output[-2:]) <= 18


def test_code_is_answered_again_without_tests_of_its_own_and_under_the_name_that_those_given_call() -> None:
    model, card = (
        Scripted("```python\ndef add_two(x):\n    return x + 2\n```"),
        TaskCard(format="code", code="python"),
    )
    seed = Draft("Add two.", "def f(x):\n    return 2 + x", tests=("assert f(1) == 3",))
    again = asyncio.run(FORMATS["code"].answer_again(model, card, Question("id", seed.input), seed))
    assert again.output.endswith("\nf = add_two\n")
    assert again.tests == seed.tests
    assert len(model.asked) == 1
