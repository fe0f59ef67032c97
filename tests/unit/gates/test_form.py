"""The gate: what is refused and why, and that people's own texts pass."""

import json
import os
from pathlib import Path

import pytest

from aide.formats import Label, TaskCard
from aide.gates.form import FormGate
from aide.gates.language import LanguageCheck
from aide.records import Draft

SEEDS = [
    "My parcel came today and the box was crushed. The lamp inside has a crack, what can I do about it?",
    "hi, I ordered two blue shirts last week but only one was in the bag, when will the other one come",
    "The app shows my refund as sent, yet nothing has reached my account after nine days. Please check.",
]
ANSWERS = ["damaged_item", "missing_item", "refund_late"]
LABELS = tuple(Label(name) for name in (*ANSWERS, "praise", "wrong size or colour"))
CARD = TaskCard(
    language="English", language_code="en", format="classification", labels=LABELS, min_words=8, max_words=40
)
GATE = FormGate(CARD, SEEDS, ANSWERS)
GOOD = "The kettle I bought in May leaks at the bottom and my kitchen floor is wet. Can you send a new one?"


def reason(text: str, gate: FormGate = GATE, seed: str = SEEDS[0], parent: str = SEEDS[1]) -> str:
    fault = gate.check(text, seed=seed, parent=parent)
    return fault.reason if fault else ""


def test_seeds_and_a_good_text_pass() -> None:
    assert reason(GOOD) == ""
    assert [reason(text, seed=SEEDS[at - 1], parent=SEEDS[at - 2]) for at, text in enumerate(SEEDS)] == [
        "",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  \n", "empty"),
        ("Where is it?", "too_short"),
        (GOOD + " " + GOOD, "too_long"),
        (SEEDS[0].upper(), "copy"),
        (SEEDS[1] + "?", "copy"),
        (SEEDS[0].replace("the box", "a box"), "copy"),
        (GOOD + " damaged_item", "label_inside"),
        (GOOD + " Wrong size or colour.", "label_inside"),
        (GOOD + "\nLabel: praise", "label_inside"),
        (f"[praise] {GOOD}", "label_inside"),
        ("Mein Paket kam heute an und die Lampe darin hat einen Sprung, der Karton war zerdrückt und nass. "
         "Was kann ich jetzt tun?", "wrong_language"),
        ("My parcel came today and the box was crushed. Die Lampe darin hat leider einen Sprung, was kann "
         "ich tun, damit ich eine neue bekomme?", "wrong_language"),
    ],
)  # fmt: skip
def test_reasons(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    "leftover",
    [
        "Here is the new input: {}",
        "New question: {}",
        "**Rewritten message:** {}",
        "Sure, here you go: {}",
        "<parent>{}</parent>",
        '<line n="2">{}',
        "```\n{}\n```",
        "{} As an AI language model I can't know.",
        "{} (Note: I kept the tone.)",
        "{} It is like the seed example.",
        "{} <|im_end|>",
        "Hier ist die neue Anfrage: {}",
        "Voici la nouvelle question : {}",
        "Neue Frage: {}",
        "Attribute: kettle\n{}",
        "{} [insert date]",
    ],
)
def test_leftovers_of_prompts(leftover: str) -> None:
    assert reason(leftover.format(GOOD)) == "prompt_leftover"


@pytest.mark.parametrize(
    "honest",
    [
        "Which attribute of the <table> element sets the width of its border, and is it in use today?",
        "The personas in our marketing differ in age. Which operation of the plant should we show first?",
        "Here is my problem, the kettle leaks and nobody answers the phone, so where can I send it back?",
        "I have full praise for the driver, but the parcel was wet. Could you tell me where to send it?",
        "Note that I have changed my address since the order was placed, where will the parcel go now?",
    ],
)
def test_our_words_in_honest_use_pass(honest: str) -> None:
    assert reason(honest) == ""


def test_what_the_seeds_do_is_allowed() -> None:
    seeds = ["<question>What does refund_late mean in the log?</question>", *SEEDS]
    gate = FormGate(CARD, seeds, ["refund_late", *ANSWERS])
    assert reason(f"<question>{GOOD}</question> refund_late", gate) == ""
    assert reason(f"{GOOD} missing_item", gate) == "label_inside"


def test_yes_and_no_are_words_like_any() -> None:
    card = TaskCard(language_code="en", labels=(Label("yes"), Label("no")), format="yes_no", max_words=40)
    gate = FormGate(card, ["Speaker 1: 'Do you ski?' Speaker 2: 'Snow is not for me.'"] * 3, ["no"] * 3)
    assert reason("Speaker 1: 'Is there no bread?' Speaker 2: 'Yes, I ate it.'", gate) == ""
    assert reason("Speaker 1: 'Do you sing?' Speaker 2: 'In the bath.'\nAnswer: yes", gate) == "label_inside"


def test_characters_are_counted_where_the_card_says_so() -> None:
    gate = FormGate(TaskCard(language_code="zh", unit="characters", min_words=10, max_words=60), [], [])
    assert reason("小明买苹果。", gate) == "too_short"
    assert reason("小明去超市买了三斤苹果和两斤梨，苹果每斤五元，一共多少钱？", gate) == ""


def test_the_answer_may_not_stand_in_its_question() -> None:
    inputs = ["What do bees make honey from?", "Why is the sky blue?", "What keeps a ship afloat on the sea?"]
    outputs = [
        "They make it from the nectar of flowers.",
        "Air scatters blue light more than red.",
        "The water that its hull pushes aside carries it.",
    ]
    gate = FormGate(TaskCard(language_code="en", max_words=60), inputs, outputs)
    told = "Since air scatters blue light more than red, why does the sky look blue?"
    fault = gate.check_answer(told, Draft(told, outputs[1]))
    assert fault is not None
    assert fault.reason == "answer_inside"
    assert gate.check_answer(told, Draft(told, "blue light")) is None
    assert gate.check_answer("What is 12 + 30?", Draft("", "12")) is None
    copies = FormGate(TaskCard(max_words=60), [f"1: {text} 2: No." for text in outputs], outputs)
    assert copies.check_answer(told, Draft(told, outputs[1])) is None


def test_language_is_left_alone_where_it_cannot_be_told() -> None:
    german = (
        "Mein Paket kam heute an und die Lampe darin hat einen Sprung. "
        "Der Karton war nass und zerdrückt. Was ist nun zu tun?"
    )
    assert LanguageCheck("en", SEEDS).foreign(german) == "de"
    assert LanguageCheck("de-AT", []).foreign(german) == ""
    for code in ("", "xx"):
        assert not LanguageCheck(code, []).works
        assert LanguageCheck(code, []).foreign(german) == ""
    assert LanguageCheck("en", [*SEEDS, GOOD, german]).foreign(german) == ""  # the task mixes languages
    assert (
        LanguageCheck("en", [german]).foreign(german) == "de"
    )  # the card asks for another one than the seeds'


def _tasks() -> list[Path]:
    folder = Path(os.environ.get("AIDE_TASKS", "/nonexistent"))
    return sorted(folder.glob("gold/*.jsonl"))


@pytest.mark.shared
@pytest.mark.skipif(not _tasks(), reason="AIDE_TASKS names no folder with seeds/ and gold/")
def test_what_people_wrote_passes() -> None:
    for path in _tasks():
        gold = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        seeds = [
            json.loads(line)
            for line in (path.parents[1] / "seeds" / path.name).read_text("utf-8").splitlines()
        ]
        labels = {"yes_no": {s["output"] for s in seeds}, "classification": set(seeds[0].get("choices", ()))}
        names = tuple(map(Label, sorted(labels.get(seeds[0]["format"], ()))))
        card = TaskCard(language_code="en", labels=names, min_words=0, max_words=10**6)
        gate = FormGate(card, [s["input"] for s in seeds], [s["output"] for s in seeds])
        refused = [
            (item["input"], fault)
            for item, other in zip(gold, gold[1:] + gold[:1], strict=True)
            if (fault := gate.check(item["input"], seed=seeds[0]["input"], parent=other["input"]))
            or (fault := gate.check_answer(item["input"], Draft(item["input"], item["output"])))
        ]
        assert len(refused) <= 0.005 * len(gold), (path.stem, refused[:3])


# --- drawn traits -----------------------------------------------------------------------------------------

LONG = " ".join(["and so it goes on with one more thing"] * 4)


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"words": 20}, ""),
        ({"words": 40}, ""),
        ({"words": 4}, "off_traits"),
        ({"words": 60}, "off_traits"),
        ({"words": 20, "sentences": 6}, "off_traits"),
        ({"words": 20, "lines": 5}, "off_traits"),
        ({"words": 20, "form": "statement", "lower_case": True, "greeting": True}, ""),
    ],
)
def test_a_text_is_held_to_the_traits_that_were_drawn_for_it(
    traits: dict[str, object], expected: str
) -> None:
    fault = GATE.check(GOOD, seed=SEEDS[0], parent=SEEDS[1], traits=traits)
    assert (fault.reason if fault else "") == expected


def test_with_drawn_traits_the_card_s_bounds_hold_no_more() -> None:
    """A record may be as long as the longest seed and half as much again; the bounds are for who draws nothing."""
    assert reason(LONG) == ""
    long = f"{LONG} {LONG}"
    assert reason(long) == "too_long"
    assert GATE.check(long, seed=SEEDS[0], parent=SEEDS[1], traits={"words": 70}) is None
    short = "My parcel is lost."
    assert GATE.check(short, seed=SEEDS[0], parent=SEEDS[1], traits={"words": 5}) is None


def test_an_input_that_is_joined_of_columns_has_a_line_for_each() -> None:
    seeds = [f"premise: Flat {n} has two rooms.\nhypothesis: It has a kitchen." for n in range(3)]
    gate = FormGate(TaskCard(max_words=60), seeds, ["neutral"] * 3, columns=("premise", "hypothesis"))
    good = "premise: The house stands on a hill by the sea.\nhypothesis: Nobody lives in it now."
    assert reason(good, gate) == ""
    for bad in (
        good.replace("premise: ", ""),
        "\n".join(reversed(good.split("\n"))),
        "premise: It.\nhypothesis: ",
    ):
        assert reason(bad, gate) == "off_form"
