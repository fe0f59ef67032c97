"""Embeddings of a run for the map of its report, each in a few bytes."""

from base64 import b64encode
from collections.abc import Iterator
from operator import mul
from typing import Final

from aide.journal import Journal
from aide.records import read_varying, rng
from aide.report.gather import ReportFacts
from aide.run.embeddings import recall_vector
from aide.vectors import Vector

MAPPED: Final = 1500
"""Vectors in one report: they take half a second to read, and two hundred kilobytes."""

WIDTH: Final = 96
"""Numbers of a folded vector: cosines of folded vectors are off by about one in its square root."""


def read_map_vectors(facts: ReportFacts, journal: Journal) -> dict[str, str]:
    """Folded vectors by id: of the seeds, and of as many of the records and rejects shown as there is room for.

    Empty where the run had no embeddings.
    """
    spec = facts.manifest.get("spec", {})
    model = spec.get("embeddings")
    if not model:
        return {}
    found: dict[str, str] = {}
    signs: list[int] = []
    for id, text in _list_texts(facts):
        if vector := recall_vector(journal, model, text):
            if len(signs) != len(vector):
                signs = rng("map", str(len(vector))).choices((-1, 1), k=len(vector))
            found[id] = pack_folded(fold_vector(vector, signs))
            if len(found) >= MAPPED:
                break
    return found


def _list_texts(facts: ReportFacts) -> Iterator[tuple[str, str]]:
    """Seeds first, then all others in the order of their ids, which are hashes: a fair sample."""
    yield from ((id, str(seed["input"])) for id, seed in facts.seeds.items())
    texts = {record["id"]: read_varying(record) for record in facts.records}
    texts |= {line["id"]: str(line["input"]) for line in facts.rejects if line["input"]}
    yield from sorted(texts.items())


def fold_vector(vector: Vector, signs: list[int], width: int = WIDTH) -> list[float]:
    """The vector in at most `width` numbers that keep its cosines roughly.

    Each number is a sum with random signs of every `width`-th (the hashing trick: Weinberger et al., ICML 2009).
    """
    turned = list(map(mul, vector, signs))
    return [sum(turned[start::width]) for start in range(min(width, len(turned)))]


def pack_folded(values: list[float]) -> str:
    """The numbers as signed bytes, the largest of them 127, in base64."""
    top = max(map(abs, values)) or 1.0
    return b64encode(bytes(round(127 * value / top) & 255 for value in values)).decode()
