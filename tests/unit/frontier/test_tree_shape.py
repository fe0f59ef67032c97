"""What a tree may hold, and how a number of records is divided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.frontier import DRAWS, GroupWork, Slot, split_evenly, split_over_hops
from aide.records import OPERATIONS, PERSONA, PLAIN
from unit.frontier.shapes import make_tree_shape


def test_a_node_has_a_child_for_each_operation_on_each_triple_and_for_each_persona() -> None:
    shape = make_tree_shape(OPERATIONS, 5, 5, 3)
    assert shape.children == 20
    assert shape.caps() == [20, 400, 8000]
    assert shape.caps(10) == [200, 4000, 80_000]


@pytest.mark.parametrize(
    ("operations", "triples", "personas", "kinds"),
    [
        (OPERATIONS, 3, 5, (*OPERATIONS, PERSONA)),
        (OPERATIONS, 3, 0, OPERATIONS),
        (OPERATIONS, 0, 5, (PERSONA,)),
        (("reasoning",), 1, 1, ("reasoning", PERSONA)),
    ],
)
def test_only_kinds_that_can_grow_take_turns(
    operations: tuple[str, ...], triples: int, personas: int, kinds: tuple[str, ...]
) -> None:
    assert make_tree_shape(operations, triples, personas, 2).kinds == kinds


def test_a_settled_slot_of_a_group_is_not_open() -> None:
    slots = tuple(Slot("1", PLAIN, index) for index in range(3))
    assert GroupWork(slots, "", 1, frozenset({1})).open == (slots[0], slots[2])


@given(total=st.integers(0, 1000), places=st.integers(1, 50))
def test_an_even_split_loses_nothing_and_differs_by_one(total: int, places: int) -> None:
    parts = split_evenly(total, places)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


def test_nothing_is_split_over_no_places() -> None:
    assert split_evenly(5, 0) == []


@pytest.mark.parametrize(
    ("total", "caps", "expected"),
    [
        (100, [20, 400], [20, 80]),
        (50, [20, 400, 8000], [17, 17, 16]),
        (10, [20, 400], [5, 5]),
        (500, [20], [20 * DRAWS]),
        (0, [20, 400], [0, 0]),
    ],
)
def test_a_share_is_even_over_hops_and_capped_by_the_tree(
    total: int, caps: list[int], expected: list[int]
) -> None:
    assert split_over_hops(total, caps) == expected


def test_what_a_hop_holds_already_stays() -> None:
    assert split_over_hops(100, [20, 400, 8000], [20, 80, 0]) == [20, 80, 0]
    assert split_over_hops(130, [20, 400, 8000], [20, 80, 0]) == [20, 80, 30]


@given(
    total=st.integers(0, 500),
    hops=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60)), min_size=1, max_size=4),
)
def test_all_is_placed_that_the_tree_can_hold(total: int, hops: list[tuple[int, int]]) -> None:
    caps, held = [cap for cap, _ in hops], [there for _, there in hops]
    quotas = split_over_hops(total, caps, held)
    assert all(quota >= there for quota, there in zip(quotas, held, strict=True))
    ceiling = sum(max(there, cap * DRAWS) for cap, there in hops)
    assert sum(quotas) == max(sum(held), min(total, ceiling))
