"""One-permutation MinHash: a set of hashes as 128 bytes, from which similarity and index keys are estimated.

Ping Li, Owen, Zhang, *One Permutation Hashing*, NIPS 2012; for the index, empty bins borrow from others in
a fixed random order, as in Shrivastava, *Optimal Densification for Fast and Accurate Minwise Hashing*, ICML
2017. Whatever runs once per shingle runs in C: that is why bytes and long integers stand where loops would.
"""

import math
import struct
from collections.abc import Collection
from functools import cache
from typing import Final

from aide.records import rng

# One byte a bin: 128 bytes a record, and a standard error of at most 0.04 at a similarity of 0.7. Twice as many would
# bring it to 0.03; most inputs have fewer shingles than bins, and are then compared nearly exactly.
BINS: Final = 128
# More bands find more pairs near the threshold and more strangers to look at: see `compute_band_keys`.
BANDS: Final = 16
_ROWS: Final = 4 * BANDS  # four bytes make one 32-bit key
_CHANCE: Final = 1 / 255  # that two different hashes leave the same byte
_EMPTY_BINS: Final = dict.fromkeys(range(BINS), 0)
_BIN_OF: Final = bytes(high >> 1 for high in range(256))
_NOT_ZERO: Final = bytes([1, *range(1, 256)])
_KEYS: Final = struct.Struct(f"<{BANDS}I")
_ROW_MASK: Final = (1 << 8 * _ROWS) - 1
_ONES: Final = int.from_bytes(b"\x01" * BINS, "little")


def make_sketch(features: Collection[int]) -> bytes:
    """One byte for each of 128 bins: 1 to 255 for the least 32-bit hash in the bin, 0 where the bin is empty.

    The seven high bits of a hash choose its bin, all of its bits its rank there, the eight low ones make the byte.
    """
    data = struct.pack(f"<{len(features)}I", *sorted(features, reverse=True))
    bins = _EMPTY_BINS.copy()
    # The least hash of a bin comes last, and stays.
    bins.update(zip(data[3::4].translate(_BIN_OF), data[0::4].translate(_NOT_ZERO), strict=True))
    return bytes(bins.values())


def estimate_similarity(a: int, b: int) -> tuple[float, int]:
    """Estimated Jaccard similarity of two sketches read as little-endian integers, and the bins it rests on.

    Bins that are empty in both say nothing and are left out; so sets smaller than the sketch come out nearly exact.
    """
    used = _filled(a | b).bit_count()
    if not used:
        return 0.0, 0
    equal = 1 - _filled(a ^ b).bit_count() / used
    return max(0.0, (equal - _CHANCE) / (1 - _CHANCE)), used


def estimate_error(level: float, used: int, features: int) -> float:
    """Standard error of an estimate near `level` from `used` bins; 0 where each of `features` has a bin of its own."""
    return math.sqrt(level * (1 - level) * max(0.0, 1 / max(used, 1) - 1 / max(features, 1)))


def compute_band_keys(sketched: bytes) -> tuple[int, ...]:
    """16 keys of 32 bits; two sets of similarity J share at least one with probability 1 - (1 - J^4)^16.

    That is 0.988 for J = 0.7, 0.9998 for 0.8, and 0.002 for 0.1. An empty sketch has keys of zero.

    Without loans an empty bin would agree with every other empty bin, and short texts would all share keys.
    """
    twice = int.from_bytes(sketched + sketched, "little")
    rows = twice & _ROW_MASK
    if twice:
        for shift in _detours():
            missing = _ROW_MASK ^ (_filled(rows) * 255 & _ROW_MASK)
            if not missing:
                break
            rows |= twice >> shift & missing
    return _KEYS.unpack(rows.to_bytes(_ROWS, "little"))


@cache
def _detours() -> tuple[int, ...]:
    """How far (in bits) the bin lies that stands in for an empty one, in the order of trying."""
    order = list(range(1, BINS))
    rng("detours").shuffle(order)
    return tuple(8 * step for step in order)


def _filled(number: int) -> int:
    """A 1 in the lowest bit of every byte of `number` that is not zero."""
    number |= number >> 4
    number |= number >> 2
    number |= number >> 1
    return number & _ONES
