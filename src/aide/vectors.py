"""Unit vectors, as embedding models give them: how alike two are, and their signs in few bytes.

No array library: a run holds few whole vectors, and none of its other work would use one.
"""

from array import array
from collections.abc import Sequence
from operator import mul

Vector = Sequence[float]


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of two unit vectors; 0 where their lengths differ."""
    return sum(map(mul, one, other)) if len(one) == len(other) else 0.0


def sign_bits(vector: Vector) -> int:
    """The signs of a vector's numbers, a bit each.

    Their Hamming distance falls as the cosine rises (Charikar, STOC 2002, with coordinates for random directions).
    """
    bits = 0
    for value in vector:
        bits = bits << 1 | (value > 0)
    return bits


def pack_vector(vector: Vector) -> "array[float]":
    """The vector in four bytes a number."""
    return array("f", vector)
