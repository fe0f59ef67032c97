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
_SCORED: Final = 500  # of the best by each way, those whose scores are known
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
        away, depth = {positive, *spared}, count + _DEPTH
        hits = self.words.search(query, max(_SCORED, depth))
        scores = {hit.id: hit.score for hit in hits}
        # What lies further down than all of these scores no more than the last.
        rest = hits[-1].score if len(hits) >= _SCORED else 0.0
        most = share * (scores[positive] if positive in scores else self.words.score(query, positive))
        near = [hit.id for hit in self.words.search(self.words.get(positive).text, depth)]
        rankings = [list(scores)[:depth], near]
        cosines: dict[int, float] = {}
        if vector is not None and self.vectors is not None:
            cosines = {hit.id: hit.score for hit in self.vectors.search(vector, _SCORED)}
            rankings[0] = fuse_rankings([rankings[0], list(cosines)[:depth]], depth)
        nearest = share * cosines.get(positive, -1.0) if cosines else 1.0
        found = [
            id
            for id in fuse_rankings(rankings, 2 * depth)
            if id not in away and scores.get(id, rest) <= most and cosines.get(id, -1.0) <= nearest
        ]
        return found[:count]
