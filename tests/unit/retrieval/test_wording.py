"""Passages found by their words."""

import pytest

from aide.retrieval import Passage, WordIndex
from aide.retrieval.terms import list_search_terms

TEXTS = (
    "The dishwasher shows E15 when water stands in the base tray; tip the machine backwards.",
    "Salt for the dishwasher goes into the container at the bottom of the tub.",
    "The washing machine spins at 1,400 turns; choose less for wool.",
    "Le café est fermé le lundi.",
    "洗碗机的盐应放在底部的容器里。",
    "हिन्दी में लिखी गई पुस्तिका",
)


def make_index(*texts: str) -> WordIndex:
    return WordIndex(Passage(text, {"at": at}) for at, text in enumerate(texts))


def find(query: str) -> list[int]:
    with make_index(*TEXTS) as index:
        return [hit.id for hit in index.search(query, 3)]


def test_the_passage_that_says_it_comes_first() -> None:
    assert find("What does E15 on the dishwasher mean?")[0] == 0
    assert find("where does the salt go")[0] == 1


def test_case_and_accents_make_no_difference() -> None:
    assert find("CAFE FERME") == [3]
    assert find("Cafés?") == []


def test_scripts_without_spaces_are_found_by_parts_of_a_run() -> None:
    assert find("盐放在哪里") == [4]
    assert list(list_search_terms("放E15盐袋。")) == ["放", "e15", "盐袋"]


def test_vowel_signs_belong_to_their_word() -> None:
    assert list(list_search_terms("हिन्दी")) == ["हिन्दी"]
    assert find("हिन्दी") == [5]


@pytest.mark.parametrize(
    "query", ["", "  ", "?!", '"', "*", "AND", "NEAR(", "terms:", "^", "-", "\ud800", "\x00", "'; DROP"]
)
def test_a_query_is_words_and_no_language_of_the_index(query: str) -> None:
    assert find(query) == []


def test_operators_in_a_query_are_words() -> None:
    assert find('dishwasher NOT salt "tub') == [1, 0]


def test_a_word_that_all_passages_have_says_nothing_beside_others() -> None:
    index = make_index("the red house", "the blue house", "the green door")
    assert [hit.id for hit in index.search("the door", 3)] == [2]
    assert [hit.id for hit in index.search("the", 3)] == [0, 1, 2]


def test_rank_counts_what_is_better_and_equal_passages_share_it() -> None:
    index = make_index(
        "salt and pepper", "salt and pepper", "salt salt pepper", "bread", "butter", "milk", "tea"
    )
    assert [index.rank("salt", at) for at in range(4)] == [2, 2, 1, 0]
    assert index.rank("nothing of it", 0) == 0
    assert index.score("salt", 3) == 0


def test_a_lone_surrogate_in_a_passage_is_replaced() -> None:
    with make_index("broken \ud800 text", "other", "third") as index:
        assert index.get(0).text == "broken ? text"
        assert index.search("broken", 1)[0].id == 0


def test_an_empty_collection_answers_nothing() -> None:
    with make_index() as index:
        assert len(index) == 0
        assert index.search("salt", 3) == []
        with pytest.raises(KeyError):
            index.get(0)


def test_a_query_as_long_as_a_book_finds_the_passage_by_its_rarest_words() -> None:
    texts = [f"entry {at} about matter{at} in the handbook of the house" for at in range(300)]
    with make_index(*texts) as index:
        query = "entry about the handbook of the house " * 5_000 + "matter77"
        assert index.search(query, 1)[0].id == 77
