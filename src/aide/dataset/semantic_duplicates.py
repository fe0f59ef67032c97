"""Duplicates in meaning among lines: those whose wording is new are embedded, each text once."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable

from aide.dataset.duplicates import SeenTexts
from aide.dataset.hits import KeptLine
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import comparable_text, name_record
from aide.dedup.lexical import LexicalDuplicate
from aide.dedup.semantic import SemanticIndex
from aide.errors import NodeError
from aide.run.calls import ModelCalls
from aide.run.single_steps import map_in_order
from aide.vectors import Vector

MEANING = "meaning"


class SemanticLineIndex:
    """What lines mean: signs of their vectors, and under which key the journal of `calls` has the rest.

    `failures` counts by reason the lines that the model gave no vector for; they pass.
    """

    def __init__(self, calls: ModelCalls, at_once: int) -> None:
        self._calls = calls
        self._at_once = at_once
        self._known = SemanticIndex(calls.recalled)
        self._names: dict[str, str] = {}
        self.failures: Counter[str] = Counter()

    async def learn(self, seeds: Iterable[RecordLine]) -> None:
        """Enter the seeds, and raise the threshold above the two that are most alike."""
        self._known.learn([vector async for vector in self._entered(seeds)])

    async def enter(self, lines: Iterable[RecordLine]) -> None:
        """Enter lines that are there already, whatever they mean."""
        async for _ in self._entered(lines):
            pass

    async def remove_duplicates(
        self,
        lines: Iterable[RecordLine],
        seen: SeenTexts,
        handle: Callable[[RecordLine, LexicalDuplicate], KeptLine | None],
    ) -> AsyncIterator[KeptLine]:
        """The lines, but for those that repeat one before them by words or by meaning: of these, what `told` makes.

        A line that is dropped for its meaning is held against later ones by its wording all the same, so that
        the outcome is the same however many are asked about at once.
        """

        async def look(line: RecordLine) -> tuple[RecordLine, LexicalDuplicate | None, Vector | None]:
            twin = seen.claim(line)  # before the first await: in the order of the lines
            return line, twin, None if twin else await self._vector(line)

        async for line, worded, vector in map_in_order(lines, look, at_once=self._at_once):
            twin = worded or (self._claim(line, vector) if vector is not None else None)
            kept = line if twin is None else handle(line, twin)
            if kept is not None:
                yield kept

    def _claim(self, line: RecordLine, vector: Vector) -> LexicalDuplicate | None:
        alike = self._known.find(vector)
        if alike is not None:
            return LexicalDuplicate(self._names[alike.id], round(alike.cosine, 3), MEANING)
        self._take(line, vector)
        return None

    def _take(self, line: RecordLine, vector: Vector) -> None:
        key = self._calls.embedding_key(comparable_text(line))
        self._names[key] = name_record(line)
        self._known.enter(key, vector)

    async def _entered(self, lines: Iterable[RecordLine]) -> AsyncIterator[Vector]:
        async def look(line: RecordLine) -> tuple[RecordLine, Vector | None]:
            return line, await self._vector(line)

        async for line, vector in map_in_order(lines, look, at_once=self._at_once):
            if vector is not None:
                self._take(line, vector)
                yield vector

    async def _vector(self, line: RecordLine) -> Vector | None:
        text = comparable_text(line)
        try:
            return (
                await self._calls.embed(text, self._calls.embedding_key(text)[:20]) if text.strip() else None
            )
        except NodeError as fault:
            self.failures[fault.reason] += 1
            return None


__all__ = ["MEANING", "SemanticLineIndex"]
