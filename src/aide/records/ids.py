"""Ids and randomness: both follow from names alone, so that every machine and every rerun has the same."""

import hashlib
import random
from typing import Final

ID_BYTES: Final = 10
"""80 bits. Among a million records two share an id with a probability of about 4e-13."""


def digest(*parts: str) -> str:
    """20 hex digits of blake2b over the parts; each goes in with its length, so that no two lists collide."""
    h = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")  # seeds hold lone surrogates, and still want an id
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()


def rng(*parts: str) -> random.Random:
    """The only source of randomness: a generator seeded by names.

    A resume runs the same code again and must draw the same: hence no clock and no global generator.
    """
    return random.Random(int(digest(*parts), 16))
