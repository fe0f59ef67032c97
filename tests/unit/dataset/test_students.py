"""Students in scikit-learn; skipped where it is not installed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from aide.dataset.comparison import (
    ComparedData,
    compare_data,
    measure_sampled_bleu,
    read_data,
    train_students,
)
from aide.dataset.minilm import NAME, MiniLM
from aide.dataset.minilm import is_installed as minilm_is_installed
from aide.dataset.students import EMBEDDINGS, TF_IDF, StudentResult, StudentTraining, draw_per_label
from aide.dataset.text_vectors import embed_by_minilm
from aide.records import Draft
from aide.vectors import Vector

pytest.importorskip("sklearn")

WORDS = {"card": "my card was stolen in the city", "rate": "what rate do you give for euros"}
LABELLED = ComparedData(
    "good", tuple(Draft(f"{text} number {n}", label) for n in range(6) for label, text in WORDS.items())
)
SWAPPED = ComparedData(
    "swapped",
    tuple(Draft(draft.input, "rate" if draft.output == "card" else "card") for draft in LABELLED.drafts),
)
GOLD = tuple(Draft(f"{text} again {n}", label) for n in range(10) for label, text in WORDS.items())
MEANING: Mapping[str, Vector] = {
    draft.input: (1.0, 0.0) if "card" in draft.input else (0.0, 1.0) for draft in (*LABELLED.drafts, *GOLD)
}


def train(*compared: ComparedData, vectors: Mapping[str, Vector] = MEANING) -> list[StudentResult | str]:
    return list(train_students(compared, StudentTraining(GOLD, vectors, (2, 9), draws=2)))


def test_students_learn_what_is_in_the_data() -> None:
    found = [each for each in train(LABELLED, SWAPPED) if isinstance(each, StudentResult)]
    told = [(each.arm, each.student, each.per_label, each.smallest, each.accuracy) for each in found]
    assert told == [
        ("good", EMBEDDINGS, 2, 2, 1.0), ("good", EMBEDDINGS, 9, 6, 1.0),
        ("good", TF_IDF, 2, 2, 1.0), ("good", TF_IDF, 9, 6, 1.0),
        ("swapped", EMBEDDINGS, 2, 2, 0.0), ("swapped", EMBEDDINGS, 9, 6, 0.0),
        ("swapped", TF_IDF, 2, 2, 0.0), ("swapped", TF_IDF, 9, 6, 0.0),
    ]  # fmt: skip


def test_without_embeddings_only_words_are_learned_from() -> None:
    found = [each for each in train(LABELLED, vectors={}) if isinstance(each, StudentResult)]
    assert {each.student for each in found} == {TF_IDF}


def test_data_without_labels_of_the_gold_are_named() -> None:
    cards = ComparedData("cards", tuple(draft for draft in LABELLED.drafts if draft.output == "card"))
    assert train(cards) == [
        "cards has no records of 'rate': a student can't learn what it never saw",
        "cards has fewer than two labels, so nothing can be learned from it",
    ]


def test_draws_take_equally_many_of_each_label_where_there_are_so_many() -> None:
    labels = ["a"] * 10 + ["b"] * 3
    drawn = draw_per_label(labels, 5, 0)
    assert [labels[place] for place in drawn] == ["a"] * 5 + ["b"] * 3
    assert len(set(drawn)) == 8
    assert drawn == draw_per_label(labels, 5, 0) != draw_per_label(labels, 5, 1)


# --- MiniLM -------------------------------------------------------------------------------------

needs_minilm = pytest.mark.skipif(not minilm_is_installed(), reason=f"{NAME} is not installed")


@needs_minilm
def test_minilm_finds_what_means_the_same() -> None:
    texts = ["My card was stolen.", "Somebody took my debit card!", "Bananas are rich in potassium."]
    vectors = MiniLM().embed([*texts, " ".join(texts * 100)])
    assert vectors.shape == (4, 384)
    assert (vectors**2).sum(1) == pytest.approx([1.0] * 4, abs=1e-5)
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert near > 0.6 > 0.2 > far
    alone = MiniLM().embed(texts[:1])
    assert alone[0] == pytest.approx(vectors[0], abs=1e-5), "a text's vector does not hang on its neighbours"


TASKS = Path(os.environ.get("AIDE_TASKS", ""))
BANK = TASKS / "quality" / "banking77"


@needs_minilm
@pytest.mark.shared
@pytest.mark.skipif(not BANK.is_dir(), reason="AIDE_TASKS names no folder with quality/banking77")
def test_the_table_of_the_bank_messages_comes_out_again() -> None:
    """Figures that another program printed for the same files, to the last digit."""
    expected = json.loads((Path(__file__).parent / "bank_table.json").read_text(encoding="utf-8"))
    gold = read_data(f"gold={TASKS / 'gold' / 'banking77_10intents.jsonl'}")
    arms = [read_data(f"{name}={BANK / name}.jsonl") for name in expected if name != "gold"]
    vectors = embed_by_minilm(NAME, [text for each in (gold, *arms) for text in each.texts]).vectors
    for figures in compare_data(arms, gold, vectors, draws=1).figures:
        told = figures.as_dict()
        marks = [int(told["length"][mark]) for mark in ("p5", "p50", "p95")]
        found = [told["n"], *marks, told["emd"] or 0.0, told["cover"], told["like"], told["self_bleu"]]
        assert found == pytest.approx(expected[figures.name]["figures"], abs=0.006), figures.name
    for draws, student in ((10, EMBEDDINGS), (3, TF_IDF)):
        held = vectors if student == EMBEDDINGS else {}
        for found_result in train_students(arms, StudentTraining(gold.drafts, held, (3, 9, 20), draws)):
            if isinstance(found_result, StudentResult) and found_result.student == student:
                sizes = expected[found_result.arm][student]
                wanted = sizes[(3, 9, 20).index(found_result.per_label)]
                assert found_result.accuracy == pytest.approx(wanted, abs=0.0016), found_result.as_dict()
    assert measure_sampled_bleu(arms[1].texts, 100, "words", 1) == pytest.approx(0.188, abs=0.0006)
