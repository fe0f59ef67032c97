"""Duplicates with a memory: what was decided once is repeated, whatever has happened since."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from aide.dedup.lexical import LexicalIndex
from aide.dedup.semantic import SemanticIndex
from aide.journal import Journal

DUPLICATE = "duplicate"
MEANING = "meaning"


class JournaledDeduplicator:
    """`recipes.Novelty` over the signatures of seeds, accepted records and candidates under way.

    Order decides who is the twin of whom, so each decision is journaled under the candidate and how often it asked.
    """

    def __init__(
        self, journal: Journal, duplicates: LexicalIndex, meaning: "SemanticCheck | None" = None
    ) -> None:
        self._journal = journal
        self._duplicates = duplicates
        self._meaning = meaning
        self._asked: dict[str, int] = {}

    def claim(self, id: str, text: str) -> str:
        """Empty where the text is new, and then taken; else a sentence naming the twin."""
        turn = self._asked.get(id, 0)
        self._asked[id] = turn + 1
        if turn:
            self._duplicates.release(id)
        key = f"{id}:{turn}"
        decided = self._journal.decided(DUPLICATE, key)
        if decided is None:
            twin = self._duplicates.claim(id, text)
            decided = f"{twin.how} duplicate of {twin.id} ({twin.similarity:.2f})" if twin else ""
            self._journal.decide(DUPLICATE, key, decided)
        elif not decided:
            self._duplicates.restore(id, text)
        return str(decided)

    async def meant(self, id: str, text: str) -> str:
        """The same for the meaning of a text that `claim` has just taken."""
        return await self._meaning.claim(id, self._asked[id], text) if self._meaning else ""

    def settle(self, id: str, *, kept: bool) -> None:
        """The candidate is done: its text stays taken only where a record came of it."""
        if self._asked.pop(id, 0) and not kept:
            self._duplicates.release(id)
        if self._meaning:
            self._meaning.settle(id, kept=kept)

    def restore(self, id: str, text: str) -> None:
        """A record accepted in an earlier run."""
        self._duplicates.restore(id, text)


class SemanticCheck:
    """Duplicates in meaning. `embed` gives the vector of a text for a node, `text_of` the text of a seed or record.

    The vectors of what is settled are in the journal; those of candidates under way are held here.
    """

    def __init__(
        self,
        journal: Journal,
        embed: Callable[[str, str], Awaitable[list[float]]],
        embedded: Callable[[str], list[float] | None],
        text_of: Callable[[str], str | None],
    ) -> None:
        self._journal = journal
        self._embed = embed
        self._embedded = embedded
        self._text_of = text_of
        self._open: dict[str, list[float]] = {}
        self._known = SemanticIndex(self._recall)

    async def enter(self, seeds: Mapping[str, str], records: Iterable[tuple[str, str]]) -> None:
        """Seeds, from which the threshold is learned, and records accepted before, by id and text."""
        vectors = {id: await self._embed(text, id) for id, text in seeds.items()}
        for id, vector in vectors.items():
            self._known.enter(id, vector)
        kept = self._journal.meta("meaning_threshold")
        if kept is None:
            self._known.learn(list(vectors.values()))
            self._journal.set_meta("meaning_threshold", self._known.threshold)
        else:
            self._known.threshold = float(kept)
        for id, text in records:
            if (kept_vector := self._embedded(text)) is not None:
                self._known.enter(id, kept_vector)

    async def claim(self, id: str, turn: int, text: str) -> str:
        """Empty where nothing means the same; else a sentence naming what does."""
        vector = await self._embed(text, id)
        self._known.release(id)
        key = f"{id}:{turn}"
        decided = self._journal.decided(MEANING, key)
        if decided is None:
            twin = self._known.find(vector)
            decided = f"means the same as {twin.id} ({twin.cosine:.3f})" if twin else ""
            self._journal.decide(MEANING, key, decided)
        if not decided:
            self._open[id] = vector
            self._known.enter(id, vector)
        return str(decided)

    def settle(self, id: str, *, kept: bool) -> None:
        """The candidate is done."""
        self._open.pop(id, None)
        if not kept:
            self._known.release(id)

    def _recall(self, id: str) -> list[float] | None:
        if id in self._open:
            return self._open[id]
        text = self._text_of(id)
        return None if text is None else self._embedded(text)


class NoDeduplication:
    """`--duplicates off`: every text is new."""

    def claim(self, id: str, text: str) -> str:
        """Never a twin."""
        return ""

    async def meant(self, id: str, text: str) -> str:
        """Never a twin."""
        return ""

    def settle(self, id: str, *, kept: bool) -> None:
        """Nothing to forget."""

    def restore(self, id: str, text: str) -> None:
        """Nothing to remember."""
