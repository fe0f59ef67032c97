from dataclasses import astuple

import pytest

from aide.metrics.drift import DriftBounds, DriftMeter, measure_likeness

SEEDS = ["a baker sells seven loaves", "a baker sells nine rolls", "the bus leaves at noon"]


def test_likeness_is_the_share_of_common_words() -> None:
    assert measure_likeness("A baker sells, today!", "a BAKER sells") == 0.75
    assert measure_likeness("", "") == 0.0


def test_scripts_without_spaces_are_alike_by_pairs_of_characters() -> None:
    near = measure_likeness("明天去北京的列车几点出发呢", "明天去上海的列车几点出发呢")
    assert 0.3 < near < 1
    assert measure_likeness("明天去北京的列车几点出发呢", "猫在屋顶上睡觉因为太阳很暖") < near


def test_drift_by_hop() -> None:
    meter = DriftMeter.of(SEEDS)
    meter.add(1, "a baker sells seven buns", SEEDS[0])
    meter.add(2, "the bus leaves at nine", SEEDS[0])
    told = meter.as_dict()
    assert told["by_hop"]["1"] == {
        "records": 1,
        "to_seed": pytest.approx(4 / 6, abs=1e-4),
        "to_nearest": 0.6667,
    }
    assert told["by_hop"]["2"]["to_seed"] == 0.0
    assert told["by_hop"]["2"]["to_nearest"] == pytest.approx(4 / 6, abs=1e-4)
    assert told["between_seeds"] == pytest.approx((3 / 7 + 0 + 0) / 3, abs=1e-4)


def test_bounds_are_the_usual_and_the_loneliest_seed() -> None:
    assert astuple(DriftBounds.of(SEEDS)) == pytest.approx((3 / 7, 0.0))
    assert astuple(DriftBounds.of(SEEDS[:2])) == pytest.approx((3 / 7, 3 / 7))
    assert DriftBounds.of(SEEDS[:1]) == DriftBounds(0.0, 0.0)
