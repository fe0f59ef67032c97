"""Plain records of one pool and label: a level without parents."""

from math import ceil
from typing import Final

from aide.frontier.levels import Level
from aide.frontier.shape import ENDLESS, GroupWork, Slot
from aide.frontier.share import PlainShare
from aide.records import PLAIN

# Plain records run dry: after some twenty a label a model has said the usual things, and most new ones repeat what is
# there. Two in five, seen over two groups at least, are taken for the sign of it.
DRY_AFTER: Final = 14
DRY_SHARE: Final = 0.4
# So many candidates are tried for each place of plain records. The guard gives up long before; without it this is the
# end, as guided records end with their slots: plain ones have no such end.
TRIES: Final = 20


class PlainLevel(Level):
    """Plain records of one pool of seeds and one label. They need no parent: each is known by its ordinal."""

    __slots__ = ("last", "next_ordinal", "pool", "repeated", "share", "used")

    def __init__(
        self, pool: str, label: str, quota: int, last: int | None, share: PlainShare | None = None
    ) -> None:
        """`last` is how many ordinals there are, where every one of them is wanted once.

        With a `share` only its ordinals are taken.
        """
        super().__init__(1, label, quota)
        self.pool = pool
        self.last = last
        self.share = share
        self.next_ordinal = 0
        self.repeated = 0
        """Candidates that were duplicates or copies."""
        self.used: set[int] = set()
        """Ordinals that an earlier invocation settled; kept where every ordinal is wanted once."""

    @property
    def possible(self) -> int:
        """The most records that it can hold."""
        if self.last is None:
            return self.quota
        return self.last if self.share is None else self.share.count_below(self.last)

    @property
    def runs_dry(self) -> bool:
        """True when further candidates would hardly be new, or so many were tried that none can be hoped for."""
        repeats = self.settled >= DRY_AFTER and self.repeated > DRY_SHARE * self.settled
        return self.last is None and (repeats or self.settled >= TRIES * self.quota)

    def count_free(self) -> int:
        """See `Level.count_free`."""
        return 0 if self.runs_dry else ENDLESS

    def note_used(self, ordinal: int) -> None:
        """An earlier invocation settled the record with this ordinal."""
        if self.last is None:
            self.next_ordinal = max(self.next_ordinal, ordinal + 1)
        else:
            self.used.add(ordinal)

    def take(self, most: int, *, patient: bool = False) -> GroupWork | None:
        """The next group; none where nothing is left. Groups are of even size, so that no call has one line alone.

        A `patient` one is none, too, while so few are wanted that those under way may yet make it fuller.
        """
        if self.last is None:
            count = self.demand
            if patient and self.in_flight and 2 * count < most:
                return None
            first, most = self._find_place(most)
            return self._make_group(first, ceil(count / ceil(count / most)) if count > 0 else 0)
        while (found := self._find_place(most))[0] < self.last:
            first, size = found
            group = self._make_group(first, min(size, self.last - first))
            if group is not None and group.open:
                return group
        return None

    def _find_place(self, most: int) -> tuple[int, int]:
        """The first ordinal of the next group, and its most slots."""
        if self.share is None:
            return self.next_ordinal, most
        first = self.share.skip(self.next_ordinal)
        return first, min(most, self.share.count_left_in_block(first))

    def _make_group(self, first: int, size: int) -> GroupWork | None:
        self.next_ordinal = first + size
        slots = tuple(Slot(self.pool, PLAIN, first + n, 0, self.label) for n in range(size))
        settled = frozenset(place for place, slot in enumerate(slots) if slot.index in self.used)
        return GroupWork(slots, "", 1, settled) if slots else None
