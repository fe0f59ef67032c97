"""Branches and levels: the state of one hop under one seed."""

from dataclasses import dataclass, field
from typing import Final

from aide.frontier.shape import ENDLESS

COMPACT: Final = 64  # taken entries after which a queue is shortened: seldom enough to cost nothing


@dataclass(slots=True, eq=False)
class Branch:
    """A parent: which slots are used, and how many children it has."""

    id: str
    """The seed's or the record's."""
    level: "Level"
    """The level that it feeds, one hop below it."""
    ordinal: int
    """Its number among the level's parents, in the order of arrival."""
    label: str
    triples: int = -1
    """How many were found; -1 while nobody has looked."""
    personas: int = -1
    planting: bool = False
    """True while its attributes are being found."""
    active: bool = False
    """True while it stands in one of its level's queues."""
    used: int = 0
    """The slots that were ever handed out, as bits; see `SlotChooser`."""
    spent: int = 0
    """Draws of which no slot is left."""
    children: int = 0
    """Children that count for the composition: open and accepted ones; with `all` rejected ones too."""

    @property
    def planted(self) -> bool:
        """True when its triples and personas are known."""
        return self.triples >= 0


class FifoQueue(list[Branch]):
    """First in, first out. A list whose head moves: an empty deque takes ten times the memory, and each level has
    two.
    """

    __slots__ = ("_head",)

    def __init__(self) -> None:
        super().__init__()
        self._head = 0

    def __bool__(self) -> bool:
        return self._head < len(self)

    def take(self) -> Branch:
        """The one that waits longest; raises `IndexError` where none waits."""
        branch = self[self._head]
        self._head += 1
        if self._head >= COMPACT and 2 * self._head >= len(self):
            del self[: self._head]
            self._head = 0
        return branch


@dataclass(slots=True, eq=False)
class Level:
    """All that grows at one hop under one seed."""

    seed: str
    depth: int
    """The hop."""
    quota: int
    """Records wanted here."""
    parents: "Level | None"
    """The level above, whose records are the parents here; `None` at hop 1, where the seed is."""
    by_kind: list[int]
    """Open and accepted children by kind."""
    turn: int
    """Which kind comes first: another one in each level, so that small shares of many seeds cover all kinds."""
    branches: list[Branch] = field(default_factory=list)
    """The parents so far."""
    active: FifoQueue = field(default_factory=FifoQueue)
    """Planted parents that may have a free slot within their share."""
    unplanted: FifoQueue = field(default_factory=FifoQueue)
    """Parents to plant next."""
    admitted: int = 0
    """Records accepted, or about to be."""
    accepted: int = 0
    in_flight: int = 0
    """Candidates that were handed out and not taken back."""
    planting: int = 0
    """Parents whose attributes are being found."""
    queued: bool = False
    """True while it stands in the frontier's queue."""

    @property
    def demand(self) -> int:
        """Records wanted that no candidate is under way for; below 0 where spares are."""
        return self.quota - self.accepted - self.in_flight

    @property
    def growing(self) -> bool:
        """True when further parents may still come."""
        above = self.parents
        return above is not None and bool(above.in_flight or above.queued or above.planting or above.growing)

    def compute_share(self, branch: Branch) -> int:
        """The children that the composition gives to this parent: an even share of the quota by its ordinal."""
        if self.parents is None or self.quota >= ENDLESS:
            return self.quota
        parents = max(self.parents.quota, 1)
        return max(0, -((branch.ordinal - self.quota) // parents)) if branch.ordinal < parents else 0

    def activate(self, branch: Branch) -> None:
        """Queue a branch that may have work: to be planted, or to grow."""
        if branch.active or branch.planting or branch.children >= self.compute_share(branch):
            return
        branch.active = True
        (self.active if branch.planted else self.unplanted).append(branch)
