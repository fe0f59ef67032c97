"""Run folders of a few records, written as a run would have written them, and reviews over them."""

import asyncio
import http.client
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from aide.journal import Journal, Outcome
from aide.records import digest
from aide.review import FolderReview
from aide.run.folder import RunFolder
from aide.run.seed_pool import SEED as SEED_DECISION

SEED = digest("seed", "the one")
SEED_ROW = {
    "name": "first", "input": "My parcel never came", "output": "delivery", "fixed": [], "varying": "input",
    "frame": "{input}",
}  # fmt: skip
EVERYTHING: Mapping[str, str] = {"order": "grown"}


def make_record(name: str, text: Any, output: Any = "delivery", **more: Any) -> dict[str, Any]:
    """A record of hop 1 under that seed; `more` are fields of its line, or of lineage and scores."""
    lineage = {
        "seed_id": SEED, "parent_id": SEED, "hop": 1, "operation": "constraint", "persona": None, "anchored": False,
        "triple": {"topic": "t", "relation": "r", "attribute": "a"}, **more.pop("lineage", {}),
    }  # fmt: skip
    return {
        "id": digest("record", name), "task": "mail", "format": "classification", "input": text, "output": output,
        "lineage": lineage, "scores": {"relevance": 9, "diversity": 9, "agreement": "2/2"}, "revisions": 0,
        "model": "m", "meta": {}, **more,
    }  # fmt: skip


def make_reject(name: str, text: str, **more: Any) -> dict[str, Any]:
    line = make_record(name, text, lineage={"label": "billing"})
    return {
        "id": line["id"], "step": "reflect", "reason": "label_mismatch", "detail": "the judge says otherwise",
        "failed": False, "input": text, "scores": {"relevance": 7}, "lineage": line["lineage"], **more,
    }  # fmt: skip


def write_folder(
    path: Path,
    records: list[dict[str, Any]],
    rejects: list[dict[str, Any]] | None = None,
    seed: Mapping[str, Any] = SEED_ROW,
) -> RunFolder:
    """A run folder with these lines in its shards, its rejects and its journal."""
    folder = RunFolder(path)
    folder.create()
    folder.shards.mkdir()
    folder.write_manifest({"spec": {}, "origins": {}, "seeds": []})
    append_records(folder, records)
    folder.rejects.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in rejects or ()))
    asyncio.run(_fill(folder, records, rejects or [], seed))
    return folder


def append_records(folder: RunFolder, records: list[dict[str, Any]], end: bytes = b"\n") -> None:
    with (folder.shards / "part-00000.jsonl").open("ab") as file:
        for line in records:
            file.write(orjson.dumps(line) + end)


async def _fill(
    folder: RunFolder, records: list[dict[str, Any]], rejects: list[dict[str, Any]], seed: Mapping[str, Any]
) -> None:
    with Journal.open(folder.journal) as journal:
        journal.decide(SEED_DECISION, SEED, seed)
        for kind, lines in (("accepted", records), ("rejected", rejects)):
            for line in lines:
                above, hop = line["lineage"]["parent_id"], line["lineage"]["hop"]
                await journal.settle(
                    Outcome(line["id"], kind, SEED, above, hop, 0, "constraint", "", orjson.dumps(line))  # type: ignore[arg-type]
                )


@contextmanager
def open_review(folder: RunFolder) -> Iterator[FolderReview]:
    review = FolderReview(folder, lambda: 1.0)
    try:
        yield review
    finally:
        review.close()


def find(review: FolderReview, name: str) -> dict[str, Any]:
    """The row of the record or reject of that name."""
    numbers = review.choose({**EVERYTHING, "text": digest("record", name)})["numbers"]
    [row] = review.list_rows(numbers)
    return row


def ask_server(url: str, name: str, body: Any = None) -> Any:
    """What a page at this address is answered.

    Raises:
        OSError: the server is gone, or refuses.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}api/{name}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except (http.client.HTTPException, ValueError) as fault:
        raise OSError("the answer broke off") from fault


def read_reviews(folder: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.path / "reviews.jsonl").read_text().splitlines()]
