"""What a resume puts back: quotas, settled candidates, groups that were under way, surplus."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import orjson
import pytest

from aide.config.spec import RunSpec
from aide.frontier import Frontier, GroupWork, PlantWork, Slot, Work
from aide.journal import Journal, Kind, Outcome
from aide.records import OPERATIONS, PERSONA, PLAIN, Draft, Parts, Seed
from aide.run.composition import Composition
from aide.run.restore import (
    GROUP,
    batch_seeds,
    build_frontier,
    count_held,
    freeze_group,
    pack_slot,
    plan_levels,
    promote_surplus,
    read_reasons_without_attributes,
    read_slot,
    unpack_slot,
)
from unit.frontier.shapes import make_tree_shape


def make_seeds(count: int) -> list[Seed]:
    drafts = [Draft(f"input {n}", "output") for n in range(count)]
    return [Seed(Seed.identify(draft, Parts()), draft) for draft in drafts]


class Folder:
    """A journal, and what a run over it would begin with. Its seeds came in two batches, the last one alone."""

    def __init__(self, journal: Journal, **spec: Any) -> None:
        self.journal = journal
        self.seeds = make_seeds(5)
        self.here = self.seeds[:4]
        self.pools = {seed.id: "2" if seed is self.seeds[-1] else "1" for seed in self.seeds}
        self.spec = RunSpec.model_validate({"target": 100, **spec})
        self.shape = make_tree_shape(OPERATIONS, 3, 2, 2, whole=self.spec.target == "all")

    async def settle(
        self,
        node: str,
        slot: Slot,
        kind: Kind = "accepted",
        *,
        depth: int = 1,
        seed: int = 0,
        reason: str = "low",
    ) -> None:
        """A candidate that has ended."""
        place = slot.index if slot.kind == PLAIN else pack_slot(slot.draw, slot.index)
        parent = self.seeds[seed].id if slot.kind == PLAIN else slot.parent
        payload = orjson.dumps({"reason": reason})
        await self.journal.settle(
            Outcome(node, kind, self.seeds[seed].id, parent, depth, place, slot.kind, slot.label, payload)
        )

    async def plant(self, branch: str, triples: int = 3, personas: int = 1, reason: str = "") -> None:
        payload = orjson.dumps({"topic": "", "triples": [], "personas": [], "reason": reason})
        place = pack_slot(triples, personas)
        await self.journal.settle(Outcome(branch, "planted", self.seeds[0].id, "", 0, place, "", "", payload))

    async def plain(self, *ordinals: int, kind: Kind = "accepted", reason: str = "low") -> None:
        for ordinal in ordinals:
            await self.settle(f"plain{ordinal}", Slot("1", PLAIN, ordinal), kind, reason=reason)

    def compose(self, out: Collection[str] = ()) -> Composition:
        return plan_levels(self.spec, self.shape, self.here, self.pools, self.journal, (), {}, out)

    def build(self, out: Collection[str] = (), *, retry: bool = False) -> Frontier:
        return build_frontier(
            self.shape, self.compose(out), self.journal, self.pools, groups=(5, 7), choose=lambda candidates, chosen: 0,
            out=out, retry_failed=retry,
        )  # fmt: skip


def play(folder: Path, scene: Callable[[Folder], Awaitable[None]], **spec: Any) -> None:
    async def run() -> None:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            await scene(Folder(journal, **spec))

    asyncio.run(run())


def take(frontier: Frontier) -> list[Work]:
    return list(iter(frontier.next, None))


def slots_of(works: list[Work]) -> set[Slot]:
    return {slot for work in works if isinstance(work, GroupWork) for slot in work.open}


@pytest.mark.parametrize("numbers", [(0, 0), (3, 19), (12, 999)])
def test_two_small_numbers_fit_into_one(numbers: tuple[int, int]) -> None:
    assert unpack_slot(pack_slot(*numbers)) == numbers


# --- shares ---------------------------------------------------------------------------------------------


def test_the_target_is_that_of_the_seeds_that_were_there_and_later_ones_add_to_it(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        (first,) = batch_seeds(folder.spec, folder.here, folder.pools, folder.journal)
        assert (first.name, first.total) == ("1", 10)
        one, two = batch_seeds(folder.spec, folder.seeds, folder.pools, folder.journal)
        assert (one.total, two.name, two.total) == (10, "2", 2)

    play(tmp_path, scene, target=10)


def test_another_target_is_shared_anew_among_all(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        batch_seeds(folder.spec, folder.here, folder.pools, folder.journal)
        more = folder.spec.model_copy(update={"target": 20})
        assert [batch.total for batch in batch_seeds(more, folder.seeds, folder.pools, folder.journal)] == [
            16,
            4,
        ]

    play(tmp_path, scene, target=10)


def test_batches_stand_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        pools = dict(zip([seed.id for seed in folder.seeds], ["10", "9", "2", "1", "1"], strict=True))
        batches = batch_seeds(folder.spec, folder.seeds, pools, folder.journal)
        assert [batch.name for batch in batches] == ["1", "2", "9", "10"]
        assert folder.journal.get_meta("shares") is None, "the whole tree needs no memory"

    play(tmp_path, scene, target="all")


# --- held -----------------------------------------------------------------------------------------------


def test_what_is_held_is_counted_where_it_has_its_quota(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(0, 1, 2)
        await folder.plain(3, kind="rejected")
        parent = folder.seeds[0].id
        await folder.settle("a", Slot(parent, "reasoning", 0))
        await folder.settle("b", Slot("a", PERSONA, 0), depth=2)
        await folder.settle("c", Slot(parent, "reasoning", 1, label="yes"))
        await folder.settle("d", Slot("2", PLAIN, 0, label="yes"), seed=4)
        everything = {seed.id for seed in folder.seeds}
        held = count_held(folder.journal, folder.pools, everything, {"plain1"})
        assert held.plain == {("1", ""): 2, ("2", "yes"): 1}
        assert held.guided == {("1", 1): 1, ("1", 2): 1, ("yes", 1): 1}
        assert not count_held(folder.journal, folder.pools, {folder.seeds[4].id}, ()).guided

    play(tmp_path, scene)


def test_a_slot_is_read_as_it_was_written(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        slots = [Slot("1", PLAIN, 4711, 0, "yes"), Slot("parent", "reasoning", 2, 3, "no")]
        for n, slot in enumerate(slots):
            await folder.settle(f"record{n}", slot)
        assert [read_slot(each, "1") for each in folder.journal.read_outcomes()] == slots

    play(tmp_path, scene)


# --- the frontier ---------------------------------------------------------------------------------------


def test_what_is_settled_is_not_grown_again_and_its_quota_is_less(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        seed = folder.seeds[0].id
        await folder.plain(0, 1)
        await folder.plain(2, kind="rejected")
        await folder.plant(seed)
        await folder.settle("child", Slot(seed, "reasoning", 0))
        await folder.plant("child")
        await folder.settle("grandchild", Slot("child", PERSONA, 0), depth=2)
        frontier = folder.build()
        assert (frontier.planned, frontier.short, frontier.open) == (5, 96, 0)
        works = take(frontier)
        assert not slots_of(works) & {
            Slot("1", PLAIN, 0), Slot("1", PLAIN, 1), Slot("1", PLAIN, 2), Slot(seed, "reasoning", 0),
            Slot("child", PERSONA, 0),
        }  # fmt: skip
        assert {seed, "child"}.isdisjoint(work.branch for work in works if isinstance(work, PlantWork))

    play(tmp_path, scene)


def test_plain_records_that_repeat_are_known_as_such_after_a_resume(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(*range(10))
        await folder.plain(*range(10, 20), kind="rejected", reason="duplicate")
        await folder.plain(*range(20, 25), kind="rejected", reason="copy")
        works = take(folder.build())
        assert not any(slot.kind == PLAIN for slot in slots_of(works))

    play(tmp_path, scene)


def test_other_rejects_make_no_pool_dry(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(*range(10))
        await folder.plain(*range(10, 25), kind="rejected", reason="low_relevance")
        assert any(slot.kind == PLAIN for slot in slots_of(take(folder.build())))

    play(tmp_path, scene)


def test_a_pruned_record_leaves_its_place_and_is_no_parent(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        seed = folder.seeds[0].id
        await folder.plant(seed)
        await folder.settle("child", Slot(seed, "reasoning", 0))
        await folder.plant("child")
        await folder.settle("grandchild", Slot("child", PERSONA, 0), depth=2)
        frontier = folder.build({"child"})
        assert frontier.short == 99, "the grandchild is there still"
        works = take(frontier)
        assert Slot(seed, "reasoning", 0) not in slots_of(works)
        assert not any(slot.parent == "child" for slot in slots_of(works))

    play(tmp_path, scene)


def test_records_of_seeds_that_are_gone_are_counted_and_bear_nothing(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        await folder.settle("late", Slot("2", PLAIN, 0), seed=4)
        gone = folder.seeds[4].id
        await folder.plant(gone)
        await folder.settle("of the gone seed", Slot(gone, "reasoning", 0), seed=4)
        frontier = folder.build()
        await folder.settle("under a label", Slot(gone, "reasoning", 1, label="1"), seed=4)
        frontier = folder.build()
        assert (frontier.planned, frontier.short) == (3, 100)
        assert not any(slot.parent in ("late", gone) for slot in slots_of(take(frontier)))

    play(tmp_path, scene)


@pytest.mark.parametrize("retry", [False, True])
def test_what_failed_is_tried_again_only_where_that_was_asked(tmp_path: Path, retry: bool) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(1)
        await folder.plain(0, kind="failed")
        slots = tuple(Slot("1", PLAIN, ordinal) for ordinal in (0, 1))
        work = GroupWork(slots, "", 1)
        folder.journal.decide(GROUP, "group", freeze_group(work, ["plain0", "plain1"]))
        frontier = folder.build(retry=retry)
        first = frontier.next()
        assert isinstance(first, GroupWork)
        assert (first == GroupWork(slots, "", 1, frozenset({1}))) == retry
        assert frontier.planned - len(first.open) == (1 if retry else 2)

    play(tmp_path, scene)


@pytest.mark.parametrize("retry", [False, True])
def test_a_parent_without_attributes_is_planted_again_only_where_that_was_asked(
    tmp_path: Path, retry: bool
) -> None:
    async def scene(folder: Folder) -> None:
        folder.here = folder.seeds[:1]
        await folder.plant(folder.seeds[0].id, 0, 0, reason="not_json")
        frontier = folder.build(retry=retry)
        planted = [work for work in take(frontier) if isinstance(work, PlantWork)]
        assert bool(planted) == retry
        assert frontier.without_attributes == (0 if retry else 1)
        assert list(read_reasons_without_attributes(folder.journal)) == ["not_json"]

    play(tmp_path, scene)


# --- groups ---------------------------------------------------------------------------------------------


def test_groups_that_were_under_way_go_first_and_in_the_same_company(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        seed = folder.seeds[0].id
        await folder.plant(seed)
        plain = GroupWork(tuple(Slot("1", PLAIN, n) for n in range(3)), "", 1)
        guided = GroupWork((Slot(seed, "reasoning", 0), Slot(seed, PERSONA, 0)), seed, 1)
        folder.journal.decide(GROUP, "one", freeze_group(plain, ["plain0", "plain1", "plain2"]))
        folder.journal.decide(GROUP, "two", freeze_group(guided, ["a", "b"]))
        await folder.plain(1)
        frontier = folder.build()
        assert frontier.next() == GroupWork(plain.slots, "", 1, frozenset({1}))
        assert frontier.next() == guided
        assert not {*plain.slots, *guided.slots} & slots_of(take(frontier))

    play(tmp_path, scene)


def test_a_group_of_which_all_is_settled_is_done(tmp_path: Path) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(0)
        await folder.plain(1, kind="rejected")
        work = GroupWork(tuple(Slot("1", PLAIN, n) for n in range(2)), "", 1)
        folder.journal.decide(GROUP, "one", freeze_group(work, ["plain0", "plain1"]))
        first = folder.build().next()
        assert isinstance(first, GroupWork)
        assert first.slots[0] == Slot("1", PLAIN, 2)

    play(tmp_path, scene)


def test_of_the_whole_tree_groups_need_no_memory(tmp_path: Path) -> None:
    """They are static: what is open of them is found again by what is settled."""

    async def scene(folder: Folder) -> None:
        await folder.plain(0, 2)
        work = GroupWork(tuple(Slot("1", PLAIN, n) for n in range(3)), "", 1)
        folder.journal.decide(GROUP, "of another size", freeze_group(work, ["plain0", "plain1", "plain2"]))
        frontier = folder.build()
        first = frontier.next()
        assert first == GroupWork(tuple(Slot("1", PLAIN, n) for n in range(7)), "", 1, frozenset({0, 2}))

    play(tmp_path, scene, target="all")


# --- surplus --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "taken"), [(2, []), (3, ["plain2"]), (30, ["plain2", "plain3"])])
def test_surplus_is_taken_first_when_the_target_grows(tmp_path: Path, target: int, taken: list[str]) -> None:
    async def scene(folder: Folder) -> None:
        await folder.plain(0, 1)
        await folder.plain(2, 3, kind="surplus")
        frontier = folder.build()
        await promote_surplus(frontier, folder.journal, folder.pools)
        assert [each.node for each in folder.journal.read_outcomes("accepted")] == [
            "plain0",
            "plain1",
            *taken,
        ]
        assert frontier.short == target - 2 - len(taken)

    play(tmp_path, scene, target=target)
