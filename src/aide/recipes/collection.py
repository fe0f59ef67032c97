"""The passages of `--contexts`, as the recipe `retrieval` searches them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, TypeVar

from aide.documents import Chunk
from aide.recipes.base import run_all
from aide.records import Embed
from aide.retrieval import Passage, Retriever, VectorIndex, WordIndex
from aide.vectors import Vector

T = TypeVar("T")

_LARGE: Final = 2000  # passages from which a search takes long enough to keep other records waiting
TOGETHER: Final = 64
"""Passages that one call embeds."""


class PassageCollection:
    """Passages by number, found by words and, with `embed`, by meaning. Nothing is indexed before the first look."""

    def __init__(self, chunks: Sequence[Chunk], embed: Embed | None = None) -> None:
        self._chunks = chunks
        self._embed = embed
        self._embedded: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._chunks)

    async def embed_query(self, query: str) -> Vector | None:
        """The vector of a query; none where passages are found by words alone.

        Raises:
            errors.AideError: no embedding can be had.
        """
        if self._embed is None:
            return None
        if self._embedded is None:
            self._embedded = asyncio.create_task(self.embed_passages())
        await asyncio.shield(self._embedded)
        [vector] = await self._embed((query,))
        return vector

    async def find_place(self, query: str, passage: str, vector: Vector | None) -> int:
        """The place of a passage among all for a query, 1 for the best; 0 where a search does not find it.

        With a vector it is the worse of its places by words and by meaning.
        """
        return await self._look(lambda: self._retriever.rank(query, self._numbers[passage], vector))

    async def mine_negatives(self, query: str, passage: str, count: int, vector: Vector | None) -> list[str]:
        """Passages that look like answers to a query and are none, as `Retriever.mine_negatives` finds them."""
        number = self._numbers[passage]
        found = await self._look(lambda: self._retriever.mine_negatives(query, number, count, vector))
        return [self._chunks[each].text for each in found]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {chunk.text: number for number, chunk in enumerate(self._chunks)}

    @cached_property
    def _retriever(self) -> Retriever:
        words = WordIndex(Passage(chunk.text) for chunk in self._chunks)
        return Retriever(words, VectorIndex() if self._embed else None)

    async def _look(self, look: Callable[[], T]) -> T:
        return await asyncio.to_thread(look) if len(self._chunks) > _LARGE else look()

    async def embed_passages(self) -> None:
        """Enter the vectors of all passages, some of them by each call."""
        embed, vectors = self._embed, self._retriever.vectors
        assert embed is not None
        assert vectors is not None

        async def enter(start: int) -> None:
            some = [chunk.text for chunk in self._chunks[start : start + TOGETHER]]
            for number, vector in enumerate(await embed(some), start=start):
                vectors.enter(number, vector)

        await run_all(enter(start) for start in range(0, len(self._chunks), TOGETHER))
