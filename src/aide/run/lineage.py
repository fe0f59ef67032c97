"""Where a record came from, and what grew from it: its way from the seed, and branches that a person takes out."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from aide.atomic import write_atomic
from aide.errors import InputError
from aide.journal import Journal
from aide.records.field_names import explain_unknown_field, is_known_field, look_up_field
from aide.run.drift_report import measure_drift
from aide.run.folder import RunFolder
from aide.run.parts import is_unmerged, list_parts, require_merged
from aide.run.pruning import prune_records, read_pruned, reconcile_shards, restore_records
from aide.run.record_calls import RecordCall, RecordCalls
from aide.run.seed_pool import SEED
from aide.shards import FolderLock


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One station of the way: the seed (`line` is what was journaled of it), or a record or reject with its calls."""

    id: str
    kind: str
    line: Mapping[str, Any]
    calls: tuple[RecordCall, ...]
    pruned: bool = False
    """True where it is out of the shards."""

    @property
    def cost(self) -> float | None:
        """US dollars of its share of these calls; `None` where one has no price."""
        costs = [None if each.call.cost is None else each.call.cost / each.shared_by for each in self.calls]
        return None if None in costs else sum(cost or 0.0 for cost in costs)

    def as_dict(self, *, prompts: bool) -> dict[str, Any]:
        """The station as JSON values; with `prompts`, what was sent and what came back."""
        tokens = {
            "prompt": round(sum(each.call.usage.prompt / each.shared_by for each in self.calls)),
            "completion": round(sum(each.call.usage.completion / each.shared_by for each in self.calls)),
        }
        return {
            "id": self.id,
            "kind": self.kind,
            "pruned": self.pruned,
            "content": dict(self.line),
            "tokens": tokens,
            "cost": self.cost,
            "calls": [_call_as_dict(each, prompts=prompts) for each in self.calls],
        }


def trace_node(folder: RunFolder, id: str) -> list[TraceStep]:
    """From the seed to the node of that id (a unique beginning is enough), in any of the parts that are not merged.

    Raises:
        InputError: where the folder holds no run or no such node.
    """
    if is_unmerged(folder.path):
        folder = _find_part(folder, id)
    with _open(folder, readonly=True) as journal:
        node = resolve_id(journal, id, folder.path)
        out, seeds, calls = read_pruned(journal), dict(journal.read_decisions(SEED)), RecordCalls(journal)
        way: list[TraceStep] = []
        while (outcome := journal.get_outcome(node)) is not None:
            line = orjson.loads(outcome.payload)
            way.append(TraceStep(node, outcome.kind, line, tuple(calls.read(node)), node in out))
            # A seed that stands in for a label that no seed has is a parent under another id.
            known = outcome.parent in seeds or journal.get_outcome(outcome.parent) is not None
            node = outcome.parent if known else outcome.seed
        if node in seeds:
            way.append(TraceStep(node, "seed", seeds[node], tuple(calls.read(node))))
        return way[::-1]


def _find_part(root: RunFolder, id: str) -> RunFolder:
    """The one part that has a node of that id; a seed, which all know, is found in the first of them.

    Raises:
        InputError: none has one, or several have nodes that begin so.
    """
    found: dict[str, RunFolder] = {}
    missing: InputError | None = None
    for part in list_parts(root.path).values():
        with _open(part, readonly=True) as journal:
            try:
                found.setdefault(resolve_id(journal, id, root.path), part)
            except InputError as fault:
                missing = fault
    if len(found) > 1:
        raise InputError(f"{len(found)} ids in {root.path} begin with {id}", hint="give more of it")
    if not found:
        raise missing or InputError(f"there is no record {id} in {root.path}")
    return next(iter(found.values()))


def _call_as_dict(each: RecordCall, *, prompts: bool) -> dict[str, Any]:
    """A call as JSON values; with `prompts`, what was sent and what came back."""
    call = each.call
    row: dict[str, Any] = {
        "step": call.step, "draw": call.draw, "attempt": call.attempt, "model": call.answered_by,
        "endpoint": call.endpoint, "shared_by": each.shared_by, "prompt_tokens": call.usage.prompt,
        "completion_tokens": call.usage.completion, "seconds": call.seconds, "cost": call.cost,
        "reused": call.reused,
    }  # fmt: skip
    if prompts:
        row.update(system=call.system, user=call.user, answer=call.body.decode("utf-8", "replace"))
    return row


def resolve_id(journal: Journal, id: str, path: Path) -> str:
    """The full id that a beginning stands for, of a record, a reject or a seed; a seed's own id will do too.

    Raises:
        InputError: none begins so, or several do.
    """
    if id and (journal.get_outcome(id) is not None or journal.get_decision(SEED, id) is not None):
        return id
    found = {
        outcome.node for outcome in journal.read_outcomes(payload=False) if id and outcome.node.startswith(id)
    }
    for seed, row in journal.read_decisions(SEED):
        if id and row["name"] == id:
            return seed
        if id and seed.startswith(id):
            found.add(seed)
    if len(found) == 1:
        return found.pop()
    if found:
        raise InputError(f"{len(found)} ids in {path} begin with {id}", hint="give more of it")
    raise InputError(
        f"there is no record {id} in {path}",
        hint="ids stand in the field `id` of shards/*.jsonl and rejects.jsonl",
    )


# --- branches that are taken out ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant; nothing at all means every one (for `--restore`).

    `roots` are ids, or beginnings of ids, of records or seeds. `holds` is a condition, which speaks of the fields
    `names`. `how` is the selection in a person's words.
    """

    how: str
    roots: Sequence[str] = ()
    holds: Callable[[Mapping[str, Any]], bool] | None = None
    names: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a prune did: records named, records that moved with descendants, records in the shards now, and out."""

    named: int
    moved: int
    left: int
    out: int


def prune_or_restore(
    folder: RunFolder, wanted: Selection, *, back: bool = False, dry: bool = False
) -> Pruning:
    """Take the selected records and all that grew from them out of the shards, or with `back` put them in again.

    A later `expand` fills the places that became free, and pays for nothing that stays. `dry` only counts.

    Raises:
        InputError: the folder holds no run, or the selection names what is not there.
        FolderHeld: a run is going on in the folder.
    """
    _open(folder, readonly=True).close()
    with FolderLock(folder.path), _open(folder) as journal:
        if not dry:
            reconcile_shards(journal, folder.shards)  # an earlier prune may have been killed
        out = read_pruned(journal)
        roots = _selected(journal, folder, wanted, out, back=back)
        branch = {id for id in find_descendants(journal, roots) if (id in out) == back}
        count = len(branch)
        accepted = journal.count_outcomes().get("accepted", 0)
        gone = len(out) + (-count if back else count)
        if branch and not dry:
            _reopen(folder)
            asyncio.run(
                (restore_records if back else prune_records)(journal, folder.shards, branch, wanted.how)
            )
        if not dry:
            _recount(folder, journal, gone)
        return Pruning(len(roots), count, accepted - gone, gone)


def take_out_refused(folder: RunFolder, refused: Collection[str]) -> int:
    """Take records that a person refused out of the shards, so that the next `expand` fills their places.

    What grew from them stays: the person judged a text, not its branch. Returns how many went.

    Raises:
        FolderHeld: a run is going on in the folder.
    """
    if not refused or not folder.journal.exists():
        return 0
    with FolderLock(folder.path), _open(folder) as journal:
        reconcile_shards(journal, folder.shards)  # an earlier prune may have been killed
        out = read_pruned(journal)
        found = {id: journal.get_outcome(id) for id in refused if id not in out}
        going = {id for id, outcome in found.items() if outcome is not None and outcome.kind == "accepted"}
        if going:
            _reopen(folder)
            asyncio.run(prune_records(journal, folder.shards, going, "refused in a review"))
            _recount(folder, journal, len(out) + len(going))
        return len(going)


def find_descendants(journal: Journal, roots: Collection[str]) -> set[str]:
    """The accepted records among `roots` (records or seeds) and all that grew from them, pruned ones included."""
    branch: set[str] = set()
    for outcome in journal.read_outcomes(
        "accepted", payload=False
    ):  # a parent is settled before its children
        if outcome.node in roots or outcome.parent in roots or outcome.parent in branch:
            branch.add(outcome.node)
    return branch


def _selected(
    journal: Journal, folder: RunFolder, wanted: Selection, out: Collection[str], *, back: bool
) -> set[str]:
    roots = {resolve_id(journal, id, folder.path) for id in wanted.roots}
    for root in roots:
        outcome = journal.get_outcome(root)
        if outcome is not None and outcome.kind != "accepted":
            raise InputError(
                f"{root} is no record of {folder.path}: it was {outcome.kind}",
                hint="name an accepted record or a seed",
            )
    if wanted.holds is None:
        return roots if wanted.roots or not back else set(out)
    seen: set[str] = set()
    rows = 0
    record: dict[str, Any] = {}
    for outcome in journal.read_outcomes("accepted"):
        if (outcome.node in out) != back:
            continue
        record = orjson.loads(outcome.payload)
        rows += 1
        seen.update(name for name in wanted.names if look_up_field(record, name) is not None)
        if wanted.holds(record):
            roots.add(outcome.node)
    if rows and (unknown := sorted(name for name in set(wanted.names) - seen if not is_known_field(name))):
        raise InputError(
            f"no record in {folder.path} has the field {unknown[0]!r}{explain_unknown_field(unknown[0], record)}",
            hint="such as scores.relevance, lineage.hop or lineage.operation",
        )
    return roots


def _recount(folder: RunFolder, journal: Journal, gone: int) -> None:
    """Counts on disk that agree with the shards, of which `gone` records are out."""
    told = {
        path: facts
        for path, facts in (
            (folder.progress, folder.read_progress()),
            (folder.summary, folder.read_summary()),
        )
        if facts
    }
    if all(facts.get("pruned", 0) == gone for facts in told.values()):
        return
    out = read_pruned(journal)
    inputs = {id: row["input"] for id, row in journal.read_decisions(SEED)}
    hops: Counter[int] = Counter()
    labels: Counter[str] = Counter()
    for outcome in journal.read_outcomes("accepted", payload=False):
        if outcome.node not in out:
            hops[outcome.depth] += 1
            labels.update([outcome.label] if outcome.label else [])
    for path, facts in told.items():
        facts.update(
            accepted=hops.total(),
            pruned=len(out),
            by_hop={str(hop): n for hop, n in sorted(hops.items())},
            by_label=dict(sorted(labels.items())),
        )
        if "drift" in facts:
            facts["drift"] = measure_drift(journal, inputs, out)
        write_atomic(path, json.dumps(facts, ensure_ascii=False, indent=2) + "\n")


def _reopen(folder: RunFolder) -> None:
    """Let the run be no longer finished, so that the next one looks at its shards."""
    manifest = folder.read_manifest()
    if manifest.pop("finished", None) is not None:
        folder.write_manifest(manifest)


def _open(folder: RunFolder, *, readonly: bool = False) -> Journal:
    folder.require(folder.journal)
    require_merged(folder.path)
    return Journal.open(folder.journal, readonly=readonly)
