from random import Random

import pytest

from aide.dedup.semantic import SemanticDuplicate, SemanticIndex
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
    known = SemanticIndex(held.get)
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


def test_the_threshold_is_never_below_two_seeds() -> None:
    one, other = vectors(2)
    close = near(one, 0.15)
    assert cosine(one, close) > 0.98
    known = SemanticIndex({"a": one}.get)
    known.learn([one, other])
    assert known.threshold == 0.98
    known.learn([one, close])
    assert known.threshold == pytest.approx(cosine(one, close) + 0.001)


def test_vectors_of_other_lengths_are_strangers() -> None:
    known = SemanticIndex({"a": [1.0, 0.0]}.get)
    known.enter("a", [1.0, 0.0])
    assert known.find([1.0, 0.0]) == SemanticDuplicate("a", 1.0)
    assert known.find([1.0, 0.0, 0.0]) is None
    assert sign_bits([0.3, -0.2, 0.0, 1.0]) == 0b1001
