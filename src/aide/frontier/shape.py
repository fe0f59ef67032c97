"""What a tree may hold: slots, pieces of work, quotas."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aide.records import PERSONA

# The first draw along an attribute and three further ones. Where candidates are rejected, these make up for it; a
# fifth draw of the same attribute is hardly ever new (duplicates are refused).
DRAWS = 4
ENDLESS = 1 << 40  # a quota that no level reaches
SPARES = 0.03  # of all candidates: what a run may pay for calls that turn out surplus (docs/performance.md)


@dataclass(frozen=True, slots=True)
class Slot:
    """One place under a branch."""

    parent: str
    kind: str
    """An operation, or `persona`."""
    index: int
    """Which of the parent's triples or personas."""
    draw: int = 0
    """0 for the first try along it."""
    label: str = ""
    """The label that the child is meant to have; empty without labels."""

    def as_list(self) -> list[str | int]:
        """The slot as it is journaled."""
        return [self.parent, self.kind, self.index, self.draw, self.label]


@dataclass(frozen=True, slots=True)
class PlantWork:
    """Find the attributes of this branch: its topic, triples and personas."""

    branch: str
    seed: str
    depth: int
    """The branch's own hop; 0 for a seed."""


@dataclass(frozen=True, slots=True)
class GrowWork:
    """Grow one record in this slot."""

    slot: Slot
    seed: str
    depth: int
    """The hop of the new record."""


@dataclass(frozen=True, slots=True)
class TreeShape:
    """What the tree may hold."""

    operations: tuple[str, ...]
    triples: int
    """Nominal number of triples of a branch; a model may find fewer or more."""
    personas: int
    """Nominal number of personas."""
    hops: int
    target: int | None = None
    """Records wanted; `None` for the whole tree."""
    label_quotas: dict[str, int] = field(default_factory=dict)
    """Records wanted of each label; empty where labels are not balanced."""
    choose_label: Callable[[Slot, str], str] | None = None
    """The intended label of a slot's child from its parent's; `None` without labels."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Operations, then personas where there are any: the 1:1:1:1 of the composition."""
        grown = self.operations if self.triples else ()
        return (*grown, PERSONA) if self.personas else grown

    @property
    def children(self) -> int:
        """C = operations x triples + personas: nominal children of one node."""
        return len(self.operations) * self.triples + self.personas

    def compute_caps(self) -> list[int]:
        """c, c^2, … : the most records one seed can have at each hop."""
        return [self.children**hop for hop in range(1, self.hops + 1)]


def split_evenly(total: int, places: int) -> list[int]:
    """`total` in `places` parts that differ by at most one, larger ones first."""
    base, over = divmod(total, places) if places else (0, 0)
    return [base + (i < over) for i in range(places)]


def split_over_hops(total: int, caps: Sequence[int], held: Sequence[int] = ()) -> list[int]:
    """`total` records of one seed over its hops: even, never above a hop's cap, never below what it holds already.

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
