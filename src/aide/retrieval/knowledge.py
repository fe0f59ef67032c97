"""Passages that stand beside an answer and the judge of it, found by the words of what is asked.

Kang et al., *Self-Specialization: Uncovering Latent Expertise within Large Language Models*, 2023: a general model that
is shown passages of a field answers in it as one of the field would.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from aide.retrieval.wording import Passage, WordIndex

PASSAGES: Final = 3
"""Passages for one text, at most."""
_NEAR: Final = 0.5  # of the best one's score; what lies further down shares a word or two by chance
_WORDS: Final = 300
_TAG: Final = re.compile(r"</?[a-z_]+(?: [^<>]*)?>")  # of a conversation's turns


class Knowledge:
    """A collection of passages, of which the best few are shown."""

    def __init__(self, words: WordIndex) -> None:
        self._words = words
        # An answer, its votes and its judge ask about one text.
        self._find_one = lru_cache(maxsize=2048)(self._search)

    def __len__(self) -> int:
        return len(self._words)

    def find(self, texts: Sequence[str]) -> tuple[Passage, ...]:
        """The best passages for these texts, in the order of the texts, the best first and each once."""
        return tuple(dict(found for text in texts for found in self._find_one(text)).values())

    def _search(self, text: str) -> list[tuple[int, Passage]]:
        hits = self._words.search(_TAG.sub(" ", text), PASSAGES)
        near = [hit.id for hit in hits if hit.score >= _NEAR * hits[0].score]
        return [(id, _shorten(self._words.get(id))) for id in near]


def _shorten(passage: Passage) -> Passage:
    words = passage.text.split()
    return passage if len(words) <= _WORDS else Passage(" ".join([*words[:_WORDS], "…"]), passage.source)
