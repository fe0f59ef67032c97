"""Meters of a distribution: what they count, and what their sentences say."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from aide.metrics.distribution import Distribution, DistributionMeter, measure_distribution
from aide.metrics.references import HUMAN, SEEDS
from aide.metrics.shares import SampleMean, Share, differs
from aide.metrics.similarity import NearestComparison
from aide.records import Draft

SEEDS_TEXTS = (
    "How do I change my PIN?",
    "my card was stolen yesterday, what now",
    "Can I top up with cheques?",
    "There is a payment I did not make",
    "What is the exchange rate for euros today?",
    "please cancel my transfer",
    "Why was I charged a fee for taking out cash?",
    "I want to close my account",
    "Where can I use this card abroad?",
    "the app asks for my passport again and again, why",
)


def drafts(*texts: str) -> list[Draft]:
    return [Draft(text, "x") for text in texts]


def count_question(draft: Draft) -> Mapping[str, bool | int | str]:
    return {"question": "?" in draft.input, "words": len(draft.input.split())}


def beside_seeds(*texts: str) -> Distribution:
    seeds = drafts(*SEEDS_TEXTS)
    [found] = measure_distribution(drafts(*texts), {SEEDS: seeds}, count_traits=count_question)
    return found


def test_texts_like_the_seeds_are_told_to_be() -> None:
    told = beside_seeds(*SEEDS_TEXTS).verdicts
    assert told[0] == "as long as the seeds: 7 words, seeds 7"
    assert told[1] == "openings as varied as those of the seeds"
    assert told[2] == "traits as in the seeds"
    # A seed has itself for nearest, but only where it is not the one left out.
    assert told[3].startswith("nearer to the seeds than those are to each other: 9")


def test_longer_texts_are_told_with_both_medians() -> None:
    found = beside_seeds(*(" ".join([text] * 4) for text in SEEDS_TEXTS * 2))
    assert found.verdicts[0] == "longer than the seeds: 28 words, seeds 7"
    assert found.length.emd > 5 * found.length.emd_within


def test_lengths_that_vary_less_are_told_where_the_middle_is_right() -> None:
    seeds = drafts(*(" ".join(["word"] * count) for count in (2, 3, 4, 8, 20, 21, 22, 40, 60, 90)))
    same = drafts(*(" ".join(["word"] * 21) for _ in range(50)))
    [found] = measure_distribution(same, {SEEDS: seeds})
    assert found.verdicts[0] == (
        "lengths vary less than those of the seeds: nine of ten have 21 to 21 words, seeds 2 to 76"
    )


def test_an_opening_that_recurs_is_named_with_both_shares() -> None:
    texts = [f"How do I {verb} the {noun}?" for verb in ("stop", "find", "see") for noun in "abcdefgh"]
    found = beside_seeds(*texts, "Please tell me now", "What a day it was")
    assert found.openings.excess == "how do i"
    assert found.verdicts[1] == "9 of 10 begin alike: 'how do i' opens 92%, of the seeds 10%"


def test_ten_seeds_cannot_tell_a_small_difference() -> None:
    assert differs(Share(31, 100), Share(0, 10))
    assert not differs(Share(12, 100), Share(0, 10)), "one of ten seeds is as likely as none"
    assert not differs(Share(0, 200), Share(1, 10)), "a single one of ten may be the only one of thousands"
    assert not differs(Share(120, 1000), Share(80, 1000)), "less than one text in ten"
    assert not differs(Share(0, 0), Share(1, 1))


def test_traits_that_differ_are_told_the_furthest_apart_first() -> None:
    found = beside_seeds(*(text.rstrip("?") for text in SEEDS_TEXTS * 2))
    assert found.verdicts[2] == "other traits than the seeds: question 0% (seeds 50%)"
    assert found.as_dict()["traits"]["question"] == {
        "no": {"these": 1.0, "those": 0.5},
        "yes": {"these": 0.0, "those": 0.5},
    }


def test_texts_about_something_else_are_further_than_the_seeds_from_each_other() -> None:
    found = beside_seeds(*(f"Dinosaurs{n} roamed{n} forests{n} long{n} ago{n}" for n in range(30)))
    assert found.verdicts[3].startswith("further from the seeds than those are from each other: 0% of words")


@pytest.mark.parametrize(
    ("these", "among", "told"),
    [
        ((0.23, 0.24, 0.22), (0.09, 0.08, 0.1), "nearer to the seeds than those are to each other: 23%"),
        (
            (0.16, 0.15, 0.17),
            (0.09, 0.09, 0.1),
            "a little nearer to the seeds than those are to each other: 16%",
        ),
        ((0.03, 0.03, 0.03), (0.01, 0.01, 0.01), "nearer to the seeds than those are to each other: 3%"),
        ((0.01, 0.01, 0.01), (0.03, 0.02, 0.03), "further from the seeds than those are from each other: 1%"),
        ((0.11, 0.1, 0.12), (0.09, 0.1, 0.11), "as near to the seeds as those are to each other: 11%"),
        ((0.004, 0.004), (0.001, 0.001), "as near to the seeds as those are to each other: 0%"),
        (
            (0.23, 0.9, 0.01),
            (0.2, 0.01, 0.1),
            "as near to the seeds as those are to each other, within chance",
        ),
    ],
)
def test_the_sentence_on_nearness_agrees_with_its_figures(
    these: tuple[float, ...], among: tuple[float, ...], told: str
) -> None:
    found = NearestComparison(SampleMean.of(these), SampleMean.of(among))
    assert found.verdict(SEEDS).startswith(told)


def test_each_reference_has_figures_of_its_own() -> None:
    meter = DistributionMeter.of({SEEDS: drafts(*SEEDS_TEXTS), HUMAN: drafts("one two", "three"), "none": []})
    assert meter.as_dict() == {}, "nothing was counted yet"
    meter.add(Draft("Can I pay by cheque?"))
    told = meter.as_dict()
    assert list(told) == ["records", "closely", "seeds", "human"]
    assert (told["records"], told["seeds"]["size"], told["human"]["size"]) == (1, 10, 2)
    assert told["human"]["length"]["unit"] == "words"
    assert "coverage" not in told["seeds"]


def test_scripts_without_spaces_are_measured_in_characters() -> None:
    seeds = drafts("我的卡丢了怎么办", "如何更改密码", "可以取消转账吗", "今天的汇率是多少")
    [found] = measure_distribution(drafts("我的卡被偷了", "我的卡不见了", "我的卡坏了"), {SEEDS: seeds})
    assert found.length.unit == "characters"
    assert found.openings.commonest == "我的卡不"
    assert found.openings.excess in ("", "我的卡")


def test_vectors_give_cover_and_likeness() -> None:
    seeds = drafts("north", "east")
    vectors = {"north": (0.0, 1.0), "east": (1.0, 0.0), "up": (0.0, 1.0), "near": (0.6, 0.8)}
    [found] = measure_distribution(drafts("up", "near", "lost"), {SEEDS: seeds}, vectors=vectors)
    assert found.coverage is not None
    assert found.coverage.as_dict() == {"cover": 0.8, "like": 0.9, "among": 0.0}
    assert "covered at 0.80" in found.verdicts[-1]


def test_a_single_text_and_an_empty_one_are_no_trouble() -> None:
    [found] = measure_distribution(drafts("", "a"), {SEEDS: drafts("only one")})
    assert found.length.emd_within == 0.0
    assert found.nearest.as_dict() == {"these": 0.0, "those": 0.0}
    assert found.as_dict()["length"]["histogram"] == [[0, 0, 1, 0], [1, 1, 1, 0], [2, 2, 0, 1]]


def test_a_histogram_has_few_columns_and_loses_nothing() -> None:
    lengths = [5, 6, 7, 8, 30, 31, 900]
    found = beside_seeds(*(" ".join(["w"] * length) for length in lengths)).length.histogram
    assert len(found) <= 12
    assert sum(column[2] for column in found) == len(lengths)
    assert sum(column[3] for column in found) == len(SEEDS_TEXTS)
    assert found[-1][1] == 900
    assert all(one[1] + 1 == other[0] for one, other in pairwise(found))


@pytest.mark.parametrize("name", [SEEDS, HUMAN])
def test_a_meter_without_examples_says_nothing(name: str) -> None:
    assert measure_distribution([], {name: drafts("a")}) == []


def test_of_a_large_set_some_are_looked_at_closely() -> None:
    meter = DistributionMeter.of({SEEDS: drafts(*SEEDS_TEXTS)}, count_traits=count_question, expected=5000)
    for n in range(5000):
        meter.add(Draft(f"How much is {n}?"))
    told = meter.as_dict()
    assert (told["records"], told["closely"]) == (5000, 1000)
    assert told["seeds"]["openings"]["excess"]["these"] == 1.0
    assert told["seeds"]["traits"]["question"]["yes"]["these"] == 1.0
