"""How long a report takes and how much memory: `python benchmarks/report.py [RECORDS…]` (default 4200 and 100000).

The folders are written straight into a journal, without a model: texts of 300 characters, three calls with prompts of
3 kB for each record (one call beyond 10,000 candidates), of which one in ten is a reject. The drift is in the summary,
where the end of a run leaves it.
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson

from aide.journal import AnsweredCall, Journal, Outcome
from aide.records import Usage, digest, rng
from aide.report import write_report
from aide.run.drift_report import measure_drift
from aide.run.folder import RunFolder

WORDS = [
    "river",
    "market",
    "seven",
    "carry",
    "lantern",
    "often",
    "because",
    "winter",
    "station",
    "apples",
    "measure",
]
SEEDS, CHILDREN = 10, 20


def text(name: str, words: int) -> str:
    return " ".join(rng(name).choices(WORDS, k=words))


async def write(folder: RunFolder, records: int, calls: int) -> None:
    journal = Journal.open(folder.journal)
    parents = []
    for n in range(SEEDS):
        seed = digest("seed", str(n))
        journal.decide("seed", seed, {"name": f"s{n}", "input": text(seed, 40), "output": "1", "batch": 1})
        parents.append((seed, seed, 0))
    made, at = 0, 0
    while made < records:
        seed, parent, depth = parents[at]
        at += 1
        found = {"topic": text(parent, 1), "triples": [], "personas": []}
        await journal.settle(Outcome(parent, "planted", seed, "", depth, 5005, "", "", orjson.dumps(found)))
        waiting = []
        for child in range(min(CHILDREN, records - made)):
            made += 1
            id = digest(parent, str(child))
            lineage = {
                "seed_id": seed, "parent_id": parent, "hop": depth + 1, "operation": "reasoning", "persona": None,
                "anchored": False,
                "triple": {"topic": found["topic"], "relation": "has", "attribute": text(id, 1)},
            }  # fmt: skip
            line = {
                "id": id, "task": "bench", "format": "open", "input": text(id + "i", 45), "output": text(id + "o", 30),
                "lineage": lineage, "revisions": 0, "model": "m", "meta": {},
                "scores": {"relevance": 7 + made % 3, "diversity": 5 + made % 5, "correct": True},
            }  # fmt: skip
            kind = "rejected" if made % 10 == 0 else "accepted"
            if kind == "rejected":
                line = {
                    "id": id,
                    "step": "reflect",
                    "reason": "low_diversity",
                    "detail": text(id, 20),
                    "failed": False,
                    "input": "",
                    "lineage": lineage,
                }
            else:
                parents.append((seed, id, depth + 1))
            for step in ("synthesize", "answer", "reflect")[:calls]:
                user = text(parent, 400) + text(id, 60)
                body = orjson.dumps({"choices": [{"message": {"content": text(id + step, 40)}}]})
                waiting.append(
                    journal.record(
                        AnsweredCall(
                            id + step,
                            id,
                            step,
                            0,
                            0,
                            "m",
                            "e",
                            "m",
                            "system",
                            user,
                            {},
                            body,
                            Usage(1, 700, 60),
                            1.0,
                            made / 50,
                            0.0,
                        )
                    )
                )
            waiting.append(
                journal.settle(
                    Outcome(id, kind, seed, parent, depth + 1, 0, "reasoning", "", orjson.dumps(line))
                )
            )
        async with asyncio.TaskGroup() as group:
            for each in waiting:
                group.create_task(each)
    seeds = {id: row["input"] for id, row in journal.read_decisions("seed")}
    accepted = journal.count_outcomes()["accepted"]
    folder.summary.write_bytes(orjson.dumps({"accepted": accepted, "drift": measure_drift(journal, seeds)}))
    journal.close()


def main(sizes: list[int]) -> None:
    for size in sizes:
        with tempfile.TemporaryDirectory() as place:
            folder = RunFolder(Path(place))
            pid = os.fork()
            if pid == 0:  # another process writes, so that the memory measured is the report's alone
                asyncio.run(write(folder, size, 3 if size <= 10_000 else 1))
                os._exit(0)
            os.waitpid(pid, 0)
            wall, cpu = time.perf_counter(), time.process_time()
            path = write_report(folder)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{size:>8,} candidates: {wall:5.2f} s ({cpu:.2f} s CPU), {path.stat().st_size / 1e6:.2f} MB, "
                f"peak {peak:.0f} MiB"
            )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [4200, 100_000])
