"""Several data sets side by side: the figures, and the sentences about what students learned."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide.dataset.comparison import (
    ComparedData,
    DataComparison,
    compare_data,
    compute_coverage,
    count_copies,
    measure_sampled_bleu,
    name_apart,
    read_data,
)
from aide.dataset.students import (
    EMBEDDINGS,
    TF_IDF,
    StudentResult,
    are_labels,
    compare_all,
    compare_results,
)
from aide.errors import InputError
from aide.metrics.diversity import measure_self_bleu, score_plain_bleu
from aide.metrics.similarity import measure_coverage
from aide.records import Draft


def data(name: str, *texts: str) -> ComparedData:
    return ComparedData(name, tuple(Draft(text, "x") for text in texts))


def write(path: Path, rows: Sequence[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


# --- reading ------------------------------------------------------------------------------------


def test_data_are_named_by_the_person_or_by_their_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a=b.jsonl", [{"input": "x", "output": "y"}])
    assert read_data(path).name == "a=b"
    assert read_data(f"mine={path}").name == "mine"
    assert read_data(f"mine={path}").drafts == (Draft("x", "y"),)
    assert [each.name for each in name_apart([data("a", "x"), data("a", "y"), data("b", "z")])] == [
        "a",
        "a-2",
        "b",
    ]
    with pytest.raises(InputError, match="holds no records"):
        read_data(write(tmp_path / "empty.jsonl", []))


def test_of_a_record_with_parts_only_the_varying_one_is_compared(tmp_path: Path) -> None:
    row: dict[str, object] = {
        "input": "long text\n\nWhat?", "output": "y", "parts": {"text": "long text", "question": "What?"},
        "varying": "question",
    }  # fmt: skip
    assert read_data(write(tmp_path / "a.jsonl", [row])).texts == ["What?"]


# --- figures ------------------------------------------------------------------------------------


def plain_self_bleu(texts: list[list[str]]) -> float:
    """By its definition: the greatest count of each n-gram in any other text, one text after the other."""
    scores = []
    for place, text in enumerate(texts):
        logs = []
        for n in range(1, 5):
            own = Counter(zip(*(text[at:] for at in range(n)), strict=False))
            others = [
                Counter(zip(*(other[at:] for at in range(n)), strict=False))
                for at, other in enumerate(texts)
                if at != place
            ]
            hit = sum(min(count, max(other[gram] for other in others)) for gram, count in own.items())
            logs.append(math.log((hit or 0.1) / own.total()) if own else math.log(0.1))
        scores.append(math.exp(sum(logs) / 4))
    return sum(scores) / len(scores)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=2, max_size=6))
def test_self_bleu_without_brevity_penalty_is_that_of_its_definition(texts: list[list[str]]) -> None:
    assert measure_self_bleu(texts, score_plain_bleu) == pytest.approx(plain_self_bleu(texts), abs=1e-9)


def test_self_bleu_of_many_is_the_mean_of_samples_of_one_size() -> None:
    same = ["a b c d e"] * 50
    assert measure_sampled_bleu(same, 20, "words", 3) == pytest.approx(1.0)
    assert measure_sampled_bleu(["A b", "a B"], 20, "words", 3) == pytest.approx(
        plain_self_bleu([["a", "b"]] * 2)
    )
    assert measure_sampled_bleu(["你好", "你好"], 20, "characters", 1) == pytest.approx(
        plain_self_bleu([["你", "好"]] * 2)
    )


def test_figures_are_held_against_the_reference_which_comes_first() -> None:
    texts = [f"word {n} of many" for n in range(30)]
    found = compare_data(
        [data("long", *(f"{text} {text}" for text in texts)), data("few", "a b")], data("gold", *texts), {}
    )
    gold, long, few = found.figures
    assert (gold.name, gold.emd, gold.size) == ("gold", None, 30)
    assert long.emd == pytest.approx(4.0)
    assert few.emd == pytest.approx(2.0)
    assert few.self_bleu is None, "two texts do not make all others be measured at two"
    assert gold.self_bleu is not None
    assert all(each.coverage is None for each in found.figures)


def test_without_a_reference_only_lengths_and_diversity_are_told() -> None:
    found = compare_data([data("a", "one two", "three four five")], None, {})
    assert found.reference == ""
    assert [each.emd for each in found.figures] == [None]
    assert found.as_dict()["reference"] is None


def test_coverage_is_the_same_with_and_without_an_array_library() -> None:
    pytest.importorskip("numpy")
    vectors = {"a": (1.0, 0.0), "b": (0.6, 0.8), "c": (0.0, 1.0), "d": (0.8, 0.6)}
    found = compute_coverage(["b", "c"], ["a", "d"], vectors)
    plain = measure_coverage([vectors["b"], vectors["c"]], [vectors["a"], vectors["d"]])
    assert found.as_dict() == plain.as_dict() == {"cover": 0.78, "like": 0.78, "among": 0.8}


def test_the_reference_is_held_against_itself_without_each_text() -> None:
    vectors = {"a": (1.0, 0.0), "b": (0.6, 0.8), "c": (0.0, 1.0)}
    found = compute_coverage(["a", "b", "c"], ["a", "b", "c"], vectors).as_dict()
    assert found == {"cover": 0.7333, "like": 0.7333, "among": 0.7333}


def test_rows_that_stand_in_the_gold_are_counted() -> None:
    assert count_copies(data("a", "My card, please!", "else"), data("gold", "my card please")) == 1


# --- students -----------------------------------------------------------------------------------


def test_what_is_a_label_is_told_from_what_is_an_answer() -> None:
    assert are_labels([Draft(f"text {n}", "ab"[n % 2]) for n in range(10)])
    assert not are_labels([Draft(f"text {n}", str(n)) for n in range(10)]), "each output once"
    assert not are_labels([Draft(f"text {n}", "same") for n in range(10)]), "nothing to choose"
    options = [Draft(f"text {n}", "ab"[n % 2], (str(n), "a", "b")) for n in range(10)]
    assert not are_labels(options)
    listed = [Draft(f"text {n}", "ab"[n % 2], ("a", "b")) for n in range(10)]
    assert are_labels(listed), "the same options everywhere are the labels"


def result(arm: str, correct: Sequence[float], student: str = TF_IDF, smallest: int = 3) -> StudentResult:
    return StudentResult(arm, student, 3, smallest, tuple(correct))


def test_errors_are_paired_over_gold_rows() -> None:
    hard_and_easy = [0.0, 1.0] * 50
    better = [min(1.0, value + 0.1) if place % 4 else value for place, value in enumerate(hard_and_easy)]
    one, other = result("one", hard_and_easy), result("other", better)
    found = compare_results(one, other)
    assert found.better is other
    assert found.difference == pytest.approx(0.025)
    assert found.error < one.error / 5, "what is hard is hard for both"
    assert found.error == pytest.approx(
        math.sqrt(sum((d - 0.025) ** 2 for d in [0.1] * 25 + [0.0] * 75) / 99 / 100)
    )
    assert found.is_clear


def compare(*results: StudentResult, always: str = "") -> DataComparison:
    return DataComparison("gold", "words", [], list(results), compare_all(results, always))


def test_clear_differences_are_sentences_and_others_are_named_as_such() -> None:
    good, alike, bad = [1.0] * 30, [1.0] * 29 + [0.0], [0.0] * 15 + [1.0] * 15
    told = compare(result("good", good), result("alike", alike), result("bad", bad)).verdicts
    assert told == [
        "alike and good: no difference of more than two standard errors",
        "more is learned from good than from bad: by tf-idf 0.500 ± 0.093 at 3 a label",
        "more is learned from alike than from bad: by tf-idf 0.467 ± 0.104 at 3 a label",
    ]


def test_students_may_disagree() -> None:
    one, other = [1.0] * 20, [0.0] * 10 + [1.0] * 10
    told = compare(
        result("a", one, EMBEDDINGS), result("b", other, EMBEDDINGS), result("a", other), result("b", one)
    ).verdicts
    assert told == [
        "more is learned from a than from b: by embeddings 0.500 ± 0.115 at 3 a label",
        "more is learned from b than from a: by tf-idf 0.500 ± 0.115 at 3 a label",
    ]


def test_data_with_too_few_of_a_label_are_held_only_against_the_seeds() -> None:
    full, short, seeds = [1.0] * 20, [0.0] * 20, [0.5] * 20
    results = (result("full", full), result("short", short, smallest=2), result("seeds", seeds, smallest=1))
    assert compare(*results).differences == []
    told = compare(*results, always="seeds").verdicts
    assert told == [
        "more is learned from full than from seeds: by tf-idf 0.500 ± 0.000 at 3 against 1 a label"
    ]
