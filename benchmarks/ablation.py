"""What the parts of the method are worth, against an endpoint that answers with real texts.

Run: `AIDE_TASKS=FOLDER python benchmarks/ablation.py [HOPS]`; the folder holds `seeds/<task>.jsonl` and
`gold/<task>.jsonl`. The pool is all gold together; every task is expanded from its own seeds, deep and
narrow, in each of the variants below, without plain records, which have no hops. No judge, no checks of duplicates,
length or language: what is measured is what the prompts ask for.

on task    the share of the texts of a hop that belong to the task of their seed
regions    into how many of the task's 30 regions the texts on task fall; a region is what lies nearest to one
           of 30 texts drawn from the task's gold
anchored   the share of the texts whose prompt carried the seed
calls      calls for a text: those for attributes and personas, the text, its answer

It is a regression test of prompts and bookkeeping. It says nothing about what a model makes of these prompts.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from corpus import Corpus, CorpusSimulator

from aide.card import card_to_toml
from aide.config.spec import RunSpec
from aide.engines.local import LocalModels, make_endpoint, run_locally
from aide.llm.client import CallableTransport
from aide.llm.pool import EndpointPool
from aide.recipes.aide import Aide
from aide.records import replace, rng
from aide.run.expansion import Expansion
from aide.run.folder import RunFolder
from aide.run.inputs import SeedSource, count_inputs_card
from aide.run.session import RunRequest

Aide.draws_traits = False  # the texts are there already, of whatever length and form
HOPS = 6
TARGET = 120
REGIONS = 30
NEVER = 99
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "rewriting alone": {"personas": 0, "residual_after": NEVER, "rewriting": True},
    "attributes": {"personas": 0, "residual_after": NEVER},
    "personas": {"operations": (), "residual_after": NEVER},
    "attributes, personas": {"residual_after": NEVER},
    "rewriting alone, residual": {"personas": 0, "rewriting": True},
    "attributes, residual": {"personas": 0},
    "attributes, personas, residual": {},
    "attributes, personas, adaptive": {"residual": "adaptive"},
    "all three, one a call": {"together": 1},
    "all three, siblings aware": {"together": 1, "siblings": "aware"},
    "all three, answer separate": {"answer": "separate"},
}


@dataclass
class Figures:
    """What one variant did on one task."""

    made: Counter[int] = field(default_factory=Counter)
    right: Counter[int] = field(default_factory=Counter)
    anchored: int = 0
    calls: int = 0
    regions: int = 0
    possible: int = 0


@cache
def corpus() -> Corpus:
    """All gold, read once a process."""
    return Corpus.read([str(path) for path in sorted(tasks("gold").glob("*.jsonl"))])


def tasks(half: str) -> Path:
    return Path(os.environ["AIDE_TASKS"]) / half


@cache
def regions(task: str) -> dict[str, int]:
    """The region of each text of a task."""
    texts = [known.draft.input for known in corpus().pool if known.task == task]
    centres = rng("regions", task).sample(texts, min(REGIONS, len(texts)))
    places = range(len(centres))
    return {text: max(places, key=lambda place: corpus().likeness(text, centres[place])) for text in texts}


async def grow(task: str, variant: str, scratch: Path) -> tuple[list[dict[str, Any]], int]:
    """The records of one run, and the calls it took."""
    wanted = {"hops": int(sys.argv[1]) if len(sys.argv) > 1 else HOPS, **VARIANTS[variant]}
    unread = ("line",) if wanted.pop("rewriting", False) else ()
    spec = RunSpec(
        base_url=("sim:",), format="free_text", target=TARGET, reflection=False, exam=False, agreement="off",
        duplicates="off", concurrency=1, demonstrations=0, plain_share=0, **wanted,
    )  # fmt: skip
    simulator = CorpusSimulator(corpus().fresh(), unread)

    async def answer(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return await simulator.respond(path, body, headers)

    models = LocalModels(spec)
    models.pool = EndpointPool(
        [make_endpoint(each, spec.model) for each in spec.list_endpoints()],
        ceiling=1, timeout=600, patience=60, transport=CallableTransport(answer),
    )  # fmt: skip
    seeds = (str(tasks("seeds") / f"{task}.jsonl"),)
    source = SeedSource(spec, seeds)
    folder = RunFolder(scratch / "run")
    folder.create()
    card = replace(count_inputs_card(spec, source.read()), min_words=1, max_words=10**6, language="English")
    folder.card.write_text(card_to_toml(card), encoding="utf-8")
    records: list[dict[str, Any]] = []

    async def emit(record: dict[str, Any]) -> None:
        records.append(record)

    request = RunRequest(spec, {}, seeds, folder)
    await run_locally(Expansion(request, source, models, Nobody(), emit=emit))
    return records, sum(stats["calls"] for stats in models.pool.collect_stats().values())


class Nobody:
    """Looks at no run."""

    def on_card(self, *_: Any) -> None: ...

    def on_precheck(self, *_: Any) -> None: ...

    def on_progress(self, *_: Any) -> None: ...
    def on_trouble(self, trouble: Any) -> None: ...


def measure(job: tuple[str, str]) -> tuple[str, str, Figures]:
    """One task in one variant."""
    task, variant = job
    scratch = Path(tempfile.mkdtemp())
    try:
        records, calls = asyncio.run(grow(task, variant, scratch))
    finally:
        shutil.rmtree(scratch)
    figures, home, reached = Figures(calls=calls), regions(task), set()
    for record in records:
        hop, known = record["lineage"]["hop"], corpus().find(record["input"])
        figures.made[hop] += 1
        figures.anchored += record["lineage"]["anchored"]
        if known is not None and known.task == task:
            figures.right[hop] += 1
            reached.add(home[known.draft.input])
    figures.regions, figures.possible = len(reached), len(set(home.values()))
    return task, variant, figures


def main() -> None:
    """Print the table over all tasks, and the last hop by task."""
    if not os.environ.get("AIDE_TASKS") or not tasks("gold").is_dir():
        print("skipped: AIDE_TASKS names a folder with seeds/ and gold/")
        return
    names = sorted(path.stem for path in tasks("gold").glob("*.jsonl"))
    began = time.monotonic()
    jobs = [(task, variant) for task in names for variant in VARIANTS]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as workers:
        found = list(workers.map(measure, jobs, chunksize=len(VARIANTS)))
    hops = sorted({hop for *_, figures in found for hop in figures.made})
    pool = len(corpus().pool)
    print(f"{len(names)} tasks, {TARGET} texts of each in {len(hops)} hops, from a pool of {pool:,}")
    print(
        f"{'':32}on task at hop"
        + "".join(f"{hop:6}" for hop in hops)
        + "   all   regions  anchored  calls a text"
    )
    for variant in VARIANTS:
        rows = [figures for _, name, figures in found if name == variant]
        by_hop = [
            sum(row.right[hop] for row in rows) / max(1, sum(row.made[hop] for row in rows)) for hop in hops
        ]
        made = sum(row.made.total() for row in rows)
        right = sum(row.right.total() for row in rows)
        reached = sum(row.regions / row.possible for row in rows) / len(rows)
        shown = "".join(f"{share:6.0%}" for share in by_hop)
        anchored, calls = sum(row.anchored for row in rows), sum(row.calls for row in rows)
        print(
            f"{variant:46}{shown}{right / made:6.0%}{reached:10.0%}{anchored / made:10.0%}{calls / made:14.2f}"
        )
    results = [
        {
            "task": task,
            "variant": variant,
            "made": dict(row.made),
            "on_task": dict(row.right),
            "regions": row.regions,
        }
        for task, variant, row in found
    ]
    out = Path(__file__).parent / "results" / "local" / "ablation.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    spent = getrusage(RUSAGE_CHILDREN).ru_utime + getrusage(RUSAGE_CHILDREN).ru_stime
    told = f"{time.monotonic() - began:.0f} s, {spent:.0f} s of the processors; by task in results/local/{out.name}"
    print(told, file=sys.stderr)


if __name__ == "__main__":
    main()
