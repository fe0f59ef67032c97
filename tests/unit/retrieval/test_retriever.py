"""Ways to find passages put together, and hard negatives."""

import math

from aide.retrieval import Passage, Retriever, VectorIndex, WordIndex, meaning
from aide.retrieval.retriever import fuse_rankings

TEXTS = (
    "the salt container of the dishwasher is at the bottom",
    "the salt container of the dishwasher is at the bottom",  # the same text again
    "the rinse aid container of the dishwasher is in the door",
    "the filter of the dishwasher is below the lower basket",
    "wool is washed at thirty degrees",
    "the guarantee ends after two years",
    "the oven door is cleaned with soap",
    "a fuse blows when two ovens share it",
    "milk boils over",
    "the lamp wants a new bulb",
    "ice forms on the back wall",
)
QUERY = "where is the salt container of my dishwasher"


def angle(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def make_retriever(*degrees: float) -> Retriever:
    vectors = VectorIndex()
    for at, each in enumerate(degrees):
        vectors.enter(at, angle(each))
    return Retriever(WordIndex(map(Passage, TEXTS)), vectors if degrees else None)


def test_fusion_prefers_what_several_rankings_have_near_the_top() -> None:
    assert fuse_rankings([[1, 2, 3], [2, 3, 1]], 3) == [2, 1, 3]
    assert fuse_rankings([[1, 2], [3, 4]], 3) == [1, 3, 2]
    assert fuse_rankings([[], []], 3) == []


def test_negatives_share_words_with_the_query_and_never_repeat_the_positive() -> None:
    assert make_retriever().mine_negatives(QUERY, 0, 2) == [2, 3]


def test_a_passage_near_the_positive_is_a_negative_though_it_shares_no_word_with_the_query() -> None:
    assert 6 in make_retriever().mine_negatives("rinse aid", 2, 3)


def test_a_passage_that_lies_above_the_positive_is_no_negative() -> None:
    assert not {0, 1, 2} & set(make_retriever().mine_negatives(QUERY, 2, 5))


def test_a_passage_that_is_spared_is_no_negative() -> None:
    assert make_retriever().mine_negatives(QUERY, 0, 1, spared=[2]) == [3]


def test_a_passage_that_is_too_near_by_meaning_is_no_negative() -> None:
    retriever = make_retriever(0, 0, 5, 60, 70, 80, 85, 90, 90, 90, 90)
    assert retriever.mine_negatives(QUERY, 0, 2, angle(0)) == [3, 4]


def test_rank_is_the_worse_of_both_ways() -> None:
    retriever = make_retriever(40, 40, 5, 60, 70, 80, 85, 90, 90, 90, 90)
    assert retriever.rank(QUERY, 0) == 1
    assert retriever.rank(QUERY, 0, angle(0)) == 2
    assert retriever.rank("guarantee", 0, angle(0)) == 0


def test_meaning_finds_what_shares_no_word() -> None:
    retriever = make_retriever(90, 90, 90, 90, 90, 1, 90, 90, 90, 90, 90)
    assert retriever.search("how long am I covered", 1, angle(0)) == [5]


def test_of_many_vectors_those_with_like_signs_are_compared() -> None:
    vectors = VectorIndex()
    count = 3 * meaning.COMPARED
    for at in range(count):
        vectors.enter(at, [*angle(360 * at / count), *angle(2 * 360 * at / count)])
    own = [*angle(360 * 700 / count), *angle(2 * 360 * 700 / count)]
    found = [hit.id for hit in vectors.search(own, 3)]
    assert (found[0], set(found)) == (700, {699, 700, 701})
    assert (vectors.rank(own, 700), vectors.rank(own, 702)) == (1, 4)
    assert vectors.rank(own, count) == 0
