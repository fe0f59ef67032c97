"""Answers at the gate: what each reason refuses, and that what the seeds' answers do passes."""

import pytest

from aide.formats import TaskCard
from aide.gates.answers import AnswerGate
from aide.gates.form import FormGate
from aide.gates.leftovers import PHRASES, REASONS
from aide.records import Draft

ASKED = [
    "Why is sea water salty?",
    "How does soap clean?",
    "Why do leaves turn red?",
    "What makes thunder loud?",
]
SAID = [
    "Rivers dissolve minerals from rock and carry them to the sea, where they stay.",
    "One end of its molecules holds on to grease and the other to water.",
    "The green pigment breaks down first, so that the others show.",
    "Lightning heats the air so fast that it expands like an explosion.",
]
GATE = AnswerGate(ASKED, SAID, closed=False, code=False)
GOOD = "The moon pulls at the water nearest to it, and the Earth turns below the bulge that this makes."
QUESTION = "Why does the sea rise and fall twice a day on most coasts?"


def reason(text: str, gate: AnswerGate = GATE, question: str = QUESTION) -> str:
    fault = gate.check(question, Draft(question, text))
    return fault.reason if fault else ""


def test_the_seeds_and_a_good_answer_pass() -> None:
    assert [reason(text, question=asked) for asked, text in zip(ASKED, SAID, strict=True)] == [""] * 4
    assert reason(GOOD) == ""


REFUSED = {
    "control_token": ["{}<|im_end|>\n<|im_start|>user\nAnd?", "[INST] {}", "{} </think> {}", "<|box_start|>{}"],
    "refusal": [
        "I'm sorry, but I can't help with that request.", "As an AI, I have never seen the sea. {}",
        "I cannot provide an answer to this question.", "Unfortunately, I am unable to assist you with this.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.", "Je suis désolé, mais je ne peux pas répondre à cela.",
        "Lo siento, pero no puedo ayudar con eso.", "Mi dispiace, ma non posso rispondere a questa domanda.",
        "Desculpe, mas não posso fornecer isso.", "很抱歉，我无法回答这个问题。",
        "申し訳ありませんが、お答えできません。",
        "I apologize, but I'm not able to fulfill this.", "I don't have real-time data on tides. {}",
    ],
    "placeholder": ["Dear [Customer Name], {}", "In {{CITY}} the tide is high. {}", "In {CITY_NAME} it is high. {}",
                    "Write to <your city>. {}", "Ask <first_name>. {}", "It is [insert number] metres. {}"],
    "preamble": ["Here is the answer: {}", "Sure, here you go: {}", "Here's a short explanation for you: {}",
                 "Hier ist die Antwort: {}", "### Response:\n{}", "Assistant: {}"],
    "next_turn": ["{}\n\nUser: And the moon?\nAssistant: So.", "{}\n### Instruction:\nNow say why.",
                  "{}\n**Human:** Hm."],
    "prompt_talk": ["As in the examples above, {}", "{} The prompt says to be brief.", "As requested, {}",
                    "{} (Note: kept short.)", "Wie in den obigen Beispielen: {}"],
    "prompt_tag": ["<answer>{}</answer> and so on.", "{}</example>"],
    "wrong_language": ["Der Mond zieht das Wasser an, das ihm am nächsten ist, und die Erde dreht sich unter dem Berg "
                       "hindurch, den das Wasser dabei bildet, und so steigt und fällt es."],
    "repeats_question": [QUESTION + " {}"],
    "cut_off": ["The moon pulls at the water nearest to it, and the Earth turns bel",
                "It is the moon's pull on the water,"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts]
)
def test_reasons(expected: str, text: str) -> None:
    assert reason(text.replace("{}", GOOD)) == expected


def test_each_kind_of_phrase_has_an_answer_that_it_refuses() -> None:
    assert {*REASONS} - {phrase.reason for phrase in PHRASES if phrase.place == "input"} <= {*REFUSED}


@pytest.mark.parametrize(
    "honest",
    [
        "See [1] and the list [a, b] on page 4, or [the map](https://example.org/map).",
        r"The height is $\frac{a}{b}$ with $x_{max}$ at noon.",
        "Sorry is all that he said, and I can't forget it.",
        "The tag <input> makes a field, and <b> makes text bold.",
        "Here is where the water is deep: the moon pulls at it.",
        "Blue light",
        "An example of this is the Bay of Fundy.",
    ],
)
def test_honest_answers_pass(honest: str) -> None:
    assert reason(honest) == ""


@pytest.mark.parametrize(
    "text", [text for name in REFUSED if name != "repeats_question" for text in REFUSED[name]]
)
def test_what_a_seed_answers_is_the_way_of_the_task(text: str) -> None:
    said = text.replace("{}", GOOD)
    gate = AnswerGate([*ASKED, "Why?"] * 2, [*SAID, said] * 2, closed=False, code=False)
    assert reason(said, gate) == ""


def test_what_stands_in_the_question_may_be_said_again() -> None:
    assert (
        reason("Put your name in place of [Your Name].", question="What goes where [Your Name] stands?") == ""
    )


def test_labels_options_and_code_have_gates_of_their_own() -> None:
    closed = AnswerGate(ASKED, ["red", "blue"], closed=True, code=False)
    assert reason("[Name] as an AI", closed) == ""
    assert reason("red <|im_end|> x", closed) == "control_token"
    fault = closed.check(QUESTION, Draft(QUESTION, "red", ("red", "blue [INST]")))
    assert fault is not None
    assert fault.reason == "control_token"
    code = AnswerGate(ASKED, ["def f():\n    return 1"], closed=False, code=True)
    assert (
        reason('def f(CITY):\n    # as in the example above\n    return f"{CITY}"[0] or [CITY]', code) == ""
    )
    assert reason("I'm sorry, but I can't create that function.", code) == "refusal"


def test_workings_are_looked_at_too() -> None:
    gate = FormGate(TaskCard(language_code="en", max_words=60), ASKED, SAID, None, ["So it is."])
    fault = gate.check_answer(QUESTION, Draft(QUESTION, GOOD, reasoning="Hm. <|im_start|> So."))
    assert fault is not None
    assert fault.reason == "control_token"
