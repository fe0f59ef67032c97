from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.card import (
    card_from_toml,
    card_to_toml,
    choose_demonstrations,
    count_card,
    make_demonstration,
    rank_confusable_labels,
    read_labels,
)
from aide.errors import InputError
from aide.formats import FORMATS, Label, TaskCard, Topic
from aide.records import WHOLE, Draft, Parts, Seed


def seed(draft: Draft, parts: Parts = WHOLE) -> Seed:
    return Seed(Seed.identify(draft, parts), draft, parts)


def pairs(*pairs: tuple[str, str]) -> list[Seed]:
    return [seed(Draft(input, output)) for input, output in pairs]


def words(*counts: int) -> list[Seed]:
    return [seed(Draft(" ".join(["word"] * n), f"answer {n}")) for n in counts]


def test_the_length_range_is_that_of_the_seeds_widened_by_half() -> None:
    card = count_card(words(10, 10, 20, 20), FORMATS["free_text"], task="Say it.")
    assert (card.min_words, card.max_words, card.unit) == (5, 30, "words")
    assert (card.task, card.format) == ("Say it.", "free_text")


def test_one_outlier_of_many_does_not_stretch_the_range() -> None:
    assert count_card(words(*[10] * 99, 500), FORMATS["free_text"]).max_words == 15


def test_scripts_without_spaces_are_counted_in_characters() -> None:
    card = count_card(pairs(("空はなぜ青いのですか", "光が散るからです")), FORMATS["free_text"])
    assert (card.unit, card.min_words, card.max_words) == ("characters", 5, 15)
    assert count_card(pairs(("이 문장은 몇 단어입니까", "네")), FORMATS["free_text"]).unit == "words"


def test_room_comes_from_the_longest_seed() -> None:
    card = count_card([seed(Draft("x" * 400, "y" * 40)), seed(Draft("x", "y"))], FORMATS["free_text"])
    assert (card.max_input_tokens, card.max_answer_tokens) == (2 * 100 + 200, 3 * 10 + 300)


def test_labels_are_those_of_the_seeds_or_those_given() -> None:
    seeds = pairs(("a", "refund"), ("b", "other"), ("c", "refund"))
    assert count_card(seeds, FORMATS["classification"]).label_names == ("refund", "other")
    given_ = (Label("refund", "money back"), Label("other"), Label("spam"))
    assert count_card(seeds, FORMATS["classification"], given_).labels == given_
    with pytest.raises(InputError, match="'other', which --labels lacks"):
        count_card(seeds, FORMATS["classification"], (Label("refund"), Label("spam")))
    with pytest.raises(InputError, match="same label"):
        count_card(pairs(("a", "x"), ("b", "x")), FORMATS["classification"])
    assert count_card(pairs(("a", "Nein"), ("b", "Nein")), FORMATS["yes_no"]).label_names == ("Ja", "Nein")


def test_choices_common_to_all_seeds_are_the_label_set() -> None:
    seeds = [
        seed(Draft("a", "two", ("one", "two", "three"))),
        seed(Draft("b", "one", ("one", "two", "three"))),
    ]
    assert count_card(seeds, FORMATS["classification"]).label_names == ("one", "two", "three")


def test_options_convention_code_and_parts_are_counted() -> None:
    quiz = [seed(Draft("Which?", "a", ("a", "b", "c"))), seed(Draft("What?", "d", ("d", "e", "f")))]
    assert count_card(quiz, FORMATS["multiple_choice"]).options == 3
    worked = count_card(pairs(("a", "1 + 1\n#### 2"), ("b", "2 + 3\n#### 5")), FORMATS["open"])
    assert (worked.convention, worked.bare) == ("#### <number>", False)
    bare = count_card(pairs(("a", "2"), ("b", "5")), FORMATS["open"])
    assert (bare.convention, bare.bare) == ("<number>", True)
    assert count_card(pairs(("a", "def f():\n    return 1")), FORMATS["code"]).code == "python"
    assert count_card(pairs(("a", "const f = () => 1;")), FORMATS["code"]).code == "javascript"
    assert count_card(pairs(("a", "do it like so")), FORMATS["code"]).code == "", "too little to tell"
    parts = Parts((("contract", "Long text."),), "question", "{contract}\n{question}")
    card = count_card([seed(Draft("Why?", "So."), parts)], FORMATS["free_text"])
    assert (card.fixed, card.varying, card.max_words) == (("contract",), "question", 2)


def test_the_language_is_that_which_a_detector_is_sure_of() -> None:
    card = count_card(pairs(("空はなぜ青いのですか", "光が散るからです")), FORMATS["free_text"])
    assert (card.language, card.language_code) == ("", ""), "that is too little to be sure"
    card = count_card(
        pairs(("空はなぜ青いのですか", "光"), ("海はなぜ塩辛いのですか", "塩")), FORMATS["free_text"]
    )
    assert (card.language, card.language_code) == ("Japanese", "ja")
    german = pairs(
        ("Wo bleibt mein Paket, das am Montag kommen sollte?", "x"), ("hallo wann kommt es denn", "y")
    )
    assert count_card(german, FORMATS["free_text"]).language == "German"


def test_no_seeds_make_no_card() -> None:
    with pytest.raises(InputError):
        count_card([], FORMATS["open"])


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)


@given(TEXT, TEXT, st.lists(TEXT, min_size=2, max_size=4, unique=True), st.integers(1, 50))
def test_the_file_gives_back_the_card(task: str, told: str, names: list[str], least: int) -> None:
    card = TaskCard(
        task=task, register=told, format="classification", labels=tuple(Label(name, told, (told,)) for name in names),
        topics=tuple(Topic(name, 1 + len(name) % 5) for name in names), source=told, hard=task,
        fixed=("contract", told), min_words=least, max_words=50, convention="#### <number>", bare=True,
    )  # fmt: skip
    assert card_from_toml(card_to_toml(card)) == card


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('task = ""', "task = ", ":4: Invalid value"),
        ("min_words = 1", 'min_words = "few"', "min_words"),
        ("min_words = 1", "min_words = 900", "900 to 400 words"),
        ('unit = "words"', 'unit = "pages"', "words or characters"),
        ('format = "free_text"', 'format = "essay"', "no format 'essay'"),
        ('format = "free_text"', 'format = "classification"', "at least two labels"),
        ('format = "free_text"', 'format = "multiple_choice"', "at least two options"),
        ('convention = ""', 'convention = "the end"', "<number>"),
        ('locale = ""', 'lokale = ""', "no 'lokale'"),
        ('varying = "input"', 'topics = {"wages" = 9}', "the share of 'wages' is 9"),
    ],
)
def test_nonsense_in_the_file_is_told_with_its_line(old: str, new: str, told: str) -> None:
    text = card_to_toml(TaskCard())
    assert old in text
    with pytest.raises(InputError) as caught:
        card_from_toml(text.replace(old, new))
    assert told in str(caught.value)
    line = int(str(caught.value).split(":")[1])
    edited = text.replace(old, new).splitlines()
    assert new.split(" = ")[0] in edited[line - 1] or "labels" in told or "options" in edited[line - 1]


OLD = """# The task card: every prompt and every check follows it. It is fixed from the first record on.

# What the model said of the task, from the seeds. Edit freely before the first record.
task = "Sort mails."  # what is given and what has to be answered
language = "German"  # of the inputs, by its English name
language_code = "de"
register = "Short and cross."  # how the inputs are written
format = "classification"
min_words = 4
max_words = 30

[[labels]]
name = "a"
description = "the first"
[[labels]]
name = "b"
"""


def test_a_card_of_version_0_1_is_read() -> None:
    card = card_from_toml(OLD)
    assert (card.task, card.source, card.topics) == ("Sort mails.", "", ())
    assert card.labels == (Label("a", "the first"), Label("b"))
    assert card_from_toml(card_to_toml(card)) == card


def test_the_file_shows_what_the_seeds_are_like() -> None:
    rows = [("length", "4 to 9, median 6 words"), ("form", "question 3")]
    text = card_to_toml(TaskCard(topics=(Topic('wages "and" hours', 4),)), rows)
    assert "\n#   length  4 to 9, median 6 words\n#   form    question 3\n" in text
    assert card_from_toml(text).topics == (Topic('wages "and" hours', 4),)


def test_the_file_says_what_becomes_of_columns() -> None:
    text = card_to_toml(TaskCard(task="Count."), columns=["left out of new records: a\nb\x00"])
    assert "\n#   left out of new records: a b \n" in text
    assert card_from_toml(text) == TaskCard(task="Count.")


TICKETS = [
    *pairs(("where is my parcel today", "delivery"), ("the parcel never came", "delivery")),
    *pairs(
        ("i want my money back", "refund"),
        ("the app crashes at start", "bug"),
        ("refund my money now", "refund"),
    ),
]


def test_demonstrations_differ_from_the_seed_and_from_each_other() -> None:
    chosen = choose_demonstrations(TICKETS[0], TICKETS, FORMATS["free_text"], k=2)
    assert TICKETS[0] not in chosen
    assert len({one.id for one in chosen}) == 2
    assert TICKETS[1] not in chosen, "it speaks of the same parcel"


def test_other_labels_are_shown_first() -> None:
    chosen = choose_demonstrations(TICKETS[0], TICKETS, FORMATS["classification"], k=2)
    assert {one.draft.output for one in chosen} == {"refund", "bug"}


def test_demonstrations_do_not_depend_on_the_order_of_the_pool() -> None:
    one = choose_demonstrations(TICKETS[0], TICKETS, FORMATS["free_text"])
    assert one == choose_demonstrations(TICKETS[0], TICKETS[::-1], FORMATS["free_text"])


def test_demonstrations_keep_to_their_room() -> None:
    long = seed(Draft("entirely other words " * 400, "x"))
    assert long not in choose_demonstrations(
        TICKETS[0], [*TICKETS, long], FORMATS["free_text"], max_tokens=100
    )
    assert choose_demonstrations(TICKETS[0], TICKETS, FORMATS["free_text"], max_tokens=0) == ()
    assert choose_demonstrations(TICKETS[0], TICKETS, FORMATS["free_text"], k=0) == ()


def test_a_seed_alone_demonstrates_itself() -> None:
    assert choose_demonstrations(TICKETS[0], TICKETS[:1], FORMATS["free_text"]) == (TICKETS[0],)


def test_a_demonstration_shows_the_varying_part_the_answer_and_the_evidence() -> None:
    shown = make_demonstration(Draft("Is it?", "Yes", evidence="Rent is due"), FORMATS["yes_no"])
    assert (shown.input, shown.answer, shown.evidence) == ("Is it?", "Yes", "Rent is due")


def test_labels_are_given_by_name_or_in_a_file(tmp_path: Path) -> None:
    assert read_labels(()) == ()
    assert read_labels(("a", " b ")) == (Label("a"), Label("b"))
    wanted = (Label("a", "the first: one"), Label("b c"))
    files = {
        "l.txt": "a: the first: one\n\nb c\n",
        "l.tsv": "# labels\na\tthe first: one\nb c\t\n",
        "l.json": '{"a": "the first: one", "b c": ""}',
        "m.json": '[{"name": "a", "description": "the first: one"}, "b c"]',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert read_labels((str(tmp_path / name),)) == wanted


@pytest.mark.parametrize(
    ("given_", "told"),
    [(("only",), "at least two"), (("a", "a"), "given twice"), (("gone.txt",), "no file gone.txt")],
)
def test_labels_of_no_use_are_told(given_: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_labels(given_)


def test_a_broken_file_of_labels_is_told(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text('{"a": 1,\n"b"')
    with pytest.raises(InputError, match=r"l\.json:2"):
        read_labels((str(tmp_path / "l.json"),))


def test_the_nearest_labels_share_words() -> None:
    card = TaskCard(
        format="classification", labels=tuple(map(Label, ("card_lost", "card_stolen", "rate_wrong", "app")))
    )
    near = rank_confusable_labels(
        card, [Draft("the rate is wrong in the app", "rate_wrong"), Draft("the app is slow", "app")]
    )
    assert near["card_lost"][0] == "card_stolen"
    assert near["app"][0] == "rate_wrong"
    named = replace(card, labels=(Label("card_lost", near=("app",)), *card.labels[1:]))
    assert rank_confusable_labels(named, [])["card_lost"][:2] == ("app", "card_stolen")
    assert all(set(others) == set(card.label_names) - {name} for name, others in near.items())
