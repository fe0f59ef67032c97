"""Sizes of calls, as they are noted and as they are found again."""

import pytest

from aide.run.plan.measuring import NOTHING, CallSize, SizeTable


def make_table(**sizes: dict[int, list[float]]) -> SizeTable:
    table = SizeTable()
    for name, counts in sizes.items():
        for count, prompts in counts.items():
            for prompt in prompts:
                table.note(name, count, CallSize(prompt, prompt / 10, 100))
    return table


def test_what_was_measured_several_times_is_its_mean() -> None:
    assert make_table(read={1: [100, 300]}).find("read") == CallSize(200, 20, 100)


@pytest.mark.parametrize(("count", "prompt"), [(1, 100), (2, 150), (5, 300), (8, 450), (10, 550)])
def test_between_and_beyond_measured_counts_sizes_are_on_a_line(count: int, prompt: float) -> None:
    table = make_table(read={1: [100], 2: [150], 8: [450]})
    assert table.find("read", count).prompt == pytest.approx(prompt)


def test_with_one_count_any_other_is_as_large() -> None:
    assert make_table(read={1: [100]}).find("read", 7).prompt == 100


def test_what_nobody_measured_is_nothing() -> None:
    assert SizeTable().find("read") == NOTHING
    assert SizeTable().list_counts("read") == []
