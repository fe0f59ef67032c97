"""Texts that were written with their answers, and what a judge says who has not seen these."""

from collections import Counter

import pytest

from aide.formats import FORMATS, Label, TaskCard
from aide.records import Draft

QUIZ = TaskCard(format="multiple_choice", options=3)
TICKETS = TaskCard(
    format="classification", labels=(Label("card_arrival"), Label("Q1 refund"), Label("Q1 exchange"))
)
SUMS = TaskCard(format="open", convention="#### <number>")
BARE = TaskCard(format="open", convention="<number>", bare=True)
COLOURS = Draft("Which is the sky?", "blue", ("red", "blue", "green"))


def test_a_judge_answers_whatever_code_can_compare() -> None:
    for format in FORMATS.values():
        if format.comparable and not format.runs_tests:
            assert format.reading in ("labels", "options", "worked", "object", "label_set")
        assert format.reply in ("", "options", "worked", "chat")
        assert not (format.labelled and format.reply), "a label is found without sight of what was meant"


# --- what the judge is shown ------------------------------------------------------------------------------


def test_options_are_shown_with_letters_and_without_the_right_one() -> None:
    shown = FORMATS["multiple_choice"].show_to_judge(COLOURS)
    assert shown == "Which is the sky?\nA) red\nB) blue\nC) green"


@pytest.mark.parametrize("name", ["classification", "yes_no", "open", "free_text", "code"])
def test_all_others_show_the_text_alone(name: str) -> None:
    draft = Draft("What is due?", "The rent.", reasoning="It says so.", tests=("assert True",))
    assert FORMATS[name].show_to_judge(draft) == "What is due?"


# --- what it says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "own"),
    [("B", "blue"), ("b", "blue"), ("(B)", "blue"), ("B.", "blue"), ("blue", "blue"), ("B) blue", "blue"),
     ("D", ""), ("none", ""), ("", ""), ("purple", ""), ("A or B", "")],
)  # fmt: skip
def test_an_option_is_known_by_its_letter_or_its_text(said: str, own: str) -> None:
    assert FORMATS["multiple_choice"].read_own_answer(said, COLOURS, QUIZ) == own


def test_an_option_of_one_letter_is_a_letter() -> None:
    draft = Draft("Which vitamin?", "C", ("C", "D", "A"))
    assert FORMATS["multiple_choice"].read_own_answer("A", draft, QUIZ) == "C"


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("card_arrival", "card_arrival"),
        ("Card_Arrival.", "card_arrival"),
        ("lost card", "lost card"),
        ("", ""),
    ],
)
def test_a_label_is_spelled_as_the_card_does(said: str, own: str) -> None:
    assert FORMATS["classification"].read_own_answer(said, Draft(""), TICKETS) == own


@pytest.mark.parametrize(
    ("said", "second"),
    [("q1 refund", "Q1 refund"), ("card_arrival", ""), ("none", ""), ("", ""), ("something else", "")],
)
def test_a_second_label_is_another_one_of_the_card(said: str, second: str) -> None:
    assert FORMATS["classification"].read_second_answer(said, "card_arrival", TICKETS) == second


@pytest.mark.parametrize("name", ["multiple_choice", "open", "free_text", "code"])
def test_only_labels_have_a_second_answer(name: str) -> None:
    assert FORMATS[name].read_second_answer("card_arrival", "x", TICKETS) == ""


@pytest.mark.parametrize(("said", "own"), [("#### 12", "12"), ("12 apples", "12"), ("12", "12"), ("", "")])
def test_a_result_is_read_as_that_of_a_solution(said: str, own: str) -> None:
    format = FORMATS["open"]
    assert format.compare(format.read_own_answer(said, Draft(""), SUMS), own)


def test_labels_are_the_same_by_their_words_and_not_by_a_number_in_them() -> None:
    compare = FORMATS["classification"].compare
    assert compare("Q1 refund", "q1  refund.")
    assert not compare("Q1 refund", "Q1 exchange")
    assert not compare("card_arrival", "")


# --- what was written along -------------------------------------------------------------------------------


def test_the_right_option_stands_anywhere_by_the_id_of_the_record() -> None:
    written = Draft("Which?", "a) sun", ("a) sun", "b) moon", "c) mars"))
    finished = [FORMATS["multiple_choice"].finish(written, QUIZ, str(n)) for n in range(300)]
    assert {each.output for each in finished} == {"sun"}
    assert all(set(each.choices) == {"sun", "moon", "mars"} for each in finished)
    places = Counter(each.choices.index("sun") for each in finished)
    assert all(70 < count < 130 for count in places.values())
    assert FORMATS["multiple_choice"].finish(written, QUIZ, "7") == finished[7]


def test_a_solution_ends_as_the_seeds_do() -> None:
    finished = FORMATS["open"].finish(Draft("How many?", "3 x 4 = 12\nThe answer is 12"), SUMS, "id")
    assert finished == Draft("How many?", "3 x 4 = 12\n#### 12")


def test_where_seeds_give_the_bare_result_the_working_is_kept_beside_it() -> None:
    finished = FORMATS["open"].finish(Draft("How many?", "3 x 4 = 12\n12"), BARE, "id")
    assert (finished.input, finished.output) == ("How many?", "12")
    assert "3 x 4" in finished.reasoning


def test_labels_come_without_an_answer_and_stay_as_they_are() -> None:
    draft = Draft("Where is it?", "card_arrival")
    assert FORMATS["classification"].finish(draft, TICKETS, "id") == draft
