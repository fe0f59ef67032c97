"""Embeddings in a report: few bytes, and still near what they were near before."""

import asyncio
import json
from base64 import b64decode
from pathlib import Path

from aide.journal import AnsweredCall, Journal
from aide.llm.request import EmbeddingRequest
from aide.records import Usage, rng
from aide.report import write_report
from aide.report.vectors import WIDTH, fold_vector, pack_folded
from aide.run.calls import compute_call_key
from aide.run.folder import RunFolder
from aide.vectors import cosine
from unit.report.folders import SEED, labelled
from unit.report.test_report import unpacked


def make_vector(name: str) -> list[float]:
    values = [rng("vector", name, str(n)).gauss(0, 1) for n in range(768)]
    return scale(values)


def scale(values: list[float]) -> list[float]:
    norm = sum(value * value for value in values) ** 0.5
    return [value / norm for value in values]


def test_what_is_near_stays_near_when_it_is_folded() -> None:
    signs = rng("map", "768").choices((-1, 1), k=768)
    one, other = make_vector("one"), make_vector("other")
    near = scale([0.9 * a + 0.1 * b for a, b in zip(one, other, strict=True)])
    folded, beside, far = (scale(fold_vector(each, signs)) for each in (one, near, other))
    assert len(folded) == WIDTH
    assert cosine(folded, beside) > 0.9
    assert abs(cosine(folded, far)) < 0.4


def test_short_vectors_are_kept_as_they_are_and_bytes_are_signed() -> None:
    assert fold_vector([0.5, -0.25], [1, 1]) == [0.5, -0.25]
    assert list(b64decode(pack_folded([0.5, -0.25]))) == [127, 256 - 64]


def test_a_run_with_embeddings_has_a_map_by_meaning(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "run")
    assert 'id="map-by"' not in write_report(folder).read_text(encoding="utf-8")
    folder.write_manifest({"spec": {"embeddings": "m"}})
    bodies = {
        "Where is my bill?": {"data": [{"embedding": [1.0, 0.0]}]},
        "My card is lost": {"data": [{"embedding": [0.0, 1.0]}]},
        "The card was stolen": {"error": "no vector"},
    }
    asyncio.run(add_embeddings(folder, bodies))
    html = write_report(folder).read_text(encoding="utf-8")
    assert 'id="map-by"' in html
    assert set(unpacked(html)["vectors"]) == {SEED, "a" * 20}


async def add_embeddings(folder: RunFolder, bodies: dict[str, object]) -> None:
    journal = Journal.open(folder.journal)
    for text, body in bodies.items():
        key = compute_call_key(EmbeddingRequest("m", (text,)), 0, 0)
        await journal.record(
            AnsweredCall(
                key, key[:20], "embed", 0, 0, "m", "e", "m", "", text, {}, json.dumps(body).encode(),
                Usage(1, 1, 0), 0.1, 100.0, 0.0,
            )
        )  # fmt: skip
    journal.close()
