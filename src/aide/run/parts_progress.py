"""Where a run stands, also one in parts: the state of a folder, and the counts of all parts together."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aide.config.partition import Partition
from aide.errors import AideError, InputError
from aide.journal import Journal
from aide.run.folder import RunFolder
from aide.run.journal_check import is_cut
from aide.run.merged_summary import add_counts, count_journal
from aide.run.parts import MERGED, is_unmerged, list_parts
from aide.run.progress import Progress
from aide.shards import is_locked

RUNNING: Final = "running"
FINISHED: Final = "finished"
STOPPED: Final = "stopped"
KILLED: Final = "killed"
MISSING: Final = "missing"
DAMAGED: Final = "damaged"
PRUNED: Final = "pruned"
_LONGEST: Final = ("seconds", "seconds_left")
"""Of what goes on at the same time, the longest counts."""


def read_state(folder: RunFolder) -> str:
    """`running`, `finished`, `stopped` or `killed`; `missing` where nothing has begun."""
    manifest = folder.read_manifest()
    if is_locked(folder.path):
        return RUNNING
    if not manifest:
        return MISSING
    return FINISHED if "finished" in manifest else STOPPED if "ended" in manifest else KILLED


def read_part_state(folder: RunFolder) -> str:
    """As `read_state`, of a part: `pruned` where it ended and records were taken out since, and `damaged`.

    A file that can't be read must not stop whoever asks for all parts.
    """
    try:
        state, told, summary = read_state(folder), folder.read_progress(), folder.read_summary()
    except InputError:
        return DAMAGED
    if state == STOPPED and told.get("pruned") and not summary.get("stopped"):
        state = PRUNED
    gone = state == FINISHED and not folder.journal.exists()
    return DAMAGED if gone or (state != RUNNING and is_cut(folder.journal)) else state


def read_counts(folder: RunFolder) -> dict[str, Any]:
    """The counts of one folder as `progress.json` has them; after a kill by the journal, which is ahead of it."""
    told = folder.read_progress()
    if read_state(folder) != KILLED or not folder.journal.exists():
        return told
    progress = Progress()
    progress.take_over(told)
    try:
        with Journal.open(folder.journal, readonly=True) as journal:
            count_journal(progress, journal)
    except AideError:  # one that cannot be read is told of by whoever needs it
        return told
    settled = progress.planned
    if not settled and not progress.usage.calls:
        return told
    progress.planned = max(told.get("planned") or 0, settled)
    progress.open, progress.in_flight = progress.planned - settled, 0
    return {
        **progress.as_dict(),
        **{name: told[name] for name in ("target", "this_run") if name in told},
    }


def read_part_rows(root: RunFolder) -> list[dict[str, Any]]:
    """Name, state and counts of each part; empty for a run that is in none."""
    rows = []
    parts = list_parts(root.path)
    count = next((part.count for part in parts), 0)
    for part in (Partition(index, count) for index in range(count)):
        folder = parts.get(part)
        state = read_part_state(folder) if folder else MISSING
        told = read_counts(folder) if folder and state != DAMAGED else {}
        facts = {"state": state, "accepted": told.get("accepted", 0), "target": told.get("target")}
        rows.append({"name": part.folder_name, **facts})
    return rows


def list_left_out(root: RunFolder) -> list[str]:
    """The parts whose records a reader of the root lacks, with their states: those that are not finished.

    Once parts are merged, those that are not, as long as records are missing.
    """
    rows, merged = read_part_rows(root), root.read_manifest().get(MERGED)
    if merged:
        told = root.read_progress()
        short = told.get("target") is None or told.get("accepted", 0) < told["target"]
        return [f"{row['name']} ({row['state']})" for row in rows if short and row["name"] not in merged]
    return [f"{row['name']} ({row['state']})" for row in rows if row["state"] not in (FINISHED, PRUNED)]


def read_root_state(root: RunFolder, parts: Sequence[Mapping[str, Any]]) -> str:
    """The state of a run, which may be in parts that are not merged: running while one of them is."""
    if not is_unmerged(root.path):
        return read_state(root)
    states = {part["state"] for part in parts}
    if states & {MISSING, DAMAGED, PRUNED}:
        states.add(STOPPED)
    return next((state for state in (RUNNING, KILLED, STOPPED) if state in states), FINISHED)


def read_root_progress(root: RunFolder) -> dict[str, Any]:
    """The counts of a run; those of all parts together while they are not merged."""
    if not is_unmerged(root.path):
        return read_counts(root)
    sound = [each for each in list_parts(root.path).values() if read_part_state(each) != DAMAGED]
    begun = [told for folder in sound if (told := read_counts(folder))]
    if not begun:
        return {}
    whole = dict(begun[0])
    for each in begun[1:]:
        whole = add_counts(whole, each)
    asked = sound[0].read_manifest().get("spec", {})
    if isinstance(asked.get("target"), int) and asked.get("per_seed") is None:
        whole["target"] = asked["target"]  # that of all parts, also of those that have not begun
    whole["cost"] = (
        None if any(each["cost"] is None for each in begun) else sum(each["cost"] for each in begun)
    )
    whole["calls_per_record"] = round(whole["calls"] / whole["accepted"], 2) if whole["accepted"] else None
    runs = [each["this_run"] for each in begun]
    whole["this_run"] = {
        **whole["this_run"],
        "rate": round(sum(run["rate"] for run in runs), 3),
        **{
            name: max((run[name] for run in runs if run[name] is not None), default=None) for name in _LONGEST
        },
    }
    return whole
