"""Lines of JSON: what a shard costs to write and to read, by our own code and by jsonlines.

    python benchmarks/lines.py [--records 20000] [--rounds 5]

Records of about 1.8 kB go to a file, each visible to readers as a whole line, and come back with their ids.
Medians of all rounds in microseconds a record; the writers take turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonlines
import orjson

from aide.records import digest
from aide.shards import AppendOnlyLines

TEXT = "The bridge over the river was built by masons from two towns. " * 12


def make_records(count: int) -> list[dict[str, Any]]:
    lineage = {"seed_id": "a" * 20, "parent_id": "b" * 20, "hop": 2, "operation": "constraint"}
    return [
        {
            "id": digest(str(n)),
            "input": f"{n} {TEXT}",
            "output": TEXT,
            "lineage": lineage,
            "scores": {"relevance": 8},
        }
        for n in range(count)
    ]


def write_as_shard(path: Path, records: list[dict[str, Any]]) -> None:
    with AppendOnlyLines(path) as lines:
        for record in records:
            lines.append(record)


def write_with_jsonlines(path: Path, records: list[dict[str, Any]]) -> None:
    with jsonlines.open(path, "w", flush=True) as writer:
        for record in records:
            writer.write(record)


def write_with_jsonlines_and_orjson(path: Path, records: list[dict[str, Any]]) -> None:
    with jsonlines.open(path, "w", flush=True, dumps=orjson.dumps) as writer:
        for record in records:
            writer.write(record)


def read_as_shard(path: Path, records: list[dict[str, Any]]) -> None:
    AppendOnlyLines(path).close()


def read_with_jsonlines(path: Path, records: list[dict[str, Any]]) -> None:
    with jsonlines.open(path) as reader:
        {record["id"] for record in reader}


def read_with_jsonlines_and_orjson(path: Path, records: list[dict[str, Any]]) -> None:
    with jsonlines.open(path, loads=orjson.loads) as reader:
        {record["id"] for record in reader}


WAYS: tuple[Callable[[Path, list[dict[str, Any]]], None], ...] = (
    write_as_shard, write_with_jsonlines_and_orjson, write_with_jsonlines,
    read_as_shard, read_with_jsonlines_and_orjson, read_with_jsonlines,
)  # fmt: skip


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    records = make_records(given.records)
    taken: dict[str, list[float]] = {way.__name__: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            path = Path(folder) / f"{number}.jsonl"
            for way in WAYS:
                if way.__name__.startswith("write"):
                    path.unlink(missing_ok=True)
                began = time.process_time()
                way(path, records)
                taken[way.__name__].append((time.process_time() - began) / len(records) * 1e6)
    for name, figures in taken.items():
        print(f"{name.replace('_', ' '):36} {statistics.median(figures):6.1f} µs a record")


if __name__ == "__main__":
    main()
