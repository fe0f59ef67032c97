"""Both ways to find passages together, and what a trainer of retrieval wants of them: a rank, and hard negatives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aide.retrieval.meaning import VectorIndex
from aide.retrieval.wording import WordIndex
from aide.vectors import Vector

# Cormack, Clarke and Büttcher, *Reciprocal Rank Fusion outperforms Condorcet and Individual Rank Learning Methods*,
# SIGIR 2009.
_FUSION: Final = 60
# How far down each way looks for what both find.
_DEPTH: Final = 100
NEGATIVE_SHARE: Final = 0.95
"""A negative reaches at most this share of the positive's score: what comes nearer, or lies above, may be an answer
that nobody marked (Moreira et al., *NV-Retriever*, 2024).
"""


def fuse_rankings(rankings: Sequence[Sequence[int]], limit: int) -> list[int]:
    """The best of several rankings by reciprocal rank fusion; of equal ones the one that the first ranking prefers."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, id in enumerate(ranking, start=1):
            scores[id] = scores.get(id, 0.0) + 1 / (_FUSION + place)
    return sorted(scores, key=lambda id: -scores[id])[:limit]


@dataclass(frozen=True, slots=True)
class Retriever:
    """Passages by their words and, where a query comes with a vector, by their meaning as well."""

    words: WordIndex
    vectors: VectorIndex | None = None

    def search(self, query: str, limit: int, vector: Vector | None = None) -> list[int]:
        """The numbers of the best passages, the best first."""
        by_words = [hit.id for hit in self.words.search(query, max(limit, _DEPTH if vector else 0))]
        if vector is None or self.vectors is None:
            return by_words[:limit]
        by_meaning = [hit.id for hit in self.vectors.search(vector, max(limit, _DEPTH))]
        return fuse_rankings([by_words, by_meaning], limit)

    def rank(self, query: str, id: int, vector: Vector | None = None) -> int:
        """The worse of a passage's places by words and by meaning, 1 for the best; 0 where either does not find it."""
        places = [self.words.rank(query, id)]
        if vector is not None and self.vectors is not None:
            places.append(self.vectors.rank(vector, id))
        return max(places) if all(places) else 0

    def mine_negatives(
        self,
        query: str,
        positive: int,
        count: int,
        vector: Vector | None = None,
        *,
        share: float = NEGATIVE_SHARE,
        spared: Iterable[int] = (),
    ) -> list[int]:
        """Passages that look like answers and are none, the hardest first; fewer than `count` where there are not so
        many.

        They are taken from the top of what the query finds and of what is near the positive by its words: short queries
        share little but small words with most passages. Whatever by words or by meaning scores more than `share` of the
        positive's score for the query is left out, and so are the `spared` ones.
        """
        away = {positive, *spared}
        found: list[int] = []
        near = [hit.id for hit in self.words.search(self.words.get(positive).text, count + _DEPTH)]
        for id in fuse_rankings([self.search(query, count + _DEPTH, vector), near], 2 * (count + _DEPTH)):
            if id not in away and self._is_below(query, id, positive, vector, share):
                found.append(id)
                if len(found) == count:
                    break
        return found

    def _is_below(self, query: str, id: int, positive: int, vector: Vector | None, share: float) -> bool:
        if self.words.score(query, id) > share * self.words.score(query, positive):
            return False
        if vector is None or self.vectors is None:
            return True
        return self.vectors.score(vector, id) <= share * self.vectors.score(vector, positive)
