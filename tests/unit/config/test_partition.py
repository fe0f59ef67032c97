"""`--partition I/N`: which part, the name of its folder, its share of the caps."""

import pytest
from pydantic import ValidationError

from aide.config.partition import Partition, Spent, divide_caps
from aide.config.spec import RunSpec
from aide.errors import InputError


def make_spec(**given: object) -> RunSpec:
    return RunSpec.model_validate({"model": "m", **given})


@pytest.mark.parametrize("text", ["4/4", "-1/4", "1", "1/", "/4", "a/b", "0/0", "1/4/2"])
def test_what_names_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is I/N with I from 0 to N-1"):
        make_spec(partition=text)


def test_the_name_of_a_folder_says_which_part_it_holds() -> None:
    part = Partition.parse("3/8")
    assert part.folder_name == "part-00003-of-00008"
    assert Partition.parse_folder(part.folder_name) == part
    assert make_spec(partition="3/8").part == part
    assert Partition.parse_folder("part-00008-of-00008") is None
    assert Partition.parse_folder("part-00000.jsonl") is None


@pytest.mark.parametrize("cap", [0, 5, 10, 103])
def test_counted_caps_add_up_to_the_whole_less_what_was_spent(cap: int) -> None:
    spec = make_spec(max_calls=cap, max_total_tokens=100 * cap)
    parts = [divide_caps(spec, Partition(index, 4), Spent(calls=6, tokens=50)) for index in range(4)]
    assert sum(part.max_calls or 0 for part in parts) == max(0, cap - 6)
    assert sum(part.max_total_tokens or 0 for part in parts) == max(0, 100 * cap - 50)


def test_money_and_paces_are_divided_and_what_is_not_capped_stays_so() -> None:
    endpoint = {"base_url": "http://localhost/v1", "rpm": 40, "tpm": 1000}
    spec = make_spec(max_cost=10.0, max_cost_per_run=4.0, rpm=8, endpoints=[endpoint])
    part = divide_caps(spec, Partition(1, 4), Spent(cost=2.0))
    assert (part.max_cost, part.max_cost_per_run) == (2.0, 1.0)
    assert (part.rpm, part.tpm, part.max_calls, part.max_total_tokens) == (2, None, None, None)
    assert [(each.rpm, each.tpm) for each in part.list_endpoints()] == [(10, 250)]


def test_a_pace_that_leaves_a_part_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="--rpm 3 can't be divided by 4 parts"):
        divide_caps(make_spec(rpm=3), Partition(0, 4), Spent())
