"""Run folders for tests of report, trace and prune: grown with the simulator, or written with hostile texts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson

from aide.journal import AnsweredCall, Journal, Outcome
from aide.records import Usage, digest, rng
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


def labelled(path: Path) -> RunFolder:
    """A folder with three records of the label `card`, one of them by a persona, and a reject of the label `bill`."""
    folder = RunFolder(path)
    path.mkdir()
    asyncio.run(_fill_labelled(folder))
    return folder


async def _fill_labelled(folder: RunFolder) -> None:
    journal = Journal.open(folder.journal)
    seed = {
        "name": "one",
        "input": "Where is my bill?",
        "output": "bill",
        "choices": ["bill", "card"],
        "batch": 1,
    }
    journal.decide("seed", SEED, seed)
    for id, text, persona in (
        ("a", "My card is lost", None),
        ("b", "The card was stolen", "a farmer"),
        ("c", "A <b>new</b> card, please", None),
    ):
        line = record(id * 20, SEED, 1, text)
        line |= {"format": "classification", "output": "card", "choices": ["bill", "card"]}
        operation = "persona" if persona else "reasoning"
        line["lineage"] |= {"label": "card", "persona": persona, "operation": operation}
        line["lineage"]["triple"] = None if persona else line["lineage"]["triple"]
        await journal.settle(
            Outcome(id * 20, "accepted", SEED, SEED, 1, 0, operation, "", orjson.dumps(line))
        )
    lineage = {**record("d" * 20, SEED, 1, "")["lineage"], "label": "bill"}
    reject = {
        "id": "d" * 20, "step": "reflect", "reason": "off_task", "detail": "why", "failed": False,
        "input": "a lost text", "lineage": lineage,
    }  # fmt: skip
    await journal.settle(
        Outcome("d" * 20, "rejected", SEED, SEED, 1, 1, "reasoning", "", orjson.dumps(reject))
    )
    journal.close()


def bulky(path: Path, records: int) -> RunFolder:
    """A folder of long texts that hardly compress, and as many rejects."""
    folder = RunFolder(path)
    path.mkdir()
    asyncio.run(_fill_bulky(folder, records))
    return folder


async def _fill_bulky(folder: RunFolder, records: int) -> None:
    journal = Journal.open(folder.journal)
    journal.decide("seed", SEED, {"name": "one", "input": "a seed", "output": "1", "choices": [], "batch": 1})
    async with asyncio.TaskGroup() as group:  # together, so that the journal writes them together
        for n in range(records):
            group.create_task(_add_bulk(journal, n))
    journal.close()


async def _add_bulk(journal: Journal, n: int) -> None:
    text = rng("text", str(n)).randbytes(6000).hex()
    id, lost = digest("record", str(n)), digest("reject", str(n))
    await journal.record(call(f"key{n}", id, "synthesize", text[::-1]))
    line = record(id, SEED, 1, text)
    await journal.settle(Outcome(id, "accepted", SEED, SEED, 1, 0, "reasoning", "", orjson.dumps(line)))
    reject = {
        "id": lost, "step": "reflect", "reason": "off_task", "detail": "", "failed": False,
        "input": text, "lineage": line["lineage"],
    }  # fmt: skip
    await journal.settle(Outcome(lost, "rejected", SEED, SEED, 1, 0, "reasoning", "", orjson.dumps(reject)))


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
        line["lineage"] |= {"label": HOSTILE, "persona": HOSTILE}
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
