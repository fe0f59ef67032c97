"""Branches and levels: the state of one hop under one seed."""

from typing import Final

from aide.frontier.shape import ENDLESS

COMPACT: Final = 64


class Branch:
    """A parent: which slots are used, and how many children it has, open ones included."""

    __slots__ = (
        "active",
        "children",
        "id",
        "label",
        "level",
        "ordinal",
        "personas",
        "planting",
        "spent",
        "triples",
        "used",
    )

    def __init__(self, id: str, level: "Level", label: str) -> None:
        self.id = id
        self.level = level  # the one it feeds
        self.ordinal = len(level.branches)
        self.label = label
        self.triples = -1
        self.personas = -1
        self.planting = False
        self.active = False
        self.used = 0
        self.spent = 0  # draws of which no slot is left
        self.children = 0

    @property
    def planted(self) -> bool:
        """Whether its triples and personas are known."""
        return self.triples >= 0


class FifoQueue(list[Branch]):
    """First in, first out. A list whose head moves: an empty deque takes ten times the room, and each level has two."""

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


class Level:
    """All that grows at `depth` under one seed.

    `active` holds planted branches that may have a free slot within their allowance, `unplanted` those to plant next.
    """

    __slots__ = (
        "accepted", "active", "admitted", "branches", "by_kind", "depth", "flying", "parents", "planting",
        "queued", "quota", "seed", "turn", "unplanted",
    )  # fmt: skip

    def __init__(
        self, seed: str, depth: int, quota: int, parents: "Level | None", kinds: int, turn: int
    ) -> None:
        self.seed = seed
        self.turn = turn  # which kind comes first, so that small shares of many seeds cover all kinds
        self.depth = depth
        self.quota = quota
        self.parents = parents
        self.branches: list[Branch] = []
        self.active = FifoQueue()
        self.unplanted = FifoQueue()
        self.admitted = 0  # accepted, or about to be
        self.accepted = 0
        self.flying = 0
        self.planting = 0
        self.by_kind = [0] * kinds
        self.queued = False

    @property
    def demand(self) -> int:
        """Places that nothing fills or is about to fill."""
        return self.quota - self.accepted - self.flying

    @property
    def growing(self) -> bool:
        """Whether further parents may still come."""
        above = self.parents
        return above is not None and bool(above.flying or above.queued or above.planting or above.growing)

    def allowance(self, branch: Branch) -> int:
        """The children that the composition gives to this parent: an even share of the quota by its ordinal."""
        if self.parents is None or self.quota >= ENDLESS:
            return self.quota
        parents = max(self.parents.quota, 1)
        return max(0, -((branch.ordinal - self.quota) // parents)) if branch.ordinal < parents else 0

    def activate(self, branch: Branch) -> None:
        """Queue a branch that may have work: to be planted, or to grow."""
        if branch.active or branch.planting or branch.children >= self.allowance(branch):
            return
        branch.active = True
        (self.active if branch.planted else self.unplanted).append(branch)
