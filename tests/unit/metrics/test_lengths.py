import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.metrics.lengths import LengthFigures, measure_emd, measure_emd_within
from aide.text.length import find_quantile

LENGTHS = st.lists(st.integers(0, 500), min_size=1, max_size=40).map(sorted)


@given(LENGTHS, st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]))
def test_quantiles_are_those_of_numpy(lengths: list[int], share: float) -> None:
    numpy = pytest.importorskip("numpy")
    assert find_quantile(lengths, share) == pytest.approx(numpy.quantile(lengths, share))


@given(LENGTHS, st.integers(0, 100))
def test_texts_that_all_grew_by_so_many_words_are_so_far_apart(lengths: list[int], more: int) -> None:
    assert measure_emd(lengths, [length + more for length in lengths]) == pytest.approx(more)
    assert measure_emd(lengths, lengths) == 0


def test_a_sample_of_a_set_is_nearer_to_its_rest_the_larger_it_is() -> None:
    lengths = list(range(100))
    few, many = (measure_emd_within(lengths, size, "x") for size in (5, 50))
    assert many < few / 2
    assert measure_emd_within(lengths, 1000, "x") == many, "never more than half"
    assert measure_emd_within([1, 2, 3], 10, "x") == 0


def test_figures_of_lengths() -> None:
    assert LengthFigures.of([1, 2, 3, 4]).as_dict() == {
        "p5": 1.15, "p50": 2.5, "p95": 3.85, "mean": 2.5
    }  # fmt: skip
