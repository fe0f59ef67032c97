from collections.abc import Sequence

import pytest

from aide.errors import InputError
from aide.formats import FORMATS, Label, detect_format
from aide.formats.convention import apply_convention, find_convention, read_result
from aide.formats.labels import find_yes_no_pair
from aide.records import FORMATS as NAMES
from aide.records import Draft


def of(*outputs: str) -> list[Draft]:
    return [
        Draft(f"This is example number {n}, which speaks of nothing.", output)
        for n, output in enumerate(outputs)
    ]


PROSE = ("It rains because the air cools down.", "Nobody knows for certain.", "The king had no heir at all.")
CAPITALS = ("Paris", "Rome", "Lima", "Oslo", "Kuala Lumpur", "Accra")


def test_every_format_of_the_contract_is_registered() -> None:
    assert set(FORMATS) == set(NAMES)


@pytest.mark.parametrize(
    ("drafts", "format"),
    [
        (of(*PROSE), "free_text"),
        (of("yes", "no", "yes"), "yes_no"),
        (of("Ja", "Nein", "Ja."), "yes_no"),
        (of("はい", "いいえ"), "yes_no"),
        (of("True", "True"), "yes_no"),
        (of("refund", "delivery", "refund", "other", "delivery", "refund"), "classification"),
        (of("1 + 1 = 2\n#### 2", "I count 3 and 4.\n#### 7", "So it goes.\n#### 1,000"), "open"),
        (of("First add.\nAnswer: a dog", "Then look.\nAnswer: two cats", "Think.\nAnswer: no bird"), "open"),
        (of("12", "7", "3.5", "1000"), "open"),
        (of("def f(x):\n    return x", "import os\n\ndef g():\n    pass"), "code"),
        ([Draft("Write it.", "lambda x: x", tests=("assert f(1) == 1",))], "code"),
        ([Draft("Which?", "a", ("a", "b")), Draft("What?", "c", ("c", "d"))], "multiple_choice"),
        ([Draft("x", "b", ("a", "b", "c")), Draft("y", "c", ("c", "b", "a"))], "classification"),
        ([Draft("x", "Yes", ("Yes", "No")), Draft("y", "No", ("Yes", "No"))], "yes_no"),
        (
            [Draft("Paris is big.", "Paris"), Draft("Rome is old.", "Rome"), Draft("I like Lima.", "Lima")],
            "free_text",
        ),
    ],
)
def test_the_format_is_told_by_the_shape(drafts: Sequence[Draft], format: str) -> None:
    assert detect_format(drafts).name == format


def test_short_outputs_that_all_differ_are_for_the_person_to_decide() -> None:
    with pytest.raises(InputError) as caught:
        detect_format(of(*CAPITALS))
    assert caught.value.exit_code == 2
    assert "--labels" in caught.value.hint
    assert "--format" in caught.value.hint
    assert detect_format(of(*CAPITALS), "free_text").name == "free_text"
    assert detect_format(of(*CAPITALS), "auto", [Label(name) for name in CAPITALS]).name == "classification"


def test_what_the_person_says_goes_before_what_the_file_says() -> None:
    drafts = of(*PROSE)
    assert detect_format(drafts, "open", hint="free_text").name == "open"
    assert detect_format(drafts, hint="open").name == "open"
    assert detect_format(drafts, labels=["Ja", "Nein"], hint="open").name == "yes_no"


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(InputError, match="multiple_choise"):
        detect_format(of(*PROSE), "multiple_choise")


def test_options_beside_some_seeds_only_are_told() -> None:
    with pytest.raises(InputError, match="some"):
        detect_format([Draft("a", "b", ("b", "c")), Draft("d", "e")])


@pytest.mark.parametrize(
    ("outputs", "pair"),
    [
        (["yes", "no"], ("yes", "no")),
        (["No"], ("Yes", "No")),
        (["NEIN", "JA"], ("JA", "NEIN")),
        (["Sí", "No"], ("Sí", "No")),
        (["yes", "maybe"], ()),
        ([], ()),
    ],
)
def test_the_two_answers_keep_the_seeds_spelling(outputs: list[str], pair: tuple[str, ...]) -> None:
    assert find_yes_no_pair(outputs) == pair


@pytest.mark.parametrize(
    ("outputs", "convention"),
    [
        (["a\n#### 1", "b\n#### 23"], "#### <number>"),
        (["a\nAnswer: 1", "b\nAnswer: 23", "c\nAnswer: -0.5"], "Answer: <number>"),
        (["So 1 + 1 = 2. The answer is 2.", "As 5 > 3, 5 wins. The answer is 5."], "The answer is <number>."),
        (["x\nThus \\boxed{12}.", "y\nSo \\boxed{\\frac{1}{2}}"], "\\boxed{<answer>}"),
        (["a\nAntwort: Hund", "b\nAntwort: Katze"], "Antwort: <answer>"),
        (["12", "7"], "<number>"),
        (list(PROSE), ""),
        ([], ""),
    ],
)
def test_the_way_answers_end_is_found(outputs: list[str], convention: str) -> None:
    assert find_convention(outputs) == convention
    assert all(read_result(output, convention) for output in outputs if convention)


@pytest.mark.parametrize(
    ("text", "convention", "settled"),
    [
        ("Add.\n#### 7", "Answer: <number>", "Add.\nAnswer: 7"),
        (
            "Add.\nSo we get 3 + 4 = 7 apples in all.",
            "#### <number>",
            "Add.\nSo we get 3 + 4 = 7 apples in all.\n#### 7",
        ),
        ("Add.\n**Final answer:** 1,250", "#### <number>", "Add.\n#### 1,250"),
        ("It barks.\nThe answer is a dog.", "Answer: <answer>", "It barks.\nAnswer: a dog"),
        ("Nothing to see.", "#### <number>", "Nothing to see."),
        ("7", "#### <number>", "#### 7"),
    ],
)
def test_an_ending_is_rewritten_in_the_seeds_way(text: str, convention: str, settled: str) -> None:
    assert apply_convention(text, convention) == settled
