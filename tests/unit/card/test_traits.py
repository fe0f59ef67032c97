import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.card import wording
from aide.card.trait_pool import TraitPool, has_fault
from aide.card.traits import TRAITS, Traits, check_traits, count_traits, describe_traits, find_varying
from aide.formats import FORMATS
from aide.records import WHOLE, Draft, Seed, rng
from aide.text.length import choose_unit

GERMAN = [
    ("Laut Sendungsverfolgung wurde mein Paket am Montag zugestellt, hier ist aber nichts angekommen.", "Lieferung"),
    ("hallo, wann kommt den endlich meine Kaffeemaschine? es hieß 3 Tage und jetzt sind es neun", "Lieferung"),
    ("Wo bleibt mein Päckchen?", "Lieferung"),
    ("Auf der Abbuchung stehen 64,90 €. Bitte um Klärung.", "Rechnung"),
    ("rechnung fehlt", "Rechnung"),
    ("Bitte schickt mir die Rechnung noch einmal an meine neue Adresse in Linz.", "Rechnung"),
]  # fmt: skip
JAPANESE = [
    ("カードを紛失しました。どうすればいいですか", "紛失"),
    ("こんにちは、新しいカードはいつ届きますか？", "発行"),
    ("カードが機械に吸い込まれて戻ってこないので、今すぐ止めてください。", "紛失"),
    ("暗証番号を忘れた", "暗証番号"),
]
QUIZ = [
    Draft("Which of the following is a metal?", "Iron", ("Iron", "Sulphur", "Neon")),
    Draft("According to Hume, reason:", "serves our passions", ("serves our passions", "rules us", "sleeps")),
    Draft("During the ______ stage a product is tried out.", "trial", ("trial", "decline", "growth")),
    Draft("Why is the sky blue at noon and red at dusk?", "Light scatters", ("Light scatters", "It burns", "No")),
]  # fmt: skip


def seeds(*rows: tuple[str, str]) -> list[Seed]:
    return wrap(*(Draft(text, label) for text, label in rows))


def wrap(*drafts: Draft) -> list[Seed]:
    return [Seed(Seed.identify(draft, WHOLE), draft) for draft in drafts]


def pool_of(*rows: tuple[str, str], format: str = "classification", name: str = "") -> TraitPool:
    return TraitPool(seeds(*rows), choose_unit([text for text, _ in rows]), FORMATS[format], name=name)


def count(text: str, unit: str = "words", format: str = "free_text") -> Traits:
    return count_traits(Draft(text), unit, FORMATS[format])


def test_traits_of_german_messages() -> None:
    found = [count(text) for text, _ in GERMAN]
    assert [each.length for each in found] == [13, 16, 4, 9, 2, 13]
    assert [each.form for each in found] == [
        "statement", "question", "question", "statement", "statement", "statement",
    ]  # fmt: skip
    assert [each.greeting for each in found] == [False, True, False, False, False, False]
    assert [each.lower_case for each in found] == [False, True, False, False, True, False]
    assert [each.punctuation for each in found] == [".", "", "?", ".", "", "."]
    assert [each.sentences for each in found] == [1, 2, 1, 2, 1, 1]
    assert [each.figures for each in found] == [0, 1, 0, 1, 0, 0]


def test_traits_of_japanese_messages_are_counted_in_characters() -> None:
    found = [count(text, "characters") for text, _ in JAPANESE]
    assert [each.length for each in found] == [21, 21, 33, 8]
    assert [each.form for each in found] == ["question", "question", "statement", "statement"]
    assert [each.sentences for each in found] == [2, 1, 1, 1]
    assert [each.punctuation for each in found] == ["", "?", ".", ""]
    assert [each.greeting for each in found] == [False, True, False, False]
    assert not any(each.lower_case for each in found)
    assert describe_traits(found[0], find_varying(found)).startswith(
        "about 21 characters, 2 sentences, a question"
    )


def test_multiple_choice_knows_stems_gaps_and_which_of_the_following() -> None:
    found = [count_traits(draft, "words", FORMATS["multiple_choice"]) for draft in QUIZ]
    assert [each.form for each in found] == [wording.WHICH, wording.STEM, wording.GAP, wording.QUESTION]
    assert [each.longest_option for each in found] == [1, 3, 1, 2]
    assert describe_traits(found[1], find_varying(found)) == (
        "about 4 words in the question, a beginning that the right option completes, options of up to 3 words"
    )
    assert count_traits(QUIZ[0], "words", FORMATS["classification"]).longest_option == 0, "those are labels"


@pytest.mark.parametrize(
    ("output", "steps"),
    [
        ("All beds take 6 * 14 = 84 bags.\n84 - 9 = 75 are missing.\nAnswer: 75", 2),
        ("3 + 2 = 5\n#### 5", 1),
        ("First 3 + 2 = 5, and then 5 * 2 = 10.", 2),
        ("75", 0),
    ],
)
def test_steps_are_those_of_a_worked_answer(output: str, steps: int) -> None:
    draft = Draft("How many bags?", output)
    assert count_traits(draft, "words", FORMATS["open"]).steps == steps
    assert count_traits(draft, "words", FORMATS["free_text"]).steps == 0, "there is no result to come to"


def test_code_has_no_casing_and_no_sentences() -> None:
    code = count("n = 3\nfor i in range(n):\n    print(i. real)")
    assert (code.form, code.lower_case, code.sentences, code.lines) == (wording.CODE, False, 1, 3)
    assert count("import taxes").form == wording.STATEMENT


@pytest.mark.parametrize(
    "text",
    ["how long are my top ups pending", "hi can you block my card", "when will it arrive", "wie lange dauert das",
     "comment faire pour payer", "¿Cuándo llega?", "今何時ですか", "Is that right? I doubt it."],
)  # fmt: skip
def test_questions_need_no_mark(text: str) -> None:
    assert count(text).form == wording.QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "when i pay it fails",
        "What a mess!",
        "My card was declined",
        "Das ist wie immer.",
        "カードが届かない。",
    ],
)
def test_statements_may_begin_with_the_words_of_questions(text: str) -> None:
    assert count(text).form == wording.STATEMENT


def test_a_prompt_names_only_what_varies() -> None:
    same = [count("Where is my card?"), count("Where is the green card that I ordered?")]
    assert describe_traits(same[1], find_varying(same)) == "about 8 words"
    pool = pool_of(*GERMAN)
    assert pool.describe(count("rechnung fehlt")) == (
        "about 2 words, a statement or request, begins in lower case, no final punctuation"
    )
    assert pool.describe(count(GERMAN[1][0])) == (
        "about 16 words, 2 sentences, a question, with a greeting, begins in lower case, no final punctuation,"
        " with a number"
    )


@given(
    st.text(max_size=200),
    st.sampled_from(["words", "characters"]),
    st.sampled_from(["open", "multiple_choice"]),
)
def test_any_text_has_traits_and_is_within_its_own(text: str, unit: str, format: str) -> None:
    draft = Draft(text, "a", ("a", "b") if format == "multiple_choice" else ())
    traits = count_traits(draft, unit, FORMATS[format])
    assert Traits.from_dict(traits.as_dict()) == traits
    assert check_traits(traits, text) == ""
    assert describe_traits(traits, {each.name: "" for each in TRAITS}).startswith("about ")


def test_traits_stand_in_a_record_by_their_unit() -> None:
    assert count("no card yet").as_dict() == {"words": 3, "form": "statement", "lower_case": True}
    assert count("暗証番号を忘れた", "characters").as_dict()["characters"] == 8


@pytest.mark.parametrize(
    ("wanted", "text", "told"),
    [
        (Traits(8), "word " * 31, "31 words, about 8 are wanted"),
        (Traits(8), "My card has been swallowed by the machine.", ""),
        (Traits(40), "word " * 12, "12 words, about 40 are wanted"),
        (Traits(5), "I need a new card because the ATM has mine.", ""),
        (Traits(12, sentences=1), "One. Two. Three. Four and five and six.", "4 sentences, 1 are wanted"),
        (Traits(9, lines=1), "a\nb\nc\nd\ne\nf\ng\nh\ni", "9 lines, 1 are wanted"),
        (Traits(9, lines=5), "a b c d e f g h i", "1 lines, 5 are wanted"),
        (Traits(20, "characters"), "あ" * 60, "60 characters, about 20 are wanted"),
        (Traits(8, form="question", lower_case=True), "No, it is not a question at all.", ""),
    ],
)
def test_a_text_is_held_to_length_and_layout_alone(wanted: Traits, text: str, told: str) -> None:
    assert check_traits(wanted, text) == told


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_every_block_takes_each_seed_once_in_an_order_of_its_own() -> None:
    pool = pool_of(*GERMAN)
    blocks = [[pool.deal(6 * block + at)[1].id for at in range(6)] for block in range(4)]
    assert all(len(set(block)) == 6 for block in blocks)
    assert len({tuple(block) for block in blocks}) == 4
    assert [pool.deal(at)[1].id for at in range(6)] != [pool.deal(at, "Rechnung")[1].id for at in range(6)]


def test_what_is_dealt_follows_from_names_alone() -> None:
    one, other = pool_of(*GERMAN), pool_of(*GERMAN)
    assert [one.deal(at) for at in range(20)] == [other.deal(at) for at in reversed(range(20))][::-1]
    assert one.deal(3) != pool_of(*GERMAN, name="later").deal(3)
    assert one.draw(rng("a")) == other.draw(rng("a"))


def test_lengths_keep_the_seeds_distribution_and_its_tails() -> None:
    lengths = [4, 5, 6, 6, 7, 8, 9, 11, 14, 40]
    pool = pool_of(*((" ".join(["wort"] * n), "x") for n in lengths), format="free_text")
    dealt = sorted(pool.deal(at)[0].length for at in range(200))
    assert dealt[100] == pytest.approx(7.5, abs=1)
    assert sum(dealt) / 200 == pytest.approx(11, abs=1.5)
    assert dealt[-1] > 33
    assert dealt[0] >= 3, "never below the shortest by more than a word"
    assert len(set(dealt)) > 15, "and not the seeds' own lengths again"


def test_seeds_of_one_length_keep_it() -> None:
    pool = pool_of(*((f"vier worte und {n}", "x") for n in range(5)), format="free_text")
    assert {pool.deal(at)[0].length for at in range(20)} == {4}
    alone = pool_of(("ein einziger satz steht hier", "x"), format="free_text")
    assert len({alone.deal(at)[0].length for at in range(40)}) > 2


def test_a_writer_who_is_too_long_is_asked_for_less() -> None:
    pool = pool_of(*GERMAN)
    plain, corrected = (sum(pool.deal(at, correction=c)[0].length for at in range(60)) for c in (1.0, 0.7))
    assert corrected / plain == pytest.approx(0.7, abs=0.06)
    assert pool.deal(0, correction=0.01)[0].length >= 1


def test_short_texts_have_one_sentence() -> None:
    pool = pool_of(
        *((f"Hallo. Das ist der {n}. Satz. Danke sehr.", "x") for n in range(2, 12)), format="free_text"
    )
    drawn = [pool.deal(at, correction=0.5 + at / 40)[0] for at in range(40)]
    assert {each.sentences for each in drawn if each.is_short} == {1}
    assert any(each.sentences > 1 for each in drawn)


def test_the_form_comes_from_the_label_where_its_seeds_are_of_one_mind() -> None:
    pool = pool_of(
        ("Wo ist es?", "Frage"),
        ("Wann kommt es an?", "Frage"),
        ("Es ist kaputt.", "Klage"),
        ("Das fehlt", "Klage"),
    )
    assert {pool.deal(at, "Frage")[0].form for at in range(40)} == {"question"}
    assert {pool.deal(at, "Klage")[0].form for at in range(40)} == {"statement"}


def test_a_label_with_one_seed_gets_its_form_half_the_time() -> None:
    pool = pool_of(("Wo ist es?", "a"), ("Es ist kaputt.", "b"), ("das fehlt", "c"))
    drawn = [pool.deal(at, "a") for at in range(120)]
    others = [traits for traits, seed in drawn if seed.draft.output != "a"]
    assert {traits.form for traits, seed in drawn if seed.draft.output == "a"} == {"question"}
    share = sum(traits.form == "question" for traits in others) / len(others)
    assert 0.35 < share < 0.65
    assert {traits.form for traits in others} == {"question", ""}, "else the writer chooses"
    assert {pool.deal(at, "no seed has it")[0].form for at in range(12)} == {""}


def test_a_broken_seed_is_no_model_of_traits() -> None:
    broken = [
        Draft("A stem that is an option", "One", ("One", "a stem that is an option!", "Two")),
        Draft("What is its key?", "Four", ("One", "Two", "Three")),
        Draft("A bag hangs in a beaker.", "One", ("A bag hangs in a beaker. It sinks", "One", "Two")),
    ]
    format = FORMATS["multiple_choice"]
    assert all(has_fault(draft, format) for draft in broken)
    assert not any(has_fault(draft, format) for draft in QUIZ)
    whole = ("The sun is hot", "The sun is cold", "The sun is wet")
    assert not has_fault(Draft("The sun is", whole[0], whole), format), "all of them are sentences"
    pool = TraitPool(wrap(*QUIZ, *broken), "words", format)
    assert len(pool) == len(QUIZ)
    assert len(TraitPool(wrap(*broken), "words", format)) == len(broken), "better these than none"


def test_the_table_says_what_the_seeds_are_like() -> None:
    rows = dict(pool_of(*GERMAN).list_rows())
    assert rows["length"] == "2 to 16, median 11 words"
    assert rows["form"] == "statement 4, question 2"
    assert rows["begins in lower case"] == "2 of 6"
    assert "longest option" not in rows


def test_a_number_of_a_long_seed_is_not_forced_into_a_short_text() -> None:
    long = Draft(
        "After how many of the 12 months of a year does a seven-year-old tree lose its leaves for good?", "x"
    )
    short = Draft("Are there 9 planets?", "x")
    pool = TraitPool(wrap(long, short, Draft("Why is it so?", "x")), "words", FORMATS["free_text"])
    drawn = [pool.deal(at) for at in range(60)]
    assert any(traits.figures for traits, seed in drawn if seed.draft == short)
    assert all(traits.figures == 0 for traits, seed in drawn if seed.draft == long and traits.is_short)


def test_final_punctuation_does_not_tell_the_label() -> None:
    bare, marked = Draft("how do I get a refund", "refund"), Draft("My parcel is late.", "late")
    pool = TraitPool(wrap(bare, marked), "words", FORMATS["classification"])
    for label in ("refund", "late"):
        drawn = [pool.deal(at, label)[0] for at in range(40)]
        assert 0.3 < sum(bool(traits.punctuation) for traits in drawn) / 40 < 0.7, label
        assert {bool(traits.punctuation) for traits in drawn if traits.lower_case} == {False}, (
            "as seen together"
        )
