"""Embeddings of many texts: by the model of an endpoint, each paid for once, or by MiniLM on this machine."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aide.dataset.minilm import MiniLM
from aide.errors import NodeError
from aide.run.embeddings import Embeddings
from aide.run.single_steps import map_in_order
from aide.vectors import Vector, pack_vector


@dataclass(slots=True)
class TextVectors:
    """Vectors of unit norm by text."""

    model: str = ""
    """The name of the model; empty where there are none."""
    vectors: dict[str, Vector] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    """Texts that the model gave no vector for, by reason."""


async def embed_by_endpoint(
    embeddings: Embeddings, model: str, texts: Iterable[str], at_once: int
) -> TextVectors:
    """One call a text, durable as every call; what fails is left out and counted.

    Raises:
        errors.AideError: of scope `run`.
    """
    found = TextVectors(model)

    async def embed(text: str) -> tuple[str, Vector | None]:
        try:
            return text, pack_vector(await embeddings.embed(text, embeddings.key_of(text)[:20]))
        except NodeError as fault:
            found.failures[fault.reason] += 1
            return text, None

    async for text, vector in map_in_order(dict.fromkeys(texts), embed, at_once=at_once):
        if vector is not None:
            found.vectors[text] = vector
    return found


def embed_by_minilm(name: str, texts: Sequence[str]) -> TextVectors:
    """All texts at once, some 20 milliseconds for a short one on one core.

    Raises:
        InputError: the model is not installed.
    """
    different = list(dict.fromkeys(texts))
    return TextVectors(name, dict(zip(different, MiniLM().embed(different), strict=True)))
