"""What the journal costs: CPU per recorded call, size of commit groups, bytes per call, time of a recall.

    PYTHONPATH=src python benchmarks/journal.py [--calls 6000] [--rate 1500] [--in-flight 64] [--folder DIR]

`in flight` tasks record one call after another, paced so that all together make `rate` calls a second (0: as
fast as it goes). CPU is that of the whole process, less that of the same loop without a journal.
"""

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from aide.journal import AnsweredCall, Journal
from aide.records import Usage, digest, rng

VOCABULARY = """
river market ledger orchard signal window copper winter garden engine harbour lesson branch mirror candle
number reason answer figure letter common gentle narrow sudden yellow follow gather listen notice wonder
"""
WORDS = VOCABULARY.split()


def prose(length: int, *names: str) -> str:
    """Text of about that many characters."""
    source = rng("prose", *names)
    return " ".join(source.choices(WORDS, k=length // 7))


def make_calls(count: int) -> list[AnsweredCall]:
    """Calls shaped like those of a run: a shared system text, a prompt of 3 kB, an answer of 1 kB."""
    system, front = prose(1800, "system"), prose(2400, "front")
    calls = []
    for i in range(count):
        answer = {"choices": [{"message": {"role": "assistant", "content": prose(800, "answer", str(i))}}]}
        calls.append(
            AnsweredCall(
                key=digest("call", str(i)),
                node=digest("node", str(i // 4)),
                step=("extract", "synthesize", "answer", "reflect")[i % 4],
                draw=0,
                attempt=0,
                model="a-model-name",
                endpoint="http://127.0.0.1:8000/v1",
                answered_by="a-model-name-2026-01",
                system=system,
                user=front + prose(800, "user", str(i)),
                sent={"temperature": 1.0, "top_p": 0.95, "max_tokens": 600},
                body=json.dumps(answer).encode(),
                usage=Usage(1, 1300, 200, 900),
                seconds=1.5,
                at=1.8e9 + i,
                cost=0.0003,
            )
        )
    return calls


async def drive(journal: Journal | None, calls: list[AnsweredCall], rate: float, in_flight: int) -> None:
    """Record all calls from `in_flight` tasks, `rate` a second in sum."""
    started = time.perf_counter()

    async def work(first: int) -> None:
        for i in range(first, len(calls), in_flight):
            if rate:
                await asyncio.sleep(max(0.0, started + i / rate - time.perf_counter()))
            if journal is not None:
                await journal.record(calls[i])

    async with asyncio.TaskGroup() as group:
        for first in range(in_flight):
            group.create_task(work(first))


def measure(folder: Path, calls: list[AnsweredCall], rate: float, in_flight: int) -> dict[str, float]:
    """One run with a fresh journal, less one without."""
    cpu = time.process_time()
    asyncio.run(drive(None, calls, rate, in_flight))
    idle = time.process_time() - cpu
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "journal.sqlite"
        journal = Journal.open(path)
        cpu, wall = time.process_time(), time.perf_counter()
        asyncio.run(drive(journal, calls, rate, in_flight))
        wall = time.perf_counter() - wall
        journal.close()
        cpu = time.process_time() - cpu - idle
        size = path.stat().st_size
        journal = Journal.open(path)
        journal._database.write.set_trace_callback(count)
        fresh = [replace(call, key=digest("again", call.key)) for call in calls[:1500]]
        asyncio.run(drive(journal, fresh, rate, in_flight))
        hit = lookup(journal, [call.key for call in calls[:1000]])
        miss = lookup(journal, [digest("miss", str(i)) for i in range(1000)])
        journal.close()
    return {
        "cpu_us_per_call": cpu / len(calls) * 1e6,
        "calls_per_s": len(calls) / wall,
        "calls_per_commit": len(fresh) / commits,
        "bytes_per_call": size / len(calls),
        "hit_us": hit,
        "miss_us": miss,
    }


def lookup(journal: Journal, keys: list[str]) -> float:
    """CPU of one `recall_body` in microseconds."""
    cpu = time.process_time()
    for key in keys:
        journal.recall_body(key)
    return (time.process_time() - cpu) / len(keys) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=1500)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    calls = make_calls(options.calls)
    gc.collect()
    gc.freeze()  # the prepared calls are no part of what is measured
    rounds = [measure(options.folder, calls, options.rate, options.in_flight) for _ in range(options.rounds)]
    medians = {name: round(statistics.median(each[name] for each in rounds), 1) for name in rounds[0]}
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
