"""Run folders for tests of report, trace and prune: grown with the simulator, or written with hostile texts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson

from aide.journal import AnsweredCall, Journal, Outcome
from aide.records import Usage
from aide.run.folder import RunFolder
from aide.shards import Shards

HOSTILE = (
    "<script>alert('owned')</script><img src=x onerror=alert(1)> [go](javascript:alert(2)) \x1b[31mred\x1b[0m "
    "\x1b]0;title\x07 \u202egnp.exe\u202c </script><!-- <svg/onload=alert(3)> \u2066hidden\u2069 \x00 é 漢字 שלום"
)
SEED = "5eed" + "0" * 16


def hostile(path: Path, *, long: int = 1_000_000) -> RunFolder:
    """A folder in which everything that a model or a seed file can write is hostile; one record has a long text."""
    folder = RunFolder(path)
    path.mkdir()
    asyncio.run(_fill(folder, long))
    counts = {
        "target": 2,
        "planned": 3,
        "accepted": 2,
        "rejected": 1,
        "calls": 2,
        "tokens": {"prompt": 20, "completion": 8},
        "cost": 0.5,
    }
    summary = {**counts, "format": "open", "stopped": HOSTILE, "exit_code": 0, "by_hop": {"1": 1, "2": 1}}
    folder.summary.write_text(json.dumps(summary))
    origins = {"task": "flag --task", "hops": "default"}
    manifest = {
        "spec": {"task": HOSTILE, "hops": 2},
        "origins": origins,
        "seeds": [{"path": HOSTILE}],
        "begun": 1.0,
        "ended": 3.0,
    }
    folder.write_manifest(manifest)
    return folder


async def _fill(folder: RunFolder, long: int) -> None:
    journal = Journal.open(folder.journal)
    seed = {"name": HOSTILE, "input": HOSTILE, "output": HOSTILE, "choices": [], "batch": 1}
    journal.decide("seed", SEED, seed)
    found = {"topic": HOSTILE, "triples": [_triple()], "personas": [HOSTILE]}
    await journal.settle(Outcome(SEED, "planted", SEED, "", 0, 1001, "", "", orjson.dumps(found)))
    first, second = "a" * 20, "b" * 20
    shards = Shards(folder.shards)
    for id, parent, hop, text in ((first, SEED, 1, HOSTILE), (second, first, 2, HOSTILE + "x" * long)):
        line = record(id, parent, hop, text)
        await journal.record(call(f"key{hop}", id, "synthesize", HOSTILE))
        await journal.settle(
            Outcome(id, "accepted", SEED, parent, hop, 0, "reasoning", "", orjson.dumps(line))
        )
        shards.append(line)
    lineage = record("c" * 20, SEED, 1, "")["lineage"]
    reject = {
        "id": "c" * 20,
        "step": "reflect",
        "reason": HOSTILE,
        "detail": HOSTILE,
        "failed": False,
        "input": HOSTILE,
        "lineage": lineage,
    }
    await journal.settle(
        Outcome("c" * 20, "rejected", SEED, SEED, 1, 1, "reasoning", "", orjson.dumps(reject))
    )
    shards.close()
    journal.close()


def record(id: str, parent: str, hop: int, text: str) -> dict[str, Any]:
    lineage = {
        "seed_id": SEED, "parent_id": parent, "hop": hop, "operation": "reasoning", "triple": _triple(),
        "persona": None, "anchored": hop > 1,
    }  # fmt: skip
    scores = {"relevance": 8, "diversity": 7, "correct": True}
    return {
        "id": id, "task": HOSTILE, "format": "multiple_choice", "input": text, "output": HOSTILE,
        "choices": [HOSTILE, "other"], "lineage": lineage, "scores": scores, "revisions": 1, "model": HOSTILE,
        "meta": {},
    }  # fmt: skip


def call(key: str, node: str, step: str, text: str) -> AnsweredCall:
    body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
    return AnsweredCall(
        key, node, step, 0, 0, "m", "e", text, text, text, {}, body, Usage(1, 10, 4), 0.5, 100.0, 0.25
    )


def _triple() -> dict[str, str]:
    return {"topic": HOSTILE, "relation": HOSTILE, "attribute": HOSTILE}
