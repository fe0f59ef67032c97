"""The forest grows what its shape promises, in any order of arrival."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide.frontier import (
    ENDLESS,
    Frontier,
    GrowWork,
    PlantWork,
    Slot,
    TreeShape,
    split_evenly,
    split_over_hops,
)
from aide.records import OPERATIONS, PERSONA


@dataclass
class Grown:
    """What a simulated run of a frontier came to."""

    frontier: Frontier
    accepted: list[GrowWork] = field(default_factory=list)
    dropped: list[GrowWork] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)

    def by_seed(self) -> Counter[str]:
        return Counter(work.seed for work in self.accepted)

    def by_hop(self) -> Counter[int]:
        return Counter(work.depth for work in self.accepted)

    def by_kind(self) -> Counter[str]:
        return Counter(work.slot.kind for work in self.accepted)


def shape(target: int | None, hops: int, labels: dict[str, int] | None = None) -> TreeShape:
    def flip(slot: Slot, label: str) -> str:
        return label

    return TreeShape(OPERATIONS, 5, 5, hops, target, labels or {}, flip if labels else None)


def sow(seeds: int, hops: int, target: int | None, labels: dict[str, int] | None = None) -> Frontier:
    frontier = Frontier(shape(target, hops, labels))
    shares = split_evenly(target, seeds) if target is not None else []
    names = list(labels or {"": 0})
    for i in range(seeds):
        quotas = (
            [ENDLESS] * hops if target is None else split_over_hops(shares[i], frontier.shape.compute_caps())
        )
        frontier.add_seed(f"seed{i}", names[i % len(names)], quotas)
    return frontier


def grow(frontier: Frontier, *, rejects: float = 0.0, room: int = 64, seed: int = 1) -> Grown:
    """Run to the end with answers coming back in a random order."""
    chance = random.Random(seed)
    grown = Grown(frontier)
    under_way: list[PlantWork | GrowWork] = []
    while True:
        while len(under_way) < room:
            work = frontier.next_work() or (frontier.next_spare() if len(under_way) < room // 2 else None)
            if work is None:
                break
            under_way.append(work)
        if not under_way:
            if frontier.redistribute():
                continue
            return grown
        work = under_way.pop(chance.randrange(len(under_way)))
        if isinstance(work, PlantWork):
            grown.planted.append(work.branch)
            frontier.finish_planting(work.branch, 5, 5)
        elif chance.random() < rejects or not frontier.admit(work, work.slot.label):
            grown.dropped.append(work)
            frontier.drop(work)
        else:
            grown.accepted.append(work)
            frontier.accept(work, f"record{len(grown.accepted)}", work.slot.label)


def test_the_whole_tree_has_c_plus_c_squared_candidates_a_seed() -> None:
    grown = grow(sow(3, 2, None))
    assert len(grown.accepted) == 3 * (20 + 400)
    assert grown.by_kind() == dict.fromkeys((*OPERATIONS, PERSONA), 3 * 105)


def test_only_what_will_be_expanded_is_planted() -> None:
    grown = grow(sow(3, 2, None))
    assert len(grown.planted) == 3 + 3 * 20


def test_no_slot_is_handed_out_twice() -> None:
    grown = grow(sow(4, 2, 300), rejects=0.4)
    slots = [work.slot for work in (*grown.accepted, *grown.dropped)]
    assert len(slots) == len(set(slots))


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.integers(1, 12),
    hops=st.integers(1, 3),
    target=st.integers(1, 400),
    rejects=st.floats(0, 0.4),
    order=st.integers(0, 1000),
)
def test_a_target_within_the_tree_is_met_and_even(
    seeds: int, hops: int, target: int, rejects: float, order: int
) -> None:
    target = min(target, seeds * 20)
    grown = grow(sow(seeds, hops, target), rejects=rejects, seed=order)
    assert len(grown.accepted) == target
    counts = grown.by_seed()
    assert max(counts.values()) - min(counts.get(f"seed{i}", 0) for i in range(seeds)) <= 2


def test_each_hop_has_its_share_and_operations_and_personas_stand_one_to_one() -> None:
    grown = grow(sow(10, 3, 500), rejects=0.25)
    assert all(count >= 150 for count in grown.by_hop().values())
    assert max(grown.by_kind().values()) - min(grown.by_kind().values()) <= 20


def test_spares_stand_beside_the_last_candidates_and_are_few() -> None:
    frontier = sow(2, 1, 40)
    for plant in (frontier.next_work(), frontier.next_work()):
        assert isinstance(plant, PlantWork)
        frontier.finish_planting(plant.branch, 5, 5)
    works: list[PlantWork | GrowWork] = []
    while frontier.missing and (work := frontier.next_work()) is not None:
        works.append(work)
        assert frontier.missing == 0 or frontier.next_spare() is None, "first every place has a candidate"
    assert len(works) == 40
    spare = frontier.next_spare()
    assert spare is not None
    assert spare.slot not in {work.slot for work in works if isinstance(work, GrowWork)}
    assert frontier.next_spare() is None, "three in a hundred candidates are enough"


@pytest.mark.parametrize("target", [None, 90])
def test_the_end_is_told_when_nothing_open_can_bring_new_work(target: int | None) -> None:
    frontier, chance = sow(2, 2, target), random.Random(3)
    under_way: list[PlantWork | GrowWork] = []
    ending_with = 0
    while True:
        while (work := frontier.next_work()) is not None:
            assert not ending_with, "something new came after the end"
            under_way.append(work)
        ending_with = ending_with or (len(under_way) if frontier.ending else 0)
        if not under_way:
            break
        work = under_way.pop(chance.randrange(len(under_way)))
        if isinstance(work, PlantWork):
            frontier.finish_planting(work.branch, 5, 5)
        else:
            assert frontier.admit(work, "")
            frontier.accept(work, repr(work.slot), "")
    assert ending_with, "it was told while something was still under way"


@settings(max_examples=20, deadline=None)
@given(rejects=st.floats(0, 0.4), order=st.integers(0, 1000), hops=st.integers(1, 3))
def test_spares_cost_at_most_three_in_a_hundred(rejects: float, order: int, hops: int) -> None:
    grown = grow(sow(4, hops, 600), rejects=rejects, seed=order)
    assert len(grown.accepted) <= 600
    assert grown.frontier.spares <= 0.03 * grown.frontier.planned


def test_labels_end_even_whatever_the_seeds_have() -> None:
    labels = {f"label{i}": 50 for i in range(10)}
    grown = grow(sow(3, 2, 500, labels), rejects=0.2)
    assert Counter(work.slot.label for work in grown.accepted) == labels


def test_a_relabelled_record_counts_for_its_real_label() -> None:
    frontier = sow(1, 1, 4, {"yes": 2, "no": 2})
    plant = frontier.next_work()
    assert isinstance(plant, PlantWork)
    frontier.finish_planting(plant.branch, 5, 5)
    works = [work for work in iter(frontier.next_work, None) if isinstance(work, GrowWork)]
    for work in works:
        assert frontier.admit(work, "yes") == (frontier.labels["yes"] < 2) or frontier.labels["yes"] == 2
        if frontier.labels["yes"] <= 2 and work is works[0]:
            frontier.accept(work, "a", "yes")
    assert frontier.labels["yes"] == 2
    assert not frontier.admit(works[0], "yes")


def test_a_target_beyond_the_tree_takes_further_draws_and_then_ends_short() -> None:
    enough = grow(sow(2, 1, 100))
    assert len(enough.accepted) == 100
    assert any(work.slot.draw for work in enough.accepted)
    too_many = grow(sow(2, 1, 500))
    assert len(too_many.accepted) == 2 * 20 * 4


def test_places_of_a_barren_seed_go_to_the_others() -> None:
    frontier = sow(3, 2, 90)
    while (work := frontier.next_work()) is not None:
        assert isinstance(work, PlantWork)
        frontier.finish_planting(work.branch, *((0, 0) if work.branch == "seed0" else (5, 5)))
        if work.branch == "seed2":
            break
    grown = grow(frontier)
    assert frontier.without_attributes == 1
    assert len(grown.accepted) == 90
    assert grown.by_seed()["seed0"] == 0


def test_a_resumed_forest_goes_on_where_it_stood() -> None:
    whole = grow(sow(2, 2, None), rejects=0.3)
    settled = [(work, True) for work in whole.accepted] + [(work, False) for work in whole.dropped]
    first = sow(2, 2, None)
    ids: dict[Slot, str] = {work.slot: f"record{i}" for i, work in enumerate(whole.accepted, 1)}
    for seed in ("seed0", "seed1"):
        first.finish_planting(seed, 5, 5)
    for work, kept in [each for each in settled if each[0].depth == 1]:
        first.restore(work, ids[work.slot] if kept else "")
    rest = []
    while (work_left := first.next_work()) is not None:
        if isinstance(work_left, PlantWork):
            first.finish_planting(work_left.branch, 5, 5)
        else:
            rest.append(work_left)
    assert {work.slot for work in rest} == {work.slot for work, _ in settled if work.depth == 2}


def test_a_node_that_was_begun_before_a_stop_goes_first() -> None:
    frontier = sow(2, 1, 10)
    for seed in ("seed0", "seed1"):
        frontier.finish_planting(seed, 5, 5)
    begun = GrowWork(Slot("seed1", "reasoning", 3), "seed1", 1)
    frontier.reopen(begun)
    assert frontier.next_work() == begun
    rest = grow(frontier)
    assert begun.slot not in {work.slot for work in rest.accepted}


@pytest.mark.parametrize(
    ("total", "caps", "expected"),
    [
        (100, [20, 400], [20, 80]),
        (50, [20, 400, 8000], [17, 17, 16]),
        (10, [20, 400], [5, 5]),
        (500, [20], [80]),
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


def test_surplus_is_taken_first_when_the_target_grows() -> None:
    frontier = sow(1, 1, 2)
    frontier.finish_planting("seed0", 5, 5)
    spare = GrowWork(Slot("seed0", "reasoning", 3), "seed0", 1)
    frontier.restore(spare)
    assert frontier.promote(spare, "kept", "")
    assert frontier.count_accepted("seed0") == [1]
    rest = grow(frontier)
    assert len(rest.accepted) == 1
    assert not frontier.promote(spare, "late", "")
