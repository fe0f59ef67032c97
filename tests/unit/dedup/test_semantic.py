from itertools import combinations
from random import Random

import pytest

from aide.dedup.semantic import SemanticDuplicate, SemanticIndex, learn_threshold
from aide.vectors import cosine, sign_bits


def unit(values: list[float]) -> list[float]:
    norm = sum(value * value for value in values) ** 0.5
    return [value / norm for value in values]


def vectors(count: int, size: int = 64) -> list[list[float]]:
    draw = Random(7)
    return [unit([draw.gauss(0, 1) for _ in range(size)]) for _ in range(count)]


def near(vector: list[float], share: float) -> list[float]:
    draw = Random(11)
    return unit([value + share * draw.gauss(0, 1) / len(vector) ** 0.5 for value in vector])


def test_the_nearest_is_found_among_many_and_strangers_are_not() -> None:
    held = {str(place): vector for place, vector in enumerate(vectors(400))}
    known = SemanticIndex(held.get, threshold=0.98)
    for id, vector in held.items():
        known.enter(id, vector)
    for id in ("0", "123", "399"):
        twin = known.find(near(held[id], 0.1))
        assert twin is not None
        assert twin.id == id
        assert twin.cosine > 0.98
    assert known.find(vectors(401)[400]) is None
    known.release("123")
    assert known.find(near(held["123"], 0.1)) is None
    assert len(known) == 399


def paraphrases(*cosines: float) -> list[tuple[list[float], list[float]]]:
    """Pairs with these cosines, each at a right angle to all others."""
    pairs = []
    for at, likeness in enumerate(cosines):
        one, other = [0.0] * 2 * len(cosines), [0.0] * 2 * len(cosines)
        one[2 * at] = 1.0
        other[2 * at : 2 * at + 2] = likeness, (1 - likeness**2) ** 0.5
        pairs.append((one, other))
    return pairs


PAIRS = paraphrases(0.7, 0.8, 0.85, 0.9, 0.95)


def test_of_a_model_that_hardly_tells_paraphrases_from_strangers_only_nearly_equal_texts_count() -> None:
    assert learn_threshold(vectors(10), paraphrases(0.1, 0.3, 0.4, 0.45, 0.6)) == 0.98


def test_the_threshold_stands_where_the_model_puts_paraphrases() -> None:
    assert learn_threshold(vectors(10), PAIRS) == pytest.approx(0.9)
    assert learn_threshold(vectors(10), PAIRS, labelled=True) == pytest.approx(0.95)
    assert learn_threshold(vectors(1), PAIRS) == pytest.approx(0.9)


def test_the_threshold_is_above_any_two_seeds_unless_they_are_the_same() -> None:
    one, other = vectors(2)
    close = near(one, 0.15)
    assert learn_threshold([one, close], PAIRS) == pytest.approx(cosine(one, close) + 0.001)
    assert learn_threshold([one, one, other], PAIRS) == pytest.approx(0.9)


def test_texts_of_one_frame_are_not_taken_for_duplicates_of_each_other() -> None:
    one = vectors(1)[0]
    framed = [
        unit([value + 0.5 * extra for value, extra in zip(one, each, strict=True)])
        for each in vectors(10)[1:]
    ]
    learned = learn_threshold(framed, PAIRS)
    assert 0.9 < learned <= 0.95
    assert all(cosine(a, b) < learned for a, b in combinations(framed, 2))


def test_vectors_of_other_lengths_are_strangers() -> None:
    known = SemanticIndex({"a": [1.0, 0.0]}.get, threshold=0.98)
    known.enter("a", [1.0, 0.0])
    assert known.find([1.0, 0.0]) == SemanticDuplicate("a", 1.0)
    assert known.find([1.0, 0.0, 0.0]) is None
    assert sign_bits([0.3, -0.2, 0.0, 1.0]) == 0b1001
