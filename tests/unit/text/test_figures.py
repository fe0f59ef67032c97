"""Figures in words: exact while a person may add them up, short beyond."""

import pytest

from aide.text.figures import (
    format_count,
    format_duration,
    format_plural,
    format_rate,
    format_share,
    read_duration,
)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (99_999, "99,999"), (340_400, "340k"), (13_700_000, "13.7M"), (4e9, "4.0G")],
)
def test_counts_are_exact_up_to_a_hundred_thousand(number: float, shown: str) -> None:
    assert format_count(number) == shown


def test_nouns_shares_and_durations() -> None:
    assert (format_plural(1, "record"), format_plural(2000, "record")) == ("1 record", "2,000 records")
    assert (format_share(1, 3), format_share(1, 0)) == ("33%", "–")
    assert [format_duration(each) for each in (None, 4.6, 125, 3725)] == ["", "5s", "2m 05s", "1h 02m"]
    assert format_duration(4.6, tenths=True) == "4.6s"
    assert [format_rate(each) for each in (2.5, 0.5, 0.001)] == [
        "2.5 records/s",
        "30.0 records/min",
        "3.6 records/h",
    ]
    assert (format_rate(1e-5), format_rate(0)) == ("less than 1 record/h", "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("7.66s", 7.66),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("59", 59.0),
        ("0.5", 0.5),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_a_duration_is_read_in_whatever_way_it_is_written(text: str, seconds: float | None) -> None:
    assert read_duration(text) == (None if seconds is None else pytest.approx(seconds))
