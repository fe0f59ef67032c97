"""What the records of the recipe `retrieval` teach an embedding model, and how fast passages are found.

Run: `.venv/bin/python benchmarks/retrieval.py`, with `--speed` for 100,000 passages; MiniLM must be installed.
The passages are the rules of a housing cooperative. The held-out queries are what its tenants might ask; they were
written before the others, without sight of them. The written queries are a strong language model's:

    aide expand benchmarks/retrieval_data/seeds.jsonl --recipe retrieval --round-trip 0 \\
        --contexts benchmarks/retrieval_data/passages.jsonl

On top of MiniLM's vectors one matrix is trained, which begins as the identity: InfoNCE over the passages of the batch
and the negatives, by Adam.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from pathlib import Path
from random import Random
from statistics import fmean, stdev
from typing import Any

import numpy

from aide.dataset.minilm import MiniLM
from aide.retrieval import Passage, Retriever, VectorIndex, WordIndex

DATA = Path(__file__).parent / "retrieval_data"
ROUNDS, EPOCHS, BATCH, RATE, HEAT, NEGATIVES = 5, 20, 16, 1e-3, 0.05, 5
Array = numpy.ndarray[Any, Any]


@dataclass(frozen=True)
class Pair:
    """A query with its passage, and with passages that are none; all but the query by number."""

    query: str
    passage: int
    negatives: tuple[int, ...] = ()


def main() -> None:
    """Print a table."""
    if "--speed" in sys.argv[1:]:
        measure_speed()
        return
    rows = read("passages")
    numbers = {row["id"]: number for number, row in enumerate(rows)}
    texts = [row["text"] for row in rows]
    held_out, written = (
        [Pair(row["query"], numbers[row["passage"]]) for row in read(name)]
        for name in ("held_out", "written")
    )
    model = MiniLM()
    passages = model.embed(texts)
    retriever = Retriever(WordIndex(map(Passage, texts)), VectorIndex())
    assert retriever.vectors is not None
    for number, vector in enumerate(passages):
        retriever.vectors.enter(number, vector.tolist())
    asked = model.embed([pair.query for pair in held_out])
    wanted = [pair.passage for pair in held_out]
    vectors = model.embed([pair.query for pair in written])
    print(f"{len(texts)} passages, {len(written)} written queries, {len(held_out)} held-out queries\n")
    print(f"{'':44} {'queries':>7} {'MRR@10':>7} {'first':>6} {'gain':>7} {'±':>6}")
    untrained = find_places(asked, passages, wanted)
    tell("BM25", 0, [[retriever.words.rank(pair.query, pair.passage) for pair in held_out]], untrained)
    tell("MiniLM untrained", 0, [untrained], untrained)
    for name, places in list_filters(retriever, written, vectors).items():
        kept = [at for at, found in enumerate(places) if found]
        for mined, told in ((0, ""), (NEGATIVES, ", mined negatives")):
            pairs = [
                Pair(p.query, p.passage, tuple(retriever.mine_negatives(p.query, p.passage, mined)))
                for p in (written[at] for at in kept)
            ]
            trained = [train(vectors[kept], passages, pairs, seed) for seed in range(ROUNDS)]
            tell(
                f"{name}{told}",
                len(kept),
                [find_places(asked @ m, passages @ m, wanted) for m in trained],
                untrained,
            )


def read(name: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def list_filters(retriever: Retriever, pairs: Sequence[Pair], vectors: Array) -> dict[str, list[bool]]:
    """By the name of a filter, which queries it keeps."""
    assert retriever.vectors is not None
    words = [retriever.words.rank(pair.query, pair.passage) == 1 for pair in pairs]
    asked = list(zip(pairs, (vector.tolist() for vector in vectors), strict=True))
    meaning = [retriever.vectors.rank(vector, pair.passage) == 1 for pair, vector in asked]
    fused = [retriever.search(pair.query, 1, vector) == [pair.passage] for pair, vector in asked]
    return {
        "all queries": [True] * len(pairs),
        "found first by BM25": words,
        "found first by MiniLM": meaning,
        "found first by both": [all(each) for each in zip(words, meaning, strict=True)],
        "found first by either": [any(each) for each in zip(words, meaning, strict=True)],
        "found first by both fused": fused,
    }


def find_places(queries: Array, passages: Array, wanted: Sequence[int]) -> list[int]:
    """The place of each query's passage by cosine."""
    scores = normalise(queries) @ normalise(passages).T
    own = scores[numpy.arange(len(wanted)), wanted]
    found: list[int] = ((scores > own[:, None] + 1e-9).sum(1) + 1).tolist()
    return found


def tell(name: str, count: int, rounds: Sequence[Sequence[int]], beside: Sequence[int]) -> None:
    """A line of the table, each figure the mean over rounds; the difference from `beside` has its standard error over
    queries.
    """
    scores = [fmean(map(score, places)) for places in zip(*rounds, strict=True)]
    gains = [one - score(place) for one, place in zip(scores, beside, strict=True)]
    gain = f"{fmean(gains):+7.3f} {stdev(gains) / sqrt(len(gains)):6.3f}" if any(gains) else ""
    first = fmean(fmean(place == 1 for place in places) for places in rounds)
    print(f"{name:44} {count or '':>7} {fmean(scores):7.3f} {first:6.3f} {gain}")


def score(place: int) -> float:
    """The reciprocal of a place among the first ten."""
    return 1 / place if 0 < place <= 10 else 0.0


def train(queries: Array, passages: Array, pairs: Sequence[Pair], seed: int) -> Array:
    """The matrix that takes a query nearer to its passage than to others."""
    matrix: Array = numpy.eye(queries.shape[1], dtype=numpy.float32)
    mean, square, step = numpy.zeros_like(matrix), numpy.zeros_like(matrix), 0
    order = list(range(len(pairs)))
    dice = Random(seed)
    for _ in range(EPOCHS):
        dice.shuffle(order)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            others = [number for at in batch for number in pairs[at].negatives]
            shown = list(dict.fromkeys([*(pairs[at].passage for at in batch), *others]))
            wanted = [shown.index(pairs[at].passage) for at in batch]
            slope = find_slope(matrix, queries[batch], passages[shown], wanted)
            step += 1
            mean = 0.9 * mean + 0.1 * slope
            square = 0.999 * square + 0.001 * slope**2
            matrix = matrix - RATE * (mean / (1 - 0.9**step)) / (
                numpy.sqrt(square / (1 - 0.999**step)) + 1e-8
            )
    return matrix


def find_slope(matrix: Array, queries: Array, passages: Array, wanted: Sequence[int]) -> Array:
    """The gradient of InfoNCE with respect to the matrix."""
    asked, told = queries @ matrix, passages @ matrix
    left, right = normalise(asked), normalise(told)
    scores = left @ right.T / HEAT
    shares = numpy.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    shares[numpy.arange(len(wanted)), wanted] -= 1
    shares /= len(wanted) * HEAT
    of_queries: Array = queries.T @ unnormalise(shares @ right, left, asked)
    of_passages: Array = passages.T @ unnormalise(shares.T @ left, right, told)
    return of_queries + of_passages


def normalise(rows: Array) -> Array:
    """Rows of unit norm."""
    unit: Array = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def unnormalise(slope: Array, unit: Array, rows: Array) -> Array:
    """The gradient before `normalise`, from the one behind it."""
    along = (slope * unit).sum(1, keepdims=True)
    before: Array = (slope - unit * along) / numpy.linalg.norm(rows, axis=1, keepdims=True)
    return before


def measure_speed(count: int = 100_000, words: int = 120, queries: int = 20) -> None:
    """Print how long it takes to index passages of random words, and to search them."""
    import resource

    dice = Random(1)
    names = [f"word{number}" for number in range(50_000)]
    weights = list(accumulate(1 / (place + 1) for place in range(len(names))))  # as words of a language recur

    def write(length: int) -> str:
        return " ".join(dice.choices(names, cum_weights=weights, k=length))

    started = time.perf_counter()
    index = WordIndex(Passage(write(words)) for _ in range(count))
    built = time.perf_counter() - started
    asked = [write(12) for _ in range(queries)]
    started = time.perf_counter()
    for query in asked:
        index.search(query, 5)
    each = (time.perf_counter() - started) / queries
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} passages: {built:.1f} s to index, {each * 1000:.0f} ms a search, {memory:.0f} MB at most")


if __name__ == "__main__":
    main()
