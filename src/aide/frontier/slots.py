"""Which slot of a parent is used next, and with which intended label."""

from aide.frontier.level import Branch, Level
from aide.frontier.shape import DRAWS, Slot, TreeShape
from aide.records import PERSONA, rng

SPARE_INDEXES = (
    8  # a model may name more attributes than it was asked for, and a folder may hold more than today's
)


class SlotChooser:
    """Finds free slots, marks used ones, and keeps the counts of labels.

    The used slots of a branch are the bits of one number, by kind, draw and index: a run may hold a million
    branches, and a set of slots for each would take a hundred times the memory.
    """

    def __init__(self, shape: TreeShape) -> None:
        self.labels: dict[str, int] = dict.fromkeys(shape.label_quotas, 0)
        """Accepted records by label; empty where labels are not balanced."""
        self.kinds = shape.kinds
        """The kinds of growth, in the order of the composition."""
        self._shape = shape
        self._open_labels: dict[str, int] = dict.fromkeys(shape.label_quotas, 0)
        self.draw_stride = max(shape.triples, shape.personas, 1) + SPARE_INDEXES
        self._kind_stride = DRAWS * self.draw_stride

    # --- finding ------------------------------------------------------------------------------------

    def find(self, level: Level, branch: Branch, draws: int) -> Slot | None:
        """The free slot of this parent, among so many draws, whose kind is least covered in the level."""
        if branch.spent >= draws:
            return None
        n = len(self.kinds)
        for k in sorted(range(n), key=lambda k: (level.by_kind[k], (k - branch.ordinal - level.turn) % n)):
            kind = self.kinds[k]
            count = branch.personas if kind == PERSONA else branch.triples
            for draw in range(draws):
                base = k * self._kind_stride + draw * self.draw_stride
                for turn in range(count):
                    index = (turn + k) % count  # so that kinds do not all begin with the same attribute
                    if not branch.used >> (base + index) & 1:
                        return self._choose_label(Slot(branch.id, kind, index, draw), branch)
        branch.spent = draws  # a used slot is never free again
        return None

    def find_anywhere(self, level: Level, draws: int) -> Slot | None:
        """A free slot, among so many draws, of the planted parent that has the fewest children."""
        planted = sorted((branch for branch in level.branches if branch.planted), key=count_children)
        slots = (self.find(level, branch, draws) for branch in planted)
        return next(filter(None, slots), None)

    def count_free(self, level: Level) -> int:
        """Free slots of all parents of a level; those that are not planted yet count with their nominal number."""
        shape = self._shape
        operations = sum(kind != PERSONA for kind in self.kinds)
        free = 0
        for branch in level.branches:
            triples, personas = (
                (branch.triples, branch.personas) if branch.planted else (shape.triples, shape.personas)
            )
            slots = triples * operations + personas * (PERSONA in self.kinds)
            free += DRAWS * slots - branch.used.bit_count()
        return free

    # --- using --------------------------------------------------------------------------------------

    def use(self, branch: Branch, slot: Slot) -> None:
        """Mark a slot as used, and count its child."""
        k = self.kinds.index(slot.kind)
        bit = 1 << (k * self._kind_stride + slot.draw * self.draw_stride + slot.index)
        if not branch.used & bit:
            branch.used |= bit
            branch.children += 1
            branch.level.by_kind[k] += 1

    def uncount(self, branch: Branch, slot: Slot) -> None:
        """Take a child off the composition: it was not accepted. Its slot stays used."""
        branch.level.by_kind[self.kinds.index(slot.kind)] -= 1
        if self._shape.target is not None:
            branch.children -= 1

    def recount(self, branch: Branch, slot: Slot) -> None:
        """Put a child that was taken off the composition back: it is accepted after all."""
        branch.level.by_kind[self.kinds.index(slot.kind)] += 1
        branch.children += 1

    # --- labels -------------------------------------------------------------------------------------

    def open_label(self, label: str, by: int) -> None:
        """Count candidates that are under way with an intended label, more by one or fewer by one."""
        if label in self._open_labels:
            self._open_labels[label] += by

    def is_label_full(self, label: str) -> bool:
        """True when labels are balanced and no more records of this one are wanted."""
        quotas = self._shape.label_quotas
        return bool(quotas) and self.labels.get(label, 0) >= quotas.get(label, 0)

    def accept_label(self, label: str) -> None:
        """Count an accepted record."""
        if label in self.labels:
            self.labels[label] += 1

    def _choose_label(self, slot: Slot, branch: Branch) -> Slot:
        """The slot with its intended label: the parent's or a confusable one, unless the balance asks for another."""
        if self._shape.choose_label is None:
            return slot
        label = self._shape.choose_label(slot, branch.label)
        quotas = self._shape.label_quotas
        if quotas and self._count_missing(label) <= 0:
            label = max(quotas, key=lambda name: (self._count_missing(name), rng(slot.parent, name).random()))
        return Slot(slot.parent, slot.kind, slot.index, slot.draw, label)

    def _count_missing(self, label: str) -> int:
        quota = self._shape.label_quotas.get(label, 0)
        return quota - self.labels.get(label, 0) - self._open_labels.get(label, 0)


def count_children(branch: Branch) -> tuple[int, int]:
    """Order by the number of children, then of arrival."""
    return branch.children, branch.ordinal
