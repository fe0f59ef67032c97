"""A run of a frontier without models: answers come back in a random order, as `Fate` says."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aide.frontier import (
    ENDLESS,
    ChooseParent,
    Frontier,
    GroupWork,
    PlantWork,
    Root,
    Slot,
    TreeShape,
    Work,
)
from aide.records import OPERATIONS, PLAIN
from unit.frontier.shapes import make_tree_shape

ATTRIBUTES, PERSONAS = 3, 2
CHILDREN_OF_ALL = ATTRIBUTES * len(OPERATIONS) + PERSONAS


def make_shape(hops: int = 2, *, whole: bool = False, balanced: bool = True) -> TreeShape:
    return make_tree_shape(OPERATIONS, ATTRIBUTES, PERSONAS, hops, whole=whole, balanced=balanced)


def choose_first(candidates: Sequence[object], chosen: Sequence[object]) -> int:
    return 0


def build(
    *,
    plain: Mapping[tuple[str, str], int] | None = None,
    guided: Mapping[str, Sequence[int]] | None = None,
    labels: bool = False,
    roots: int = 3,
    shape: TreeShape | None = None,
    group: int = 5,
    choose: ChooseParent = choose_first,
) -> Frontier:
    """A frontier with these plain levels, and these strata with their quotas by hop, each of some seeds."""
    frontier = Frontier(shape or make_shape(), group=group, plain_group=7, choose=choose)
    for (pool, label), quota in (plain or {}).items():
        frontier.add_plain(pool, label, quota)
    for name, quotas in (guided or {}).items():
        seeds = [Root(f"{name}.seed{n}", f"{name}.seed{n}") for n in range(roots)]
        frontier.add_stratum(name, name if labels else "", seeds, quotas)
    return frontier


def build_whole(*, plain: int = 6, roots: int = 2, hops: int = 2, group: int = 5) -> Frontier:
    """The whole tree of one pool."""
    return build(
        plain={("1", ""): plain}, guided={"1": [ENDLESS] * hops}, roots=roots, group=group,
        shape=make_shape(hops, whole=True),
    )  # fmt: skip


Fate = Callable[[Slot, random.Random], str]
"""How a candidate ends: `accepted`, `rejected` or, of plain ones, `repeated`."""


def accept_all(slot: Slot, dice: random.Random) -> str:
    return "accepted"


def reject_some(share: float) -> Fate:
    return lambda slot, dice: "rejected" if dice.random() < share else "accepted"


def repeat_after(count: int) -> Fate:
    """Plain candidates repeat what was there from this ordinal on."""
    return lambda slot, dice: "repeated" if slot.kind == PLAIN and slot.index >= count else "accepted"


@dataclass
class Ended:
    """One settled candidate, as a journal would have it."""

    slot: Slot
    seed: str
    depth: int
    id: str = ""
    """Empty where no record came of it."""
    repeated: bool = False


@dataclass
class Growth:
    """What a run came to."""

    frontier: Frontier
    ended: list[Ended] = field(default_factory=list)
    planted: dict[str, PlantWork] = field(default_factory=dict)
    """By branch."""
    found: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """How many triples and personas each branch came to have."""
    groups: list[GroupWork] = field(default_factory=list)
    surplus: int = 0

    @property
    def accepted(self) -> list[Ended]:
        return [each for each in self.ended if each.id]

    def count(self, key: Callable[[Ended], object]) -> Counter[object]:
        """Accepted records by this."""
        return Counter(map(key, self.accepted))

    @property
    def children(self) -> Counter[str]:
        """Accepted guided records of each parent."""
        return Counter(each.slot.parent for each in self.accepted if each.slot.kind != PLAIN)

    @property
    def slots(self) -> list[Slot]:
        """All slots that were handed out."""
        return [each.slot for each in self.ended]


def make_id(slot: Slot) -> str:
    return "/".join(map(str, slot.as_list()))


def grow(
    frontier: Frontier,
    *,
    fate: Fate = accept_all,
    found: Callable[[PlantWork], tuple[int, ...]] = lambda work: work.wanted,
    room: int = 8,
    seed: int = 1,
    stop_after: int | None = None,
) -> Growth:
    """Run to the end, or until so many candidates have ended; what is open then stays so."""
    dice = random.Random(seed)
    growth = Growth(frontier)
    open_: list[PlantWork | tuple[GroupWork, Slot]] = []
    works: Counter[int] = Counter()  # open slots of each group, by its place in `growth.groups`
    place_of: dict[Slot, int] = {}
    steps = 0
    while True:
        steps += 1
        assert steps < 200_000, "a run without an end"
        while len(+works) + sum(isinstance(each, PlantWork) for each in open_) < room:
            work = frontier.next()
            if work is None:
                break
            if isinstance(work, PlantWork):
                open_.append(work)
                continue
            growth.groups.append(work)
            works[len(growth.groups)] = len(work.open)
            for slot in work.open:
                place_of[slot] = len(growth.groups)
                open_.append((work, slot))
        if not open_:
            if frontier.redistribute():
                continue
            return growth
        if stop_after is not None and len(growth.ended) >= stop_after:
            return growth
        each = open_.pop(dice.randrange(len(open_)))
        if isinstance(each, PlantWork):
            growth.planted[each.branch] = each
            growth.found[each.branch] = found(each)
            frontier.planted(each.branch, growth.found[each.branch])
            continue
        work, slot = each
        works[place_of[slot]] -= 1
        _end(growth, work, slot, fate(slot, dice))


def _end(growth: Growth, work: GroupWork, slot: Slot, fate: str) -> None:
    frontier, seed = growth.frontier, work.seed or "1.seed0"
    if fate == "accepted" and frontier.admit(slot):
        growth.ended.append(Ended(slot, seed, work.depth, make_id(slot)))
        frontier.accept(slot, make_id(slot), seed)
        return
    growth.surplus += fate == "accepted"
    growth.ended.append(Ended(slot, seed, work.depth, repeated=fate == "repeated"))
    frontier.drop(slot, repeated=fate == "repeated")


def restore(frontier: Frontier, growth: Growth, order: random.Random | None = None) -> None:
    """Put what was settled into a new frontier; with `order`, shuffled, but for parents before their children."""
    pending = list(growth.ended)
    plants = list(growth.found)
    if order is not None:
        order.shuffle(pending)
        order.shuffle(plants)
    by_parent: dict[str, list[Ended]] = defaultdict(list)
    for each in pending:
        by_parent[each.slot.parent].append(each)
    for each in pending:
        if each.slot.kind == PLAIN:
            frontier.restore(each.slot, each.seed, each.id, repeated=each.repeated)
    waiting = plants
    while waiting:
        still = []
        for branch in waiting:
            if not frontier.adopt(branch):
                still.append(branch)
                continue
            frontier.planted(branch, growth.found[branch])
            for each in by_parent.pop(branch, []):
                frontier.restore(each.slot, each.seed, each.id)
        assert len(still) < len(waiting), "a parent that nobody knows"
        waiting = still


def drain(frontier: Frontier) -> list[Work]:
    """All that can be handed out now."""
    return list(iter(frontier.next, None))
