"""Texts that mean nearly the same, by the cosine of their embeddings.

Whole vectors are not kept: of each text the signs of its numbers are, a bit each (192 bytes for 1,536 numbers). The
few that are nearest by their signs are compared by the vectors themselves, which `recall` reads back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import combinations, permutations
from statistics import fmean, pstdev
from typing import Final

from aide.vectors import Vector, cosine, sign_bits

_MARGIN: Final = 0.001  # how far above the two seeds that are most alike the threshold stands
# Of the paraphrases the model puts these many below the threshold. With MiniLM it then stands at 0.87, and refuses 0 to
# 5 % of 200 human texts in 13 of 16 tasks; 0.98, as for another model in Li et al., ACL 2025, finds none of the pairs.
_PARAPHRASES_BELOW: Final = 0.6
# Standard deviations above the mean of the seeds' pairs. Where all texts are alike, as in tasks with one frame, the
# nearest of 200 others is closer than a paraphrase: by a normal distribution this refuses 3 % of such texts.
_DEVIATIONS: Final = 3.6
# For a model that hardly tells paraphrases from strangers, as one that counts words: nearly equal texts only.
_CAUTIOUS: Final = 0.98  # Li et al., ACL 2025
# How far, from the nearest strangers to equality, the usual paraphrase must lie: MiniLM 0.75, word counts 0.1.
_TOLD_APART: Final = 0.5
_SAME: Final = 0.999  # seeds this alike are an oversight, not the way of the task
# The nearest by signs need not be the nearest by cosine, so several are read back; each is one read of the journal.
_COMPARED: Final = 8


@dataclass(frozen=True, slots=True)
class SemanticDuplicate:
    """A text that means nearly the same: its id, and the cosine."""

    id: str
    cosine: float


def learn_threshold(
    seeds: Sequence[Vector], paraphrases: Sequence[tuple[Vector, Vector]], *, labelled: bool = False
) -> float:
    """The cosine from which two texts of a task mean the same, for the model that gave the vectors.

    Args:
        seeds: human texts of the task, none a duplicate of another.
        paraphrases: pairs of texts that mean the same.
        labelled: the texts have labels. Those of one label say the same thing by nature, and people repeat themselves:
            only what is nearer than all paraphrases is a duplicate there.
    """
    near = sorted(cosine(one, other) for one, other in paraphrases)
    between = [pair for one, other in combinations(seeds, 2) if (pair := cosine(one, other)) < _SAME]
    closest, usual = near[-1], near[int(_PARAPHRASES_BELOW * len(near))]
    strangers = max(cosine(one, other) for (one, _), (_, other) in permutations(paraphrases, 2))
    if usual - strangers < _TOLD_APART * (1 - strangers):
        return max(_CAUTIOUS, max(between, default=0.0) + _MARGIN)
    if labelled or not between:
        return max(closest if labelled else usual, max(between, default=0.0) + _MARGIN)
    expected = min(fmean(between) + _DEVIATIONS * pstdev(between), closest)
    return max(usual, expected, max(between) + _MARGIN)


class SemanticIndex:
    """All texts that a new one must differ from in meaning; every look reads all bits, 0.1 µs a text.

    Args:
        recall: the vector of an id that was entered, `None` where it is lost.
        threshold: the cosine from which two texts mean the same; see `learn_threshold`.
    """

    def __init__(self, recall: Callable[[str], Vector | None], *, threshold: float) -> None:
        self.threshold = threshold
        self._recall = recall
        self._bits: dict[str, int] = {}

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
