"""What code refuses of conversations, turn by turn."""

from aide.formats import TaskCard
from aide.gates.form import FormGate
from aide.records import Draft, ToolCall, Turn, join_words


def talk(*said: str) -> Draft:
    turns = tuple(Turn("assistant" if place % 2 else "user", text) for place, text in enumerate(said))
    return Draft(join_words(turns), said[-1], turns=turns)


SEEDS = [
    talk("Is the pool open today?", "It is, until nine.", "And on Sunday?", "On Sunday until six."),
    talk(
        "Do I need a cap?",
        "Yes, or you rent one for a euro.",
        "Where do I get one?",
        "At the till by the door.",
    ),
    talk(
        "I lost a blue towel",
        "Sorry to hear that. When was it?",
        "Yesterday at noon",
        "Then ask at the till, please.",
    ),
]
GATE = FormGate(
    TaskCard(format="chat", max_words=60),
    [seed.input for seed in SEEDS],
    [seed.output for seed in SEEDS],
    chats=SEEDS,
)


def reason(draft: Draft) -> str:
    fault = GATE.check_turns(draft)
    return fault.reason if fault else ""


def test_a_good_conversation_passes() -> None:
    assert (
        reason(talk("Is the sauna warm?", "From ten on.", "Is it mixed?", "On Fridays it is for women."))
        == ""
    )
    assert reason(Draft("no chat", "at all")) == ""


def test_a_turn_that_comes_again_is_refused_but_for_short_ones() -> None:
    again = talk(
        "When does it open?", "It opens at ten in the morning.", "Sure?", "It opens at ten in the morning."
    )
    assert reason(again) == "turn_repeated"
    assert reason(talk("Is it warm?", "Yes.", "Is it deep?", "Yes.")) == ""


def test_what_the_assistant_says_in_between_is_held_to_the_gates_of_answers() -> None:
    assert (
        reason(talk("Is it warm?", "As an AI language model, I can't swim.", "So?", "It is warm."))
        == "refusal"
    )
    assert reason(talk("Is it warm?", "It is, <|im_end|>", "So?", "It is warm.")) == "control_token"


def test_calls_are_no_texts() -> None:
    turns = (Turn("user", "Book lane 3"), Turn("assistant", "", (ToolCall("book", '{"lane": 3}'),)))
    called = Draft("Book lane 3", '[{"name": "book", "arguments": {"lane": 3}}]', turns=turns)
    assert GATE.check_turns(called) is None
    assert GATE.check_answer(called.input, called) is None


def test_the_last_answer_is_held_against_the_last_question() -> None:
    said = talk("Is it warm?", "Yes.", "How deep is the small one?", "How deep is the small one? A metre.")
    fault = GATE.check_answer(said.input, said)
    assert fault is not None
    assert fault.reason == "repeats_question"
