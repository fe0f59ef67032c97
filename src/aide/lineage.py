"""Where a record came from: its way from the seed, with every call that was made for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from aide.errors import InputError
from aide.journal import Call, Journal
from aide.pipeline.folder import RunFolder
from aide.pipeline.prepare import SEED


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the way: the seed (`line` is what was journaled of it), or a record or reject with its calls."""

    id: str
    kind: str
    line: Mapping[str, Any]
    calls: tuple[Call, ...]

    def as_dict(self, *, prompts: bool) -> dict[str, Any]:
        """The station as JSON values; with `prompts`, what was sent and what came back."""
        calls = []
        for call in self.calls:
            row: dict[str, Any] = {
                "step": call.step, "draw": call.draw, "attempt": call.attempt, "model": call.answered_by,
                "endpoint": call.endpoint, "prompt_tokens": call.usage.prompt, "completion_tokens": call.usage.completion,
                "seconds": call.seconds, "cost": call.cost, "reused": call.reused,
            }  # fmt: skip
            if prompts:
                row.update(system=call.system, user=call.user, answer=call.body.decode("utf-8", "replace"))
            calls.append(row)
        return {"id": self.id, "kind": self.kind, "content": dict(self.line), "calls": calls}


def trace(folder: RunFolder, id: str) -> list[Step]:
    """From the seed to the node of that id (a unique beginning is enough).

    Raises:
        InputError: where the folder holds no run or no such node.
    """
    if not folder.journal.exists():
        raise InputError(f"{folder.path} is no run folder: it has no journal", hint="name the folder of a run")
    with Journal.open(folder.journal, readonly=True) as journal:
        node = _resolve(journal, id, folder)
        way: list[Step] = []
        while (outcome := journal.outcome(node)) is not None:
            line = orjson.loads(outcome.payload)
            way.append(Step(node, outcome.kind, line, tuple(journal.calls(node=node))))
            node = outcome.parent
        seeds = dict(journal.decisions(SEED))
        if node in seeds:
            way.append(Step(node, "seed", seeds[node], tuple(journal.calls(node=node))))
        return way[::-1]


def _resolve(journal: Journal, id: str, folder: RunFolder) -> str:
    if journal.outcome(id) is not None:
        return id
    found = {outcome.node for outcome in journal.outcomes(payload=False) if id and outcome.node.startswith(id)}
    if len(found) == 1:
        return found.pop()
    told = f"{len(found)} ids begin with {id}" if found else f"there is no record {id}"
    raise InputError(f"{told} in {folder.path}", hint="ids stand in the field `id` of shards/*.jsonl and rejects.jsonl")
