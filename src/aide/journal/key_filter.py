"""Which keys a journal may hold, so that new ones are not looked for in SQLite.

Nearly every call of a run is new, and is looked for first: this makes that look 0.5 µs in place of 3.
"""

from collections.abc import Iterable
from typing import Final

FIRST: Final = (
    1 << 20
)  # bits of the first layer: 128 KiB, enough for the hundred thousand keys of a usual run
PROBES: Final = 4  # more would lower the share below by little and cost each look-up
BITS: Final = 10  # a key: with four probes about one new key in a hundred is looked for all the same


class KeyFilter:
    """A Bloom filter that grows (Almeida et al. 2007, "Scalable Bloom Filters"): layers, each twice the last.

    What was added is always found; of what was not, a few in a hundred are. A key takes 1.25 bytes, about as much
    again while the youngest layer fills.
    """

    def __init__(self, keys: Iterable[object] = ()) -> None:
        self._layers: list[bytearray] = []
        self._capacity = 0
        for key in keys:
            self.add(key)

    def add(self, key: object) -> None:
        """Remember a hashable key."""
        if not self._capacity:
            bits = FIRST << len(self._layers)
            self._layers.append(bytearray(bits >> 3))
            self._capacity = bits // BITS
        self._capacity -= 1
        layer = self._layers[-1]
        mask = (len(layer) << 3) - 1
        at, step = _places(key)
        for _ in range(PROBES):
            layer[(at & mask) >> 3] |= 1 << (at & 7)
            at += step

    def __contains__(self, key: object) -> bool:
        """True when `key` was added, and now and then for one that was not."""
        first, step = _places(key)
        for layer in self._layers:
            mask = (len(layer) << 3) - 1
            at = first
            for _ in range(PROBES):
                if not layer[(at & mask) >> 3] >> (at & 7) & 1:
                    break
                at += step
            else:
                return True
        return False


def _places(key: object) -> tuple[int, int]:
    """Where the probes of a key begin and how far they lie apart (Kirsch and Mitzenmacher 2006)."""
    number = hash(key)
    return number & 0xFFFFFFFF, (number >> 32 & 0x7FFFFFFF) | 1
