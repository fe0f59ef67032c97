"""The frontier of a run: quotas from the target, and everything that was settled before put back in its place."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from aide.config.spec import RunSpec
from aide.frontier import ChooseParent, Frontier, GroupWork, PlainShare, Slot, TreeShape
from aide.journal import Journal, Outcome
from aide.recipes import NOT_NEEDED, Roots
from aide.records import PLAIN, Seed, replace
from aide.run.composition import Composition, Held, SeedBatch, compose, share_target, split_batches
from aide.run.shares import take_share

GROUP: Final = "group"
"""Kind of the decision that keeps a composed group: its slots, and what its prompt was given beside them."""
REPEATED: Final = ("duplicate", "copy")
"""Reasons of rejects that say that a candidate repeated what was there."""
_STRIDE: Final = 1000


def pack_slot(high: int, low: int) -> int:
    """Two small numbers in the one an outcome keeps: draw and index of a record."""
    return high * _STRIDE + low


def unpack_slot(slot: int) -> tuple[int, int]:
    """The inverse of `pack_slot`."""
    return divmod(slot, _STRIDE)


def pack_offered(offered: Sequence[int]) -> int:
    """How many of each matter were planted, in the one number an outcome keeps."""
    packed = 0
    for count in offered:
        packed = packed * _STRIDE + count
    return packed


def unpack_offered(packed: int, matters: int) -> tuple[int, ...]:
    """The inverse of `pack_offered` for so many matters."""
    return tuple(packed // _STRIDE**place % _STRIDE for place in reversed(range(matters)))


def read_slot(outcome: Outcome, pool: str) -> Slot:
    """The slot of a settled candidate; `pool` is that of its seed."""
    if outcome.operation == PLAIN:
        return Slot(pool, PLAIN, outcome.slot, 0, outcome.label)
    draw, index = unpack_slot(outcome.slot)
    return Slot(outcome.parent, outcome.operation, index, draw, outcome.label)


def batch_seeds(
    spec: RunSpec, seeds: Sequence[Seed], pools: Mapping[str, str], journal: Journal
) -> list[SeedBatch]:
    """The seeds of the files by the batch in which they came, each batch with its share of the target.

    `pools` gives the pool of each seed that the folder ever knew.
    """
    by_pool: dict[str, list[Seed]] = defaultdict(list)
    for seed in seeds:
        by_pool[pools[seed.id]].append(seed)
    first: dict[str, int] = {}
    if spec.per_seed is None and spec.target != "all":
        base = journal.get_meta("shares")
        if base is None or base["target"] != spec.target:
            base = {"target": spec.target, "seeds": [seed.id for seed in seeds]}
            journal.set_meta("shares", base)
        first = share_target(spec.target, base["seeds"])
    return split_batches(spec, sorted(by_pool.items(), key=lambda each: int(each[0])), first)


def count_held(
    journal: Journal, pools: Mapping[str, str], here: Collection[str], out: Collection[str]
) -> Held:
    """Accepted records of the seeds that are `here`, but for those in `out`."""
    held = Held(Counter(), Counter())
    for outcome in journal.read_outcomes("accepted", payload=False):
        if outcome.node in out or outcome.seed not in here:
            continue
        if outcome.operation == PLAIN:
            held.plain[pools[outcome.seed], outcome.label] += 1
        else:
            held.guided[outcome.label or pools[outcome.seed], outcome.depth] += 1
    return held


def plan_levels(
    spec: RunSpec,
    shape: TreeShape,
    seeds: Sequence[Seed],
    pools: Mapping[str, str],
    journal: Journal,
    labels: Sequence[str],
    near: Mapping[str, Sequence[str]],
    out: Collection[str],
    weights: Mapping[str, int] | None = None,
    roots: Roots | None = None,
) -> Composition:
    """The quotas of all levels, with what earlier invocations accepted; of a part of the run its share."""
    held = count_held(journal, pools, {seed.id for seed in seeds}, out)
    batches, part = batch_seeds(spec, seeds, pools, journal), spec.part
    if part is None:
        return compose(spec, shape, batches, labels, near, held, weights, roots)
    # What one part holds no other knows: the whole is composed as if nothing were there, the same in each part.
    whole = compose(spec, shape, batches, labels, near, Held(), weights, roots)
    return take_share(whole, shape, part, pools, held)


def build_frontier(
    shape: TreeShape,
    composition: Composition,
    journal: Journal,
    pools: Mapping[str, str],
    *,
    groups: tuple[int, int],
    choose: ChooseParent,
    out: Collection[str] = (),
    retry_failed: bool = False,
    patience: int = 0,
    share: PlainShare | None = None,
) -> Frontier:
    """The frontier as it stands: levels with their quotas, settled candidates in their slots, open groups first.

    `groups` are the most slots of a guided and of a plain group. What is in `out` was pruned: its place is free again,
    and nothing grows from it. `share` are the plain records of a part.
    """
    frontier = Frontier(
        shape, group=groups[0], plain_group=groups[1], choose=choose, patience=patience, share=share
    )
    for (pool, label), quota in composition.plain.items():
        frontier.add_plain(pool, label, quota)
    for stratum in composition.strata:
        frontier.add_stratum(stratum.name, stratum.label, stratum.roots, stratum.quotas)
    here = set(pools) if share else {root.seed for stratum in composition.strata for root in stratum.roots}
    settled = _restore_outcomes(frontier, journal, pools, here, out, retry=retry_failed)
    if not shape.whole:
        for work in _read_groups(journal, settled):
            frontier.reopen(work)
    return frontier


async def promote_surplus(frontier: Frontier, journal: Journal, pools: Mapping[str, str]) -> None:
    """Where the target has grown, records that were finished beyond the old one come first."""
    for outcome in list(journal.read_outcomes("surplus")):
        if frontier.promote(read_slot(outcome, pools.get(outcome.seed, "")), outcome.node, outcome.seed):
            await journal.settle(replace(outcome, kind="accepted"))


def _restore_outcomes(
    frontier: Frontier,
    journal: Journal,
    pools: Mapping[str, str],
    here: Collection[str],
    out: Collection[str],
    *,
    retry: bool,
) -> set[str]:
    """Put everything back; returns the ids of what is settled. `here` are the seeds that the files have."""
    settled = set()
    reasons = _read_reasons(journal)
    for outcome in journal.read_outcomes(payload=False):
        if outcome.kind == "planted":
            offered = unpack_offered(outcome.slot, len(frontier.shape.matters))
            if (any(offered) or not retry) and frontier.adopt(outcome.node):
                frontier.planted(outcome.node, offered)
        elif outcome.kind != "failed" or not retry:
            settled.add(outcome.node)
            kept = outcome.kind == "accepted" and outcome.node not in out
            slot, pool = read_slot(outcome, pools.get(outcome.seed, "")), pools.get(outcome.seed, "")
            frontier.restore(
                slot, outcome.seed, outcome.node if kept else "",
                repeated=reasons.get(outcome.node) in REPEATED,
                surplus=outcome.kind == "surplus" or reasons.get(outcome.node) == NOT_NEEDED,
                stratum=(outcome.label or pool) if outcome.seed in here else "", depth=outcome.depth,
            )  # fmt: skip
    return settled


def _read_reasons(journal: Journal) -> dict[str, str]:
    """Reasons of rejects that a frontier asks for: what repeated others, and what came too late for the target."""
    rejects = (
        (each.node, orjson.loads(each.payload)["reason"]) for each in journal.read_outcomes("rejected")
    )
    return {node: reason for node, reason in rejects if reason == NOT_NEEDED or reason in REPEATED}


def read_reasons_without_attributes(journal: Journal) -> Iterator[str]:
    """The reason for each parent whose attributes could not be had."""
    for outcome in journal.read_outcomes("planted"):
        if not outcome.slot and (reason := orjson.loads(outcome.payload).get("reason")):
            yield reason


def freeze_group(work: GroupWork, ids: Sequence[str]) -> dict[str, Any]:
    """A group as it is journaled: its slots, and the ids of their records."""
    return {
        "seed": work.seed,
        "depth": work.depth,
        "slots": [slot.as_list() for slot in work.slots],
        "ids": list(ids),
    }


def _read_groups(journal: Journal, settled: Collection[str]) -> Iterator[GroupWork]:
    """Groups that were composed and of which something is still open."""
    for _, value in journal.read_decisions(GROUP):
        done = frozenset(place for place, id in enumerate(value["ids"]) if id in settled)
        if len(done) < len(value["ids"]):
            slots = tuple(Slot(*each) for each in value["slots"])
            yield GroupWork(slots, value["seed"], value["depth"], done)
