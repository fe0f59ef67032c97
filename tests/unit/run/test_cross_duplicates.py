"""What parts of a run repeat of each other: word for word, nearly, or by meaning."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from aide.journal import AnsweredCall, Journal, Outcome
from aide.llm.request import EmbeddingRequest
from aide.records import PLAIN, Usage
from aide.run.calls import compute_call_key
from aide.run.cross_duplicates import find_cross_duplicates
from aide.run.deduplication import MEANING_THRESHOLD
from aide.run.seed_pool import SEED
from unit.run.prepared import make_seeds, make_spec

LONG = "The parcel with the blue lamp was left at the wrong door on Tuesday, and nobody answers the phone about it"
SEEDS = make_seeds()


def make_part(
    path: Path, texts: Mapping[str, str], vectors: Mapping[str, list[float]] | None = None, **how: str
) -> Journal:
    """The journal of a part with these records, embedded where `vectors` has them."""

    async def write() -> None:
        with Journal.open(path, pace=0.0) as journal:
            for seed in SEEDS:
                journal.decide(SEED, seed.id, {**seed.as_dict(), "batch": 1})
            for id, text in texts.items():
                payload = orjson.dumps({"id": id, "input": text, "output": "x"})
                operation = how.get(id, "constraint")
                await journal.settle(
                    Outcome(id, "accepted", SEEDS[0].id, SEEDS[0].id, 1, 0, operation, "", payload)
                )
                if vectors:
                    await journal.record(embed(text, vectors[id]))
            journal.set_meta(MEANING_THRESHOLD, 0.9)
            await journal.flush()

    asyncio.run(write())
    return Journal.open(path, readonly=True)


def embed(text: str, vector: list[float]) -> AnsweredCall:
    body = json.dumps({"data": [{"index": 0, "embedding": vector}]}).encode()
    return AnsweredCall(
        key=compute_call_key(EmbeddingRequest("vectors", (text,)), 0, 0), node="", step="embed", draw=0, attempt=0,
        model="vectors", endpoint="e", answered_by="vectors", system="", user=text, sent={}, body=body,
        usage=Usage(1), seconds=0.0, at=0.0, cost=None,
    )  # fmt: skip


def find(
    folder: Path, *parts: Mapping[str, str], root: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    journals = [make_part(folder / f"part{n}", texts) for n, texts in enumerate(parts)]
    merged = make_part(folder / "root", root) if root is not None else None
    return find_cross_duplicates(make_spec(**spec), journals, merged)


def test_later_parts_lose_what_they_repeat(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        {"a": LONG, "b": "Something else that nobody wrote before."},
        {"c": LONG.upper(), "d": "A third text, of which there is no other."},
        {"e": LONG.replace("Tuesday", "Friday"), "f": "A fourth one, short."},
    )
    assert found == {"c": "exact duplicate of a (1.00)", "e": found["e"]}
    assert found["e"].startswith("near duplicate of a (0.")


def test_what_was_merged_before_stays_and_the_rest_is_held_against_it(tmp_path: Path) -> None:
    parts = {"a": LONG, "b": "Something else that nobody wrote before."}, {"c": "Of its own kind."}
    assert find(tmp_path, *parts, root={"z": LONG, **parts[1]}) == {"a": "exact duplicate of z (1.00)"}


def test_exact_and_off_find_less(tmp_path: Path) -> None:
    parts = {"a": LONG}, {"b": LONG}, {"c": LONG.replace("Tuesday", "Friday")}
    assert list(find(tmp_path / "exact", *parts, duplicates="exact")) == ["b"]
    assert find(tmp_path / "off", *parts, duplicates="off") == {}


def test_by_meaning_too_where_the_run_has_embeddings(tmp_path: Path) -> None:
    one = make_part(
        tmp_path / "one",
        {"a": "Where is my parcel?", "b": "How do I pay?"},
        {"a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 0.0]},
    )
    other = make_part(
        tmp_path / "other",
        {"c": "My delivery has not come.", "d": "I would like a lamp.", "e": "The package is late."},
        {"c": [0.99, 0.05, 0.0], "d": [0.0, 0.0, 1.0], "e": [0.98, 0.0, 0.1]},
        e=PLAIN,
    )
    spec = make_spec(embeddings="vectors")
    found = find_cross_duplicates(spec, [one, other])
    assert list(found) == ["c"] and found["c"].startswith("means the same as a (0.99")
    # A threshold that a person set holds for plain records, too.
    strict = make_spec(embeddings="vectors", meaning_threshold=0.9)
    assert list(find_cross_duplicates(strict, [one, other])) == ["c", "e"]
