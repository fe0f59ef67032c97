"""Duplicates: who is a twin of whom, what a release gives back, and what a record costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.dedup.lexical import LexicalIndex
from aide.records import digest, rng

LONG = (
    "A ferry leaves the harbour at nine in the morning with forty passengers and six bicycles on board, "
    "stops twice on its way to the island, and arrives there a little after eleven. "
    "How long did the crossing take in minutes?"
)
OTHER = (
    "The school kitchen orders twelve crates of apples every Monday, but this week two crates were spoiled "
    "and one was sent back to the farm. How many crates could the cook use for the children's lunches?"
)


def made_up(count: int, words: int) -> list[str]:
    draw = rng("texts")
    known = ["".join(draw.choices("abcdefghiklmnoprstu", k=draw.randint(2, 8))) for _ in range(2000)]
    return [" ".join(draw.choices(known, k=words)) for _ in range(count)]


def test_a_new_text_is_taken_and_its_repetition_is_named() -> None:
    known = LexicalIndex("near", [])
    assert known.admit(digest("a"), LONG) is None
    twin = known.admit(digest("b"), LONG)
    assert twin is not None
    assert (twin.id, twin.similarity, twin.how) == (digest("a"), 1.0, "exact")
    assert len(known) == 1


@pytest.mark.parametrize(
    "edited",
    [
        LONG.upper(),
        LONG.replace(",", " – ").replace("?", ""),
        "  " + LONG.replace(" ", "\n"),
        LONG.replace("a", "a"),
    ],
)
def test_case_punctuation_and_layout_make_no_difference(edited: str) -> None:
    known = LexicalIndex("exact", [("seed", LONG)])
    twin = known.admit("x", edited)
    assert twin is not None
    assert twin.id == "seed"
    assert twin.how == "exact"


@pytest.mark.parametrize(
    "found, put", [("forty", "sixty"), ("stops twice", "twice stops"), ("a little", "somewhat")]
)
def test_light_edits_are_near_twins_and_pass_in_mode_exact(found: str, put: str) -> None:
    edited = LONG.replace(found, put)
    twin = LexicalIndex("near", [("seed", LONG)]).admit("x", edited)
    assert twin is not None
    assert twin.how == "near"
    assert 0.7 <= twin.similarity < 1
    assert LexicalIndex("exact", [("seed", LONG)]).admit("x", edited) is None


def test_another_text_of_the_same_task_is_no_twin() -> None:
    assert LexicalIndex("near", [("seed", LONG)]).admit("x", OTHER) is None


def test_signs_that_change_a_sum_are_kept() -> None:
    known = LexicalIndex("exact", [("seed", "What is 6 * 7?")])
    assert known.admit("a", "What is 6 / 7?") is None
    assert known.admit("b", "What is 6 + 7?") is None
    assert known.admit("c", "what is 6 * 7") is not None


def test_vowel_signs_and_unspaced_scripts_count() -> None:
    known = LexicalIndex(
        "near", [("hi", "कितना"), ("zh", "小明去超市买了三斤苹果和两斤梨，苹果每斤五元，梨每斤四元。")]
    )
    assert known.admit("a", "कतन") is None
    assert known.admit("b", "小明去超市买了三斤苹果和两斤梨,苹果每斤五元,梨每斤七元。") is not None


def test_released_text_is_free_again_and_its_place_is_used_again() -> None:
    known = LexicalIndex("near", [])
    for round_ in range(50):
        assert known.admit(f"r{round_}", LONG) is None
        known.release(f"r{round_}")
    assert len(known) == 0
    assert known.admit("last", LONG) is None
    known.release("never seen")
    assert len(known) == 1


def test_a_revised_candidate_is_not_its_own_twin() -> None:
    known = LexicalIndex("near", [])
    assert known.admit("x", LONG) is None
    assert known.admit("x", LONG.replace("forty", "sixty")) is None
    assert len(known) == 1


def test_off_takes_everything() -> None:
    known = LexicalIndex("off", [("seed", LONG)])
    assert known.admit("x", LONG) is None
    known.restore("y", LONG)
    assert len(known) == 0


def test_what_is_restored_counts() -> None:
    known = LexicalIndex("near", [])
    known.restore("old", LONG)
    assert known.admit("new", LONG) is not None


def test_the_threshold_stands_above_seeds_that_resemble_each_other() -> None:
    close = LONG.replace("forty", "sixty").replace("nine", "ten")
    learned = LexicalIndex("near", [("a", LONG), ("b", close)])
    assert learned.threshold > 0.7
    further = LONG.replace("forty", "seventy").replace("morning", "evening").replace("eleven", "two")
    assert learned.admit("c", further) is None
    assert learned.admit("d", LONG.replace("?", "!")) is not None
    assert LexicalIndex("near", [("a", LONG), ("b", close)], threshold=0.5).threshold == 0.5
    given = LexicalIndex("near", [("a", LONG), ("b", close)], threshold=learned.threshold)
    assert given.admit("c", further) is None


def test_two_equal_seeds_do_not_switch_the_check_off() -> None:
    known = LexicalIndex("near", [("a", LONG), ("b", LONG)])
    assert known.threshold == 0.7
    assert known.admit("c", LONG.replace("forty", "sixty")) is not None


def test_a_frame_that_all_seeds_share_makes_no_twins() -> None:
    frame = (
        "Sentence 1: {} Sentence 2: {} Which of these two sentences is the cause of the other, and why so?"
    )
    fillings = [
        ("It rained.", "Roads flooded."),
        ("Bob slept.", "He missed work."),
        ("Ice melted.", "Seas rose."),
    ]
    fillings += [
        ("Ann sang.", "Dogs howled."),
        ("Fuses blew.", "Lights died."),
        ("Bees left.", "Crops failed."),
    ]
    seeds = [(str(at), frame.format(*pair)) for at, pair in enumerate(fillings)]
    known = LexicalIndex("near", seeds, threshold=0.5)
    new = frame.format("Wolves returned.", "Deer moved away.")
    assert known.admit("x", new) is None
    assert (
        LexicalIndex("near", seeds[:1], threshold=0.5).admit("x", new) is not None
    )  # one seed does not tell its frame


def test_unrelated_texts_are_never_refused_and_cost_little_memory() -> None:
    known = LexicalIndex("near", [])
    texts = made_up(5000, 30)
    assert [known.admit(digest(str(at)), text) for at, text in enumerate(texts)] == [None] * len(texts)
    assert known.bytes_per_record <= 350
    sample = range(0, len(texts), 50)
    assert all(known.admit("probe", texts[at]) for at in sample)
    for at in sample:
        known.release(digest(str(at)))
    assert not any(known.admit(f"again{at}", texts[at]) for at in sample)


def test_ids_of_any_kind_come_back_as_given() -> None:
    for id in ("user-7", "Ä" * 10, "0123456789ABCDEF0123", digest("x")):
        known = LexicalIndex("exact", [(id, LONG)])
        twin = known.admit("other", LONG)
        assert twin is not None
        assert twin.id == id


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_its_own_twin_and_can_be_released(text: str, other: str) -> None:
    known = LexicalIndex("near", [("seed", other)])
    first = known.admit("a", text)
    if first is None:
        assert known.admit("b", text) is not None
        known.release("a")
        assert known.admit("b", text) is None
