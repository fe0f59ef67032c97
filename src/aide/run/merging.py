"""Parts of a run become one: their journals in the root's, without what one part repeats of another."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import orjson

from aide.atomic import write_atomic
from aide.config.fingerprint import compare_fingerprints
from aide.config.partition import Partition
from aide.config.spec import RunSpec
from aide.crash_points import hit
from aide.errors import InputError
from aide.journal import Journal, Outcome
from aide.journal.absorbing import absorb_journal
from aide.jsonl import encode_json
from aide.records import Lineage, Reject, read_varying, replace
from aide.run.cross_duplicates import find_cross_duplicates
from aide.run.file_hashes import hash_file
from aide.run.folder import RunFolder, compute_invocation, measure_shards
from aide.run.guard import META as GUARD
from aide.run.merged_summary import summarise_merged
from aide.run.parts import MERGED, list_parts
from aide.run.parts_progress import DAMAGED, FINISHED, RUNNING, STOPPED, read_part_state
from aide.run.pruning import PRUNE, read_pruned, read_standing, reconcile_shards
from aide.run.shares import BLOCK
from aide.shards import AppendOnlyLines, FolderLock, Shards

Tell = Callable[[str], None]
_WHOLE: Final = ("max_calls", "max_total_tokens", "max_cost", "max_cost_per_run", "rpm", "tpm", "endpoints")
"""Settings that a part has a share of; the root keeps its own."""


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of the parts."""

    merged: tuple[str, ...]
    """The names of their folders."""
    left_out: tuple[str, ...]
    """What is missing, each in a sentence."""
    repeated: int
    """Records that repeated those of another part and were taken out."""
    accepted: int
    target: int | None
    short: Mapping[str, int]
    """Of which part how many records are missing, by the name of its folder."""
    late: tuple[str, ...] = ()
    """Parts that came in when the root had been merged before, by the names of their folders."""

    @property
    def missing(self) -> int:
        """Records that the target lacks."""
        return 0 if self.target is None else max(0, self.target - self.accepted)

    @property
    def extra(self) -> int:
        """Records beyond the target."""
        return 0 if self.target is None else max(0, self.accepted - self.target)

    def as_dict(self) -> dict[str, Any]:
        """The merge as JSON values."""
        return {
            "merged": list(self.merged),
            "left_out": list(self.left_out),
            "repeated": self.repeated,
            "accepted": self.accepted,
            "target": self.target,
            "missing": self.missing,
            "extra": self.extra,
            "short": dict(self.short),
        }


def merge_parts(root: RunFolder, now: Callable[[], float], *, partial: bool = False) -> Merge:
    """Make the root the run folder of all its parts, as if one process had grown them. Parts stay as they are.

    A second time only what is new comes in. With `partial` parts that are missing or unfinished do not count.

    Raises:
        InputError: there are no parts, they are of different runs, or some are missing.
        FolderHeld: the root is in use.
    """
    parts = list_parts(root.path)
    if not parts:
        raise InputError(
            f"{root.path} holds no parts",
            hint="name the folder that `aide expand --partition I/N -o DIR` was given",
        )
    with ExitStack() as held:
        held.enter_context(FolderLock(root.path))  # first: another merge holds the parts, too
        left_out, ready = _choose_ready(root, parts, partial=partial)
        for part in ready:
            held.enter_context(FolderLock(part.path))
        before = root.read_manifest().get(MERGED)
        spec = _adopt_manifest(root, ready, now)
        repeated = _absorb(root, ready, spec)
        with Journal.open(root.journal) as journal:
            asyncio.run(_take_pruned(journal, ready))
            _write_lines(root, journal, spec)
            summary = summarise_merged(root, journal, spec, [part.read_summary() for part in ready])
    _finish(root, ready, summary, now)
    return Merge(
        merged=tuple(part.path.name for part in ready),
        left_out=tuple(left_out),
        repeated=sum(repeated.values()),
        accepted=summary["accepted"],
        target=summary["target"],
        short=_find_short(ready, repeated),
        late=tuple(part.path.name for part in ready if before and part.path.name not in before),
    )


def _choose_ready(
    root: RunFolder, parts: Mapping[Partition, RunFolder], *, partial: bool
) -> tuple[list[str], list[RunFolder]]:
    """As `_sort_out`; refuses what is not complete, or with `partial` where nothing can be merged."""
    left_out, ready = _sort_out(parts)
    if left_out and not partial:
        raise InputError(
            f"{root.path} is not complete: {'; '.join(left_out)}",
            hint="run the same command for them again, it goes on where it stopped (remove the folder of a damaged "
            "part before); or merge what is there with --partial",
        )
    if not ready:
        raise InputError(f"{root.path} has no part that can be merged: {'; '.join(left_out)}")
    return left_out, ready


def _sort_out(parts: Mapping[Partition, RunFolder]) -> tuple[list[str], list[RunFolder]]:
    """What is not there or not finished, in sentences, and what can be merged."""
    count = next(iter(parts)).count
    left_out, ready = [], []
    for index in range(count):
        part = Partition(index, count)
        folder = parts.get(part)
        if folder is None or not folder.journal.exists():
            left_out.append(f"{part.folder_name} is missing")
            continue
        state = read_part_state(folder)
        if state == DAMAGED:
            left_out.append(f"{part.folder_name} is damaged")
            continue
        if state != FINISHED:
            why = folder.read_summary().get("stopped") if state == STOPPED else ""
            left_out.append(f"{part.folder_name} was {state}{f': {why}' if why else ''}")
        if state == RUNNING:
            left_out[-1] = f"{part.folder_name} is running"
            continue
        ready.append(folder)
    return left_out, ready


def _adopt_manifest(root: RunFolder, parts: Sequence[RunFolder], now: Callable[[], float]) -> RunSpec:
    """The settings of the whole run, which the root's manifest says from now on.

    Raises:
        InputError: the parts are not of one run.
    """
    manifests = [part.read_manifest() for part in parts]
    first = manifests[0]
    own = root.read_manifest()
    for folder, manifest in zip(
        (*parts, *([root] if own else [])), (*manifests, *([own] if own else [])), strict=True
    ):
        if changed := compare_fingerprints(first["fingerprint"], manifest["fingerprint"]):
            raise InputError(
                f"{folder.path} holds another run than {parts[0].path.name}: {'; '.join(changed[:6])}"
            )
        if folder is not root and _list_hashes(manifest) != _list_hashes(first):
            raise InputError(
                f"{folder.path} grew from other seeds than {parts[0].path.name}",
                hint="run the same command for all parts with the same seeds",
            )
    known, default = own.get("spec") or {}, RunSpec.model_construct().model_dump(mode="json")
    kept = {name: known.get(name, default.get(name)) for name in _WHOLE}
    spec = RunSpec(**{**first["spec"], **kept, "partition": "", "card": None})
    root.write_manifest(
        {
            **first,
            **own,
            "spec": spec.as_dict(),
            "seeds": first["seeds"],
            "begun": own.get("begun", first["begun"]),
        }
    )
    return spec


def _list_hashes(manifest: Mapping[str, Any]) -> list[str]:
    return [each["hash"] for each in manifest["seeds"]]


def _absorb(root: RunFolder, parts: Sequence[RunFolder], spec: RunSpec) -> dict[str, int]:
    """Copy the journals, one part after the other; returns how many records of each repeated others."""
    with ExitStack() as held:
        readers = [held.enter_context(Journal.open(part.journal, readonly=True)) for part in parts]
        before = (
            held.enter_context(Journal.open(root.journal, readonly=True)) if root.journal.exists() else None
        )
        repeats = find_cross_duplicates(spec, readers, before)
    counts = dict.fromkeys((part.path.name for part in parts), 0)
    for part in parts:

        def change(outcome: Outcome, name: str = part.path.name) -> Outcome:
            if outcome.kind not in ("accepted", "surplus") or outcome.node not in repeats:
                return outcome
            counts[name] += outcome.kind == "accepted"
            return _refuse(outcome, repeats[outcome.node])

        absorb_journal(
            root.journal, part.journal, change, skip_decisions=(PRUNE,), skip_meta=("schema", BLOCK, GUARD)
        )
        hit("after_absorbing")
    if not root.card.exists() and parts[0].card.exists():
        write_atomic(root.card, parts[0].card.read_text(encoding="utf-8"))
    return counts


def _refuse(outcome: Outcome, said: str) -> Outcome:
    """The outcome of a record that repeats one of another part."""
    line = orjson.loads(outcome.payload)
    lineage = Lineage.from_dict(line["lineage"])
    reject = Reject(outcome.node, "synthesize", "duplicate", said, False, read_varying(line), lineage)
    return replace(outcome, kind="rejected", payload=encode_json(reject.as_dict()))


async def _take_pruned(journal: Journal, parts: Sequence[RunFolder]) -> None:
    """What was pruned in a part is so in the root."""
    for part in parts:
        with Journal.open(part.journal, readonly=True) as reader:
            out = {id: name for id, name in read_pruned(reader).items() if id not in read_pruned(journal)}
        places: dict[str, list[str]] = {}
        for id, name in out.items():
            places.setdefault(name, []).append(id)
        if places:
            number = sum(1 for _ in journal.read_decisions(PRUNE)) + 1
            entry = {"restored": False, "how": f"pruned in {part.path.name}", "parts": places}
            journal.decide(PRUNE, str(number), entry)
    await journal.flush()


def _write_lines(root: RunFolder, journal: Journal, spec: RunSpec) -> None:
    """Shards and rejects as the journal has them."""
    root.shards.mkdir(exist_ok=True)
    reconcile_shards(journal, root.shards)
    with Shards(root.shards, size=spec.shard_size) as shards:
        shards.rebuild(read_standing(journal, read_pruned(journal)))
    with AppendOnlyLines(root.rejects) as rejects:
        rejects.rebuild(_read_rejects(journal))


def _read_rejects(journal: Journal) -> Iterator[dict[str, Any]]:
    return (orjson.loads(outcome.payload) for outcome in journal.read_outcomes("rejected", "failed"))


def _finish(
    root: RunFolder, parts: Sequence[RunFolder], summary: Mapping[str, Any], now: Callable[[], float]
) -> None:
    """Write the counts, and that the root is a run from now on; it is finished where nothing is missing."""
    for path in (root.progress, root.summary):
        write_atomic(path, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
    manifest = root.read_manifest()
    manifest.pop("finished", None)
    merged = sorted({*manifest.get(MERGED, ()), *(part.path.name for part in parts)})
    done: dict[str, Any] = {}
    if summary["exit_code"] == 0 and len(merged) == len(list_parts(root.path)):
        spec = RunSpec(**manifest["spec"])
        hashes = {str(each["path"]): each["hash"] for each in manifest["seeds"]}
        hashes |= {str(path): hash_file(str(path)) for path in spec.contexts}
        if not spec.contexts or any(_grew_from(part, hashes) for part in parts):
            invocation = compute_invocation(spec, manifest["fingerprint"], hashes)
            done["finished"] = {"invocation": invocation, "shards": measure_shards(root)}
    root.write_manifest({**manifest, **done, MERGED: merged, "ended": now()})


def _grew_from(part: RunFolder, hashes: Mapping[str, str]) -> bool:
    """Whether the files of these hashes are still those that a finished part grew from."""
    manifest = part.read_manifest()
    invocation = compute_invocation(RunSpec(**manifest["spec"]), manifest["fingerprint"], hashes)
    return bool(manifest.get("finished", {}).get("invocation") == invocation)


def _find_short(parts: Sequence[RunFolder], repeated: Mapping[str, int]) -> dict[str, int]:
    """The parts that have fewer records than their share, by name."""
    short = {}
    for part in parts:
        told = part.read_progress()
        missing = max(0, (told.get("target") or 0) - told.get("accepted", 0)) + repeated[part.path.name]
        if missing:
            short[part.path.name] = missing
    return short
