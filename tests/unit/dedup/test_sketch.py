"""Sketches: the estimate against true similarity, and the same keys in every process."""

from aide.dedup.sketch import compute_band_keys, estimate_similarity, make_sketch
from aide.records import rng
from aide.text.shingles import make_shingles, measure_jaccard
from aide.text.words import fold_words


def estimate(a: set[int], b: set[int]) -> float:
    return estimate_similarity(
        int.from_bytes(make_sketch(a), "little"), int.from_bytes(make_sketch(b), "little")
    )[0]


def test_estimates_are_right_on_average_and_near_each_time() -> None:
    draw = rng("estimates")
    errors = []
    for size in (20, 60, 150, 600):
        for share in (0.2, 0.5, 0.8, 1.0):
            a = {draw.getrandbits(32) for _ in range(size)}
            kept = set(sorted(a)[: int(size * share)]) if share < 1 else a
            b = kept | {draw.getrandbits(32) for _ in range(size - len(kept))}
            errors.append(estimate(a, b) - measure_jaccard(a, b))
    assert abs(sum(errors) / len(errors)) < 0.05
    assert max(map(abs, errors)) < 0.2


def test_nothing_resembles_nothing() -> None:
    assert estimate(set(), set()) == 0.0
    assert measure_jaccard(set(), set()) == 0.0
    assert compute_band_keys(make_sketch(set())) == (0,) * 16


def test_equal_sets_share_all_keys_and_strangers_none() -> None:
    draw = rng("keys")
    a = {draw.getrandbits(32) for _ in range(30)}
    b = {draw.getrandbits(32) for _ in range(30)}
    assert compute_band_keys(make_sketch(a)) == compute_band_keys(make_sketch(set(a)))
    assert not set(compute_band_keys(make_sketch(a))) & set(compute_band_keys(make_sketch(b)))


def test_hashes_are_the_same_in_every_process() -> None:
    assert sorted(make_shingles(fold_words("Why?")))[:1] == [704810992]
