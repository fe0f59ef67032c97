"""What a target is made of, and that nothing of it is lost when target or seeds change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.config.spec import RunSpec
from aide.frontier import ENDLESS, TreeShape
from aide.recipes import Roots
from aide.records import Draft, Parts, Seed
from aide.run.composition import (
    PLAIN_LEAST,
    Composition,
    Held,
    SeedBatch,
    compose,
    find_roots,
    share_target,
    split_batches,
    split_labels,
)
from unit.frontier.shapes import make_tree_shape

SHAPE = make_tree_shape(("constraint", "reasoning", "concretize"), 3, 5, 2)
LABELS = ("card", "cash", "transfer")


def make_spec(**given: Any) -> RunSpec:
    return RunSpec(base_url=("sim:",), model="m", **given)


def make_seed(text: str, label: str = "") -> Seed:
    draft = Draft(text, label)
    return Seed(Seed.identify(draft, Parts()), draft, name=text)


def make_batch(
    name: str = "1", total: int | None = 100, count: int = 10, labels: Sequence[str] = ()
) -> SeedBatch:
    seeds = [make_seed(f"{name}.{n}", labels[n % len(labels)] if labels else "") for n in range(count)]
    return SeedBatch(name, tuple(seeds), total)


def plan(
    *batches: SeedBatch,
    labels: Sequence[str] = (),
    held: Held | None = None,
    shape: TreeShape = SHAPE,
    near: Mapping[str, Sequence[str]] | None = None,
    **spec: Any,
) -> Composition:
    return compose(make_spec(**spec), shape, batches, labels, near or {}, held or Held())


def quotas_of(composition: Composition, name: str) -> tuple[int, ...]:
    return next(each.quotas for each in composition.strata if each.name == name)


# --- plain and guided -----------------------------------------------------------------------------------


def test_a_target_is_mostly_plain_and_the_rest_even_over_hops() -> None:
    found = plan(make_batch(total=500))
    assert found.plain == {("1", ""): 300}
    assert quotas_of(found, "1") == (100, 100)
    assert found.total == 500


def test_of_a_small_target_the_first_twenty_are_plain() -> None:
    assert plan(make_batch(total=15)).plain == {("1", ""): 15}
    found = plan(make_batch(total=30))
    assert found.plain == {("1", ""): PLAIN_LEAST}
    assert quotas_of(found, "1") == (5, 5)


@pytest.mark.parametrize(("share", "plain"), [(0.0, 0), (0.3, 60), (1.0, 200)])
def test_the_share_of_plain_records_is_as_asked(share: float, plain: int) -> None:
    found = plan(make_batch(total=200), plain_share=share)
    assert found.plain == {("1", ""): plain}
    assert sum(quotas_of(found, "1")) == 200 - plain


def test_a_hop_has_no_more_than_the_tree_and_the_rest_goes_deeper() -> None:
    found = plan(make_batch(total=300, count=2), plain_share=0.0)
    assert quotas_of(found, "1") == (2 * SHAPE.children, 300 - 2 * SHAPE.children)


def test_plain_records_are_parents_too_and_widen_the_hops_below() -> None:
    small = make_tree_shape(("reasoning",), 2, 0, 3)  # two children each: of one seed 2, 4 and 8
    found = plan(make_batch(total=154, count=1), shape=small, plain_share=0.05)
    assert found.plain == {("1", ""): PLAIN_LEAST}
    assert quotas_of(found, "1") == (2, 4 + 2 * PLAIN_LEAST, 8 + 4 * PLAIN_LEAST)


def test_what_the_guided_tree_cannot_hold_is_plain() -> None:
    one = make_tree_shape(("reasoning",), 1, 0, 1)
    found = plan(make_batch(total=100, count=2), shape=one, plain_share=0.5)
    assert quotas_of(found, "1") == (8,)
    assert found.plain == {("1", ""): 92}


def test_without_plain_records_a_target_beyond_the_tree_is_left_short() -> None:
    found = plan(
        make_batch(total=100, count=2), shape=make_tree_shape(("reasoning",), 1, 0, 1), plain_share=0.0
    )
    assert found.total == 8


# --- labels -----------------------------------------------------------------------------------------------


def test_labels_have_equal_shares_whatever_the_seeds_have() -> None:
    found = plan(make_batch(total=301, count=10, labels=("card", "card", "cash")), labels=LABELS)
    shares = [found.plain["1", name] + sum(quotas_of(found, name)) for name in LABELS]
    assert shares == [101, 100, 100]
    assert found.plain == {("1", name): 61 if name == "card" else 60 for name in LABELS}


def test_at_least_twenty_of_each_label_are_plain() -> None:
    found = plan(make_batch(total=90, labels=LABELS), labels=LABELS)
    assert found.plain == {("1", name): PLAIN_LEAST for name in LABELS}


@pytest.mark.parametrize("balance", ["seeds", "none"])
def test_labels_may_have_the_shares_that_the_seeds_have(balance: str) -> None:
    found = plan(
        make_batch(total=400, count=8, labels=("card", "card", "card", "cash")),
        labels=LABELS,
        balance=balance,
    )
    shares = {name: found.plain["1", name] + sum(quotas_of(found, name)) for name in LABELS}
    assert shares == {"card": 300, "cash": 100, "transfer": 0}


def test_a_label_grows_from_its_own_seeds() -> None:
    seeds = [make_seed("a", "card"), make_seed("b", "cash"), make_seed("c", "card")]
    roots = find_roots("card", seeds, {}, Roots())
    assert [(root.id, root.seed) for root in roots] == [(seed.id, seed.id) for seed in (seeds[0], seeds[2])]


def test_a_label_without_seeds_grows_from_those_of_the_nearest_under_other_ids() -> None:
    seeds = [make_seed("a", "card"), make_seed("b", "cash")]
    (root,) = find_roots("transfer", seeds, {"transfer": ("cash", "card")}, Roots())
    assert root.seed == seeds[1].id
    assert root.id != seeds[1].id
    assert {each.seed for each in find_roots("transfer", seeds, {}, Roots())} == {seed.id for seed in seeds}


# --- batches ------------------------------------------------------------------------------------------------


def test_seeds_that_come_later_have_a_pool_and_a_share_of_their_own() -> None:
    found = plan(make_batch("1", 100), make_batch("2", 50, 5))
    assert found.plain == {("1", ""): 60, ("2", ""): 30}
    assert [sum(quotas_of(found, name)) for name in "12"] == [40, 20]


def test_under_labels_plain_records_are_shared_out_over_the_pools() -> None:
    found = plan(make_batch("1", 200, labels=LABELS), make_batch("2", 100, 5, labels=LABELS), labels=LABELS)
    assert [found.plain["1", "card"], found.plain["2", "card"]] == [40, 20]
    assert quotas_of(found, "card") == (20, 20)


def test_a_target_is_split_evenly_over_the_first_seeds_and_later_ones_add_as_much() -> None:
    first = share_target(25, [f"seed{n}" for n in range(10)])
    assert sorted(first.values()) == [2] * 5 + [3] * 5
    old = tuple(Seed(id, Draft(id)) for id in first)
    new = (Seed("late", Draft("late")),)
    batches = split_batches(make_spec(target=25), [("1", old), ("2", new)], first)
    assert [batch.total for batch in batches] == [25, 2]


def test_a_number_for_each_seed_or_the_whole_tree_needs_no_shares() -> None:
    seeds = (make_seed("a"), make_seed("b"))
    (each,) = split_batches(make_spec(per_seed=7), [("1", seeds)], {})
    assert each.total == 14
    (whole,) = split_batches(make_spec(target="all"), [("1", seeds)], {})
    assert whole.total is None


# --- the whole tree -----------------------------------------------------------------------------------------


def test_beside_the_whole_tree_plain_records_stand_in_proportion() -> None:
    guided = 10 * (SHAPE.children + SHAPE.children**2)
    found = plan(make_batch(total=None))
    assert quotas_of(found, "1") == (ENDLESS, ENDLESS)
    assert found.plain["1", ""] == pytest.approx(guided * 1.5, abs=1)
    assert found.total == found.plain["1", ""]


def test_a_whole_tree_may_have_no_plain_records_or_nothing_else() -> None:
    assert plan(make_batch(total=None), plain_share=0.0).plain == {("1", ""): 0}
    only = plan(make_batch(total=None), plain_share=1.0)
    assert quotas_of(only, "1") == ()
    assert only.plain["1", ""] == 10 * sum(SHAPE.caps())


def test_a_whole_tree_with_labels_has_plain_ones_for_each_label() -> None:
    found = plan(make_batch(total=None, count=4, labels=("card", "cash", "card", "card")), labels=LABELS)
    one = round(1.5 * sum(SHAPE.caps()))
    assert found.plain == {("1", "card"): 3 * one, ("1", "cash"): one, ("1", "transfer"): one}


# --- what is held already -------------------------------------------------------------------------------------


def held_of(plain: Mapping[tuple[str, str], int], guided: Mapping[tuple[str, int], int]) -> Held:
    return Held(Counter(dict(plain)), Counter(dict(guided)))


def test_what_is_there_is_kept_when_the_target_shrinks() -> None:
    held = held_of({("1", ""): 60}, {("1", 1): 20, ("1", 2): 20})
    found = plan(make_batch(total=10), held=held)
    assert (found.plain, quotas_of(found, "1")) == ({("1", ""): 60}, (20, 20))


def test_when_the_target_grows_the_new_ones_bring_it_into_proportion() -> None:
    held = held_of({("1", ""): 60}, {("1", 1): 20, ("1", 2): 20})
    found = plan(make_batch(total=200), held=held)
    assert (found.plain, quotas_of(found, "1")) == ({("1", ""): 120}, (40, 40))


def test_guided_records_that_took_over_from_dry_plain_ones_count() -> None:
    held = held_of({("1", ""): 25}, {("1", 1): 38, ("1", 2): 37})
    found = plan(make_batch(total=100), held=held)
    assert (found.plain, quotas_of(found, "1")) == ({("1", ""): 25}, (38, 37))


def test_a_pool_that_holds_more_than_its_share_leaves_the_others_less_and_no_label_more() -> None:
    held = held_of({("1", name): 20 for name in LABELS}, {})
    batches = make_batch("1", 90, labels=LABELS), make_batch("2", 45, 5, labels=LABELS)
    found = plan(*batches, labels=LABELS, held=held)
    for name in LABELS:
        assert found.plain["1", name] >= 20
        assert found.plain["1", name] + found.plain["2", name] + sum(quotas_of(found, name)) == 45


def test_a_label_that_holds_more_than_its_share_leaves_the_others_less() -> None:
    shares = split_labels(make_spec(balance="seeds"), LABELS, [*LABELS], 90, Counter({"card": 50}))
    assert shares == {"card": 50, "cash": 20, "transfer": 20}


counts = st.integers(0, 60)


@given(
    totals=st.lists(st.integers(0, 200), min_size=1, max_size=3),
    plain_held=st.lists(counts, min_size=9, max_size=9),
    guided_held=st.lists(counts, min_size=6, max_size=6),
    share=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    labelled=st.booleans(),
    balance=st.sampled_from(["uniform", "seeds"]),
)
def test_nothing_held_is_lost_and_nothing_is_planned_beyond_the_target(
    totals: list[int],
    plain_held: list[int],
    guided_held: list[int],
    share: float,
    labelled: bool,
    balance: str,
) -> None:
    labels = LABELS if labelled else ("",)
    batches = [
        make_batch(str(n), total, 3, labels=LABELS if labelled else ()) for n, total in enumerate(totals)
    ]
    keys = [(batch.name, name) for batch in batches for name in labels]
    strata = list(labels) if labelled else [batch.name for batch in batches]
    held = held_of(
        dict(zip(keys, plain_held, strict=False)),
        dict(zip([(name, hop) for name in strata for hop in (1, 2)], guided_held, strict=False)),
    )
    found = plan(*batches, labels=LABELS if labelled else (), held=held, plain_share=share, balance=balance)
    for key in keys:
        assert found.plain[key] >= held.plain[key]
    for name in strata:
        assert all(
            quota >= held.guided[name, hop] for hop, quota in enumerate(quotas_of(found, name), start=1)
        )
    there = sum(held.plain.values()) + sum(held.guided.values())
    beyond = 0
    if not labelled:  # a pool that holds more than its share keeps it, though the others have theirs
        for batch in batches:
            mine = held.plain[batch.name, ""] + held.guided[batch.name, 1] + held.guided[batch.name, 2]
            beyond += max(0, mine - (batch.total or 0))
    assert found.total == max(there, sum(totals) + beyond)
