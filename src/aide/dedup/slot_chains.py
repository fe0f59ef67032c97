"""A compact index: 32-bit keys to slots, several lanes of keys for each slot, about 7 bytes an entry.

Chained hash tables in plain arrays. Nothing is ever rehashed, so no insertion stalls the event loop: when a table is
full a new one, twice as large, stands beside it, and a search looks into all of them (four at 100,000 slots).
"""

from array import array
from collections.abc import Iterator, Sequence
from sys import getsizeof
from typing import Final

_FIRST: Final = 4096  # the first table serves twice as many slots, 8,190; each later one twice as many again
_SLOT_BITS: Final = 24
_SLOT: Final = (1 << _SLOT_BITS) - 1


class SlotChains:
    """Slots by key, lane by lane; at most 16.7 million slots.

    A link is a slot (from 1) and the high byte of its key, which tells most strangers in a chain apart. 0 ends a chain.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._next = array("I")
        self._tables: list[tuple[array[int], int]] = []
        self._capacity = 0

    def add(self, slot: int, keys: Sequence[int]) -> None:
        """Enter `slot` under one key for each lane; slots have no gaps, old numbers may come again."""
        if not self._capacity:
            # One less than a power of two is odd: the remainder then depends on every bit of a key.
            size = (_FIRST << len(self._tables)) - 1
            self._tables.append((array("I", bytes(4 * size * self._lanes)), size))
            self._capacity = 2 * size
        self._capacity -= 1
        following, entry = self._next, slot + 1
        place = slot * self._lanes
        if place == len(following):
            following.frombytes(bytes(4 * self._lanes))
        heads, size = self._tables[-1]
        base = 0
        for key in keys:
            at = base + key % size
            following[place] = heads[at]
            heads[at] = key >> _SLOT_BITS << _SLOT_BITS | entry
            place += 1
            base += size

    def find(self, first: int, keys: Sequence[int]) -> set[int]:
        """Slots that seem to be entered under one of these keys; a few strangers may be among them.

        The first key belongs to lane `first`, the others to the lanes after it.
        """
        found: set[int] = set()
        lanes, following = self._lanes, self._next
        for heads, size in self._tables:
            base, lane = first * size, first
            for key in keys:
                link = heads[base + key % size]
                while link:
                    if (link ^ key) >> _SLOT_BITS == 0:
                        found.add((link & _SLOT) - 1)
                    link = following[((link & _SLOT) - 1) * lanes + lane]
                base += size
                lane += 1
        return found

    def remove(self, slot: int, keys: Sequence[int]) -> None:
        """Take `slot` out again; `keys` are those it was entered under."""
        for lane, key in enumerate(keys):
            for links, at in self._places(lane, key):
                if (links[at] & _SLOT) - 1 == slot:
                    links[at] = self._next[slot * self._lanes + lane]
                    break

    def _places(self, lane: int, key: int) -> Iterator[tuple["array[int]", int]]:
        """Every place that holds a link of this key's chains, heads first."""
        for heads, size in self._tables:
            links, at = heads, lane * size + key % size
            while link := links[at]:
                yield links, at
                links, at = self._next, ((link & _SLOT) - 1) * self._lanes + lane

    @property
    def bytes(self) -> int:
        """Memory held, in bytes."""
        return getsizeof(self._next) + sum(getsizeof(heads) for heads, _ in self._tables)
