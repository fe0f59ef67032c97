"""The judge against a person: agreement, and the thresholds at which it is greatest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.judging.calibration import ReviewedGrade, find_best_fit, measure_fit

GOOD = [ReviewedGrade(True, True, relevance, 8) for relevance in (6, 7, 9)]
BAD = [ReviewedGrade(False, True, 4, 8), ReviewedGrade(False, False, 10, 10)]


def test_agreement_is_counted_at_the_thresholds_that_hold() -> None:
    fit = measure_fit(GOOD + BAD, 7, 5)
    assert (fit.agreed, fit.of, fit.good_taken, fit.bad_taken) == (4, 5, 2, 0)
    # 0.8 where 2/5 * 3/5 + 3/5 * 2/5 = 0.48 is chance.
    assert fit.kappa == pytest.approx((0.8 - 0.48) / 0.52)
    assert fit.as_dict()["kappa"] == 0.615


def test_all_of_one_kind_agree_by_chance_alone() -> None:
    assert measure_fit(GOOD, 1, 1).kappa == 1.0
    assert measure_fit(GOOD, 10, 10).kappa == 0.0


def test_the_best_thresholds_are_the_nearest_of_those_that_agree_most() -> None:
    best = find_best_fit(GOOD + BAD, 7, 5)
    assert (best.relevance, best.diversity, best.agreed) == (6, 5, 5)
    assert find_best_fit(GOOD, 3, 2).as_dict()["min_relevance"] == 3, (
        "a standard that need not change should not"
    )


grades = st.builds(ReviewedGrade, st.booleans(), st.booleans(), st.integers(1, 10), st.integers(1, 10))


@given(st.lists(grades, min_size=1, max_size=12), st.integers(1, 10), st.integers(1, 10))
def test_no_thresholds_agree_better_than_the_best(
    reviewed: list[ReviewedGrade], relevance: int, diversity: int
) -> None:
    best = find_best_fit(reviewed, relevance, diversity)
    assert best.agreed == max(measure_fit(reviewed, r, d).agreed for r in range(1, 11) for d in range(1, 11))
    assert best.agreed >= measure_fit(reviewed, relevance, diversity).agreed
