"""How new inputs come back from the writer: alone or several, with answers or without, junk among them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.errors import Unusable
from aide.formats import FORMATS, Label, TaskCard
from aide.parsing import find_places
from aide.recipes.writing import (
    EVIDENCE,
    Drafts,
    ItemsPayload,
    OnePayload,
    TextsPayload,
    WorkedPayload,
    choose_payload,
    finish_draft,
    name_input,
)
from aide.records import WHOLE, Draft, Hop, Parts, Point, Seed

TEXTS = TaskCard(format="classification", labels=(Label("a"), Label("b")))
CONTRACT = TaskCard(format="free_text", fixed=("contract",), varying="question")


def texts_of(found: Drafts) -> dict[int, str]:
    return {place: draft.input for place, draft in found.items()}


# --- which form -------------------------------------------------------------------------------------------


def test_json_is_used_only_where_a_text_is_a_line_or_an_option() -> None:
    assert isinstance(choose_payload(TEXTS, 1, ""), OnePayload)
    assert isinstance(choose_payload(TEXTS, 5, ""), TextsPayload)
    assert isinstance(choose_payload(TaskCard(format="open"), 5, "worked"), WorkedPayload)
    quiz = choose_payload(TaskCard(format="multiple_choice", options=4), 1, "options")
    assert isinstance(quiz, ItemsPayload)
    assert isinstance(choose_payload(CONTRACT, 3, EVIDENCE), ItemsPayload)


def test_an_input_is_called_what_the_task_calls_it() -> None:
    assert (name_input(TEXTS), name_input(CONTRACT)) == ("text", "question")


# --- one text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", ["Where is it?", ' "Where is it?" ', "```\nWhere is it?\n```", '{"text": "Where is it?"}']
)
def test_a_single_text_is_freed_of_what_stands_around_it(said: str) -> None:
    assert OnePayload().read(said) == {0: Draft("Where is it?")}


def test_nothing_is_no_text() -> None:
    with pytest.raises(Unusable):
        OnePayload().read('""')


# --- several texts ------------------------------------------------------------------------------------------


def test_the_schema_asks_for_as_many_as_there_are_lines() -> None:
    schema = TextsPayload(4).schema
    assert schema is not None
    texts = schema["properties"]["texts"]
    assert (texts["minItems"], texts["maxItems"], schema["additionalProperties"]) == (4, 4, False)


@pytest.mark.parametrize(
    "said",
    [
        '{"texts": ["one", "two"]}',
        '["one", "two"]',
        '{"items": ["one", "two"]}',
        '```json\n{"texts": [{"text": "one"}, {"text": "two"}]}\n```',
        '{"texts": ["one", "two", "three", "four"]}',
        'Here they are: {"texts": ["\\"one\\"", "two",]}',
    ],
)
def test_texts_come_in_their_order_and_no_more_than_asked(said: str) -> None:
    assert texts_of(TextsPayload(2).read(said)) == {0: "one", 1: "two"}


@pytest.mark.parametrize("junk", [None, "", "  ", '""', 7, {"a": "x", "b": "y"}, ["x"], {}])
def test_one_that_cannot_be_read_costs_itself_alone(junk: Any) -> None:
    said = json.dumps({"texts": ["one", junk, "three"]})
    assert texts_of(TextsPayload(3).read(said)) == {0: "one", 2: "three"}


def test_too_few_are_the_first_ones() -> None:
    assert texts_of(TextsPayload(3).read('{"texts": ["one"]}')) == {0: "one"}


@pytest.mark.parametrize("said", ['{"texts": []}', "{}", '{"texts": [1, 2]}', '"one"', "7"])
def test_where_there_is_none_the_model_is_told_what_is_wanted(said: str) -> None:
    with pytest.raises(Unusable, match="a list of 2 strings") as fault:
        TextsPayload(2).read(said)
    assert fault.value.said == said


# --- with options ---------------------------------------------------------------------------------------------


def item(stem: Any = "Which?", correct: Any = "a", wrong: Any = ("b", "c"), **more: Any) -> dict[str, Any]:
    return {
        "question": stem,
        "correct": correct,
        "wrong": list(wrong) if isinstance(wrong, tuple) else wrong,
        **more,
    }


def test_options_come_with_the_right_one_first() -> None:
    payload = ItemsPayload(2, "question", options=3)
    said = json.dumps({"items": [item(), item("Who?", " x ", ("y", "z"))]})
    assert payload.read(said) == {
        0: Draft("Which?", "a", ("a", "b", "c")),
        1: Draft("Who?", "x", ("x", "y", "z")),
    }
    assert payload.schema is not None
    fields = payload.schema["properties"]["items"]["items"]["properties"]
    assert list(fields) == ["question", "correct", "wrong"]
    assert (fields["wrong"]["minItems"], fields["wrong"]["maxItems"]) == (2, 2)


@pytest.mark.parametrize(
    "junk",
    [
        item(""),
        item(None),
        item(correct=None),
        item(wrong="b"),
        {"question": "Which?"},
        "Which?",
        None,
        item('""'),
    ],
)
def test_a_question_without_its_options_costs_itself_alone(junk: Any) -> None:
    said = json.dumps({"items": [item(), junk, item("Who?")]})
    assert texts_of(ItemsPayload(3, "question", options=3).read(said)) == {0: "Which?", 2: "Who?"}


def test_too_few_options_are_left_to_the_check_of_the_format() -> None:
    (draft,) = (
        ItemsPayload(1, "question", options=3).read(json.dumps({"items": [item(wrong=("b", 3))]})).values()
    )
    card = TaskCard(format="multiple_choice", options=3)
    assert FORMATS["multiple_choice"].check(draft, card) != ""


def test_a_question_may_come_with_the_passage_that_decides_it() -> None:
    payload = ItemsPayload(1, "question", evidence=True)
    assert payload.schema is not None
    assert list(payload.schema["properties"]["items"]["items"]["properties"]) == ["question", "evidence"]
    found = payload.read('{"items": [{"question": "When?", "evidence": "on the first day"}]}')
    assert found == {0: Draft("When?", evidence="on the first day")}
    assert payload.read('{"items": [{"question": "When?"}]}') == {0: Draft("When?")}


# --- with worked answers ----------------------------------------------------------------------------------------


def tag(n: object, text: str = "How many?", answer: str = "3 x 4 = 12\n#### 12") -> str:
    return f'<item n="{n}">{text}<answer>{answer}</answer></item>'


def test_worked_answers_come_in_tags_with_their_lines() -> None:
    found = WorkedPayload(2).read(f"{tag(1)}\n{tag(2, 'And then?', '#### 4')}")
    assert found == {0: Draft("How many?", "3 x 4 = 12\n#### 12"), 1: Draft("And then?", "#### 4")}


@pytest.mark.parametrize(
    "said",
    [
        "<item n=1>How many?<answer>4</answer></item><item n='2'>Who?<answer>I</answer></item>",
        'Sure!\n<item n="1">\nHow many?\n<answer>\n4\n</answer>\n</item>\n<item n="2">Who?<answer>I',
        '<item n="1">How many?<answer>4<item n="2">Who?<answer>I</answer></item>',
        '<item n="0">How many?<answer>4</answer></item><item n="1">Who?<answer>I</answer></item>',
    ],
)
def test_tags_are_read_however_they_are_closed_and_counted(said: str) -> None:
    assert WorkedPayload(2).read(said) == {0: Draft("How many?", "4"), 1: Draft("Who?", "I")}


@pytest.mark.parametrize(
    "junk", [tag(2, ""), tag(2, answer=""), tag(2, answer=" "), tag(7), '<item n="2">no answer</item>']
)
def test_an_item_without_its_half_costs_itself_alone(junk: str) -> None:
    assert texts_of(WorkedPayload(3).read(f"{tag(1)}{junk}{tag(3)}")) == {0: "How many?", 2: "How many?"}


def test_evidence_may_stand_in_the_answer_or_behind_it() -> None:
    inside = tag(1, "When?", "On the first.<evidence>due on the first</evidence>")
    behind = '<item n="1">When?<answer>On the first.</answer><evidence>due on the first</evidence></item>'
    for said in (inside, behind):
        assert WorkedPayload(1).read(said) == {
            0: Draft("When?", "On the first.", evidence="due on the first")
        }


@pytest.mark.parametrize("said", ["no tags", "<item>x<answer>y</answer></item>", tag(9)])
def test_where_nothing_can_be_read_the_model_is_shown_the_tags(said: str) -> None:
    with pytest.raises(Unusable, match="<item"):
        WorkedPayload(2).read(said)


@given(st.text(alphabet='<>/item n="12answer\n', max_size=200))
def test_whatever_is_written_it_is_read_or_refused(said: str) -> None:
    for payload in (WorkedPayload(2), TextsPayload(2), ItemsPayload(2, "text", options=3), OnePayload()):
        try:
            found = payload.read(said)
        except Unusable:
            continue
        assert set(found) <= {0, 1}
        assert all(draft.input.strip() for draft in found.values())


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "count", "places"),
    [
        ([1, 2, 3], 3, [0, 1, 2]),
        ([3, 1], 3, [2, 0]),
        ([0, 1, 2], 3, [0, 1, 2]),
        ([0, 1], 3, [0, 1]),
        ([1, 1], 3, [-1, -1]),
        ([1, 1, 1], 3, [0, 1, 2]),
        ([1, 4, -1], 3, [0, -1, -1]),
        ([0, 3], 3, [-1, 2]),
        ([], 3, []),
    ],
)
def test_a_number_says_which_item_it_is_unless_it_stands_twice(
    numbers: list[int], count: int, places: list[int]
) -> None:
    assert find_places(numbers, count) == places


# --- in the form of the format ------------------------------------------------------------------------------

PARTS = Parts((("contract", "Rent is due on the first day."),), "question", "{contract}\n{question}")
LONG = Parts(
    (("contract", "Rent is due on the first day. " + "word " * 1000),), "question", "{contract}\n{question}"
)


def make_hop(parts: Parts = WHOLE, label: str | None = None) -> Hop:
    draft = Draft("When?", "On the first.")
    return Hop(Seed("s", draft, parts), Point("s", draft, parts, 0), 1, "plain", label=label)


def finish(draft: Draft, hop: Hop, format: str = "free_text") -> Draft:
    card = TaskCard(format=format, fixed=("contract",) if hop.parent.parts.fixed else (), labels=TEXTS.labels)
    return finish_draft(FORMATS[format], card, hop, draft)


def test_a_draft_without_an_answer_stays_as_it_is() -> None:
    assert finish(Draft("When?"), make_hop()) == Draft("When?")


def test_a_quote_is_taken_from_the_part_byte_for_byte() -> None:
    draft = Draft("When?", "On the first.", evidence="rent is  due")
    assert finish(draft, make_hop(PARTS)) == Draft("When?", "On the first.", evidence="Rent is due")


@pytest.mark.parametrize("evidence", ["", "due on the tenth"])
def test_an_answer_whose_quote_is_made_up_is_asked_for(evidence: str) -> None:
    assert finish(Draft("When?", "On the first.", evidence=evidence), make_hop(PARTS)) == Draft("When?")


def test_that_a_part_is_silent_is_taken_only_where_the_judge_sees_all_of_it() -> None:
    draft = Draft("Are pets allowed?", "It does not say.", evidence="none")
    assert finish(draft, make_hop(PARTS)) == Draft("Are pets allowed?", "It does not say.")
    assert finish(draft, make_hop(LONG)) == Draft("Are pets allowed?")


def test_a_label_that_rests_on_a_part_is_the_one_that_was_asked_for() -> None:
    draft = Draft("When?", evidence="Rent is due")
    found = finish(draft, make_hop(PARTS, "a"), "classification")
    assert found == Draft("When?", "a", evidence="Rent is due")
    assert finish(Draft("When?"), make_hop(PARTS, "a"), "classification") == Draft("When?")
