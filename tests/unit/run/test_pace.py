"""The time that is left, from how the last minutes went."""

import pytest

from aide.run.pace import LEAST_RECORDS, Pace
from aide.run.progress import Progress
from aide.text.figures import format_left


def run(*phases: tuple[int, float]) -> Pace:
    """A pace after phases of so many seconds at so many records a second."""
    pace, now, records = Pace(), 0, 0.0
    for seconds, rate in phases:
        for _ in range(seconds):
            now += 1
            records += rate
            pace.note(float(now), int(records))
    return pace


def test_nothing_is_promised_before_enough_was_seen() -> None:
    assert run().rate is None
    assert run((300, 0.0)).rate is None
    assert run((5, 100.0)).rate is None, "a few seconds of anything"
    assert run((60, (LEAST_RECORDS - 2) / 60)).rate is None, "a few records in any time"
    assert run((60, 0.0)).count_seconds_left(100) is None


def test_a_steady_pace_is_what_it_is() -> None:
    assert run((100, 2.0)).count_seconds_left(200) == pytest.approx(100, rel=0.05)


def test_what_comes_before_the_first_record_does_not_count() -> None:
    assert run((600, 0.0), (60, 2.0)).count_seconds_left(120) == pytest.approx(60, rel=0.1)


def test_a_change_of_pace_is_followed() -> None:
    slower = run((600, 10.0), (600, 1.0))
    assert slower.count_seconds_left(100) == pytest.approx(100, rel=0.05)
    mean = 1200 / 6600 * 100
    assert slower.count_seconds_left(100) != pytest.approx(mean, rel=1.0)


def test_few_marks_are_kept_however_long_a_run_is() -> None:
    assert len(run((20_000, 1.0))._marks) < 700


def test_a_run_without_target_or_with_a_silent_endpoint_promises_nothing() -> None:
    progress = Progress(target=100, accepted=50, pace=run((100, 1.0)))
    assert progress.seconds_left == pytest.approx(50, rel=0.05)
    assert progress.as_dict()["this_run"]["seconds_left"] == pytest.approx(50, abs=3)
    progress.target = None
    assert progress.seconds_left is None
    assert progress.as_dict()["this_run"]["seconds_left"] is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (7, "less than a minute left"),
        (59.9, "less than a minute left"),
        (100, "about 2 min left"),
        (1000, "about 15 min left"),
        (5000, "about 85 min left"),
        (9000, "about 2.5 h left"),
        (90_000, "about 25 h left"),
    ],
)
def test_an_estimate_is_no_more_exact_than_it_can_be(seconds: float, told: str) -> None:
    assert format_left(seconds) == told
