"""The frontier: what to plant and to grow next; the single owner of the counts."""

from collections import deque
from collections.abc import Iterator, Sequence

from aide.frontier.levels import Branch, ChooseParent, GuidedLevel, Level, ParentCandidate
from aide.frontier.patience import Patience
from aide.frontier.plain_level import PlainLevel
from aide.frontier.shape import ENDLESS, GroupWork, PlantWork, Root, Slot, TreeShape
from aide.frontier.share import PlainShare
from aide.records import PLAIN

Work = PlantWork | GroupWork


class Frontier:
    """Hands out what to plant and to grow, takes back how it ended; the single owner of the counts."""

    def __init__(
        self,
        shape: TreeShape,
        *,
        group: int = 1,
        plain_group: int = 1,
        choose: ChooseParent = lambda candidates, chosen: 0,
        patience: int = 0,
        share: PlainShare | None = None,
    ) -> None:
        """`group` and `plain_group` are the most slots of one piece of work; `choose` picks the next parent.

        After `patience` candidates in a row of which none was accepted nothing more is handed out until one is: of
        their label, or at all. With 0 there is no end to it. `share` says which plain records are to be grown.
        """
        self.shape = shape
        self.group = group
        self.plain_group = plain_group
        self.planned = 0
        """Candidates that were handed out."""
        self.open = 0
        """Candidates that have not ended, and parents that are being planted."""
        self.without_attributes = 0
        """Parents of which nothing could be found out, so that nothing grows there."""
        self._choose = choose
        self._share = share
        self.patience = Patience(patience)
        self._plain: dict[tuple[str, str], PlainLevel] = {}
        self._strata: dict[str, list[GuidedLevel]] = {}
        self._branches: dict[str, Branch] = {}
        self._ready: list[deque[Level]] = [deque() for _ in range(shape.hops + 1)]
        self._reopened: deque[GroupWork] = deque()

    # --- building ---------------------------------------------------------------------------------

    def add_plain(self, pool: str, label: str, quota: int) -> None:
        """Plain records of a pool; with the whole tree, `quota` of them, each once."""
        last = quota if self.shape.whole else None
        share = self._share.turn(pool, label) if self._share else None
        level = PlainLevel(pool, label, quota if last is None else ENDLESS, last, share)
        self._plain[pool, label] = level
        self._wake(level)

    def add_stratum(self, name: str, label: str, roots: Sequence[Root], quotas: Sequence[int]) -> None:
        """A stratum with its quota for each hop; its first parents are chosen among `roots`.

        Call it after `add_plain` of the levels whose records become parents here: those of the same label or, without
        labels, of the same name.
        """
        plain: list[Level] = [
            level for level in self._plain.values() if level.label == label and (label or level.pool == name)
        ]
        levels: list[GuidedLevel] = []
        for depth, quota in enumerate(quotas, start=1):
            # Of a whole tree plain records are no parents: it is the guided tree, with plain ones in proportion to it.
            above = [*levels[-1:], *(plain if depth == 2 and not self.shape.whole else ())]
            turn = len(self._strata) * len(quotas) + depth
            levels.append(GuidedLevel(self.shape, depth, label, quota, above, turn))
            for level in above:
                level.below.append(levels[-1])
        self._strata[name] = levels
        self.patience.add_seeds(len(roots))
        if levels:
            first = (ParentCandidate(root.id, root.seed, "", label, root.source) for root in roots)
            levels[0].candidates = {each.id: each for each in first}
            self._wake(levels[0])

    def _wake(self, level: Level) -> None:
        if not level.queued and level.demand > 0:
            level.queued = True
            self._ready[level.depth].append(level)

    # --- handing out ------------------------------------------------------------------------------

    def next(self) -> Work | None:
        """The next piece of work, or `None` while nothing can be started (or nothing is left)."""
        if self._reopened:
            return self._hand_out(self._reopened.popleft())
        for queue in self._ready:
            while queue:  # a level without work leaves it, and may wake others of its depth
                level = queue.popleft()
                work = self._find_work(level) if level.demand > 0 else None
                if work is None:
                    level.queued = False
                    self._wake_below(level)
                    continue
                queue.append(level)
                return work if isinstance(work, PlantWork) else self._hand_out(work)
        return None

    @property
    def candidates(self) -> int:
        """Candidates that have not ended, without the parents that are being planted."""
        return self.open - sum(level.planting for level in self._guided())

    @property
    def ending(self) -> bool:
        """True when nothing that is open brings more work by becoming a parent. Ask it once `next` gave nothing."""
        return not any(
            level.planting or (level.in_flight and any(below.demand > 0 for below in level.below))
            for level in self._levels()
        )

    def _hand_out(self, work: GroupWork) -> GroupWork:
        for slot in work.open:
            level = self._level_of(slot)
            level.in_flight += 1
            self.planned += 1
            self.open += 1
            if isinstance(level, GuidedLevel):
                level.occupy(self._branches[slot.parent], slot)
        return work

    def _level_of(self, slot: Slot) -> Level:
        if slot.kind == PLAIN:
            return self._plain[slot.parent, slot.label]
        return self._branches[slot.parent].level

    def _find_work(self, level: Level) -> Work | None:
        if self.patience.is_spent(level.label):
            return None
        if isinstance(level, PlainLevel):
            if level.runs_dry:
                self._move_plain(level)
                return None
            return level.take(self.plain_group, patient=self.shape.patient)
        assert isinstance(level, GuidedLevel)
        if group := level.take_even(self.group):
            return group
        if level.unplanted:
            return self._plant(level)
        if len(level.branches) < level.parents_needed and level.adopt_next(self._choose):
            return self._plant(level)
        return None if self.shape.whole or level.planting or level.growing else self._refill(level)

    def _plant(self, level: GuidedLevel) -> PlantWork:
        branch = level.unplanted.popleft()
        self._branches[branch.id] = branch
        branch.planting = True
        level.planting += 1
        self.open += 1
        wanted = level.count_ways_to_plant(branch)
        return PlantWork(branch.id, branch.seed, level.depth - 1, wanted, level.label)

    def _refill(self, level: GuidedLevel) -> Work | None:
        """Places that the even composition could not fill: any parent's free slots, further parents, further draws."""
        while True:
            if group := level.take_any(self.group):
                return group
            if level.adopt_next(self._choose):
                return self._plant(level)
            if not level.draw_further():
                return None

    # --- taking back ------------------------------------------------------------------------------

    def planted(self, branch_id: str, offered: tuple[int, ...]) -> None:
        """How many of each matter a branch offers is known; where there are none, nothing grows from it."""
        branch = self._branches[branch_id]
        level = branch.level
        if branch.planting:
            branch.planting = False
            level.planting -= 1
            self.open -= 1
        elif not branch.planted and branch in level.unplanted:  # restored
            level.unplanted.remove(branch)
        if not any(offered):
            self.without_attributes += 1
            if level.depth == 1:
                self.patience.note_seed_without_attributes()
        level.set_planted(branch, offered)
        self._wake(level)
        self._wake_below(level)

    def wants(self, slot: Slot) -> bool:
        """True while a record in this slot would be accepted. Ask before a further call for a candidate is paid for."""
        level = self._level_of(slot)
        return level.admitted < level.quota

    def admit(self, slot: Slot) -> bool:
        """Count a finished record towards the target; false where its level is full, and the record is surplus."""
        admitted = self.wants(slot)
        self._level_of(slot).admitted += admitted
        return admitted

    def accept(self, slot: Slot, id: str, seed: str) -> None:
        """An admitted record takes its place; above the last hop it may become a parent."""
        level = self._land(slot)
        level.accepted += 1
        if self.shape.patient:  # it may have been the last that others waited for
            self._wake(level)
        hopeless = self.patience.is_spent(slot.label)
        self.patience.note_accepted(slot.label)
        for each in self._levels() if hopeless else ():
            self._wake(each)
        source = "" if slot.kind == PLAIN else self._branches[slot.parent].source
        self._offer(level, ParentCandidate(id, seed, slot.kind, slot.label, source))

    def _offer(self, level: Level, candidate: ParentCandidate) -> None:
        """Let a record of this level become a parent."""
        for below in level.below:
            below.add_candidate(candidate)
            self._wake(below)
        self._wake_below(level)

    def _take_in(self, level: Level, candidate: ParentCandidate) -> None:
        """Count an accepted record that has no slot any more."""
        level.admitted += 1
        level.accepted += 1
        level.settled += 1
        self._offer(level, candidate)

    def drop(self, slot: Slot, *, repeated: bool = False, surplus: bool = False) -> None:
        """The candidate in this slot was rejected, failed or is `surplus`: its place is free again.

        `repeated` says that it repeated what was there.
        """
        level = self._land(slot)
        if not surplus:
            self.patience.note_vain(slot.label)
        if isinstance(level, PlainLevel):
            level.repeated += repeated
        elif isinstance(level, GuidedLevel):
            level.release(self._branches[slot.parent], slot)
        if not self.shape.whole:
            self._wake(level)
        self._wake_below(level)

    def pass_over(self, slot: Slot) -> None:
        """Nothing is to be grown in this slot, since its candidate is that of another slot."""
        self.drop(slot, surplus=True)
        self._level_of(slot).settled -= 1
        self.planned -= 1

    def _land(self, slot: Slot) -> Level:
        level = self._level_of(slot)
        level.in_flight -= 1
        level.settled += 1
        self.open -= 1
        return level

    def _wake_below(self, level: Level) -> None:
        """Levels whose parents stop coming may now hand out what their absence left over."""
        for below in () if level.active else level.below:
            self._wake(below)
            self._wake_below(below)

    def _move_plain(self, level: PlainLevel) -> None:
        """Plain records have run dry: guided ones take over the places that they leave.

        Called where work is handed out, and not when a candidate ends: while a resume puts candidates back one by one,
        those that were accepted later still count as missing.
        """
        homes = [each for each in self._guided() if each.label == level.label]
        left = max(0, level.missing - level.in_flight) if homes else 0
        level.quota -= left
        for place in range(left):
            homes[place % len(homes)].quota += 1
        for home in homes:
            self._wake(home)

    # --- resuming and finishing -------------------------------------------------------------------

    def restore(
        self, slot: Slot, seed: str, id: str = "", *, repeated: bool = False, surplus: bool = False,
        stratum: str = "", depth: int = 0,
    ) -> None:  # fmt: skip
        """A candidate that was settled earlier: accepted as `id`, or dropped where `id` is empty; see `drop`.

        A child whose parent is gone or of another label is only counted. Where it was accepted, and its `stratum` is
        named with its hop, it counts for the quota there and may be a parent as any other.
        """
        if not self._holds(slot):
            self.planned += 1
            levels = self._strata.get(stratum, []) if id else []
            if 1 <= depth <= len(levels):
                self._take_in(levels[depth - 1], ParentCandidate(id, seed, slot.kind, slot.label))
            return
        level = self._level_of(slot)
        if isinstance(level, PlainLevel):
            level.note_used(slot.index)
        self._hand_out(GroupWork((slot,), seed, level.depth))
        if id:
            level.admitted += 1
            self.accept(slot, id, seed)
        else:
            self.drop(slot, repeated=repeated, surplus=surplus)

    def adopt(self, branch_id: str) -> bool:
        """Make a record or seed a parent that was one in an earlier invocation; false where it can't be one."""
        if branch_id in self._branches:
            return True
        for level in self._guided():
            if branch_id in level.candidates:
                self._branches[branch_id] = level.adopt(branch_id)
                return True
        return False

    def promote(self, slot: Slot, id: str, seed: str) -> bool:
        """Take a surplus record of an earlier run into a place that is still free; false where there is none."""
        if not self._holds(slot) or not self.admit(slot):
            return False
        level = self._level_of(slot)
        level.in_flight += 1
        level.settled -= 1
        self.open += 1
        if isinstance(level, GuidedLevel):
            level.count_child(self._branches[slot.parent], self.shape.kinds.index(slot.kind))
        self.accept(slot, id, seed)
        return True

    def reopen(self, work: GroupWork) -> None:
        """A group that was composed before a stop: what is not settled of it goes first, in the same company."""
        if not work.open or not all(map(self._holds, work.slots)):
            return
        self._reopened.append(work)
        for slot in work.slots:
            if slot.kind == PLAIN:
                self._plain[slot.parent, slot.label].note_used(slot.index)

    def _holds(self, slot: Slot) -> bool:
        if slot.kind == PLAIN:
            return (slot.parent, slot.label) in self._plain
        # In version 0.1 a parent had children of any label: those are counted where their own label is.
        parent = self._branches.get(slot.parent)
        return parent is not None and parent.level.label == slot.label and slot.kind in self.shape.kinds

    @property
    def short(self) -> int:
        """Records still missing from the target."""
        return 0 if self.shape.whole else sum(max(0, level.missing) for level in self._levels())

    @property
    def given_up(self) -> list[str]:
        """Labels with which patience is at its end, and which are short of their share."""
        short = dict.fromkeys(level.label for level in self._levels() if level.missing > 0)
        return [label for label in short if label and self.patience.is_spent(label)]

    def redistribute(self) -> bool:
        """Move the places of exhausted levels to where slots are free: under the same label, where labels are balanced.

        Returns whether any place found a new home. Call it when nothing is open and nothing can be started.
        """
        starved = [
            level for level in self._levels() if level.missing > 0 and not self.patience.is_spent(level.label)
        ]
        if self.shape.whole or not starved:
            return False
        # Where no plain record was planned, none was wanted.
        levels: list[Level] = [*self._guided(), *(plain for plain in self._plain.values() if plain.quota)]
        free = {level: n for level in levels if level.missing <= 0 and (n := level.count_free()) > 0}
        moved = False
        for level in starved:
            while level.missing > 0 and (homes := [each for each in free if self._may_move(level, each)]):
                home = min(homes, key=lambda each: (each.missing, each.depth))
                level.quota -= 1
                home.quota += 1
                free[home] -= 1
                if not free[home]:
                    del free[home]
                self._wake(home)
                moved = True
        return moved

    def _may_move(self, level: Level, home: Level) -> bool:
        return home.label == level.label or not self.shape.balanced

    def count_possible(self) -> int:
        """The most records that the tree can hold: its guided slots, first samples alone, and the plain ones."""
        plain = sum(level.possible for level in self._plain.values())
        first = [levels[0] for levels in self._strata.values() if levels]
        roots = sum(len(level.candidates) + len(level.branches) for level in first)
        return plain + sum(self.shape.caps(roots))

    def _levels(self) -> Iterator[Level]:
        yield from self._plain.values()
        yield from self._guided()

    def _guided(self) -> Iterator[GuidedLevel]:
        for levels in self._strata.values():
            yield from levels
