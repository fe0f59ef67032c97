"""What a model says of a task: its fields in words, its topics, what its labels mean."""

import asyncio
import json
from typing import Any

import pytest

from aide.card import (
    LabelMistake,
    count_card,
    count_card_calls,
    deal_topic,
    describe_card,
    find_label_mistakes,
    rewrite_labels,
)
from aide.config import resources
from aide.formats import FORMATS, Label, TaskCard, Topic
from aide.records import WHOLE, Draft, Parts, Seed
from unit.formats.scripted import Scripted

SAID = {
    "task": "Answer a question about the sky in one sentence.",
    "source": "They come from children who look up.",
    "register": "Short questions, as a child asks them.",
    "hard": "None.",
    "answer_form": "One plain sentence.",
    "language": "German",
    "language_code": "DE",
    "locale": "Austria",
}
TOPICS = {"topics": [{"topic": f"the {name} at night", "share": n} for n, name in enumerate("abcdefgh")]}
LABELS = ("refund", "delivery", "bug", "account", "other")
DEFINED = {
    name.upper(): {"definition": f"asks about {name} and nothing else", "near": ["other", "gone", name]}
    for name in LABELS
}


def seed(draft: Draft, parts: Parts = WHOLE) -> Seed:
    return Seed(Seed.identify(draft, parts), draft, parts)


def card_of(*drafts: Draft, format: str = "free_text", **given: Any) -> TaskCard:
    return count_card([seed(draft) for draft in drafts], FORMATS[format], **given)


def describe(
    card: TaskCard, *said: object, instructions: str = "", drafts: int = 2
) -> tuple[TaskCard, Scripted]:
    ask = Scripted(*(each if isinstance(each, str) else json.dumps(each) for each in said))
    examples = [Draft(f"input {n}", card.label_names[n] if card.labels else "x") for n in range(drafts)]
    return asyncio.run(describe_card(ask, examples, card, instructions)), ask


PLAIN = card_of(Draft("Why?", "So."))


def test_the_described_half_joins_the_counted_half() -> None:
    card, ask = describe(PLAIN, SAID, TOPICS)
    assert (card.task, card.source) == (SAID["task"], "children who look up")
    assert (card.language, card.language_code, card.locale) == ("German", "de", "Austria")
    assert (card.register, card.hard, card.answer_form) == (SAID["register"], "", SAID["answer_form"])
    assert (card.max_words, card.format) == (PLAIN.max_words, "free_text")
    assert [each["step"] for each in ask.asked] == ["card", "card"]
    assert [(shown.input, shown.answer) for shown in ask.asked[0]["demos"]] == [
        ("input 0", "x"),
        ("input 1", "x"),
    ]
    assert list(ask.asked[0]["payload"].schema["properties"]) == list(SAID)


def test_what_is_known_is_not_asked_for() -> None:
    german = "Wo bleibt mein Paket, das am Montag kommen sollte? Ich warte schon so lange darauf."
    known = card_of(Draft(german, "x"), task="Sort mails: the label alone.")
    card, ask = describe(known, SAID, TOPICS)
    keys = list(ask.asked[0]["payload"].schema["properties"])
    assert not {"task", "language", "language_code"} & set(keys)
    assert (card.task, card.language) == ("Sort mails: the label alone.", "German"), (
        "a person's words are kept"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"register": "formal"}, "`register` must be a phrase"),
        ({"register": SAID["answer_form"]}, "`register` says the same as another key"),
        ({"register": "Children who look up."}, "`register` says the same as another key"),
        ({"register": "how formal, how long the sentences are, layout and so on"}, "`register` repeats"),
        ({"register": "the manner of the inputs"}, "`register` repeats"),
        ({"hard": "What makes an answer hard or tricky to answer"}, "`hard` repeats"),
        ({"register": "It is plain and plain. " * 30}, "`register` is too long"),
    ],
)
def test_a_field_of_no_use_is_asked_for_again_and_then_left_empty(wrong: dict[str, str], told: str) -> None:
    instructions = resources.read_file("prompts", "card.md")
    card, ask = describe(PLAIN, {**SAID, **wrong}, {**SAID, **wrong}, TOPICS, instructions=instructions)
    assert told in ask.asked[1]["correction"].problem
    assert [getattr(card, name) for name in wrong] == [""]
    assert card.task == SAID["task"], "the other fields are kept"


def test_a_name_that_is_no_name_is_left_out() -> None:
    assert describe(PLAIN, {**SAID, "locale": "German"}, TOPICS)[0].locale == ""
    assert (
        describe(PLAIN, {**SAID, "locale": "the country whose names and law it uses"}, TOPICS)[0].locale == ""
    )
    assert describe(PLAIN, {**SAID, "locale": "none"}, TOPICS)[0].locale == ""
    for said in ("From children who look up.", "They come from children who look up."):
        assert describe(PLAIN, {**SAID, "source": said}, TOPICS)[0].source == "children who look up"
    bare = {**SAID, "source": "They come from"}
    assert describe(PLAIN, bare, bare, TOPICS)[0].source == ""
    instructions = resources.read_file("prompts", "card.md")
    english = {**SAID, "language": "English"}
    assert describe(PLAIN, english, TOPICS, instructions=instructions)[0].language == "English"
    for said in ("country", "en", "They come from", "answer_form"):
        assert describe(PLAIN, {**SAID, "locale": said}, TOPICS, instructions=instructions)[0].locale == ""


def test_useless_answers_leave_the_counted_card() -> None:
    known = card_of(Draft("Why?", "So."), task="Say it.")
    card, _ = describe(known, "Sorry.", "No.", "Sorry.", "No.")
    assert card == known


def test_topics_that_nobody_would_use_are_not_asked_for() -> None:
    ask = Scripted(json.dumps(SAID))
    draft = Draft("Why?", "So.")
    card = asyncio.run(describe_card(ask, [draft], card_of(draft), topics=False))
    assert (len(ask.asked), card.topics) == (1, ())


def test_huge_examples_are_shown_in_part_and_many_are_spread() -> None:
    ask = Scripted(json.dumps(SAID), json.dumps(TOPICS))
    draft = Draft("word " * 20_000, "x")
    asyncio.run(describe_card(ask, [draft, draft], card_of(draft)))
    assert sum(len(shown.input) for shown in ask.asked[0]["demos"]) < 20_000
    ask = Scripted(json.dumps(SAID), json.dumps(TOPICS))
    asyncio.run(describe_card(ask, [Draft(str(n), "x") for n in range(100)], card_of(draft)))
    assert [shown.input for shown in ask.asked[0]["demos"]] == [str(n) for n in range(0, 100, 10)]


# --- topics ----------------------------------------------------------------------------------------------------------


def test_topics_are_different_and_have_shares_from_1_to_5() -> None:
    said = [
        *TOPICS["topics"],
        {"topic": "The A, at Night.", "share": 3},
        {"topic": "", "share": 1},
        {"topic": "A", "share": 1},
        {"topic": "the common ones first", "share": 1},
        {"topic": "a topic that goes on and on until it is a whole sentence", "share": 1},
    ]
    prompt = resources.read_file("prompts", "card_topics.md")
    card, _ = describe(PLAIN, SAID, {"topics": said}, instructions=prompt)
    assert [topic.name for topic in card.topics] == [each["topic"] for each in TOPICS["topics"]]
    assert [topic.share for topic in card.topics] == [1, 1, 2, 3, 4, 5, 5, 5]


def test_too_few_topics_are_none() -> None:
    few = {"topics": TOPICS["topics"][:3]}
    card, ask = describe(PLAIN, SAID, few, few)
    assert card.topics == ()
    assert "30 different topics" in ask.asked[2]["correction"].problem


def test_labels_or_fixed_parts_say_what_texts_are_about() -> None:
    two = card_of(Draft("a", "yes"), Draft("b", "no"), format="yes_no")
    assert count_card_calls(two) == 3, "yes and no say nothing of topics"
    assert count_card_calls(card_of(*(Draft("a", name) for name in LABELS), format="classification")) == 2
    parts = Parts((("contract", "Long text."),), "question", "{contract}\n{question}")
    assert count_card_calls(count_card([seed(Draft("Why?", "So."), parts)], FORMATS["free_text"])) == 1
    assert count_card_calls(PLAIN) == 2


# --- labels ----------------------------------------------------------------------------------------------------------

SORTED = TaskCard(format="classification", task="Sort mails.", labels=tuple(map(Label, LABELS)))


def test_each_label_gets_a_definition_and_its_neighbours() -> None:
    card, ask = describe(SORTED, SAID, DEFINED)
    assert card.labels[0] == Label("refund", "asks about refund and nothing else", ("other",))
    assert card.labels[4].near == ()
    assert ask.asked[1]["names"] == LABELS
    assert [shown.answer for shown in ask.asked[1]["demos"]] == ["refund", "delivery"]


def test_definitions_that_a_person_gave_stay() -> None:
    given = TaskCard(format="classification", labels=tuple(Label(name, "as it says") for name in LABELS))
    assert count_card_calls(given) == 1
    some = TaskCard(format="classification", labels=(Label("refund", "money back"), *map(Label, LABELS[1:])))
    card, ask = describe(some, SAID, DEFINED)
    assert card.labels[0] == Label("refund", "money back")
    assert [label.name for label in ask.asked[1]["labels"]] == list(LABELS[1:])


def test_many_labels_take_a_few_calls() -> None:
    names = [f"intent_{n}" for n in range(77)]
    card = TaskCard(format="classification", labels=tuple(map(Label, names)))
    assert count_card_calls(card) == 3

    def define(asked: dict[str, Any]) -> str:
        assert asked["payload"].schema["required"] == [each.name for each in asked["labels"]]
        return json.dumps({each.name: {"definition": f"is about {each.name}"} for each in asked["labels"]})

    ask = Scripted(json.dumps(SAID), define, define)
    card = asyncio.run(describe_card(ask, [Draft("a", names[0])], card))
    assert all(label.description for label in card.labels)
    assert [len(each["labels"]) for each in ask.asked[1:]] == [40, 37]


def test_definitions_of_too_few_labels_are_asked_for_again() -> None:
    few = dict(list(DEFINED.items())[:2])
    card, ask = describe(SORTED, SAID, few, DEFINED)
    assert "bug, account, other" in ask.asked[2]["correction"].problem
    assert all(label.description for label in card.labels)
    card, _ = describe(SORTED, SAID, {"labels": {name: f"is about {name}" for name in LABELS[:3]}})
    assert [bool(label.description) for label in card.labels] == [True, True, True, False, False], (
        "most are enough"
    )


def test_labels_that_were_mistaken_are_defined_anew() -> None:
    drafts = [Draft("where is it", "delivery"), Draft("it broke", "bug"), Draft("hello", "other")]
    mistakes = find_label_mistakes(drafts, ["refund", "bug", None])
    assert mistakes == (LabelMistake("where is it", "delivery", "refund"),)
    ask = Scripted(json.dumps(DEFINED))
    before = TaskCard(format="classification", labels=tuple(Label(name, "says so") for name in LABELS))
    card = asyncio.run(rewrite_labels(ask, before, mistakes, drafts))
    assert [label.description == "says so" for label in card.labels] == [False, False, True, True, True]
    assert ask.asked[0]["mistakes"] == list(mistakes)
    assert asyncio.run(rewrite_labels(Scripted("no", "no"), before, mistakes)) == before


def test_topics_are_dealt_by_their_shares() -> None:
    topics = tuple(Topic(name, share) for name, share in zip("abcdef", (1, 5, 2, 1, 4, 3), strict=True))
    dealt = [deal_topic(topics, at).name for at in range(48)]
    assert [dealt.count(topic.name) for topic in topics] == [3 * topic.share for topic in topics]
    assert [dealt[16 * block : 16 * (block + 1)].count("b") for block in range(3)] == [5, 5, 5]
    assert dealt[:16] != dealt[16:32]
    assert max(map(len, "".join("b" if name == "b" else " " for name in dealt).split())) <= 2, (
        "its turns are spread"
    )
    assert dealt == [deal_topic(topics, at).name for at in range(48)]
    assert dealt != [deal_topic(topics, at, "later").name for at in range(48)]
