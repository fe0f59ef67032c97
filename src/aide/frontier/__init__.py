"""What to do next: the forest of seeds, branches and places; knows nothing of models or texts.

A *branch* is a parent with children to grow (a seed, or an accepted record above the last hop). A *level* is all that
grows at one hop under one seed. With a target every level has a quota; with `all` every slot of every branch is grown
exactly once. A *slot* is (kind, index, draw): kind is an operation or the personas, index the triple or persona of the
parent, draw above 0 a further try along the same one.

Order of new work: the longest remaining chain first (shallow before deep), round robin over seeds, then parents, then
the least covered kind.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from aide.frontier.level import Branch, Level
from aide.frontier.shape import (
    DRAWS,
    ENDLESS,
    SPARES,
    GrowWork,
    PlantWork,
    Slot,
    TreeShape,
    split_evenly,
    split_over_hops,
)
from aide.records import PERSONA, replace, rng


class Frontier:
    """Hands out what to plant and to grow, takes back how it ended; the single owner of the counts."""

    def __init__(self, shape: TreeShape) -> None:
        self.shape = shape
        self._kinds = shape.kinds
        self._draw_stride = max(shape.triples, shape.personas, 1) + 8
        self._stride = DRAWS * self._draw_stride
        self._levels: dict[str, list[Level]] = {}
        self._branches: dict[str, Branch] = {}
        self._ready: list[deque[Level]] = [deque() for _ in range(shape.hops + 1)]
        self._reopened: deque[GrowWork] = deque()
        self._bearing = 0  # of what is open: plants, and records above the last hop
        self._open_labels: dict[str, int] = dict.fromkeys(shape.label_quotas, 0)
        self.labels: dict[str, int] = dict.fromkeys(shape.label_quotas, 0)
        self.planned = 0
        self.spares = 0
        self.open = 0
        self.barren = 0

    # --- building ---------------------------------------------------------------------------------

    def add_seed(self, seed: str, label: str, quotas: Sequence[int]) -> None:
        """A seed with its quota for each hop; `ENDLESS` where the whole tree is wanted."""
        levels: list[Level] = []
        for depth, quota in enumerate(quotas, start=1):
            above = levels[-1] if levels else None
            levels.append(
                Level(seed, depth, quota, above, len(self._kinds), len(self._levels) * len(quotas) + depth)
            )
        self._levels[seed] = levels
        if levels:
            self._add_branch(levels[0], seed, label)

    def _add_branch(self, level: Level, id: str, label: str) -> None:
        branch = Branch(id, level, label)
        level.branches.append(branch)
        self._branches[id] = branch
        level.activate(branch)
        self._wake(level)

    def _wake(self, level: Level) -> None:
        if not level.queued and level.demand > 0 and level.branches:
            level.queued = True
            self._ready[level.depth].append(level)

    # --- handing out ------------------------------------------------------------------------------

    def next(self) -> PlantWork | GrowWork | None:
        """The next piece of work, or `None` while nothing can be started (or nothing is left)."""
        if self._reopened:
            return self._hand_out(self._reopened.popleft())
        for queue in self._ready:
            for _ in range(len(queue)):
                level = queue.popleft()
                work = self._work_of(level) if level.demand > 0 else None
                if work is None:
                    level.queued = False
                    self._wake_below(level)
                    continue
                queue.append(level)
                return work if isinstance(work, PlantWork) else self._hand_out(work)
        return None

    @property
    def ending(self) -> bool:
        """Whether nothing that is open can bring new work, but for a place that falls free. Ask it once `next` gave
        nothing.
        """
        return not self._bearing

    def spare(self) -> GrowWork | None:
        """One candidate more than there are places, for when slots are idle and every place has its candidate.

        Should one of these come to nothing its place is filled at once; should all pass, who comes last in a level is
        surplus. At most one for every two that fill a place, and `SPARES` of all candidates.
        """
        if self.shape.target is None or self.spares + 1 > SPARES * self.planned:
            return None
        levels = list(self._all_levels())
        if any(level.demand > 0 for level in levels):
            return None
        for level in sorted(levels, key=lambda level: level.flying + 3 * level.demand, reverse=True):
            if level.flying + 3 * level.demand <= 0:
                break
            slots = (self._any_slot(level, draws) for draws in range(1, DRAWS + 1))
            if slot := next(filter(None, slots), None):
                self.spares += 1
                return self._hand_out(GrowWork(slot, level.seed, level.depth))
        return None

    def _hand_out(self, work: GrowWork) -> GrowWork:
        branch = self._branches[work.slot.parent]
        self._occupy(branch, work.slot)
        branch.level.flying += 1
        self._bearing += work.depth < self.shape.hops
        self.planned += 1
        self.open += 1
        if work.slot.label in self._open_labels:
            self._open_labels[work.slot.label] += 1
        return work

    def _occupy(self, branch: Branch, slot: Slot) -> None:
        k = self._kinds.index(slot.kind)
        bit = 1 << (k * self._stride + slot.draw * self._draw_stride + slot.index)
        if not branch.used & bit:
            branch.used |= bit
            branch.children += 1
            branch.level.by_kind[k] += 1

    def _work_of(self, level: Level) -> PlantWork | GrowWork | None:
        while level.unplanted:
            branch = level.unplanted.take()
            if not branch.planted:  # else restored while it waited
                return self._plant(level, branch)
        while level.active:
            branch = level.active.take()
            slot = self._free_slot(level, branch, 1) if branch.children < level.allowance(branch) else None
            if slot is not None:
                level.active.append(branch)
                return GrowWork(slot, level.seed, level.depth)
            branch.active = False
        if self.shape.target is None or level.planting or level.growing:
            return None
        return self._refill(level)

    def _plant(self, level: Level, branch: Branch) -> PlantWork:
        branch.active = False
        branch.planting = True
        level.planting += 1
        self._bearing += 1
        self.open += 1
        return PlantWork(branch.id, level.seed, level.depth - 1)

    def _refill(self, level: Level) -> PlantWork | GrowWork | None:
        """A place that the even composition could not fill: any parent's free slot, then further draws."""
        for draws in range(1, DRAWS + 1):
            if slot := self._any_slot(level, draws):
                return GrowWork(slot, level.seed, level.depth)
            unplanted = [branch for branch in level.branches if not branch.planted]
            if unplanted:
                return self._plant(level, min(unplanted, key=_fewest_children))
        return None

    def _any_slot(self, level: Level, draws: int) -> Slot | None:
        """A free slot of the planted parent that has fewest children, among so many draws."""
        planted = sorted((branch for branch in level.branches if branch.planted), key=_fewest_children)
        slots = (self._free_slot(level, branch, draws) for branch in planted)
        return next(filter(None, slots), None)

    def _free_slot(self, level: Level, branch: Branch, draws: int) -> Slot | None:
        """The free slot of this parent whose kind is least covered in the level."""
        if branch.spent >= draws:
            return None
        n = len(self._kinds)
        for k in sorted(range(n), key=lambda k: (level.by_kind[k], (k - branch.ordinal - level.turn) % n)):
            kind = self._kinds[k]
            count = branch.personas if kind == PERSONA else branch.triples
            for draw in range(draws):
                base = k * self._stride + draw * self._draw_stride
                for turn in range(count):
                    index = (turn + k) % count
                    if not branch.used >> (base + index) & 1:
                        return self._labelled(Slot(branch.id, kind, index, draw), branch)
        branch.spent = draws  # a used slot is never free again
        return None

    def _labelled(self, slot: Slot, branch: Branch) -> Slot:
        """The intended label: the parent's or a confusable one, unless the balance asks for another."""
        if self.shape.flip is None:
            return slot
        label = self.shape.flip(slot, branch.label)
        quotas = self.shape.label_quotas
        if quotas and self._label_demand(label) <= 0:
            label = max(quotas, key=lambda name: (self._label_demand(name), rng(slot.parent, name).random()))
        return Slot(slot.parent, slot.kind, slot.index, slot.draw, label)

    def _label_demand(self, label: str) -> int:
        quota = self.shape.label_quotas.get(label, 0)
        return quota - self.labels.get(label, 0) - self._open_labels.get(label, 0)

    # --- taking back ------------------------------------------------------------------------------

    def planted(self, branch_id: str, triples: int, personas: int) -> None:
        """The attributes of a branch are known; none of either makes it barren."""
        branch = self._branches[branch_id]
        level = branch.level
        if branch.planting:
            branch.planting = False
            level.planting -= 1
            self._bearing -= 1
            self.open -= 1
        if not branch.planted:  # where it waits to be planted it is passed over
            branch.active = False
        limit = self._draw_stride
        branch.triples, branch.personas = min(triples, limit), min(personas, limit)
        self.barren += not (triples or personas)
        level.activate(branch)
        self._wake(level)

    def admit(self, work: GrowWork, label: str) -> bool:
        """Count a finished record towards the target; where its level or its label is full it is surplus."""
        quotas, level = self.shape.label_quotas, self._branches[work.slot.parent].level
        if level.admitted >= level.quota or (quotas and self.labels.get(label, 0) >= quotas.get(label, 0)):
            return False
        level.admitted += 1
        if label in self.labels:
            self.labels[label] += 1
        return True

    def accept(self, work: GrowWork, id: str, label: str) -> None:
        """An admitted record takes its place; above the last hop it becomes a branch."""
        level = self._land(work)
        level.accepted += 1
        levels = self._levels[work.seed]
        if work.depth < len(levels):
            self._add_branch(levels[work.depth], id, label)
        self._wake_below(level)

    def drop(self, work: GrowWork) -> None:
        """The candidate in this slot was rejected, failed or is surplus: its place is free again."""
        level = self._land(work)
        level.by_kind[self._kinds.index(work.slot.kind)] -= 1
        if self.shape.target is not None:
            branch = self._branches[work.slot.parent]
            branch.children -= 1
            level.activate(branch)
            self._wake(level)
        self._wake_below(level)

    def _land(self, work: GrowWork) -> Level:
        level = self._branches[work.slot.parent].level
        level.flying -= 1
        self._bearing -= work.depth < self.shape.hops
        self.open -= 1
        if work.slot.label in self._open_labels:
            self._open_labels[work.slot.label] -= 1
        return level

    def _wake_below(self, level: Level) -> None:
        """A level whose parents stop coming may now hand out what their absence left over."""
        levels = self._levels[level.seed]
        for deeper in levels[level.depth :]:
            self._wake(deeper)

    # --- resuming and finishing -------------------------------------------------------------------

    def restore(self, work: GrowWork, id: str = "", label: str = "") -> None:
        """A node settled earlier: accepted as `id`, or dropped where `id` is empty.

        A child of a parent that is no more (pruned, or of a seed gone from the file) is only counted.
        """
        if work.slot.parent not in self._branches or work.slot.kind not in self._kinds:
            self.planned += 1
            return
        self._hand_out(work)
        if id:
            if label in self.labels:
                self.labels[label] += 1
            self._branches[work.slot.parent].level.admitted += 1
            self.accept(work, id, label)
        else:
            self.drop(work)

    def promote(self, work: GrowWork, id: str, label: str) -> bool:
        """Take a surplus record of an earlier run into a place that is still free; false where there is none."""
        branch = self._branches.get(work.slot.parent)
        if branch is None or branch.level.demand <= 0 or not self.admit(work, label):
            return False
        level = branch.level
        level.by_kind[self._kinds.index(work.slot.kind)] += 1
        branch.children += 1
        level.flying += 1
        self._bearing += work.depth < self.shape.hops
        self.open += 1
        self.accept(replace(work, slot=replace(work.slot, label="")), id, label)
        return True

    def reopen(self, work: GrowWork) -> None:
        """A node handed out before a stop and not settled: it goes first."""
        if work.slot.parent in self._branches and work.slot.kind in self._kinds:
            branch = self._branches[work.slot.parent]
            if branch.level.demand > 0:
                self._reopened.append(work)
                self._occupy(branch, work.slot)

    def knows(self, branch_id: str) -> bool:
        """Whether this id is a branch of the forest."""
        return branch_id in self._branches

    def level_counts(self, seed: str) -> list[int]:
        """Accepted records of a seed at each hop."""
        return [level.accepted for level in self._levels[seed]]

    @property
    def short(self) -> int:
        """Records still missing from the target."""
        if self.shape.target is None:
            return 0
        return sum(max(0, level.demand) for levels in self._levels.values() for level in levels)

    def spill(self) -> bool:
        """Move the places of exhausted levels to where slots are free, the least covered seeds first.

        Returns whether any place found a new home. Call it when nothing is open and nothing can be started.
        """
        starved = [level for level in self._all_levels() if level.demand > 0]
        if self.shape.target is None or not starved:
            return False
        room = [level for level in self._all_levels() if level.demand == 0 and self._free_slots(level)]
        moved = False
        for level in starved:
            while level.demand > 0 and room:
                home = min(
                    room, key=lambda other: (other.seed != level.seed, self._covered(other.seed), other.depth)
                )
                level.quota -= 1
                home.quota += 1
                moved = True
                self._wake(home)
                if home.demand >= self._free_slots(home):
                    room.remove(home)
        return moved

    def _all_levels(self) -> Iterator[Level]:
        for levels in self._levels.values():
            yield from levels

    def _covered(self, seed: str) -> int:
        return sum(level.quota for level in self._levels[seed])

    def _free_slots(self, level: Level) -> int:
        free = 0
        for branch in level.branches:
            triples, personas = branch.triples, branch.personas
            if not branch.planted:
                triples, personas = self.shape.triples, self.shape.personas
            operations = sum(kind != PERSONA for kind in self._kinds)
            free += (
                DRAWS * (triples * operations + personas * (PERSONA in self._kinds)) - branch.used.bit_count()
            )
        return free


def _fewest_children(branch: Branch) -> tuple[int, int]:
    return branch.children, branch.ordinal


__all__ = [
    "DRAWS",
    "ENDLESS",
    "Frontier",
    "GrowWork",
    "PlantWork",
    "Slot",
    "TreeShape",
    "split_evenly",
    "split_over_hops",
]
