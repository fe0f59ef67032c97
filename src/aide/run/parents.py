"""Which record becomes the next parent: spread over sources, seeds and operations, far from those chosen before."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from aide.frontier import CHILDREN, Branch, ParentCandidate
from aide.text.shingles import measure_jaccard
from aide.text.words import fold_words

# A candidate is held against the last so many parents: with more of them nearly every text is near to one.
HELD_AGAINST: Final = 24


class ParentChooser:
    """A `frontier.ChooseParent` that knows the texts."""

    def __init__(self, text_of: Callable[[str, str], str]) -> None:
        """`text_of` gives the text of a seed or record by its seed and id."""
        self._text_of = text_of
        self._words: dict[str, frozenset[str]] = {}

    def __call__(self, candidates: Sequence[ParentCandidate], chosen: Sequence[Branch]) -> int:
        """The place of the candidate whose source has fewest children, and seed and operation fewest parents; of
        equals the farthest by words.
        """
        sources: Counter[str] = Counter()
        for branch in chosen:
            sources[branch.source] += branch.children if branch.planted else CHILDREN
        seeds = Counter(branch.seed for branch in chosen)
        kinds = Counter(branch.kind for branch in chosen)
        near = [self._find_words(branch.seed, branch.id) for branch in chosen[-HELD_AGAINST:]]
        least = min(sources[each.source] for each in candidates)
        first = next(place for place, each in enumerate(candidates) if sources[each.source] == least)
        if candidates[first].source and not candidates[first].kind:
            return first  # the roots of a source come in the order in which they are to be parents

        def count(each: ParentCandidate) -> tuple[int, int, int]:
            return sources[each.source], seeds[each.seed], kinds[each.kind]

        fewest = min(map(count, candidates))
        best, place = 2.0, 0
        for at, each in enumerate(candidates):
            if count(each) != fewest:
                continue
            mine = self._find_words(each.seed, each.id)
            similarity = max((measure_jaccard(mine, theirs) for theirs in near), default=0.0)
            if similarity < best:
                best, place = similarity, at
        return place

    def _find_words(self, seed: str, id: str) -> frozenset[str]:
        if id not in self._words:
            if len(self._words) > 64 * HELD_AGAINST:
                self._words.clear()
            self._words[id] = frozenset(fold_words(self._text_of(seed, id)))
        return self._words[id]
