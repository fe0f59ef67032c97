"""What a tree may hold, and the pieces of work that are handed out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

DRAWS: Final = 4
"""The first sample along a triple or persona, and three further ones: by then a model repeats itself."""
ENDLESS: Final = 1 << 40
"""The quota of a level of which every slot is wanted."""
CHILDREN: Final = 4
"""Children of one parent, where the target leaves a choice. Fewer, and planting (a call for each parent) is paid for a
single child; more, and siblings crowd around one point while other points stay bare."""
SPREAD: Final = 12
"""Where there are no labels, parents are what a level is about: up to so many records have a parent each. Sixteen
guided records of four parents were on four matters, where the data set has hundreds."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the tree for one record."""

    parent: str
    """The branch it grows from; of a plain record the pool of seeds whose traits it takes."""
    kind: str
    """The way it is grown, such as an operation, `persona` or `plain`."""
    index: int
    """Which matter of the parent, such as its second triple; of plain records which one of its pool and label."""
    draw: int = 0
    """Counts further samples along the same matter."""
    label: str = ""
    """The intended label; empty for formats without a fixed set of labels."""

    def as_list(self) -> list[str | int]:
        """The slot as it is journaled."""
        return [self.parent, self.kind, self.index, self.draw, self.label]


@dataclass(frozen=True, slots=True)
class PlantWork:
    """Find what a branch is about: as much of each matter as its children will take."""

    branch: str
    seed: str
    depth: int
    wanted: tuple[int, ...]
    """How many of each matter, in the order of `TreeShape.matters`."""
    label: str = ""
    """The label that its children are to have; empty for formats without a fixed set of labels."""


@dataclass(frozen=True, slots=True)
class GroupWork:
    """Grow the records of some slots, which one call may write together: siblings, or plain records of one label."""

    slots: tuple[Slot, ...]
    seed: str
    """The seed of the branch they grow from; empty for plain records, which have seeds of their own."""
    depth: int
    settled: frozenset[int] = frozenset()
    """Places of the slots that an earlier invocation settled. They belong to the group, for its call is known by all
    of them, and nothing is to be done for them."""

    @property
    def open(self) -> tuple[Slot, ...]:
        """The slots that are to be grown."""
        return tuple(slot for place, slot in enumerate(self.slots) if place not in self.settled)


@dataclass(frozen=True, slots=True)
class Root:
    """A first parent: a seed, or a seed and a document."""

    id: str
    """The seed's own id; another one where a document belongs to it, or it stands in for a label that no seed has."""
    seed: str
    source: str = ""
    """What else its records are about, such as a document: all sources have even shares of the records."""


@dataclass(frozen=True)
class TreeShape:
    """What a tree may hold. A *matter* is what children are grown along, such as triples or personas; a *kind* is a way
    to grow them, such as an operation, and takes one of its matter.
    """

    matters: Mapping[str, int]
    """Most of each matter that one parent offers."""
    kind_matters: Mapping[str, str]
    """The matter of each kind of guided record."""
    hops: int
    whole: bool = False
    """True where every slot is wanted, once, instead of a number of records."""
    balanced: bool = True
    """False where a record of another label will do as well as the one that was planned."""
    patient: bool = False
    """True where places of plain records that fall free are gathered, until half a call is full or none is open."""
    first_parents: int = 0
    """Parents of the first hop, where a recipe has a reason for their number; 0 leaves it to `siblings`."""
    siblings: int = CHILDREN
    """Children of one parent, where the target leaves a choice; fewer make sense where planting costs nothing."""

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that have a matter to take, in equal shares of the composition."""
        return tuple(kind for kind, matter in self.kind_matters.items() if self.matters[matter])

    @cached_property
    def places(self) -> tuple[int, ...]:
        """For each of `kinds` the place of its matter among all."""
        matters = list(self.matters)
        return tuple(matters.index(self.kind_matters[kind]) for kind in self.kinds)

    @cached_property
    def most(self) -> tuple[int, ...]:
        """Most of each matter, by place."""
        return tuple(self.matters.values())

    @property
    def children(self) -> int:
        """Nominal children of one node: of the method, C = operations x triples + personas."""
        return self.count_ways(self.most)

    def count_ways(self, offered: Sequence[int]) -> int:
        """The ways of a parent that offers so many of each matter, by place."""
        return sum(offered[place] for place in self.places)

    def caps(self, roots: int = 1) -> list[int]:
        """The most records that `roots` seeds can have at each hop: c, c^2, … times as many."""
        return [roots * self.children**hop for hop in range(1, self.hops + 1)]


def split_evenly(total: int, places: int) -> list[int]:
    """`total` in `places` parts that differ by at most one, larger ones first."""
    base, over = divmod(total, places) if places else (0, 0)
    return [base + (i < over) for i in range(places)]


def split_over_hops(total: int, caps: Sequence[int], held: Sequence[int] = ()) -> list[int]:
    """`total` records over hops: even, never above a hop's cap, never below what is held already.

    What the tree can't hold is spread over further draws, which multiply each cap; what even these can't hold is left
    out, so the sum may fall short of `total`.
    """
    quotas = list(held) or [0] * len(caps)
    _fill(quotas, total, caps)
    _fill(quotas, total, [cap * DRAWS for cap in caps])
    return quotas


def _fill(quotas: list[int], total: int, caps: Sequence[int]) -> None:
    """Raise the lowest quotas together until they sum up to `total` or all stand at their caps."""
    left = total - sum(quotas)
    while left > 0:
        lowest = [h for h, cap in enumerate(caps) if quotas[h] < cap]
        if not lowest:
            break
        floor = min(quotas[h] for h in lowest)
        group = [h for h in lowest if quotas[h] == floor]
        above = [quotas[h] for h in lowest if quotas[h] > floor]
        step = min(
            [caps[h] - floor for h in group] + [a - floor for a in above] + [max(1, left // len(group))]
        )
        for h in group:
            grown = min(step, left)
            quotas[h] += grown
            left -= grown
