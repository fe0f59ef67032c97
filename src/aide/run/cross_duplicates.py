"""Duplicates across the parts of a run: what each part could not know of the others, found in one pass.

Nothing is held but the index of a run: about 300 bytes a record, and with embeddings the signs of each vector.
"""

from collections.abc import Mapping, Sequence

import orjson

from aide.config.spec import RunSpec
from aide.dedup.lexical import LexicalIndex
from aide.dedup.semantic import SemanticIndex
from aide.journal import Journal, Outcome
from aide.records import PLAIN, Seed, read_varying
from aide.run.deduplication import MEANING_THRESHOLD, WORDING_THRESHOLD
from aide.run.embeddings import recall_vector
from aide.run.seed_pool import SEED
from aide.shards import IdSet
from aide.vectors import Vector


def find_cross_duplicates(
    spec: RunSpec, parts: Sequence[Journal], root: Journal | None = None
) -> dict[str, str]:
    """The records of the parts that repeat one of an earlier part, by id, each with a sentence that names it.

    `root` holds what was merged before: that stays, and what it has settled of the parts is not looked at again.
    """
    if spec.duplicates == "off" or not parts:
        return {}
    texts = [(id, Seed.from_dict(id, row).draft.input) for id, row in parts[0].read_decisions(SEED)]
    lexical = LexicalIndex(spec.duplicates, texts, threshold=parts[0].get_meta(WORDING_THRESHOLD))
    settled, found = _enter_merged(root, lexical) if root else IdSet(), dict[str, str]()
    meanings = _Meanings(spec, parts, dict(texts)) if spec.embeddings else None
    for number, part in enumerate(parts):
        for outcome in part.read_outcomes("accepted", "surplus"):
            if outcome.node in settled:
                continue
            text = _read_text(outcome)
            hit = lexical.admit(outcome.node, text)
            said = f"{hit.how} duplicate of {hit.id} ({hit.similarity:.2f})" if hit else ""
            if meanings and not said and (said := meanings.check(number, outcome, text)):
                lexical.release(outcome.node)
            if said:
                found[outcome.node] = said
    return found


def _enter_merged(root: Journal, lexical: LexicalIndex) -> IdSet:
    """Enter the records of the root; returns the ids of all that is settled there for good."""
    settled = IdSet()
    for outcome in root.read_outcomes("accepted", "surplus", "rejected"):
        if outcome.kind != "rejected":
            lexical.restore(outcome.node, _read_text(outcome))
        settled.add(outcome.node)
    return settled


class _Meanings:
    """Duplicates in meaning, by the vectors that the parts have paid for."""

    def __init__(self, spec: RunSpec, parts: Sequence[Journal], seeds: Mapping[str, str]) -> None:
        self._parts = parts
        self._model = spec.embeddings
        self._lenient = spec.meaning_threshold is None
        self._places: dict[str, int] = {}
        threshold = spec.meaning_threshold or parts[0].get_meta(MEANING_THRESHOLD) or 1.0
        self._index = SemanticIndex(self._recall, threshold=float(threshold))
        self._seeds = seeds
        for id, text in seeds.items():
            if (vector := recall_vector(parts[0], self._model, text)) is not None:
                self._index.enter(id, vector)

    def check(self, number: int, outcome: Outcome, text: str) -> str:
        """What the record of that part repeats, in a sentence; else empty, and it is entered."""
        vector = recall_vector(self._parts[number], self._model, text)
        if vector is None:
            return ""
        # As in a run: a plain record may mean the same as others, where nobody set the threshold.
        compared = number and not (self._lenient and outcome.operation == PLAIN)
        hit = self._index.find(vector) if compared else None
        if hit is not None and self._places.get(hit.id) != number:
            return f"means the same as {hit.id} ({hit.cosine:.3f})"
        self._places[outcome.node] = number
        self._index.enter(outcome.node, vector)
        return ""

    def _recall(self, id: str) -> Vector | None:
        part = self._parts[self._places.get(id, 0)]
        if id in self._seeds:
            return recall_vector(part, self._model, self._seeds[id])
        outcome = part.get_outcome(id)
        return recall_vector(part, self._model, _read_text(outcome)) if outcome else None


def _read_text(outcome: Outcome) -> str:
    return read_varying(orjson.loads(outcome.payload))
