import gzip
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide.metrics.diversity import (
    list_ngrams,
    measure_compression,
    measure_distinct,
    measure_evenness,
    measure_lengths,
    measure_near_duplicates,
    measure_self_bleu,
    measure_texts,
)
from aide.text.words import split_tokens

TEXTS = (
    "A baker sells 14 loaves before noon, and twice as many after it. How many loaves are sold?",
    "A baker sells 9 rolls before noon, and three times as many after it. How many rolls are sold in all?",
    "The bus to the lake takes 40 minutes. It leaves at nine. When does it arrive?",
    "Wie viele Brötchen verkauft die Bäckerin, wenn sie am Morgen 14 und am Abend 20 verkauft?",
    "Yes.",
    "the the the the the bus bus",
)


def reference_self_bleu(texts: list[list[str]]) -> float:
    """By sacrebleu itself, each text against all others, on the same tokens."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", smooth_method="exp", effective_order=True, force=True)
    joined = [" ".join(text) for text in texts]
    scores = [
        metric.sentence_score(text, [other for at, other in enumerate(joined) if at != place]).score / 100
        for place, text in enumerate(joined)
    ]
    return sum(scores) / len(scores)


def test_self_bleu_is_that_of_sacrebleu() -> None:
    split = [split_tokens(text) for text in TEXTS]
    assert measure_self_bleu(split) == pytest.approx(reference_self_bleu(split), abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abcdé"), min_size=1, max_size=9), min_size=2, max_size=6))
def test_self_bleu_is_that_of_sacrebleu_on_anything(texts: list[list[str]]) -> None:
    assert measure_self_bleu(texts) == pytest.approx(reference_self_bleu(texts), abs=1e-6)


def test_repetition_raises_self_bleu_and_lowers_distinct() -> None:
    repeated = [split_tokens(TEXTS[0])] * 3
    assert measure_self_bleu(repeated) == pytest.approx(1.0)
    assert measure_distinct(repeated, 2) == pytest.approx(1 / 3)
    assert measure_self_bleu([["one"]]) == 0.0


def test_distinct_counts_over_all_texts_together() -> None:
    texts = [["a", "b", "a"], ["a", "b"]]
    assert measure_distinct(texts, 1) == 2 / 5
    assert measure_distinct(texts, 2) == 2 / 3
    assert measure_distinct([], 1) == 0


def test_compression_ratio_is_that_of_gzip() -> None:
    joined = " ".join(TEXTS).encode()
    assert measure_compression(TEXTS) == len(joined) / len(gzip.compress(joined))
    assert measure_compression([TEXTS[0]] * 20) > 4 * measure_compression(TEXTS)


def test_lengths_are_nearest_ranks() -> None:
    assert measure_lengths([["x"] * n for n in range(1, 101)]) == {
        "mean": 50.5,
        "p5": 5,
        "p50": 50,
        "p95": 95,
    }


def test_evenness_is_entropy_over_its_maximum() -> None:
    assert measure_evenness([5, 5, 5]) == pytest.approx(1.0)
    assert measure_evenness([3, 1]) == pytest.approx(
        -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    )
    assert measure_evenness([7]) == 0.0


def test_near_duplicates_are_those_that_would_be_dropped() -> None:
    assert measure_near_duplicates([*TEXTS, TEXTS[0].upper()]) == pytest.approx(1 / 7)


def test_measure_has_self_bleu_only_where_places_are_named() -> None:
    assert "self_bleu" not in measure_texts(TEXTS)
    assert measure_texts(TEXTS, range(6))["self_bleu"] == round(
        measure_self_bleu([split_tokens(text) for text in TEXTS]), 4
    )


def test_scripts_without_spaces_are_split_by_character() -> None:
    assert split_tokens("北京-3号") == ["北", "京", "-", "3", "号"]
    assert list_ngrams(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
