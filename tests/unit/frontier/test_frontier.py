"""The frontier grows what its quotas say, in any order of arrival, and never anything twice."""

import random
from collections import Counter
from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide.frontier import CHILDREN, DRAWS, ENDLESS, SPREAD, Frontier, GroupWork, PlantWork, Slot
from aide.frontier.plain_level import TRIES
from aide.records import OPERATIONS, PERSONA, PLAIN
from unit.frontier.growing import (
    ATTRIBUTES,
    CHILDREN_OF_ALL,
    PERSONAS,
    Growth,
    accept_all,
    build,
    build_whole,
    drain,
    grow,
    make_id,
    make_shape,
    reject_some,
    repeat_after,
    restore,
)
from unit.frontier.shapes import make_tree_shape

# --- quotas ---------------------------------------------------------------------------------------


def level_of(growth: Growth) -> Counter[object]:
    return growth.count(lambda each: (each.slot.label, each.slot.kind == PLAIN, each.depth))


@pytest.mark.parametrize("rejects", [0.0, 0.3])
def test_every_level_ends_at_its_quota(rejects: float) -> None:
    frontier = build(plain={("1", ""): 60}, guided={"1": [20, 20]}, roots=10)
    growth = grow(frontier, fate=reject_some(rejects))
    assert level_of(growth) == {("", True, 1): 60, ("", False, 1): 20, ("", False, 2): 20}
    assert frontier.short == 0


@pytest.mark.parametrize("patient", [True, False])
def test_a_patient_frontier_makes_up_for_rejects_by_fuller_calls(patient: bool) -> None:
    shape = replace(make_shape(), patient=patient)
    frontier = build(plain={("1", ""): 210}, shape=shape)
    growth = grow(frontier, fate=reject_some(0.3), room=100)
    alone = [group for group in growth.groups if len(group.slots) == 1]
    assert len(growth.accepted) == 210
    assert (len(alone) <= 3) == patient


def test_single_children_grow_from_as_many_parents_as_there_are_and_change_their_kind() -> None:
    shape = replace(make_shape(3), siblings=1)
    growth = grow(build(guided={"1": [6, 6, 6]}, roots=10, shape=shape))
    assert len(growth.accepted) == 18
    assert set(growth.children.values()) == {1}
    kinds = {each.id: each.slot.kind for each in growth.accepted}
    chained = [
        (kinds[each.slot.parent], each.slot.kind) for each in growth.accepted if each.slot.parent in kinds
    ]
    assert len(chained) == 12
    assert all(parent != child for parent, child in chained)


def test_labels_end_at_their_own_quotas() -> None:
    labels = {"a": [4, 6], "b": [8, 8], "c": [0, 2]}
    frontier = build(plain={("1", name): 20 for name in labels}, guided=labels, labels=True)
    growth = grow(frontier, fate=reject_some(0.2))
    wanted = {
        (name, False, hop): quota for name, quotas in labels.items() for hop, quota in enumerate(quotas, 1)
    }
    wanted |= {(name, True, 1): 20 for name in labels}
    assert level_of(growth) == {key: quota for key, quota in wanted.items() if quota}


def test_a_full_level_takes_no_more_and_says_so_before_anything_is_paid_for() -> None:
    frontier = build(plain={("1", ""): 2})
    (work,) = drain(frontier)
    assert isinstance(work, GroupWork)
    first, second = work.slots
    assert frontier.wants(second)
    for slot in work.slots:
        assert frontier.admit(slot)
        frontier.accept(slot, make_id(slot), "seed")
    assert not frontier.wants(second)
    assert not frontier.admit(first)


def test_no_slot_is_handed_out_twice() -> None:
    growth = grow(build(plain={("1", ""): 40}, guided={"1": [40, 60]}, roots=4), fate=reject_some(0.4))
    assert len(growth.slots) == len(set(growth.slots))


def test_operations_and_personas_stand_one_to_one() -> None:
    even = grow(build(guided={"1": [80, 80]}, roots=20)).count(lambda each: each.slot.kind)
    assert even == dict.fromkeys((*OPERATIONS, PERSONA), 40)
    # A parent with one persona gives the place of a reject to an operation: personas lag by some of the rejects.
    kinds = grow(build(guided={"1": [80, 80]}, roots=20), fate=reject_some(0.2)).count(
        lambda each: each.slot.kind
    )
    assert max(kinds.values()) - min(kinds.values()) <= 12


# --- parents --------------------------------------------------------------------------------------


def test_a_parent_has_four_children_or_one_less() -> None:
    growth = grow(build(guided={"1": [80, 80]}, roots=30))
    assert sum(growth.children.values()) == 160
    assert len(growth.planted) == 2 * 80 / CHILDREN
    assert set(growth.children.values()) == {CHILDREN}
    odd = grow(build(guided={"a": [10]}, labels=True, roots=30, shape=make_shape(1)))
    assert sorted(odd.children.values()) == [3, 3, 4]


def test_a_few_records_without_labels_are_spread_over_more_parents() -> None:
    few = grow(build(guided={"1": [10]}, roots=30, shape=make_shape(1)))
    assert sorted(few.children.values()) == [1] * 10
    more = grow(build(guided={"1": [40]}, roots=30, shape=make_shape(1)))
    assert len(more.planted) == SPREAD


def test_only_as_many_parents_are_planted_as_are_needed() -> None:
    growth = grow(build(plain={("1", ""): 100}, guided={"1": [80, 80]}, roots=50), fate=reject_some(0.3))
    # A reject gives its place to its parent's next attribute, so rejects hardly ask for parents of their own.
    assert len(growth.planted) <= 2 * ceil(80 / CHILDREN) + 2


def test_a_parent_is_asked_for_as_much_as_its_children_take() -> None:
    growth = grow(build(guided={"1": [40, 0]}, roots=10))
    for work in growth.planted.values():
        assert sum(work.wanted) == CHILDREN
        assert work.wanted[1] == 1


def test_few_seeds_bear_all_children_there_are_and_are_asked_for_as_much() -> None:
    growth = grow(build(guided={"1": [16, 0]}, roots=2))
    assert growth.children == {"1.seed0": 8, "1.seed1": 8}
    for work in growth.planted.values():
        assert work.wanted == (ATTRIBUTES, PERSONAS)
    assert {slot.draw for slot in growth.slots} == {0}


def test_siblings_have_attributes_of_their_own() -> None:
    growth = grow(build(guided={"1": [40, 40]}, roots=10))
    for group in growth.groups:
        about = [(slot.kind == PERSONA, slot.index) for slot in group.slots]
        assert len(about) == len(set(about))


def test_plain_records_are_parents_of_the_second_hop() -> None:
    growth = grow(build(plain={("1", ""): 40}, guided={"1": [0, 8]}))
    parents = {each.slot.parent for each in growth.accepted if each.depth == 2}
    assert parents
    assert parents <= {each.id for each in growth.accepted if each.slot.kind == PLAIN}


def test_plain_records_of_one_label_are_no_parents_of_another() -> None:
    frontier = build(plain={("1", "a"): 20, ("1", "b"): 20}, guided={"a": [0, 8], "b": [0, 8]}, labels=True)
    growth = grow(frontier)
    label_of = {each.id: each.slot.label for each in growth.accepted}
    for each in growth.accepted:
        if each.depth == 2:
            assert label_of[each.slot.parent] == each.slot.label


def test_the_next_parent_is_the_one_that_is_chosen() -> None:
    asked = []

    def choose_last(candidates: list[object], chosen: list[object]) -> int:
        asked.append((len(candidates), len(chosen)))
        return len(candidates) - 1

    growth = grow(build(guided={"1": [8]}, roots=5, shape=make_shape(1), choose=choose_last), room=1)  # type: ignore[arg-type]
    assert set(growth.planted) == {f"1.seed{n}" for n in range(5)}
    assert asked == [(5, 0), (4, 1), (3, 2), (2, 3)]


def test_places_of_a_parent_without_attributes_go_to_others() -> None:
    frontier = build(guided={"1": [24, 24]}, roots=6)
    growth = grow(frontier, found=lambda work: (0, 0) if work.branch == "1.seed0" else work.wanted)
    assert frontier.without_attributes == 1
    assert growth.children["1.seed0"] == 0
    assert len(growth.accepted) == 48


def open_parents(frontier: Frontier, *branches: str) -> None:
    """Plant these parents with all that they may have."""
    for branch in branches:
        assert frontier.adopt(branch)
        frontier.planted(branch, (ATTRIBUTES, PERSONAS))


def take_groups(frontier: Frontier) -> list[GroupWork]:
    return [work for work in drain(frontier) if isinstance(work, GroupWork)]


def accept(frontier: Frontier, slot: Slot) -> str:
    assert frontier.admit(slot)
    frontier.accept(slot, make_id(slot), "1.seed0")
    return make_id(slot)


def test_a_place_that_a_reject_leaves_goes_to_the_same_parent() -> None:
    frontier = build(guided={"1": [12]}, roots=3, shape=make_shape(1))
    open_parents(frontier, "1.seed0", "1.seed1", "1.seed2")
    groups = take_groups(frontier)
    frontier.drop(groups[1].slots[0])
    assert take_groups(frontier)[0].slots[0].parent == groups[1].slots[0].parent


def test_no_parent_has_more_than_its_share_while_others_may_come() -> None:
    frontier = build(guided={"1": [2, 8]}, roots=1)
    open_parents(frontier, "1.seed0")
    (group,) = take_groups(frontier)
    first = accept(frontier, group.slots[0])
    (plant,) = drain(frontier)
    assert isinstance(plant, PlantWork)
    frontier.planted(first, (ATTRIBUTES, PERSONAS))
    (children,) = take_groups(frontier)
    assert len(children.slots) == CHILDREN
    assert drain(frontier) == [], "the other record of the first hop is open, and will be a parent"
    second = accept(frontier, group.slots[1])
    (plant,) = drain(frontier)
    assert isinstance(plant, PlantWork)
    assert drain(frontier) == [], "the parent is known, its attributes are not"
    frontier.planted(second, (0, 0))
    (rest,) = take_groups(frontier)
    assert {slot.parent for slot in rest.slots} == {first}, "no other parent will come"


def test_parents_share_what_their_absence_leaves_over() -> None:
    growth = grow(build(guided={"1": [2, 16]}, roots=1, group=2))
    assert sorted(growth.children.values()) == [2, 8, 8]


def test_a_hop_whose_parents_stop_coming_takes_more_of_those_that_are_there() -> None:
    all_of_one = CHILDREN_OF_ALL * DRAWS
    growth = grow(build(guided={"1": [1000, 300]}, roots=1))
    assert growth.count(lambda each: each.depth) == {1: all_of_one, 2: 1300 - all_of_one}
    for seed in range(8):  # whether the last that ends there is taken or rejected
        assert (
            len(grow(build(guided={"1": [300, 200]}, roots=1), fate=reject_some(0.4), seed=seed).accepted)
            == 500
        )


def test_a_parent_that_is_being_planted_may_bring_parents_of_the_next_hop() -> None:
    frontier = build(guided={"1": [8, 24]}, roots=2)
    open_parents(frontier, "1.seed0")
    work = drain(frontier)
    (plant,) = [each for each in work if isinstance(each, PlantWork)]
    for slot in [slot for each in work if isinstance(each, GroupWork) for slot in each.slots]:
        accept(frontier, slot)
    for child in drain(frontier):
        assert isinstance(child, PlantWork)
        frontier.planted(child.branch, (ATTRIBUTES, PERSONAS))
    assert sum(len(group.slots) for group in take_groups(frontier)) == 12
    frontier.planted(plant.branch, (0, 0))
    assert {slot.parent for group in take_groups(frontier) for slot in group.slots} == {"1.seed0"}


# --- groups ---------------------------------------------------------------------------------------


def test_a_group_is_of_one_parent_or_of_one_plain_level() -> None:
    frontier = build(plain={("1", "a"): 30, ("1", "b"): 30}, guided={"a": [12, 8], "b": [12, 8]}, labels=True)
    for group in grow(frontier, fate=reject_some(0.3)).groups:
        assert len({(slot.parent, slot.label, slot.kind == PLAIN) for slot in group.slots}) == 1
        assert len(group.slots) <= (7 if group.slots[0].kind == PLAIN else 5)


def test_plain_groups_are_of_even_size() -> None:
    sizes = [len(work.slots) for work in drain(build(plain={("1", ""): 15})) if isinstance(work, GroupWork)]
    assert sizes == [5, 5, 5]


def test_the_size_of_groups_may_change_while_it_runs() -> None:
    frontier = build(plain={("1", ""): 9})
    frontier.plain_group = 2
    assert {len(work.slots) for work in drain(frontier) if isinstance(work, GroupWork)} <= {1, 2}


def test_levels_take_turns() -> None:
    frontier = build(plain={("1", name): 28 for name in "abc"})
    labels = [work.slots[0].label for work in drain(frontier) if isinstance(work, GroupWork)]
    assert labels == [*"abc"] * 4


def test_shallow_work_goes_before_deep_work() -> None:
    frontier = build(guided={"1": [8, 8]}, roots=2)
    growth = grow(frontier, room=1)
    hops = [each.depth for each in growth.ended]
    assert hops == sorted(hops)


# --- demand ---------------------------------------------------------------------------------------


def test_a_level_opens_a_candidate_a_place_while_nothing_is_known_of_its_yield() -> None:
    frontier = build(plain={("1", ""): 40})
    drain(frontier)
    assert frontier.open == 40


@pytest.mark.parametrize(("accepted", "least", "most"), [(40, 60, 60), (20, 90, 160), (0, 130, 400)])
def test_the_lower_the_yield_the_more_candidates_are_opened(accepted: int, least: int, most: int) -> None:
    frontier = build(plain={("1", ""): 100})
    frontier.plain_group = 40
    for index in range(40):
        frontier.restore(Slot("1", PLAIN, index), "seed", f"record{index}" if index < accepted else "")
    drain(frontier)
    assert least <= frontier.open <= most


def test_never_more_than_four_times_the_missing_records_are_open() -> None:
    frontier = build(plain={("1", ""): 10})
    for index in range(150):
        frontier.restore(Slot("1", PLAIN, index), "seed")
    drain(frontier)
    assert frontier.open == 40


def test_little_is_opened_in_vain() -> None:
    for rejects in (0.0, 0.1, 0.3, 0.5):
        growth = grow(
            build(plain={("1", ""): 200}, guided={"1": [40, 40]}, roots=10), fate=reject_some(rejects)
        )
        assert growth.surplus <= 0.05 * len(growth.ended)


# --- plain records that run dry ---------------------------------------------------------------------


def test_where_plain_records_run_dry_guided_ones_take_over() -> None:
    frontier = build(plain={("1", ""): 100}, guided={"1": [10, 10]}, roots=30)
    growth = grow(frontier, fate=repeat_after(25))
    counts = growth.count(lambda each: each.slot.kind == PLAIN)
    assert counts[True] == 25
    assert len(growth.accepted) == 120
    assert sum(each.slot.kind == PLAIN for each in growth.ended) < 100, "it tries not all of them"


def test_guided_records_take_over_while_others_are_still_open() -> None:
    frontier = build(plain={("1", ""): 20, ("1", "b"): 20}, guided={"1": [4]}, roots=10, shape=make_shape(1))
    drain(frontier)
    for index in range(20):
        frontier.drop(Slot("1", PLAIN, index), repeated=True)
    assert sum(isinstance(work, PlantWork) for work in drain(frontier)) == 6
    assert frontier.open > 20


def test_dry_plain_records_are_replaced_under_their_own_label() -> None:
    frontier = build(
        plain={("1", "a"): 60, ("1", "b"): 60}, guided={"a": [4, 4], "b": [4, 4]}, labels=True, roots=20
    )

    def fate(slot: Slot, dice: random.Random) -> str:
        return repeat_after(20)(slot, dice) if slot.label == "a" else "accepted"

    growth = grow(frontier, fate=fate)
    assert growth.count(lambda each: each.slot.label) == {"a": 68, "b": 68}
    assert growth.count(lambda each: (each.slot.label, each.slot.kind == PLAIN))["b", True] == 60


def test_rejects_of_other_reasons_make_no_level_dry() -> None:
    growth = grow(build(plain={("1", ""): 60}, guided={"1": [4, 4]}), fate=reject_some(0.6))
    assert growth.count(lambda each: each.slot.kind == PLAIN)[True] == 60


# --- what the composition cannot have -----------------------------------------------------------------


def test_a_target_beyond_the_tree_takes_further_draws_and_then_ends_short() -> None:
    one = make_shape(1)
    growth = grow(build(guided={"1": [2 * CHILDREN_OF_ALL]}, roots=1, shape=one))
    assert len(growth.accepted) == 2 * CHILDREN_OF_ALL
    assert {slot.draw for slot in growth.slots} == {0, 1}
    frontier = build(guided={"1": [1000]}, roots=2, shape=one)
    assert len(grow(frontier).accepted) == 2 * CHILDREN_OF_ALL * DRAWS
    assert frontier.short == 1000 - 2 * CHILDREN_OF_ALL * DRAWS


def test_places_of_an_exhausted_level_move_under_the_same_label() -> None:
    frontier = build(guided={"a": [10, 10], "b": [10, 10]}, labels=True)

    def find(work: PlantWork) -> tuple[int, ...]:
        return (0, 0) if work.branch.startswith("a/") or "/a" in work.branch else work.wanted

    growth = grow(
        frontier, found=lambda work: (0, 0) if work.depth == 1 and work.label == "a" else find(work)
    )
    assert growth.count(lambda each: each.slot.label) == {"a": 20, "b": 20}
    assert growth.count(lambda each: (each.slot.label, each.depth))["a", 1] == 20


def test_where_labels_are_not_enforced_places_move_to_any() -> None:
    def barren(work: PlantWork) -> tuple[int, ...]:
        return (0, 0) if work.label == "a" else work.wanted

    strict = grow(build(guided={"a": [6, 6], "b": [6, 6]}, labels=True), found=barren)
    assert strict.count(lambda each: each.slot.label) == {"b": 12}
    assert strict.frontier.short == 12
    loose = grow(
        build(guided={"a": [6, 6], "b": [6, 6]}, labels=True, shape=make_shape(balanced=False)), found=barren
    )
    assert loose.count(lambda each: each.slot.label) == {"b": 24}
    assert loose.frontier.short == 0


def test_a_run_of_nothing_but_rejects_ends() -> None:
    frontier = build(plain={("1", ""): 10}, guided={"1": [4, 4]}, roots=1)
    growth = grow(frontier, fate=lambda slot, dice: "repeated" if slot.kind == PLAIN else "rejected")
    assert growth.accepted == []
    assert frontier.short == 18


def test_without_a_guard_a_run_of_nothing_but_rejects_ends_too() -> None:
    frontier = build(plain={("1", ""): 10}, guided={"1": [4, 4]}, roots=1)
    growth = grow(frontier, fate=reject_some(1.0))
    assert (growth.accepted, frontier.short) == ([], 18)
    tries = sum(each.slot.kind == PLAIN for each in growth.ended)
    assert 10 * TRIES <= tries <= 10 * TRIES + 40, "it did not give up early, and at last it did"


# --- the whole tree ---------------------------------------------------------------------------------


def test_the_whole_tree_grows_every_slot_once() -> None:
    frontier = build_whole(plain=6, roots=2, hops=2)
    growth = grow(frontier, fate=reject_some(0.0))
    c = CHILDREN_OF_ALL
    assert growth.count(lambda each: (each.slot.kind == PLAIN, each.depth)) == {
        (True, 1): 6, (False, 1): 2 * c, (False, 2): 2 * c * c,
    }  # fmt: skip
    assert len(growth.slots) == len(set(growth.slots)) == frontier.count_possible()
    assert not any(slot.draw for slot in growth.slots)


def test_rejects_of_the_whole_tree_are_not_made_up_for() -> None:
    growth = grow(build_whole(roots=3, hops=1), fate=reject_some(0.5))
    assert len(growth.ended) == 6 + 3 * CHILDREN_OF_ALL


def test_groups_of_the_whole_tree_depend_on_their_branch_alone() -> None:
    """Whatever finishes first, the same slots share a call, and so see the same prompt."""
    one = grow(build_whole(), seed=1, room=2)
    other = grow(build_whole(), seed=2, room=30)
    assert [group.slots for group in one.groups] != [group.slots for group in other.groups]
    assert {group.slots for group in one.groups} == {group.slots for group in other.groups}


@settings(max_examples=20)
@given(stop=st.integers(0, 250), order=st.integers(0, 1000), seed=st.integers(0, 1000))
def test_the_whole_tree_is_resumed_with_the_same_groups(stop: int, order: int, seed: int) -> None:
    whole = {group.slots for group in grow(build_whole()).groups}
    before = grow(build_whole(), stop_after=stop, seed=seed)
    frontier = build_whole()
    restore(frontier, before, random.Random(order))
    after = grow(frontier, seed=seed + 1)
    assert {group.slots for group in after.groups} <= whole
    done = {each.slot for each in before.ended}
    for group in after.groups:
        assert {group.slots[place] for place in group.settled} == done & set(group.slots)
    assert len(before.ended) + len(after.ended) == frontier.count_possible() == frontier.planned


# --- resuming ---------------------------------------------------------------------------------------


def describe(frontier: Frontier) -> dict[str, object]:
    """What a person may notice of a frontier."""
    return {
        "planned": frontier.planned, "open": frontier.open, "short": frontier.short,
        "without": frontier.without_attributes, "possible": frontier.count_possible(),
    }  # fmt: skip


def rebuild(plain: int = 60, quotas: tuple[int, ...] = (20, 20), roots: int = 10) -> Frontier:
    return build(plain={("1", ""): plain}, guided={"1": quotas}, roots=roots)


@settings(max_examples=40)
@given(
    stop=st.integers(1, 140),
    order=st.integers(0, 10_000),
    seed=st.integers(0, 1000),
    rejects=st.floats(0, 0.6),
)
def test_what_was_settled_gives_the_same_frontier_in_any_order(
    stop: int, order: int, seed: int, rejects: float
) -> None:
    before = grow(rebuild(), fate=reject_some(rejects), stop_after=stop, seed=seed)
    one, other = rebuild(), rebuild()
    restore(one, before)
    restore(other, before, random.Random(order))
    assert describe(one) == describe(other)
    assert one.planned == len(before.ended)
    grown = [len(grow(each).accepted) + len(before.accepted) for each in (one, other)]
    assert grown == [100, 100]


@settings(max_examples=40)
@given(stop=st.integers(1, 200), order=st.integers(0, 10_000), dry=st.integers(0, 40))
def test_a_level_that_ran_dry_is_dry_after_a_resume_and_no_place_is_lost(
    stop: int, order: int, dry: int
) -> None:
    before = grow(rebuild(roots=40), fate=repeat_after(dry), stop_after=stop)
    # As a run composes it anew: no quota is below what is there, and what is more counts for the plain ones.
    held = before.count(lambda each: each.depth if each.slot.kind != PLAIN else 0)
    first, second = max(20, held[1]), max(20, held[2])
    frontier = rebuild(max(held[0], 100 - first - second), (first, second), roots=40)
    restore(frontier, before, random.Random(order))
    after = grow(frontier, fate=repeat_after(dry))
    assert len(before.accepted) + len(after.accepted) == 100
    assert len(before.slots + after.slots) == len({*before.slots, *after.slots})


def test_nothing_is_left_to_do_for_what_is_finished() -> None:
    before = grow(rebuild())
    frontier = rebuild()
    restore(frontier, before)
    assert drain(frontier) == []
    assert not frontier.redistribute()
    assert frontier.ending


def test_a_child_of_a_parent_that_is_no_more_is_only_counted() -> None:
    frontier = rebuild()
    frontier.restore(Slot("of a seed that is gone", "reasoning", 0), "gone", "record")
    frontier.restore(Slot("another pool", PLAIN, 0), "gone", "plain")
    assert frontier.planned == 2
    assert frontier.short == 100
    assert frontier.open == 0


def test_a_child_of_another_label_than_its_parent_counts_under_its_own() -> None:
    """As in folders of version 0.1, in which a parent had children of any label."""
    frontier = build(guided={"a": [1], "b": [1]}, labels=True)
    assert frontier.adopt("a.seed0")
    frontier.planted("a.seed0", (3, 2))
    frontier.restore(Slot("a.seed0", "constraint", 0, label="b"), "a.seed0", "x", stratum="b", depth=1)
    assert frontier.short == 1
    growth = grow(frontier)
    assert [each.slot.label for each in growth.accepted] == ["a"]


def test_children_of_a_pruned_parent_keep_their_places_and_may_be_parents() -> None:
    frontier = rebuild(plain=0)
    child = Slot("a record that was pruned", "reasoning", 0)
    frontier.restore(child, "1.seed0", "child", stratum="1", depth=1)
    assert frontier.short == 39
    assert frontier.adopt("child")
    deep = Slot("a record that was pruned", "reasoning", 1)
    frontier.restore(deep, "1.seed0", "deep", stratum="1", depth=2)
    frontier.restore(deep, "1.seed0", "", stratum="1", depth=2)
    frontier.restore(deep, "1.seed0", "beyond the last hop", stratum="1", depth=3)
    assert (frontier.short, frontier.planned) == (38, 4)
    assert len(grow(frontier).accepted) == 38


def test_a_group_that_was_composed_before_a_stop_goes_first_and_in_the_same_company() -> None:
    frontier = rebuild()
    slots = tuple(Slot("1", PLAIN, index) for index in range(7))
    frontier.restore(slots[2], "seed", "record")
    begun = GroupWork(slots, "", 1, frozenset({2}))
    frontier.reopen(begun)
    assert frontier.next() == begun
    assert frontier.open == 6
    rest = grow(frontier)
    assert not {*slots} & {*rest.slots}
    assert frontier.planned == frontier.open + 1 + len(rest.ended)


def test_a_guided_group_is_reopened_once_its_parent_is_known() -> None:
    frontier = rebuild()
    begun = GroupWork((Slot("1.seed3", "reasoning", 0), Slot("1.seed3", PERSONA, 0)), "1.seed3", 1)
    frontier.reopen(begun)
    assert frontier.next() != begun, "its parent is not planted: its slots mean nothing"
    other = rebuild()
    assert other.adopt("1.seed3")
    other.planted("1.seed3", (3, 1))
    other.reopen(begun)
    assert other.next() == begun
    rest = grow(other)
    assert not {*begun.slots} & {*rest.slots}


def test_a_group_of_which_all_is_settled_is_not_reopened() -> None:
    frontier = rebuild()
    frontier.reopen(GroupWork((Slot("1", PLAIN, 0),), "", 1, frozenset({0})))
    assert isinstance(frontier.next(), GroupWork)
    assert frontier.open > 1


def test_who_was_no_candidate_is_not_adopted() -> None:
    assert not rebuild().adopt("a record that was pruned")


def test_surplus_takes_a_place_once_there_is_one() -> None:
    frontier = build(plain={("1", ""): 2})
    late = Slot("1", PLAIN, 2)
    for index in range(2):
        frontier.restore(Slot("1", PLAIN, index), "seed", f"record{index}")
    frontier.restore(late, "seed")
    assert not frontier.promote(late, "late", "seed")
    more = build(plain={("1", ""): 3}, guided={"1": [0, 4]})
    for index in range(2):
        more.restore(Slot("1", PLAIN, index), "seed", f"record{index}")
    more.restore(late, "seed")
    assert more.promote(late, "late", "seed")
    assert (more.short, more.planned, more.open) == (4, 3, 0)
    assert len(grow(more).accepted) == 4
    assert not more.promote(Slot("another pool", PLAIN, 0), "x", "seed")


def test_a_promoted_child_counts_for_its_parent() -> None:
    frontier = build(guided={"1": [4]}, roots=1, shape=make_shape(1))
    slot = Slot("1.seed0", "reasoning", 0)
    assert frontier.adopt("1.seed0")
    frontier.planted("1.seed0", (3, 1))
    frontier.restore(slot, "1.seed0")
    assert frontier.promote(slot, "late", "1.seed0")
    rest = grow(frontier)
    assert len(rest.accepted) == 3
    assert slot not in rest.slots


# --- the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
def test_the_end_is_told_when_nothing_open_can_bring_new_work(whole: bool) -> None:
    frontier, dice = build_whole(roots=1) if whole else rebuild(plain=10), random.Random(3)
    open_: list[PlantWork | Slot] = []
    ending_with = 0
    while True:
        for work in drain(frontier):
            assert not ending_with, "something new came after the end"
            open_ += [work] if isinstance(work, PlantWork) else work.open
        ending_with = ending_with or (len(open_) if frontier.ending else 0)
        if not open_:
            break
        each = open_.pop(dice.randrange(len(open_)))
        if isinstance(each, PlantWork):
            frontier.planted(each.branch, each.wanted)
        else:
            assert frontier.admit(each)
            frontier.accept(each, make_id(each), "1.seed0")
    assert ending_with, "it was told while something was still under way"


# --- anything ---------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(
    plain=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    quotas=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    roots=st.integers(1, 6),
    group=st.integers(1, 7),
    room=st.integers(1, 20),
    seed=st.integers(0, 10_000),
    fates=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    barren=st.floats(0, 1),
    balanced=st.booleans(),
    labels=st.booleans(),
)
def test_whatever_happens_it_ends_at_the_target_or_exhausted_and_the_counts_agree(
    plain: list[int],
    quotas: list[int],
    roots: int,
    group: int,
    room: int,
    seed: int,
    fates: tuple[float, float],
    barren: float,
    balanced: bool,
    labels: bool,
) -> None:
    names = [f"label{n}" for n in range(len(plain))] if labels else [""] * len(plain)
    keys = {
        ("1" if labels else str(n), name): count
        for n, (name, count) in enumerate(zip(names, plain, strict=True))
    }
    strata = {name or pool: quotas for pool, name in keys}
    shape = make_shape(len(quotas), balanced=balanced)
    frontier = build(plain=keys, guided=strata, labels=labels, roots=roots, group=group, shape=shape)
    target = sum(plain) + len(strata) * sum(quotas)

    def fate(slot: Slot, dice: random.Random) -> str:
        if dice.random() < fates[0]:
            return "repeated" if dice.random() < fates[1] and slot.kind == PLAIN else "rejected"
        return "accepted"

    dice = random.Random(seed)

    def find(work: PlantWork) -> tuple[int, ...]:
        return (0, 0) if dice.random() < barren else (work.wanted[0], dice.randint(0, work.wanted[1]))

    # A level of nothing but rejects would go on for ever, as long as its candidates are new.
    rejecting = 0

    def limited(slot: Slot, dice: random.Random) -> str:
        nonlocal rejecting
        rejecting += 1
        return fate(slot, dice) if rejecting < 2000 else "accepted"

    growth = grow(frontier, fate=limited, found=find, room=room, seed=seed)
    assert frontier.open == 0
    assert frontier.planned == len(growth.ended)
    assert len(growth.slots) == len(set(growth.slots))
    assert len(growth.accepted) + frontier.short == target
    assert not frontier.redistribute()
    if not barren and all(quota <= roots * CHILDREN_OF_ALL for quota in quotas) and fates == (0, 0):
        assert frontier.short == 0


def test_a_tree_without_personas_or_without_operations_grows() -> None:
    only = build(guided={"1": [10, 10]}, shape=make_tree_shape(OPERATIONS, 3, 0, 2))
    assert grow(only).count(lambda each: each.slot.kind).keys() == {*OPERATIONS}
    people = build(guided={"1": [6, 6]}, shape=make_tree_shape((), 0, 4, 2))
    assert grow(people, fate=accept_all).count(lambda each: each.slot.kind).keys() == {PERSONA}
    assert ENDLESS > 10**9
