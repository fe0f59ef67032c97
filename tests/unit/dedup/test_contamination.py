from collections.abc import Callable

import pytest

from aide.dedup.contamination import BenchmarkItem, Contamination, ContaminationHit, split_options

VAN = (
    "A van carries 14 crates of oranges to a market in the valley. Each crate weighs 9 kilograms, and the "
    "driver sells two thirds of the load before noon. How many kilograms are left in the van?"
)
FERRY = (
    "The ferry to the northern island leaves every 40 minutes from six in the morning. A cyclist reaches the "
    "pier at ten past nine and buys a ticket for 7 euros. How long has she to wait for the next ferry?"
)
HEART = "Which chamber of the heart pumps blood into the aorta?"
CHAMBERS = ("the left ventricle", "the right ventricle", "the left atrium", "the right atrium")


def known(*texts: str, strict: bool = False, any_number: bool = False) -> Contamination:
    items = [BenchmarkItem(f"test.jsonl:{n}", text) for n, text in enumerate(texts, 1)]
    return Contamination(items, strict=strict, any_number=any_number)


def hit(found: ContaminationHit | None) -> tuple[str, str]:
    assert found is not None
    return found.where, found.how


@pytest.mark.parametrize(
    "edit",
    [
        str.upper,
        lambda text: text.replace(",", "").replace(". ", "  "),
        lambda text: text.replace("market", "depot"),
        lambda text: f"Please solve this riddle for me, as I am in a hurry. {text}",
        lambda text: "\n".join(text.split()),
    ],
)
def test_a_light_edit_does_not_hide_an_item(edit: Callable[[str], str]) -> None:
    where, how = hit(known(FERRY, VAN).find(edit(VAN)))
    assert where == "test.jsonl:2"
    assert how in ("exact", "coverage")


def test_another_text_of_the_same_kind_is_no_hit() -> None:
    other = "A barge loaded 14 pallets of bricks at the mill. Before noon half were unloaded. What remains?"
    assert known(FERRY, VAN).find(other) is None


def test_over_half_of_an_item_is_a_hit_and_less_is_not() -> None:
    words = VAN.split()
    tests = known(VAN)
    assert hit(tests.find(" ".join(words[: len(words) * 2 // 3]) + " Where is the mill?"))[1] == "coverage"
    assert tests.find(" ".join(words[:14]) + " Where is the mill, and who has built it so long ago?") is None


def test_thirteen_words_in_a_row_count_only_where_that_is_asked_for() -> None:
    shared = " ".join(VAN.split()[:14]) + " Where is the mill, and who has built it so long ago?"
    assert known(VAN).find(shared) is None
    assert hit(known(VAN, strict=True).find(shared)) == ("test.jsonl:1", "13-gram")


def test_changed_numbers_hide_an_item_unless_asked() -> None:
    short = "What is 17 plus 25 minus 3?"
    changed = "What is 81 plus 44 minus 9?"
    assert known(short).find(changed) is None
    assert hit(known(short, any_number=True).find(changed))[1] == "exact"


def test_short_items_are_found_by_their_letters_or_whole_inside_a_text() -> None:
    asked = "How do I activate the new card that came by post?"
    tests = known(asked)
    assert hit(tests.find("How do I activate the new cards that came by post?"))[1] == "short"
    assert (
        hit(
            tests.find(
                f"Hello there, one thing. {asked} Thank you very much in advance, and have a good day."
            )
        )[1]
        == "short"
    )
    assert tests.find("How do I block the old card that was in my wallet?") is None


def test_reordered_options_hide_nothing_whether_apart_or_inside_the_text() -> None:
    tests = Contamination([BenchmarkItem("t:1", HEART, CHAMBERS)])
    assert hit(tests.find(HEART, tuple(reversed(CHAMBERS)))) == ("t:1", "exact")
    lettered = "\n".join(
        f"{letter}) {option}" for letter, option in zip("ABCD", reversed(CHAMBERS), strict=True)
    )
    assert hit(tests.find(f"{HEART.lower()}\n{lettered}")) == ("t:1", "exact")


def test_the_same_options_under_a_like_question_are_a_hit() -> None:
    tests = Contamination([BenchmarkItem("t:1", HEART, CHAMBERS)])
    assert hit(tests.find("Name the chamber that pumps blood into the aorta.", CHAMBERS))[1] == "options"
    assert tests.find("Where do the veins of the lung end?", CHAMBERS) is None


def test_a_stem_that_tells_nothing_needs_its_options_too() -> None:
    stem = "Which of these is true?"
    tests = Contamination(
        [
            BenchmarkItem("t:1", stem, ("Iron floats.", "Cork floats.")),
            BenchmarkItem("t:2", stem, ("2 > 3", "3 > 2")),
        ]
    )
    assert tests.find(stem, ("Snow is warm.", "Snow is cold.")) is None
    assert hit(tests.find(stem, ("Cork floats", "iron floats"))) == ("t:1", "exact")


def test_a_frame_that_many_items_share_says_nothing() -> None:
    frame = (
        "Read the following clause of a contract with care and then answer with yes or no, and nothing else: "
    )
    topics = ["rent", "notice", "parking", "repairs", "subletting", "deposits"]
    tests = known(*(f"{frame}does it say anything about {topic}?" for topic in topics))
    assert tests.find(f"{frame}is the landlord named in it, and where does he live?") is None
    assert hit(tests.find(f"{frame}does it say anything about parking?"))[0] == "test.jsonl:3"


def test_one_question_about_two_documents_is_two_items() -> None:
    question = "Does the contract say who pays for repairs of the roof and of the windows?"
    tests = Contamination([BenchmarkItem("t:1", question, fixed="The tenant pays for all repairs.")])
    assert tests.find(question, fixed="The landlord repairs the roof.") is None
    assert tests.find(question, fixed="The tenant pays for all repairs.") is not None
    assert tests.find(question) is not None


@pytest.mark.parametrize("text", ["", "  \n", "!!!", "\ud800"])
def test_a_text_without_words_is_no_hit(text: str) -> None:
    assert known(VAN, text).find(text) is None


def test_scripts_without_spaces_are_compared_by_character() -> None:
    asked = "请问这趟去北京的高速列车几点从上海虹桥站出发？"
    assert hit(known(asked).find(f"您好，{asked}谢谢！"))[1] in ("coverage", "short")
    assert known(asked).find("明天上海的天气怎么样，需要带伞吗？") is None


def test_lettered_options_are_split_off() -> None:
    assert split_options("Pick one. (A) red (B) blue") == ("Pick one. ", ("red", "blue"))
    assert split_options("Vitamin A. is one of them") == ("Vitamin A. is one of them", ())


def test_options_that_all_items_share_are_labels_and_tell_nothing() -> None:
    labels = ("card_payment", "transfer", "top_up")
    texts = ("My card was refused", "Where is my transfer", "The top up is late", "Who took my money")
    tests = Contamination([BenchmarkItem(f"t:{n}", text, labels) for n, text in enumerate(texts)])
    assert hit(tests.find("where is my transfer?")) == ("t:1", "exact")
    assert tests.find("Where did they send my old invoice", labels) is None
