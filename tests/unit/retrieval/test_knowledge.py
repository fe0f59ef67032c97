"""Passages that stand beside an answer and its judge."""

from aide.retrieval import Knowledge, Passage, WordIndex
from aide.retrieval.knowledge import PASSAGES

TEXTS = (
    "Descale the kettle with citric acid every month.",
    "The kettle switches itself off when it is empty.",
    "The toaster has seven levels of browning.",
    "Crumbs fall into a tray below the toaster.",
    "The guarantee covers two years.",
    "Spare parts are sent by post.",
)


def make_knowledge(*texts: str) -> Knowledge:
    return Knowledge(WordIndex(Passage(text, {"at": at}) for at, text in enumerate(texts)))


def find(*queries: str) -> list[int]:
    return [passage.source["at"] for passage in make_knowledge(*TEXTS).find(queries)]


def test_the_best_passages_stand_first_and_few_are_shown() -> None:
    assert find("how do I descale my kettle")[0] == 0
    knowledge = make_knowledge(*(f"salt {at}" for at in range(3 * PASSAGES)), *["x"] * 40)
    assert len(knowledge.find(["salt"])) == PASSAGES


def test_a_passage_that_shares_a_word_by_chance_is_left_out() -> None:
    assert find("citric acid for the kettle") == [0]


def test_several_texts_share_passages_without_repeating_them() -> None:
    assert find("toaster crumbs tray", "guarantee", "a tray of crumbs") == [3, 4]


def test_nothing_is_shown_where_nothing_bears_on_the_text() -> None:
    assert find("bonjour") == []
    assert make_knowledge().find(["kettle"]) == ()


def test_the_tags_of_a_conversation_are_no_words_of_it() -> None:
    knowledge = make_knowledge("A user takes turns.", *TEXTS)
    assert knowledge.find(['<turn role="user">\nhello\n</turn>']) == ()


def test_a_long_passage_is_shown_up_to_300_words() -> None:
    [passage] = make_knowledge("kettle " * 1000, "a", "b").find(["kettle"])
    assert len(passage.text.split()) == 301
    assert passage.text.endswith(" …")
    assert passage.source == {"at": 0}
