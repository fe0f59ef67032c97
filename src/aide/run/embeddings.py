"""Embeddings through the calls of a session: durable as every call."""

import math
from collections.abc import Sequence
from typing import Any

from aide.dedup.paraphrases import PARAPHRASES
from aide.dedup.semantic import learn_threshold
from aide.errors import Unusable
from aide.journal import Journal
from aide.llm.faults import decode_json
from aide.llm.request import EmbeddingRequest
from aide.records import digest
from aide.run.calls import ModelCalls, compute_call_key
from aide.vectors import Vector


class Embeddings:
    """Vectors of unit norm, from the journal or paid for."""

    def __init__(self, calls: ModelCalls, model: str) -> None:
        self._calls = calls
        self._model = model

    async def embed(self, text: str, node: str) -> list[float]:
        """The embedding of a text, by a call of its own that is booked on `node`.

        Raises:
            errors.Unusable: the answer holds no vector.
        """
        [vector] = await self.embed_all((text,), node)
        return vector

    async def embed_all(self, texts: Sequence[str], node: str) -> list[list[float]]:
        """The embeddings of some texts from one call, in their order; else as `embed`."""
        received = await self._calls.answer(self._request(texts), 0, 0, node)
        return read_unit_vectors(received.data, len(texts))

    async def learn_threshold(self, seeds: Sequence[Vector], *, labelled: bool) -> float:
        """The cosine from which texts mean the same to this model, from two calls; see `dedup.semantic`."""
        node = digest("paraphrases")
        sides = [await self.embed_all(side, node) for side in zip(*PARAPHRASES, strict=True)]
        return learn_threshold(seeds, list(zip(*sides, strict=True)), labelled=labelled)

    def recall_text(self, text: str) -> list[float] | None:
        """The embedding of a text that was paid for before by itself."""
        return self.recall(self.key_of(text))

    def recall(self, key: str) -> list[float] | None:
        """The same by the key that `key_of` gave."""
        received = self._calls.recall(key)
        return None if received is None else read_unit_vectors(received.data, 1)[0]

    def key_of(self, text: str) -> str:
        """Under which `recall` finds the embedding of a text, for whoever can't keep the text."""
        return compute_call_key(self._request((text,)), 0, 0)

    def _request(self, texts: Sequence[str]) -> EmbeddingRequest:
        return EmbeddingRequest(self._model, tuple(texts))


def recall_vector(journal: Journal, model: str, text: str) -> list[float] | None:
    """The embedding that a run has paid for, for whoever only reads its journal; `None` if there is none."""
    stored = journal.recall_body(compute_call_key(EmbeddingRequest(model, (text,)), 0, 0))
    try:
        return None if stored is None else read_unit_vectors(decode_json(stored[0]), 1)[0]
    except (Unusable, ValueError):
        return None  # the answer is kept as it came, whatever it holds


def read_unit_vectors(data: Any, count: int) -> list[list[float]]:
    """The vectors in the answer of an embeddings route, of unit norm, in the order of the texts.

    Raises:
        errors.Unusable: there are not so many, or a row is no vector.
    """
    try:
        rows = sorted(data["data"], key=lambda row: row.get("index") or 0)
        found = [[float(value) for value in row["embedding"]] for row in rows]
        if len(found) != count or not all(found):
            raise ValueError(len(found))
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        raise Unusable("no_embedding", "The answer holds no embedding.", said=str(data)[:200]) from fault
    return [_unit(values) for values in found]


def _unit(values: list[float]) -> list[float]:
    norm = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / norm for value in values]
