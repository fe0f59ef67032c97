"""Records that a person took out of a run: a log of what was pruned and restored, and shards that agree with it.

Nothing is deleted: the journal keeps every record and its calls. A pruned record is no parent any more, its place in
the target is free, and its text stays taken, so that what fills the place is something else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from heapq import merge
from pathlib import Path

import orjson

from aide.atomic import write_atomic
from aide.crash_points import hit
from aide.journal import Journal
from aide.shards import list_shards

PRUNE = "prune"


def read_pruned(journal: Journal) -> dict[str, str]:
    """The ids that are out of the shards now, each with the name of the part it stood in."""
    out: dict[str, str] = {}
    for _, entry in journal.read_decisions(PRUNE):
        for part, ids in entry["parts"].items():
            if entry["restored"]:
                for id in ids:
                    out.pop(id, None)
            else:
                out.update(dict.fromkeys(ids, part))
    return out


async def prune_records(journal: Journal, shards: Path, ids: Collection[str], how: str) -> int:
    """Take records out of the shards; returns how many went. `how` is kept with them, for people.

    The journal knows first: after a crash in between, the next run or prune finishes the work.
    """
    parts = {
        path.name: names for path in list_shards(shards) if (names := [id for id in _ids(path) if id in ids])
    }
    # What a crash kept out of the shards would be written there by the next run.
    if torn := set(ids).difference(*parts.values()):
        parts.setdefault(_last(shards), []).extend(sorted(torn))
    await _log(journal, parts, how, restored=False)
    hit("after_prune_log")
    reconcile_shards(journal, shards)
    return sum(map(len, parts.values()))


async def restore_records(journal: Journal, shards: Path, ids: Collection[str], how: str) -> int:
    """Put pruned records back where they stood; returns how many came.

    Pruned right before, the shards are byte by byte as they were. The journal knows last: after a crash in between
    they are pruned still, and the next run or prune takes out what came back too early.
    """
    parts: dict[str, list[str]] = defaultdict(list)
    for id, part in read_pruned(journal).items():
        if id in ids:
            parts[part].append(id)
    back = {id for names in parts.values() for id in names}
    order = {outcome.node: n for n, outcome in enumerate(journal.read_outcomes("accepted", payload=False))}
    last = _last(shards)
    for part, names in parts.items():
        path = shards / part if (shards / part).exists() else shards / last
        standing = [line for line in _lines(path) if _id(line) not in back] if path.exists() else []
        lines = merge(standing, _journaled(journal, names), key=lambda line: order.get(_id(line), len(order)))
        write_atomic(path, lines)
        hit("after_part")
    await _log(journal, parts, how, restored=True)
    hit("after_prune_log")
    return len(back)


def reconcile_shards(journal: Journal, shards: Path) -> None:
    """Take out of the shards what is pruned and stands there still; parts without such lines are left alone.

    What an earlier crash left half written beside them goes too.
    """
    if not shards.is_dir():
        return
    for scratch in shards.glob(".part-*.tmp"):
        scratch.unlink()
    out = read_pruned(journal)
    for path in list_shards(shards) if out else ():
        if any(id in out for id in _ids(path)):
            write_atomic(path, (line for line in _lines(path) if _id(line) not in out))
            hit("after_part")


def read_standing(journal: Journal, out: Collection[str]) -> Iterator[dict[str, object]]:
    """The accepted records that are not pruned, as they stand on disk, in the order in which they were accepted."""
    for outcome in journal.read_outcomes("accepted"):
        if outcome.node not in out:
            yield orjson.loads(outcome.payload)


async def _log(journal: Journal, parts: Mapping[str, Collection[str]], how: str, *, restored: bool) -> None:
    number = sum(1 for _ in journal.read_decisions(PRUNE)) + 1
    if parts:
        entry = {"restored": restored, "how": how, "parts": {part: list(ids) for part, ids in parts.items()}}
        journal.decide(PRUNE, str(number), entry)
        await journal.flush()


def _journaled(journal: Journal, ids: Collection[str]) -> Iterator[bytes]:
    """The lines of these records in the order of the journal."""
    wanted = set(ids)
    for outcome in journal.read_outcomes("accepted", payload=False):
        if outcome.node in wanted and (whole := journal.get_outcome(outcome.node)) is not None:
            yield orjson.dumps(orjson.loads(whole.payload), option=orjson.OPT_APPEND_NEWLINE)


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a part; an end that a crash tore off is none."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _last(shards: Path) -> str:
    """The name of the part that was begun last."""
    return next((path.name for path in reversed(list_shards(shards))), "part-00000.jsonl")


def _ids(path: Path) -> Iterator[str]:
    return map(_id, _lines(path))


def _id(line: bytes) -> str:
    return str(orjson.loads(line)["id"])


__all__ = ["PRUNE", "prune_records", "read_pruned", "read_standing", "reconcile_shards", "restore_records"]
