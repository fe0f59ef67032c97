"""Duplicates with a memory: what was decided once is repeated, whatever has happened since."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

import orjson

from aide.dedup.lexical import LexicalIndex
from aide.dedup.semantic import SemanticIndex
from aide.errors import EndpointUnusable, NodeError
from aide.journal import Journal
from aide.recipes import Deduplicator
from aide.records import read_varying
from aide.run.inputs import PreparedInputs
from aide.run.session import Session

# Under which the journal keeps the thresholds that were learned.
WORDING_THRESHOLD: Final = "duplicate_threshold"
MEANING_THRESHOLD: Final = "meaning_threshold"
# Kinds of decisions in the journal; folders of every version have them under these names.
LEXICAL: Final = "duplicate"
SEMANTIC: Final = "meaning"


class SettlingDeduplicator(Deduplicator):
    """A deduplicator that is told how a candidate ended."""

    def settle(self, id: str, *, kept: bool) -> None:
        """Release what the candidate reserved, unless a record came of it."""


class JournaledDeduplicator(SettlingDeduplicator):
    """Lexical and semantic checks against seeds, accepted records and candidates under way.

    Which of two near-equal texts came first depends on the order of answers. So each decision is journaled, under the
    candidate and how often it asked, and a resume repeats it.
    """

    def __init__(
        self, journal: Journal, lexical: LexicalIndex, semantic: "SemanticCheck | None" = None
    ) -> None:
        self._journal = journal
        self._lexical = lexical
        self._semantic = semantic
        self._asked: dict[str, int] = {}

    def check_wording(self, id: str, text: str) -> str:
        """See `recipes.Deduplicator`."""
        turn = self._asked.get(id, 0)
        self._asked[id] = turn + 1
        if turn:
            self._lexical.release(id)
        key = f"{id}:{turn}"
        decided = self._journal.get_decision(LEXICAL, key)
        if decided is None:
            found = self._lexical.admit(id, text)
            decided = f"{found.how} duplicate of {found.id} ({found.similarity:.2f})" if found else ""
            self._journal.decide(LEXICAL, key, decided)
        elif not decided:
            self._lexical.restore(id, text)
        return str(decided)

    async def check_meaning(self, id: str, text: str, *, lenient: bool) -> str:
        """The same for the meaning of a text whose wording has just been checked."""
        if self._semantic is None:
            return ""
        return await self._semantic.check(id, self._asked[id], text, lenient=lenient)

    def settle(self, id: str, *, kept: bool) -> None:
        """See `SettlingDeduplicator`."""
        if self._asked.pop(id, 0) and not kept:
            self._lexical.release(id)
        if self._semantic:
            self._semantic.settle(id, kept=kept)

    def restore(self, id: str, text: str) -> None:
        """Enter a record that an earlier invocation accepted."""
        self._lexical.restore(id, text)


class SemanticCheck:
    """Duplicates in meaning, by the cosine of embeddings.

    The vectors of what is settled are in the journal; only those of candidates under way are held here.
    """

    def __init__(
        self,
        journal: Journal,
        embed: Callable[[str, str], Awaitable[list[float]]],
        embedded: Callable[[str], list[float] | None],
        text_of: Callable[[str], str | None],
        learn: Callable[[list[list[float]]], Awaitable[float]],
        threshold: float | None = None,
    ) -> None:
        """`embed` gives the vector of a text for a node, `embedded` the one that the journal has, `text_of` the text of
        a seed or record, `learn` the threshold for the vectors of the seeds. One that a person set, `threshold`, holds
        for every text.
        """
        self._journal = journal
        self._embed = embed
        self._embedded = embedded
        self._text_of = text_of
        self._learn = learn
        self._given = threshold
        self._open: dict[str, list[float]] = {}
        self._index = SemanticIndex(self._recall, threshold=threshold or 1.0)

    async def enter(self, seeds: Mapping[str, str], records: Iterable[tuple[str, str]]) -> None:
        """Enter seeds, from which the threshold is learned, and records accepted before, by id and text."""
        vectors = {id: await self._embed(text, id) for id, text in seeds.items()}
        for id, vector in vectors.items():
            self._index.enter(id, vector)
        kept = self._given or self._journal.get_meta(MEANING_THRESHOLD)
        self._index.threshold = float(kept or await self._learn(list(vectors.values())))
        self._journal.set_meta(MEANING_THRESHOLD, self._index.threshold)
        for id, text in records:
            if (kept_vector := self._embedded(text)) is not None:
                self._index.enter(id, kept_vector)

    async def check(self, id: str, turn: int, text: str, *, lenient: bool) -> str:
        """Empty where nothing means the same; else a sentence naming what does.

        A `lenient` text is entered whatever it repeats, unless a person set the threshold.
        """
        vector = await self._embed(text, id)
        self._index.release(id)
        key = f"{id}:{turn}"
        decided = self._journal.get_decision(SEMANTIC, key)
        if decided is None and lenient and self._given is None:
            decided = ""
        elif decided is None:
            found = self._index.find(vector)
            decided = f"means the same as {found.id} ({found.cosine:.3f})" if found else ""
            self._journal.decide(SEMANTIC, key, decided)
        if not decided:
            self._open[id] = vector
            self._index.enter(id, vector)
        return str(decided)

    def settle(self, id: str, *, kept: bool) -> None:
        """The candidate has ended."""
        self._open.pop(id, None)
        if not kept:
            self._index.release(id)

    def _recall(self, id: str) -> list[float] | None:
        if id in self._open:
            return self._open[id]
        text = self._text_of(id)
        return None if text is None else self._embedded(text)


class NoDeduplication(SettlingDeduplicator):
    """`--duplicates off`: every text is new."""

    def check_wording(self, id: str, text: str) -> str:
        """Never a duplicate."""
        return ""

    async def check_meaning(self, id: str, text: str, *, lenient: bool) -> str:
        """Never a duplicate."""
        return ""


async def open_deduplicator(session: Session, inputs: PreparedInputs) -> SettlingDeduplicator:
    """The deduplicator of a run, with all that is settled entered; its thresholds are learned once and journaled.

    Raises:
        errors.EndpointUnusable: embeddings are wanted, and the endpoint gives none.
    """
    spec, journal = session.spec, session.journal
    if spec.duplicates == "off":
        return NoDeduplication()
    known = journal.get_meta(WORDING_THRESHOLD)
    texts = [(seed.id, seed.draft.input) for seed in inputs.seeds]
    lexical = LexicalIndex(spec.duplicates, texts, threshold=known)
    if known is None:
        journal.set_meta(WORDING_THRESHOLD, lexical.threshold)
    semantic = await _open_semantic(session, inputs) if spec.embeddings else None
    deduplicator = JournaledDeduplicator(journal, lexical, semantic)
    for id, text in _read_settled(inputs, journal):
        deduplicator.restore(id, text)
    return deduplicator


def read_duplicate_thresholds(journal: Journal) -> dict[str, float]:
    """From which similarity in `wording` and, with embeddings, which cosine in `meaning` a text is a duplicate."""
    kept = {"wording": journal.get_meta(WORDING_THRESHOLD), "meaning": journal.get_meta(MEANING_THRESHOLD)}
    return {name: round(value, 4) for name, value in kept.items() if value is not None}


async def _open_semantic(session: Session, inputs: PreparedInputs) -> SemanticCheck:
    journal, embeddings = session.journal, session.embeddings
    texts = {seed.id: seed.draft.input for seed in inputs.seeds}
    ids = {seed.id for seed in inputs.seeds}

    def text_of(id: str) -> str | None:
        outcome = journal.get_outcome(id)
        if outcome is None or outcome.seed not in ids:
            return texts.get(id)
        return read_varying(orjson.loads(outcome.payload))

    async def learn(vectors: list[list[float]]) -> float:
        return await embeddings.learn_threshold(vectors, labelled=inputs.format.labelled)

    semantic = SemanticCheck(
        journal, embeddings.embed, embeddings.recall_text, text_of, learn, session.spec.meaning_threshold
    )
    try:
        await semantic.enter(texts, _read_settled(inputs, journal))
    except NodeError as fault:
        raise EndpointUnusable(
            f"{session.spec.embeddings} gives no embeddings: {fault}",
            hint="--embeddings names an embedding model that the endpoint serves",
        ) from fault
    return semantic


def _read_settled(inputs: PreparedInputs, journal: Journal) -> Iterator[tuple[str, str]]:
    """Records of earlier invocations by id, and what varies in each."""
    ids = {seed.id for seed in inputs.seeds}
    for outcome in journal.read_outcomes("accepted", "surplus"):
        if outcome.seed in ids:
            yield outcome.node, read_varying(orjson.loads(outcome.payload))
