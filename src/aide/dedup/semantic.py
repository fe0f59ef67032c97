"""Texts that mean nearly the same, by the cosine of their embeddings.

Whole vectors are not kept: of each text the signs of its numbers are, a bit each (192 bytes for 1,536 numbers). The
few that are nearest by their signs are compared by the vectors themselves, which `recall` reads back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import combinations
from typing import Final

from aide.vectors import Vector, cosine, sign_bits

THRESHOLD: Final = 0.98  # Li et al., ACL 2025
_MARGIN: Final = 0.001  # how far above the two seeds that are most alike the threshold stands
_SAME: Final = 0.999  # seeds this alike are an oversight, not the way of the task
# The nearest by signs need not be the nearest by cosine, so several are read back; each is one read of the journal.
_COMPARED: Final = 8


@dataclass(frozen=True, slots=True)
class SemanticDuplicate:
    """A text that means nearly the same: its id, and the cosine."""

    id: str
    cosine: float


class SemanticIndex:
    """All texts that a new one must differ from in meaning; every look reads all bits, 0.1 µs a text.

    Args:
        recall: the vector of an id that was entered, `None` where it is lost.
        threshold: the cosine from which two texts mean the same.
    """

    def __init__(self, recall: Callable[[str], Vector | None], *, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self._recall = recall
        self._bits: dict[str, int] = {}

    def learn(self, seeds: Sequence[Vector]) -> None:
        """Raise the threshold above the two seeds that are most alike."""
        pairs = (cosine(one, other) for one, other in combinations(seeds, 2))
        greatest = max((pair for pair in pairs if pair < _SAME), default=0.0)
        self.threshold = max(self.threshold, greatest + _MARGIN)

    def enter(self, id: str, vector: Vector) -> None:
        """Enter a text; `recall` must know its vector from now on."""
        self._bits[id] = sign_bits(vector)

    def release(self, id: str) -> None:
        """Forget a text; nothing happens for an unknown id."""
        self._bits.pop(id, None)

    def find(self, vector: Vector) -> SemanticDuplicate | None:
        """The text that is most alike in meaning, where it is so beyond the threshold."""
        bits = sign_bits(vector)
        near = nsmallest(_COMPARED, self._bits.items(), key=lambda each: (each[1] ^ bits).bit_count())
        found = [
            SemanticDuplicate(id, cosine(vector, other)) for id, _ in near if (other := self._recall(id))
        ]
        best = max(found, key=lambda each: each.cosine, default=None)
        return best if best is not None and best.cosine >= self.threshold else None

    def __len__(self) -> int:
        return len(self._bits)
