"""The frontier of a run: quotas from the target, and everything that was settled before put back in its place."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import orjson

from aide.config.spec import RunSpec
from aide.frontier import ENDLESS, Frontier, GrowWork, Slot, TreeShape, split_evenly, split_over_hops
from aide.journal import Journal, Outcome
from aide.records import Seed, replace, rng

START = "start"
RECORDS = ("accepted", "rejected", "failed", "surplus")
_STRIDE = 1000


def pack_slot(high: int, low: int) -> int:
    """Two small numbers in the one an outcome keeps: draw and index of a record, triples and personas of a plant."""
    return high * _STRIDE + low


def unpack_slot(slot: int) -> tuple[int, int]:
    """The inverse of `pack`."""
    return divmod(slot, _STRIDE)


def split_target(spec: RunSpec, seeds: Sequence[Seed], journal: Journal) -> dict[str, int] | None:
    """How many records each seed is to have; `None` for the whole tree.

    A target is split evenly over the seeds that were there when it was first asked for; a seed that comes later gets
    the same share on top.
    """
    if spec.per_seed is not None:
        return dict.fromkeys((seed.id for seed in seeds), spec.per_seed)
    if spec.target == "all":
        return None
    base = journal.get_meta("shares")
    if base is None or base["target"] != spec.target:
        base = {"target": spec.target, "seeds": [seed.id for seed in seeds]}
        journal.set_meta("shares", base)
    first = dict(zip(base["seeds"], split_evenly(spec.target, len(base["seeds"])), strict=True))
    later = spec.target // max(1, len(first))
    return {seed.id: first.get(seed.id, later) for seed in seeds}


def split_labels(
    spec: RunSpec, labels: Sequence[str], drawn: Sequence[str], total: int, held: Counter[str]
) -> dict[str, int]:
    """How many records each label is to have; empty where labels are not balanced.

    `uniform` splits evenly, `seeds` as the seeds do (largest remainders first); never below what is there already.
    """
    if not labels or spec.balance == "none":
        return {}
    if spec.balance == "uniform":
        caps = [max(total, held[name]) for name in labels]
        return dict(zip(labels, split_over_hops(total, caps, [held[name] for name in labels]), strict=True))
    counts = Counter(drawn)
    exact = {name: total * counts[name] / max(1, len(drawn)) for name in labels}
    quotas = {name: int(exact[name]) for name in labels}
    for name in sorted(labels, key=lambda name: quotas[name] - exact[name])[: total - sum(quotas.values())]:
        quotas[name] += 1
    return {name: max(quotas[name], held[name]) for name in labels}


def make_label_chooser(spec: RunSpec, near: Mapping[str, Sequence[str]]) -> Any:
    """The intended label of a child: the parent's or, for a quarter of them, one that is easily confused with it."""

    def flip(slot: Slot, parent_label: str) -> str:
        others = near.get(parent_label, ())
        chance = rng(str(spec.seed), slot.parent, slot.kind, str(slot.index), str(slot.draw))
        if others and chance.random() < 0.25:
            nearest = others[:3]
            return chance.choices(nearest, weights=range(len(nearest), 0, -1))[0]
        return parent_label or (others[0] if others else "")

    return flip


def read_work(outcome: Outcome) -> GrowWork:
    """The piece of work that an outcome settled."""
    draw, index = unpack_slot(outcome.slot)
    return GrowWork(
        Slot(outcome.parent, outcome.operation, index, draw, outcome.label), outcome.seed, outcome.depth
    )


def build_frontier(
    spec: RunSpec,
    seeds: Sequence[Seed],
    journal: Journal,
    *,
    triples: int,
    labels: Sequence[str],
    near: Mapping[str, Sequence[str]],
    out: Collection[str] = (),
) -> Frontier:
    """The frontier as it stands: seeds with their quotas, settled nodes in their slots, open ones first in line.

    What is in `out` was pruned: its place is free again, and nothing grows from it.
    """
    held: dict[str, list[int]] = {seed.id: [0] * spec.hops for seed in seeds}
    by_label: Counter[str] = Counter()
    for outcome in journal.read_outcomes("accepted", payload=False):
        if outcome.node in out:
            continue
        by_label[outcome.label] += 1
        if outcome.seed in held and outcome.depth <= spec.hops:
            held[outcome.seed][outcome.depth - 1] += 1
    wanted = split_target(spec, seeds, journal)
    gone = by_label.total() - sum(map(sum, held.values()))
    total = None if wanted is None else sum(wanted.values()) + gone
    drawn = [seed.draft.output for seed in seeds]
    quotas = split_labels(spec, labels, drawn, total, by_label) if total is not None else {}
    shape = TreeShape(
        spec.operations,
        triples,
        spec.personas,
        spec.hops,
        total,
        quotas,
        make_label_chooser(spec, near) if labels else None,
    )
    frontier = Frontier(shape)
    for seed in seeds:
        ask = (
            [ENDLESS] * spec.hops
            if wanted is None
            else split_over_hops(wanted[seed.id], shape.compute_caps(), held[seed.id])
        )
        frontier.add_seed(seed.id, seed.draft.output if labels else "", ask)
    settled = _restore(frontier, journal, out, retry=spec.retry_failed)
    if total is not None:
        for work in _started(journal, settled):
            frontier.reopen(work)
    return frontier


async def promote_surplus(frontier: Frontier, journal: Journal) -> None:
    """Where the target has grown, records that were finished beyond the old one come first."""
    for outcome in list(journal.read_outcomes("surplus")):
        if frontier.promote(read_work(outcome), outcome.node, outcome.label):
            await journal.settle(replace(outcome, kind="accepted"))


def _restore(frontier: Frontier, journal: Journal, out: Collection[str], *, retry: bool) -> set[str]:
    settled = set()
    for outcome in journal.read_outcomes(payload=False):
        if outcome.kind == "planted":
            triples, personas = unpack_slot(outcome.slot)
            if frontier.has_branch(outcome.node) and (triples or personas or not retry):
                frontier.finish_planting(outcome.node, triples, personas)
        elif outcome.kind != "failed" or not retry:
            settled.add(outcome.node)
            kept = outcome.kind == "accepted" and outcome.node not in out
            frontier.restore(read_work(outcome), outcome.node if kept else "", outcome.label)
    return settled


def read_extraction_failures(journal: Journal) -> Iterator[str]:
    """The reason for each branch whose attributes could not be had."""
    for outcome in journal.read_outcomes("planted"):
        if outcome.slot == pack_slot(0, 0) and (reason := orjson.loads(outcome.payload).get("reason")):
            yield reason


def _started(journal: Journal, settled: set[str]) -> Iterator[GrowWork]:
    for node, value in journal.read_decisions(START):
        if node not in settled and isinstance(value, list):
            parent, kind, index, draw, label, seed, depth = value
            yield GrowWork(Slot(parent, kind, index, draw, label), seed, depth)
