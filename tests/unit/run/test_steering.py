"""A writer that always misses the length to one side is asked for so much more or less."""

import pytest

from aide.records import WHOLE, Draft, Lineage, Record
from aide.run.steering import ENOUGH, LengthSteering


def make_record(words: int, asked: int | None, *, unit: str = "words") -> Record:
    text = " ".join(["word"] * words) if unit == "words" else "字" * words
    traits = {} if asked is None else {unit: asked}
    lineage = Lineage("seed", "seed", 1, "plain", None, None, False, traits=traits)
    return Record("id", "task", "free_text", Draft(text), WHOLE, lineage)


def steer(words: int, asked: int | None, count: int, *, on: bool = True, unit: str = "words") -> float:
    steering = LengthSteering(unit, on=on)
    for _ in range(count):
        steering.note(make_record(words, asked, unit=unit))
    return steering.correction


def test_nothing_is_corrected_before_enough_is_known() -> None:
    assert steer(20, 10, ENOUGH - 1) == 1.0
    assert steer(20, 10, ENOUGH) == 0.5


@pytest.mark.parametrize(
    ("words", "correction"), [(10, 1.0), (12, 0.85), (8, 1.25), (15, 0.65), (100, 0.5), (2, 2.0)]
)
def test_the_correction_undoes_what_the_writer_does(words: int, correction: float) -> None:
    assert steer(words, 10, 20) == pytest.approx(correction)


def test_a_writer_that_misses_to_both_sides_is_left_alone() -> None:
    steering = LengthSteering("words", on=True)
    for words in [5, 20] * 10:
        steering.note(make_record(words, 10))
    assert steering.correction == 1.0


def test_corrections_come_in_steps_that_prompts_may_share() -> None:
    assert {round(steer(words, 1000, 20) * 20, 6) % 1 for words in range(900, 1100, 7)} == {0.0}


def test_lengths_in_characters_are_corrected_too() -> None:
    assert steer(40, 20, 20, unit="characters") == 0.5


def test_a_record_without_traits_says_nothing() -> None:
    assert steer(20, None, 50) == 1.0


def test_it_can_be_switched_off() -> None:
    assert steer(20, 10, 50, on=False) == 1.0
