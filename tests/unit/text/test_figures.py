"""Figures in words: exact while a person may add them up, short beyond."""

import pytest

from aide.text.figures import format_count, format_duration, format_plural, format_share


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
