"""Duplicates in meaning among lines: those whose wording is new are embedded, each text once.

This module uses a run's calls and journal, which are a layer below: an embedding is paid for, and what was paid
for in a run must not be paid for again when its records are filtered.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Final

from aide.dataset.duplicates import HandleDuplicate, SeenTexts
from aide.dataset.hits import KeptLine
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import comparable_text, is_labelled, name_record
from aide.dedup.lexical import LexicalDuplicate
from aide.dedup.semantic import SemanticIndex
from aide.errors import NodeError
from aide.run.embeddings import Embeddings
from aide.run.single_steps import map_in_order
from aide.vectors import Vector

MEANING: Final = "meaning"


class SemanticLineIndex:
    """What lines mean: signs of their vectors in memory, the vectors themselves in the journal."""

    failures: Counter[str]
    """Lines that the model gave no vector for, by reason; they are kept."""

    def __init__(self, embeddings: Embeddings, at_once: int, threshold: float | None = None) -> None:
        self.failures = Counter()
        self._embeddings = embeddings
        self._at_once = at_once
        self._index = SemanticIndex(embeddings.recall, threshold=threshold or 1.0)
        self._given = threshold
        self._names: dict[str, str] = {}

    @property
    def threshold(self) -> float:
        """The cosine from which two lines mean the same."""
        return self._index.threshold

    async def learn(self, seeds: Iterable[RecordLine]) -> None:
        """Enter the seeds, and learn the threshold from them unless a person set it."""
        seeds = list(seeds)
        vectors = [vector async for vector in self._embed_and_enter(seeds)]
        if self._given is None:
            labelled = any(is_labelled(line.record) for line in seeds)
            self._index.threshold = await self._embeddings.learn_threshold(vectors, labelled=labelled)

    async def enter(self, lines: Iterable[RecordLine]) -> None:
        """Enter lines that are compared with, whatever they mean."""
        async for _ in self._embed_and_enter(lines):
            pass

    async def remove_duplicates(
        self, lines: Iterable[RecordLine], seen: SeenTexts, handle: HandleDuplicate
    ) -> AsyncIterator[KeptLine]:
        """The lines that repeat none before them in words or in meaning; in place of others what `handle` returns.

        A line that is dropped for its meaning still counts as seen by its wording, so that the outcome is
        the same however many lines are embedded at once.
        """

        async def look(line: RecordLine) -> tuple[RecordLine, LexicalDuplicate | None, Vector | None]:
            original = seen.admit(line)  # before the first await, so in the order of the lines
            return line, original, None if original else await self._embed(line)

        async for line, repeated, vector in map_in_order(lines, look, at_once=self._at_once):
            original = repeated or (self._admit(line, vector) if vector is not None else None)
            kept = line if original is None else handle(line, original)
            if kept is not None:
                yield kept

    def _admit(self, line: RecordLine, vector: Vector) -> LexicalDuplicate | None:
        found = self._index.find(vector)
        if found is not None:
            return LexicalDuplicate(self._names[found.id], round(found.cosine, 3), MEANING)
        self._enter(line, vector)
        return None

    def _enter(self, line: RecordLine, vector: Vector) -> None:
        # By the call's key, not by the line's id: under it the journal has the vector.
        key = self._embeddings.key_of(comparable_text(line))
        self._names[key] = name_record(line)
        self._index.enter(key, vector)

    async def _embed_and_enter(self, lines: Iterable[RecordLine]) -> AsyncIterator[Vector]:
        async def look(line: RecordLine) -> tuple[RecordLine, Vector | None]:
            return line, await self._embed(line)

        async for line, vector in map_in_order(lines, look, at_once=self._at_once):
            if vector is not None:
                self._enter(line, vector)
                yield vector

    async def _embed(self, line: RecordLine) -> Vector | None:
        text = comparable_text(line)
        if not text.strip():
            return None
        try:
            # The line may be no record of any run, so the call is filed under its own key.
            return await self._embeddings.embed(text, self._embeddings.key_of(text)[:20])
        except NodeError as fault:
            self.failures[fault.reason] += 1
            return None
