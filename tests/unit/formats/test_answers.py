import asyncio
import json

import pytest

from aide.errors import NodeError, Rejection
from aide.formats import FORMATS, Label, Question, TaskCard
from aide.records import WHOLE, Correction, Draft, Parts
from unit.formats.scripted import Scripted

CONTRACT = Parts(
    (("contract", "The lease runs for “two\nyears”. Rent is due on the first day."),),
    "question",
    "{contract}\n\n{question}",
)


def answer(ask: Scripted, card: TaskCard, question: Question) -> Draft:
    return asyncio.run(FORMATS[card.format].answer(ask, card, question))


def label(name: str, evidence: str | None = None) -> str:
    return json.dumps({"label": name} if evidence is None else {"evidence": evidence, "label": name})


TICKETS = TaskCard(
    format="classification", labels=(Label("refund", "money back"), Label("delivery"), Label("other"))
)


def test_one_blind_answer_that_agrees_is_enough() -> None:
    ask = Scripted(label("refund"))
    draft = answer(ask, TICKETS, Question("id", "I want my money.", label="refund"))
    assert (draft.input, draft.output) == ("I want my money.", "refund")
    assert ask.asked[0]["template"] == "answer/classification"


def test_the_blind_answer_sees_input_and_shuffled_labels_only() -> None:
    orders = set()
    for name in "abcdefgh":
        ask = Scripted(label("refund"))
        answer(ask, TICKETS, Question(name, "I want my money.", label="refund"))
        told = ask.asked[0]
        assert told.keys() == {
            "step", "payload", "template", "correction", "max_output", "question", "labels", "evidence",
            "parts", "demos", "draw",
        }  # fmt: skip
        orders.add(tuple(shown.name for shown in told["labels"]))
        assert told["payload"].schema["properties"]["label"]["enum"] == ["refund", "delivery", "other"]
    assert len(orders) > 1


def test_three_equal_blind_answers_relabel() -> None:
    ask = Scripted(*[label("other")] * 3)
    assert answer(ask, TICKETS, Question("id", "Hm.", label="refund")).output == "other"
    assert [told["draw"] for told in ask.asked] == [0, 1, 2]


def test_blind_answers_that_differ_are_a_mismatch_and_the_third_is_not_paid_for() -> None:
    ask = Scripted(label("other"), label("delivery"))
    with pytest.raises(Rejection) as caught:
        answer(ask, TICKETS, Question("id", "Hm.", label="refund"))
    assert (caught.value.step, caught.value.reason) == ("answer", "label_mismatch")
    assert len(ask.asked) == 2


def test_without_an_intended_label_the_first_answer_stands() -> None:
    assert answer(Scripted(label("other")), TICKETS, Question("id", "Hm.")).output == "other"


@pytest.mark.parametrize(
    "said", ["Refund.", '{"label": "REFUND"}', "Label: refund", "```\n{'label': 'refund'}\n```"]
)
def test_a_label_is_known_in_any_spelling(said: str) -> None:
    assert answer(Scripted(said), TICKETS, Question("id", "x", label="refund")).output == "refund"


def test_an_unknown_label_is_asked_again_with_the_list() -> None:
    ask = Scripted(label("complaint"), label("refund"))
    assert answer(ask, TICKETS, Question("id", "x", label="refund")).output == "refund"
    assert "refund, delivery, other" in ask.asked[1]["correction"].problem


def test_yes_no_answers_in_the_words_of_the_seeds() -> None:
    card = TaskCard(format="yes_no", labels=(Label("Ja"), Label("Nein")))
    assert answer(Scripted('{"label": "ja"}'), card, Question("id", "x", label="Ja")).output == "Ja"


def test_evidence_is_quoted_byte_for_byte_whatever_the_model_does_to_spaces_and_quotes() -> None:
    card = TaskCard(format="yes_no", labels=(Label("Yes"), Label("No")), fixed=("contract",))
    question = Question("id", "Two years?", CONTRACT, "Yes")
    ask = Scripted(label("Yes", 'the lease runs for "two years".'))
    assert answer(ask, card, question).evidence == "The lease runs for “two\nyears”."
    assert ask.asked[0]["evidence"] is True
    assert ask.asked[0]["parts"] == CONTRACT
    assert list(ask.asked[0]["payload"].schema["properties"]) == ["evidence", "label"]
    assert answer(Scripted(label("Yes", "none")), card, question).evidence == ""


def test_invented_evidence_is_corrected_once_then_rejected() -> None:
    card = TaskCard(format="free_text", fixed=("contract",))
    question = Question("id", "When is rent due?", CONTRACT)
    wrong = "On the first.\n<evidence>Rent is due monthly.</evidence>"
    right = "On the first.\n<evidence>Rent is due on the first day</evidence>"
    ask = Scripted(wrong, right)
    draft = answer(ask, card, question)
    assert (draft.output, draft.evidence) == ("On the first.", "Rent is due on the first day")
    assert ask.asked[1]["correction"].said == wrong
    assert "contract" in ask.asked[1]["correction"].problem
    for bad in (wrong, "On the first."):
        with pytest.raises(Rejection) as caught:
            answer(Scripted(bad, bad), card, question)
        assert (caught.value.step, caught.value.reason) == ("answer", "evidence_missing")


QUIZ = TaskCard(format="multiple_choice", options=3)


def options(correct: str, *wrong: str) -> str:
    return json.dumps({"correct": correct, "wrong": wrong})


def test_the_right_option_stands_anywhere_by_the_records_own_shuffle() -> None:
    places = set()
    for name in "abcdefghij":
        draft = answer(Scripted(options("one", "two", "three")), QUIZ, Question(name, "Which?"))
        again = answer(Scripted(options("one", "two", "three")), QUIZ, Question(name, "Which?"))
        assert draft == again
        assert draft.output == "one"
        assert sorted(draft.choices) == ["one", "three", "two"]
        places.add(draft.choices.index("one"))
    assert places == {0, 1, 2}


def test_letters_in_front_of_options_go() -> None:
    draft = answer(Scripted(options("A) one", "B) two", "C) three")), QUIZ, Question("id", "Which?"))
    assert sorted(draft.choices) == ["one", "three", "two"]


@pytest.mark.parametrize(
    "bad", [options("one", "two"), options("one", "two", "Two "), options("one", "ONE", "two")]
)
def test_bad_options_are_asked_again_once(bad: str) -> None:
    question = Question("id", "Which?")
    assert answer(Scripted(bad, options("one", "two", "three")), QUIZ, question).output == "one"
    with pytest.raises(NodeError) as caught:
        answer(Scripted(bad, bad), QUIZ, question)
    assert caught.value.reason in {"invalid", "broken_format"}


def test_the_options_schema_asks_for_exactly_as_many_as_the_seeds_have() -> None:
    ask = Scripted(options("one", "two", "three"))
    answer(ask, QUIZ, Question("id", "Which?"))
    wrong = ask.asked[0]["payload"].schema["properties"]["wrong"]
    assert (wrong["minItems"], wrong["maxItems"]) == (2, 2)


SUMS = TaskCard(format="open", convention="#### <number>")


@pytest.mark.parametrize(
    "said",
    [
        "2 + 2 = 4\n#### 4",
        "2 + 2 = 4\nThe answer is 4.",
        "2 + 2 = 4\n**Answer: 4**",
        "2 + 2 = 4\n\\boxed{4}",
        "2 + 2 = 4\n#### $4",
    ],
)
def test_a_worked_solution_ends_as_the_seeds_do(said: str) -> None:
    assert answer(Scripted(said), SUMS, Question("id", "2 + 2?")).output == "2 + 2 = 4\n#### 4"


def test_a_solution_without_a_result_is_asked_again_then_rejected() -> None:
    question = Question("id", "2 + 2?")
    ask = Scripted("I add them.", "2 + 2 = 4\n#### 4")
    assert answer(ask, SUMS, question).output.endswith("#### 4")
    with pytest.raises(Rejection) as caught:
        answer(Scripted("I add them.", "I add them."), SUMS, question)
    assert (caught.value.step, caught.value.reason) == ("answer", "broken_format")


def test_where_seeds_give_the_bare_result_the_working_is_kept_beside_it() -> None:
    card = TaskCard(format="open", convention="<number>", bare=True)
    draft = answer(Scripted("2 + 2 = 4\n4"), card, Question("id", "2 + 2?"))
    assert (draft.output, draft.reasoning) == ("4", "2 + 2 = 4\n4")


def test_free_text_is_taken_as_it_is() -> None:
    card = TaskCard(format="free_text")
    assert answer(Scripted(' "Because." '), card, Question("id", "Why?")).output == "Because."


PYTHON = TaskCard(format="code", code="python")
SOLUTION = "```python\ndef twice(x):\n    return 2 * x\n```"


def test_tests_come_first_and_neither_call_sees_the_other() -> None:
    ask = Scripted("```python\nimport math\nassert twice(2) == 4\nassert twice(0) == 0\n```", SOLUTION)
    draft = answer(ask, PYTHON, Question("id", "Write twice(x).", demos=()))
    assert [(told["step"], told["template"]) for told in ask.asked] == [
        ("tests", "answer/code_tests"),
        ("answer", "answer/code"),
    ]
    assert draft.tests == ("import math", "assert twice(2) == 4", "assert twice(0) == 0")
    assert draft.output == "def twice(x):\n    return 2 * x"
    assert "assert" not in str({key: value for key, value in ask.asked[1].items() if key != "payload"})


@pytest.mark.parametrize("bad", ["```python\nprint(1)\n```", "```python\nassert twice(\n```", "No tests."])
def test_tests_that_are_no_asserts_are_rejected_after_one_more_try(bad: str) -> None:
    with pytest.raises(NodeError):
        answer(Scripted(bad, bad), PYTHON, Question("id", "Write twice(x)."))


@pytest.mark.parametrize(
    "bad", ["```python\ndef twice(x)\n  return\n```", "```python\ndef double(x):\n    return 1\n```"]
)
def test_code_that_does_not_compile_or_defines_another_name_is_rejected(bad: str) -> None:
    with pytest.raises(Rejection) as caught:
        answer(Scripted("assert twice(2) == 4", bad, bad), PYTHON, Question("id", "Write twice(x)."))
    assert caught.value.reason == "broken_format"


def test_other_languages_are_kept_without_tests() -> None:
    card = TaskCard(format="code")
    draft = answer(Scripted("```js\nconst f = x => 2 * x;\n```"), card, Question("id", "Write f."))
    assert (draft.output, draft.tests) == ("const f = x => 2 * x;", ())


@pytest.mark.parametrize(
    ("card", "draft", "shown"),
    [
        (QUIZ, Draft("Which?", "b", ("a", "b", "c")), "A) a\nB) b\nC) c\nRight: B) b"),
        (TICKETS, Draft("x", "refund"), "refund"),
        (SUMS, Draft("x", "2 + 2 = 4\n#### 4"), "2 + 2 = 4\n#### 4"),
        (PYTHON, Draft("x", "pass"), "```\npass\n```"),
    ],
)
def test_answers_are_shown_as_their_format_has_them(card: TaskCard, draft: Draft, shown: str) -> None:
    assert FORMATS[card.format].render(draft) == shown


@pytest.mark.parametrize(
    ("card", "draft"),
    [
        (QUIZ, Draft("Which?", "d", ("a", "b", "c"))),
        (QUIZ, Draft("Which?", "a", ("a", "b"))),
        (QUIZ, Draft("Which?", "a", ("a", "b", ""))),
        (TICKETS, Draft("x", "Refund")),
        (SUMS, Draft("x", "4")),
        (TaskCard(format="open"), Draft("x", " ")),
        (TaskCard(format="free_text"), Draft("x", "")),
        (PYTHON, Draft("x", "def f(")),
    ],
)
def test_a_broken_draft_is_told_in_one_sentence(card: TaskCard, draft: Draft) -> None:
    problem = FORMATS[card.format].check(draft, card)
    assert problem
    assert "\n" not in problem


def test_corrections_and_draws_reach_the_model() -> None:
    correction = Correction("5", "The answer is wrong.")
    ask = Scripted("2 + 2 = 4\n#### 4")
    answer(ask, SUMS, Question("id", "2 + 2?", WHOLE, max_output=77, correction=correction, draw=2))
    told = ask.asked[0]
    assert (told["correction"], told["draw"], told["max_output"]) == (correction, 2, 77)
