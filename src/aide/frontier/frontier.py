"""Hands out what to plant and to grow, and takes back how it ended.

A *branch* is a parent with children to grow: a seed, or an accepted record above the last hop. A *level* is all
that grows at one hop under one seed. With a target every level has a quota; with `all` every slot of every branch
is grown exactly once. A *slot* is (kind, index, draw): kind is an operation or the personas, index the triple or
persona of the parent, draw above 0 a further try along the same one.

Order of new work: shallow before deep, for the longest remaining chain decides when the run ends; round robin over
seeds, then over parents, then the least covered kind, so that a run which is stopped early is even too.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from aide.frontier.level import Branch, Level
from aide.frontier.shape import DRAWS, SPARES, GrowWork, PlantWork, Slot, TreeShape
from aide.frontier.slots import SlotChooser, count_children
from aide.records import replace


class Frontier:
    """The state of the tree; the single owner of its counts."""

    def __init__(self, shape: TreeShape) -> None:
        self.shape = shape
        """What the tree may hold."""
        self.planned = 0
        """Candidates handed out so far."""
        self.spares = 0
        """Of them those that stand beside the last candidates (`next_spare`)."""
        self.open = 0
        """Pieces of work that were handed out and not taken back."""
        self.without_attributes = 0
        """Branches that nothing can grow from, because neither triples nor personas were found."""
        self._slots = SlotChooser(shape)
        self._levels: dict[str, list[Level]] = {}
        self._branches: dict[str, Branch] = {}
        self._queues: list[deque[Level]] = [
            deque() for _ in range(shape.hops + 1)
        ]  # levels with work, by hop
        self._reopened: deque[GrowWork] = deque()
        self._open_parents = 0  # of what is open: plants, and candidates above the last hop

    @property
    def labels(self) -> dict[str, int]:
        """Accepted records by label; empty where labels are not balanced."""
        return self._slots.labels

    # --- building ---------------------------------------------------------------------------------

    def add_seed(self, seed: str, label: str, quotas: Sequence[int]) -> None:
        """A seed with its quota for each hop; `ENDLESS` where the whole tree is wanted."""
        levels: list[Level] = []
        for depth, quota in enumerate(quotas, start=1):
            above = levels[-1] if levels else None
            turn = len(self._levels) * len(quotas) + depth
            levels.append(Level(seed, depth, quota, above, [0] * len(self._slots.kinds), turn))
        self._levels[seed] = levels
        if levels:
            self._add_branch(levels[0], seed, label)

    def _add_branch(self, level: Level, id: str, label: str) -> None:
        branch = Branch(id, level, len(level.branches), label)
        level.branches.append(branch)
        self._branches[id] = branch
        level.activate(branch)
        self._queue(level)

    def _queue(self, level: Level) -> None:
        """Have a level looked at for work, if it can have any."""
        if not level.queued and level.demand > 0 and level.branches:
            level.queued = True
            self._queues[level.depth].append(level)

    # --- handing out ------------------------------------------------------------------------------

    def next_work(self) -> PlantWork | GrowWork | None:
        """The next piece of work, or `None` while nothing can be started (or nothing is left)."""
        if self._reopened:
            return self._hand_out(self._reopened.popleft())
        for queue in self._queues:
            for _ in range(len(queue)):
                level = queue.popleft()
                work = self._find_work(level) if level.demand > 0 else None
                if work is None:
                    level.queued = False
                    self._queue_deeper(level)
                    continue
                queue.append(level)  # to the end: the next piece of work comes from another seed
                return work if isinstance(work, PlantWork) else self._hand_out(work)
        return None

    @property
    def ending(self) -> bool:
        """True when no open record can produce more work; only a slot that becomes free again still can.

        Ask it once `next_work` gave nothing.
        """
        return not self._open_parents

    def next_spare(self) -> GrowWork | None:
        """One candidate more than the quotas ask for, for when calls at once are idle and every place has its
        candidate.

        Should one of the last candidates be rejected, its place is filled at once, in place of a whole chain later;
        should all pass, the last one of a level is surplus. A level has at most one spare for every two of its
        candidates, and all have at most `SPARES` of all candidates.
        """
        if self.shape.target is None or self.spares + 1 > SPARES * self.planned:
            return None
        levels = list(self._list_levels())
        if any(level.demand > 0 for level in levels):
            return None
        # With s spares a level's demand is -s, and they are in flight too: candidates for places, less two a spare.
        for level in sorted(levels, key=lambda level: level.in_flight + 3 * level.demand, reverse=True):
            if level.in_flight + 3 * level.demand <= 0:
                break
            slots = (self._slots.find_anywhere(level, draws) for draws in range(1, DRAWS + 1))
            if slot := next(filter(None, slots), None):
                self.spares += 1
                return self._hand_out(GrowWork(slot, level.seed, level.depth))
        return None

    def _hand_out(self, work: GrowWork) -> GrowWork:
        branch = self._branches[work.slot.parent]
        self._slots.use(branch, work.slot)
        self._open(work)
        self.planned += 1
        self._slots.open_label(work.slot.label, +1)
        return work

    def _open(self, work: GrowWork) -> None:
        self._branches[work.slot.parent].level.in_flight += 1
        self._open_parents += work.depth < self.shape.hops
        self.open += 1

    def _find_work(self, level: Level) -> PlantWork | GrowWork | None:
        """Plant a parent first, then grow within the composition; at last fill what it could not."""
        while level.unplanted:
            branch = level.unplanted.take()
            if not branch.planted:  # else restored while it waited
                return self._plant(level, branch)
        while level.active:
            branch = level.active.take()
            slot = (
                self._slots.find(level, branch, 1) if branch.children < level.compute_share(branch) else None
            )
            if slot is not None:
                level.active.append(branch)
                return GrowWork(slot, level.seed, level.depth)
            branch.active = False
        # Parents that are still to come have a share of this level; only what they leave over may be filled
        # otherwise.
        if self.shape.target is None or level.planting or level.growing:
            return None
        return self._refill(level)

    def _plant(self, level: Level, branch: Branch) -> PlantWork:
        branch.active = False
        branch.planting = True
        level.planting += 1
        self._open_parents += 1
        self.open += 1
        return PlantWork(branch.id, level.seed, level.depth - 1)

    def _refill(self, level: Level) -> PlantWork | GrowWork | None:
        """A place that the even composition could not fill: any parent's free slot, then further draws.

        A further draw along the same attribute comes near the first, so a parent that is not planted yet goes
        before it: its attributes are new.
        """
        for draws in range(1, DRAWS + 1):
            if slot := self._slots.find_anywhere(level, draws):
                return GrowWork(slot, level.seed, level.depth)
            unplanted = [branch for branch in level.branches if not branch.planted]
            if unplanted:
                return self._plant(level, min(unplanted, key=count_children))
        return None

    # --- taking back ------------------------------------------------------------------------------

    def finish_planting(self, branch_id: str, triples: int, personas: int) -> None:
        """The attributes of a branch are known: so many of each, maybe none."""
        branch = self._branches[branch_id]
        level = branch.level
        if branch.planting:
            branch.planting = False
            level.planting -= 1
            self._open_parents -= 1
            self.open -= 1
        if not branch.planted:  # where it waits to be planted it is passed over
            branch.active = False
        limit = self._slots.draw_stride
        branch.triples, branch.personas = min(triples, limit), min(personas, limit)
        self.without_attributes += not (triples or personas)
        level.activate(branch)
        self._queue(level)

    def admit(self, work: GrowWork, label: str) -> bool:
        """Count a finished record towards the target; false where its level or its label is full: it is surplus."""
        level = self._branches[work.slot.parent].level
        if level.admitted >= level.quota or self._slots.is_label_full(label):
            return False
        level.admitted += 1
        self._slots.accept_label(label)
        return True

    def accept(self, work: GrowWork, id: str, label: str) -> None:
        """An admitted record takes its place; above the last hop it becomes a branch."""
        level = self._take_back(work)
        level.accepted += 1
        levels = self._levels[work.seed]
        if work.depth < len(levels):
            self._add_branch(levels[work.depth], id, label)
        self._queue_deeper(level)

    def drop(self, work: GrowWork) -> None:
        """The candidate in this slot was rejected, failed or is surplus: its place is free again."""
        level = self._take_back(work)
        branch = self._branches[work.slot.parent]
        self._slots.uncount(branch, work.slot)
        if self.shape.target is not None:
            level.activate(branch)
            self._queue(level)
        self._queue_deeper(level)

    def _take_back(self, work: GrowWork) -> Level:
        level = self._branches[work.slot.parent].level
        level.in_flight -= 1
        self._open_parents -= work.depth < self.shape.hops
        self.open -= 1
        self._slots.open_label(work.slot.label, -1)
        return level

    def _queue_deeper(self, level: Level) -> None:
        """A level whose parents stop coming may now hand out what their absence left over."""
        for deeper in self._levels[level.seed][level.depth :]:
            self._queue(deeper)

    # --- resuming and finishing -------------------------------------------------------------------

    def restore(self, work: GrowWork, id: str = "", label: str = "") -> None:
        """A node settled earlier: accepted as `id`, or dropped where `id` is empty.

        A child of a parent that is no more (pruned, or of a seed gone from the file) is only counted.
        """
        if not self._has_slot(work.slot):
            self.planned += 1
            return
        self._hand_out(work)
        if id:
            self._slots.accept_label(label)
            self._branches[work.slot.parent].level.admitted += 1
            self.accept(work, id, label)
        else:
            self.drop(work)

    def promote(self, work: GrowWork, id: str, label: str) -> bool:
        """Take a surplus record of an earlier run into a place that is still free; false where there is none."""
        branch = self._branches.get(work.slot.parent)
        if branch is None or branch.level.demand <= 0 or not self.admit(work, label):
            return False
        self._slots.recount(branch, work.slot)
        self._open(work)
        # Its intended label was closed when it was dropped; with it, `accept` would close it twice.
        self.accept(replace(work, slot=replace(work.slot, label="")), id, label)
        return True

    def reopen(self, work: GrowWork) -> None:
        """A node handed out before a stop and not settled: it goes first."""
        if self._has_slot(work.slot):
            branch = self._branches[work.slot.parent]
            if branch.level.demand > 0:
                self._reopened.append(work)
                self._slots.use(branch, work.slot)

    def _has_slot(self, slot: Slot) -> bool:
        return slot.parent in self._branches and slot.kind in self._slots.kinds

    def has_branch(self, branch_id: str) -> bool:
        """True when this id is a branch of the tree."""
        return branch_id in self._branches

    def count_accepted(self, seed: str) -> list[int]:
        """Accepted records of a seed at each hop."""
        return [level.accepted for level in self._levels[seed]]

    @property
    def missing(self) -> int:
        """Records still missing from the target."""
        if self.shape.target is None:
            return 0
        return sum(max(0, level.demand) for level in self._list_levels())

    def redistribute(self) -> bool:
        """Move the places of exhausted levels to where slots are free, the least covered seeds first.

        A seed whose attributes can't be found, or whose candidates are all rejected, can't hold its share; without
        this a target would end short while other seeds have slots left. A level of the same seed goes first, so that
        seeds stay even.

        Returns whether any place was moved. Call it when nothing is open and nothing can be started.
        """
        exhausted = [level for level in self._list_levels() if level.demand > 0]
        if self.shape.target is None or not exhausted:
            return False
        free = [level for level in self._list_levels() if level.demand == 0 and self._slots.count_free(level)]
        moved = False
        for level in exhausted:
            while level.demand > 0 and free:
                home = min(
                    free,
                    key=lambda other: (other.seed != level.seed, self._sum_quotas(other.seed), other.depth),
                )
                level.quota -= 1
                home.quota += 1
                moved = True
                self._queue(home)
                if home.demand >= self._slots.count_free(home):
                    free.remove(home)
        return moved

    def _list_levels(self) -> Iterator[Level]:
        for levels in self._levels.values():
            yield from levels

    def _sum_quotas(self, seed: str) -> int:
        return sum(level.quota for level in self._levels[seed])
