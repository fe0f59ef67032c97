"""Conditions that a person types: what they find, and what they refuse."""

import pytest

from aide.dataset.expression import compile_expression
from aide.errors import InputError

RECORD = {
    "id": "ab12",
    "input": "How many apples?",
    "output": "12",
    "choices": ["10", "12"],
    "lineage": {"hop": 2, "operation": "persona", "persona": "a cook", "triple": None, "anchored": True},
    "scores": {"relevance": 8, "correct": True},
}


@pytest.mark.parametrize(
    "text",
    [
        "scores.relevance >= 8",
        "lineage.hop == 2 and not lineage.triple",
        "1 < lineage.hop <= 2",
        "'apples' in input",
        "lineage.operation in ('persona', 'reasoning')",
        "output in choices",
        "len(input) > 10 and len(choices) == 2",
        "lineage.triple is None",
        "lineage.anchored == true and lineage.triple == null",
        "scores.correct",
        "scores.relevance > -1.5",
        "missing == None and missing.further == None",
        "lineage.hop == 9 or (id == 'ab12')",
        "  id == 'ab12'  ",
        "len(missing) == 0",
    ],
)
def test_holds(text: str) -> None:
    assert compile_expression(text)(RECORD) is True


@pytest.mark.parametrize(
    "text",
    [
        "scores.relevance < 8",
        "missing < 3",
        "missing >= 3",
        "input < 3",
        "'x' in missing",
        "'x' not in lineage.hop",
        "not scores.correct",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert compile_expression(text)(RECORD) is False


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "open('x')",
        "input.upper()",
        "(lambda: 1)()",
        "[x for x in choices]",
        "choices[0] == '10'",
        "scores.relevance + 1 > 3",
        "len(input, 3)",
        "len(input)(3)",
        "f'{input}'",
        "b'1' == input",
        "(x := 3)",
        "...",
        "1 if id else 2",
        "2 ** 9 ** 9 ** 9",
        "'a' * 10000000000",
        "len.x.y()",
        "'a'.b",
    ],
)
def test_refuses_what_is_not_a_condition(text: str) -> None:
    with pytest.raises(InputError, match="not allowed"):
        compile_expression(text)


@pytest.mark.parametrize(
    "text", ["", "   ", "a <", "a = 3", "a; b", "a\x00b", "(" * 5000, "import os", "not " * 2000 + "a"]
)
def test_says_what_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_expression(text)
    assert caught.value.hint
    assert len(str(caught.value)) < 300


def test_one_equals_sign_is_answered_with_two() -> None:
    for text, meant in (("lineage.hop = 1", True), ("a <= 3 and", False)):
        with pytest.raises(InputError) as caught:
            compile_expression(text)
        assert ("==" in caught.value.hint) is meant


def test_a_text_of_enormous_length_is_refused() -> None:
    with pytest.raises(InputError, match="characters"):
        compile_expression("a == 1 or " * 10_000 + "a")


def test_names_are_the_fields_it_speaks_of() -> None:
    assert compile_expression("len(input) > 3 and scores.relevance < lineage.hop or true").names == {
        "input", "scores.relevance", "lineage.hop",
    }  # fmt: skip


def test_private_attributes_are_only_names_of_fields() -> None:
    assert compile_expression("id.__class__.__mro__ == None")(RECORD) is True
