"""Levels: the records of one hop that share a quota, and where the next of them may grow."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import ceil
from typing import Final

from aide.frontier.shape import CHILDREN, DRAWS, ENDLESS, SPREAD, GroupWork, Slot, TreeShape

# A level learns its yield (accepted of settled) from its own candidates. Two successes that nobody had keep its first
# candidates from deciding; below a quarter the run is in trouble, and more open candidates would only cost more.
PRIOR: Final = 2
LEAST_YIELD: Final = 0.25
# The next parent is chosen among so many candidates: each is held against those chosen before.
CHOSEN_AMONG: Final = 32


@dataclass(frozen=True, slots=True)
class ParentCandidate:
    """A seed or an accepted record that may become a parent."""

    id: str
    seed: str
    kind: str
    label: str
    source: str = ""
    """That of its root."""


# Which of these candidates is to be the next parent (its place), beside those that were chosen before.
ChooseParent = Callable[[Sequence[ParentCandidate], Sequence["Branch"]], int]


class Branch:
    """A parent: what is known of it, and which of its slots are used."""

    __slots__ = (
        "children", "id", "kind", "level", "offered", "ordinal", "planting", "queued", "seed", "source", "used",
    )  # fmt: skip

    def __init__(self, origin: ParentCandidate, level: "GuidedLevel") -> None:
        self.id = origin.id
        self.seed = origin.seed
        self.kind = origin.kind
        self.source = origin.source
        self.level = level
        self.ordinal = len(level.branches)
        self.offered: tuple[int, ...] | None = None
        """How many of each matter were found at it, by place; `None` until it is planted."""
        self.planting = False
        self.queued = False
        """True while it waits in its level for children of the even composition."""
        self.used = 0
        """A bit for each slot that was handed out."""
        self.children = 0
        """Candidates that are open or accepted."""

    @property
    def planted(self) -> bool:
        """True once it is known what its children grow along."""
        return self.offered is not None

    def list_ways(self) -> tuple[tuple[int, int], ...]:
        """All (kind, index) of this parent: kinds take turns, so that neighbours differ in kind and matter."""
        shape = self.level.shape
        kinds = len(shape.kinds)
        if self.level.whole:  # which parent comes first depends on what finished first; its groups must not
            turn = 0
        elif shape.siblings == 1 and kinds > 1 and self.kind in shape.kinds:  # no chain of one kind
            turn = shape.kinds.index(self.kind) + 1 + self.level.turn % (kinds - 1)
        else:
            turn = self.ordinal + self.level.turn
        return _list_ways(shape.places, turn % max(1, kinds), self.offered or ())


@lru_cache(maxsize=4096)  # asked for at every slot, and few parents differ in it
def _list_ways(places: tuple[int, ...], turn: int, offered: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    order = [(turn + n) % len(places) for n in range(len(places))]
    counts = [offered[places[k]] for k in order] if offered else []
    return tuple(
        (k, (step + place) % counts[place])
        for step in range(max(counts, default=0))
        for place, k in enumerate(order)
        if step < counts[place]
    )


class Level:
    """Records of one hop that share a quota."""

    __slots__ = (
        "accepted", "admitted", "below", "depth", "in_flight", "label", "planting", "queued", "quota", "settled",
    )  # fmt: skip

    def __init__(self, depth: int, label: str, quota: int) -> None:
        self.depth = depth
        self.label = label
        self.quota = quota
        self.accepted = 0
        self.admitted = 0
        """Accepted, or about to be."""
        self.settled = 0
        """Candidates that have ended, accepted ones included."""
        self.in_flight = 0
        """Candidates that are open."""
        self.planting = 0
        """Parents of it that are being planted."""
        self.queued = False
        """True while it waits in the frontier for its turn."""
        self.below: list[GuidedLevel] = []
        """Levels whose parents are records of this one."""

    @property
    def whole(self) -> bool:
        """True where every slot is wanted, once, and in groups that depend on nothing that finished before."""
        return self.quota >= ENDLESS

    @property
    def missing(self) -> int:
        """Records that the quota still lacks."""
        return self.quota - self.accepted

    @property
    def demand(self) -> int:
        """Candidates to open now: as many as the missing records want at the level's yield, less those open."""
        if self.whole:
            return self.quota
        # What is open counts as accepted: a reject is known long before a record is, so rejects settle first.
        hoped = self.in_flight + PRIOR
        share = max(LEAST_YIELD, (self.accepted + hoped) / (self.settled + hoped))
        return max(self.missing, round(self.missing / share)) - self.in_flight if self.missing > 0 else 0

    @property
    def active(self) -> bool:
        """True while records of this level may still come."""
        return bool(self.in_flight or self.queued)

    def count_free(self) -> int:
        """Places for further candidates, beyond those that its quota asks for."""
        return ENDLESS


class GuidedLevel(Level):
    """Records of one stratum that grow from parents at one hop."""

    __slots__ = (
        "above", "branches", "by_kind", "by_source", "candidates", "draws", "open", "refill", "shape", "turn",
        "unplanted",
    )  # fmt: skip

    def __init__(
        self, shape: TreeShape, depth: int, label: str, quota: int, above: Sequence[Level], turn: int
    ) -> None:
        """`above` are the levels whose records may become parents; `turn` says which kind comes first."""
        super().__init__(depth, label, quota)
        self.shape = shape
        self.above = above
        self.turn = turn
        self.candidates: dict[str, ParentCandidate] = {}
        self.branches: list[Branch] = []
        self.unplanted: deque[Branch] = deque()
        self.open: deque[Branch] = deque()
        """Planted branches that may have a free slot within their allowance."""
        self.refill: deque[Branch] = deque()
        """Planted branches that may have a free slot at all, at `draws` samples along each way."""
        self.draws = 1
        self.by_kind = [0] * len(shape.kinds)
        self.by_source: Counter[str] = Counter()
        """Children of the parents of each source: candidates that are open or accepted."""

    # --- parents --------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """See `Level.active`; a parent that is being planted counts."""
        return bool(self.in_flight or self.queued or self.planting)

    @property
    def growing(self) -> bool:
        """True while further candidates for parents may come."""
        return any(level.active or (isinstance(level, GuidedLevel) and level.growing) for level in self.above)

    @property
    def parents_needed(self) -> int:
        """As many parents as the quota needs at `siblings` of the shape each, where so many can be had.

        Where they can't (few seeds and a large target), each is planted for the more children: these would else be
        further draws along the few matters that these children take.
        """
        if self.whole:
            return ENDLESS
        at_hand = len(self.candidates) + len(self.branches)
        most = sum(level.quota for level in self.above) if self.above else at_hand
        wanted = ceil(self.quota / self.shape.siblings)
        if not self.label and self.depth == 1 and self.shape.first_parents:
            wanted = self.shape.first_parents
        elif not self.label:
            wanted = max(wanted, min(SPREAD, self.quota))
        return min(wanted, max(1, most))

    def allowance(self, branch: Branch) -> int:
        """The children that the composition gives to this parent: an even share of the quota by its ordinal."""
        if self.whole:
            return self.quota
        parents = max(1, self.parents_needed)
        return max(0, -((branch.ordinal - self.quota) // parents)) if branch.ordinal < parents else 0

    def add_candidate(self, candidate: ParentCandidate) -> None:
        """A record that may become a parent; where there are many times as many as are wanted, no more are kept."""
        if self.whole or len(self.candidates) < max(8 * CHOSEN_AMONG, 4 * self.parents_needed):
            self.candidates[candidate.id] = candidate

    def adopt(self, id: str) -> Branch:
        """Make this candidate a parent."""
        branch = Branch(self.candidates.pop(id), self)
        self.branches.append(branch)
        self.unplanted.append(branch)
        return branch

    def adopt_next(self, choose: ChooseParent) -> Branch | None:
        """Make the best candidate a parent; none where there is no candidate."""
        if not self.candidates:
            return None
        among = list(islice(self.candidates.values(), 1 if self.whole else CHOSEN_AMONG))
        return self.adopt(among[choose(among, self.branches) if len(among) > 1 else 0].id)

    def count_ways_to_plant(self, branch: Branch) -> tuple[int, ...]:
        """How many of each matter to ask for: as many as the branch's children will take."""
        shape, places = self.shape, self.shape.places
        if self.whole:
            return shape.most
        children = self.allowance(branch) or CHILDREN
        turn = branch.ordinal + self.turn
        taken = [places[(turn + n) % len(places)] for n in range(children)] if places else []
        return tuple(min(most, taken.count(place)) for place, most in enumerate(shape.most))

    def set_planted(self, branch: Branch, offered: tuple[int, ...]) -> None:
        """What the branch's children grow along is known: so many of each matter."""
        branch.offered = offered
        self.refill.append(branch)
        self.queue(branch)

    def queue(self, branch: Branch) -> None:
        """Let a branch wait for children within its allowance."""
        if branch.planted and not branch.queued:
            branch.queued = True
            self.open.append(branch)

    # --- slots ----------------------------------------------------------------------------------------

    def take_even(self, most: int) -> GroupWork | None:
        """The next group that the even composition gives; none where no planted branch has one."""
        while self.open:
            branch = self.open[0]
            group = (
                self._take_chunk(branch, most)
                if self.whole
                else self._take(branch, min(most, self.demand, self.allowance(branch) - branch.children), 1)
            )
            if group is not None:
                return group
            self.open.popleft()
            branch.queued = False
        return None

    def take_any(self, most: int) -> GroupWork | None:
        """A group of any free slots at the present number of draws; none where no planted branch has one."""
        while self.refill:
            if len(self.by_source) > 1:
                least = min(self.refill, key=lambda each: self.by_source[each.source])
                if self._lags(self.by_source[least.source]):
                    return None
                self.refill.remove(least)
                self.refill.appendleft(least)
            branch = self.refill[0]
            group = self._take(branch, min(most, self.demand), self.draws)
            if group is not None:
                self.refill.rotate(-1)  # the next refill goes to another parent
                return group
            self.refill.popleft()
        return None

    def _lags(self, least: int) -> bool:
        """Whether a source with fewer children than `least` has further parents."""
        among = islice(self.candidates.values(), CHOSEN_AMONG)
        return any(self.by_source[each.source] < least for each in among)

    def draw_further(self) -> bool:
        """Allow one more sample along each way; false where all are allowed."""
        if self.draws >= DRAWS:
            return False
        self.draws += 1
        self.refill.extend(branch for branch in self.branches if branch.planted)
        return True

    def _take(self, branch: Branch, most: int, draws: int) -> GroupWork | None:
        """Free slots of a parent: the least covered kinds first, no matter twice if it can be helped."""
        ways, kinds, places = branch.list_ways(), self.shape.kinds, self.shape.places
        covered, taken = list(self.by_kind), set[tuple[int, int]]()
        slots: list[Slot] = []
        for draw in range(draws):
            free = [place for place in range(len(ways)) if not branch.used >> (draw * len(ways) + place) & 1]
            while free and len(slots) < most:
                place = min(free, key=lambda at: (_name(ways[at], places) in taken, covered[ways[at][0]], at))
                free.remove(place)
                k, index = ways[place]
                taken.add(_name(ways[place], places))
                covered[k] += 1
                slots.append(Slot(branch.id, kinds[k], index, draw, self.label))
        return GroupWork(tuple(slots), branch.seed, self.depth) if slots else None

    def _take_chunk(self, branch: Branch, most: int) -> GroupWork | None:
        """The next chunk of a whole branch of which anything is left: its makeup depends on the branch alone."""
        ways, kinds = branch.list_ways(), self.shape.kinds
        for first in range(0, len(ways), most):
            places = range(first, min(first + most, len(ways)))
            settled = frozenset(n for n, place in enumerate(places) if branch.used >> place & 1)
            if len(settled) < len(places):
                slots = tuple(
                    Slot(branch.id, kinds[ways[at][0]], ways[at][1], 0, self.label) for at in places
                )
                return GroupWork(slots, branch.seed, self.depth, settled)
        return None

    def occupy(self, branch: Branch, slot: Slot) -> None:
        """Mark a slot as handed out."""
        ways, k = branch.list_ways(), self.shape.kinds.index(slot.kind)
        if (k, slot.index) in ways:  # else another version planted the branch with more
            branch.used |= 1 << (slot.draw * len(ways) + ways.index((k, slot.index)))
        self.count_child(branch, k)

    def count_child(self, branch: Branch, k: int, change: int = 1) -> None:
        """A child of the `k`th kind more, or one less."""
        branch.children += change
        self.by_kind[k] += change
        if branch.source:
            self.by_source[branch.source] += change

    def release(self, branch: Branch, slot: Slot) -> None:
        """The candidate in a slot came to nothing: the parent has a child less. The slot itself stays used."""
        self.count_child(branch, self.shape.kinds.index(slot.kind), -1)
        if not self.whole:
            self.queue(branch)

    def count_free(self) -> int:
        """See `Level.count_free`: slots that are left at all, further draws and parents to come included."""
        free = len(self.candidates) * DRAWS * self.shape.children
        for branch in self.branches:
            offered = self.shape.most if branch.offered is None else branch.offered
            free += DRAWS * self.shape.count_ways(offered) - branch.used.bit_count()
        return free


def _name(way: tuple[int, int], places: Sequence[int]) -> tuple[int, int]:
    """What a way is about: which matter, and which one of it."""
    return places[way[0]], way[1]
