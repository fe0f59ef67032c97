"""From a spec and seed files to a finished run folder: everything in the order in which it must happen."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from aide.config.spec import RunSpec
from aide.dedup.lexical import LexicalIndex
from aide.errors import AideError, EndpointUnusable, FolderHeld, NodeError
from aide.formats import TaskCard
from aide.frontier import Frontier
from aide.journal import Journal
from aide.judging.precheck import Precheck
from aide.metrics.drift import DriftBounds
from aide.prompts import Prompts
from aide.recipes import RECIPES
from aide.recipes.aide import Aide
from aide.records import Seed, Usage, digest, read_varying
from aide.run import inputs as prepare
from aide.run import restore as forest
from aide.run.budget import Budget
from aide.run.calls import Complete, ModelCalls
from aide.run.deduplication import JournaledDeduplicator, NoDeduplication, SemanticCheck
from aide.run.drift_report import measure_drift, measure_embedding_drift
from aide.run.folder import (
    RunFolder,
    check_same_run,
    compute_identity,
    compute_invocation,
    make_manifest,
    measure_shards,
)
from aide.run.hops import HopBuilder
from aide.run.loop import GrowthLoop
from aide.run.precheck import enforce_min_share, run_precheck
from aide.run.progress import Progress, usage_by_step
from aide.run.pruning import read_pruned, read_standing, reconcile_shards
from aide.run.recipe_context import build_recipe_context
from aide.run.test_results import JournaledTestRunner
from aide.sandbox.isolation import Sandbox
from aide.shards import POLL_SECONDS, AppendOnlyLines, FolderLock, Shards, write_atomic


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, and the outside world it needs.

    `complete` gets one answer from an endpoint, retries included; `now` gives unix seconds, `clock` monotonic ones.
    `emit` is given each accepted record once it is safe, those of earlier invocations first. `plan` is what was
    expected of the run, to be held against what it used.
    """

    spec: RunSpec
    origins: Mapping[str, str]
    seeds: tuple[str, ...]
    folder: RunFolder
    complete: Complete
    now: Callable[[], float]
    clock: Callable[[], float]
    room: int = 128
    plan: Mapping[str, Any] = field(default_factory=dict)
    emit: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    note_invalid: Callable[[str, str, str, bool], None] = lambda model, endpoint, rung, shapeless: None
    restore: Callable[[Mapping[str, Any]], None] = lambda snapshot: None
    snapshot: Callable[[], Mapping[str, Any]] = dict
    stats: Callable[[], Mapping[str, Any]] = dict
    in_flight: Callable[[], tuple[int, int]] = lambda: (0, 0)


@dataclass(slots=True)
class Stage:
    """A run that is assembled and not over: what a display looks at, and how to stop it."""

    order: Order
    card: TaskCard | None = None
    progress: Progress = field(default_factory=Progress)
    run: GrowthLoop | None = None
    calls: ModelCalls | None = None
    frontier: Frontier | None = None
    stop: AideError | None = None
    sandbox: Sandbox | None = None
    precheck: Precheck | None = None
    prechecked: Callable[[Precheck], None] = lambda precheck: None
    carded: Callable[[TaskCard], None] = lambda card: None

    def drain(self, reason: AideError) -> None:
        """Start nothing new, finish what is on the wire; the first reason is kept, however early it comes."""
        self.stop = self.stop or reason
        if self.calls is not None:
            self.calls.stop = self.calls.stop or reason
        if self.run is not None:
            self.run.drain(reason)

    def refresh(self) -> Progress:
        """The counts of this moment."""
        progress, calls = self.progress, self.calls
        if self.frontier is not None:
            progress.planned, progress.open = self.frontier.planned, self.frontier.open
        if calls is not None:
            progress.usage = calls.budget.spent
            progress.cost = None if calls.budget.unpriced else calls.budget.money
            progress.calls = calls.made
        progress.in_flight, progress.limit = self.order.in_flight()
        return progress


async def run(stage: Stage, ground: prepare.PreparedInputs) -> dict[str, Any]:
    """Run to the end; returns the summary, which is on disk too.

    Raises:
        errors.AideError: what stopped the run; the folder is complete up to there and can be resumed.
    """
    lock = FolderLock(stage.order.folder.path)
    await _take(lock, stage)
    try:
        return await _run(stage, ground)
    finally:
        lock.release()


async def _take(lock: FolderLock, stage: Stage) -> None:
    """Take the lock within `--lock-wait` seconds, open to signals meanwhile."""
    clock = stage.order.clock
    until = clock() + stage.order.spec.lock_wait
    while True:
        try:
            return lock.acquire()
        except FolderHeld:
            if clock() >= until:
                raise
        await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - clock())))
        if stage.stop is not None:
            raise stage.stop


async def _run(stage: Stage, ground: prepare.PreparedInputs) -> dict[str, Any]:
    order, spec = stage.order, stage.order.spec
    folder = order.folder
    prompts = Prompts(spec.prompts)
    prints = compute_identity(spec)
    stage.sandbox = Sandbox.find() if spec.run_code and ground.format.runs_tests else None
    manifest = folder.read_manifest()
    check_same_run(folder, manifest, prints, adopt=spec.adopt)
    asked = compute_invocation(spec, prints, order.seeds)
    manifest = {
        **make_manifest(spec, order.origins, prints, order.seeds),
        "begun": manifest.get("begun", order.now()),
        "plan": _first_plan(manifest, asked, order.plan),
    }
    folder.write_manifest(manifest)
    journal = Journal.open(folder.journal)
    reuse = Journal.open(RunFolder(Path(spec.reuse)).journal, readonly=True) if spec.reuse else None
    reconcile_shards(journal, folder.shards)
    shards = Shards(folder.shards, size=spec.shard_size)
    rejects = AppendOnlyLines(folder.rejects)
    fault: BaseException | None = None
    try:
        try:
            await _assemble(stage, ground, prompts, journal, reuse, shards, rejects)
            assert stage.run is not None
            await stage.run.expand()
        except BaseException as stop:
            fault = stop
            raise
        finally:
            await journal.flush()
            journal.set_meta("capabilities", dict(order.snapshot()))
            summary = {
                **_summary(stage, journal, fault),
                "gone_seeds": prepare.find_gone_seeds(ground, journal),
                "drift": _drift(stage, ground.seeds, journal),
            }
            _write_json(folder.summary, summary)
            write_progress(stage)
            done = (
                {"finished": {"invocation": asked, "shards": measure_shards(folder)}} if fault is None else {}
            )
            folder.write_manifest({**manifest, **done, "ended": order.now()})
    finally:
        rejects.close()
        shards.close()
        journal.close()
        if reuse is not None:
            reuse.close()
        if stage.sandbox is not None:
            stage.sandbox.close()
    return summary


def _first_plan(manifest: Mapping[str, Any], asked: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """What was expected before the first call for what is asked: a resume must not improve on its own estimate."""
    kept = manifest.get("plan") or {}
    return kept if kept.get("asked") == asked else {"asked": asked, **plan}


async def _assemble(
    stage: Stage,
    ground: prepare.PreparedInputs,
    prompts: Prompts,
    journal: Journal,
    reuse: Journal | None,
    shards: Shards,
    rejects: AppendOnlyLines,
) -> None:
    order, spec = stage.order, stage.order.spec
    order.restore(journal.meta("capabilities") or {})
    budget = Budget(spec, *_spent(journal), clock=order.clock)
    stage.calls = calls = ModelCalls(
        spec, prompts, journal, budget, order.complete,
        now=order.now, reuse=reuse, note_invalid=order.note_invalid,
    )  # fmt: skip
    calls.stop = stage.stop
    card = await prepare.fix_card(spec, ground, order.folder, journal, calls.asker(digest("card")))
    stage.card = prompts.constants["card"] = card
    stage.carded(card)
    pool = prepare.SeedPool(spec, ground, journal)
    novelty = await _novelty(spec, ground.seeds, journal, calls)
    run = JournaledTestRunner(journal, stage.sandbox) if stage.sandbox else None
    brief = build_recipe_context(
        spec, ground, card, prompts, novelty=novelty, demonstrations=pool.demonstrations, run=run,
        embed=partial(calls.embed_all, node=digest("personas")) if spec.embeddings else None,
    )  # fmt: skip
    out = read_pruned(journal)
    stage.frontier = frontier = forest.build_frontier(
        spec, ground.seeds, journal, triples=(spec.attributes + brief.graph_triples) if spec.attributes else 0,
        labels=card.label_names, near=brief.near_labels, out=out,
    )  # fmt: skip
    await forest.promote_surplus(frontier, journal)
    shards.rebuild(read_standing(journal, out))
    rejects.rebuild(_reject_lines(journal))
    _count(stage, journal, ground, out)
    seeds = {seed.id: seed for seed in ground.seeds}
    flip = frontier.shape.flip
    points = HopBuilder(
        spec, seeds, journal, flip, prepare.read_contexts(spec), _bounds(spec, ground.seeds, journal)
    )
    emit = order.emit
    if emit is not None:
        for line in read_standing(journal, out):
            await emit(line)
    if spec.prechecked:
        stage.precheck = await run_precheck(
            spec, ground.seeds, Aide(brief), journal, calls.asker, at_once=max(1, order.room // 2)
        )
        stage.prechecked(stage.precheck)
        enforce_min_share(spec, stage.precheck)
    stage.run = GrowthLoop(
        RECIPES["aide"](brief), frontier, calls, points, novelty, shards, rejects, stage.progress,
        room=order.room, emit=emit,
    )  # fmt: skip


def _drift(stage: Stage, seeds: Sequence[Seed], journal: Journal) -> dict[str, Any]:
    """The drift meter, by words and, where there are embeddings, by meaning."""
    inputs, out = {seed.id: seed.draft.input for seed in seeds}, read_pruned(journal)
    told = measure_drift(journal, inputs, out)
    if stage.order.spec.embeddings and stage.calls is not None:
        meant = measure_embedding_drift(journal, inputs, stage.calls.embedded, out)
        told |= {"meaning": meant} if meant else {}
    return told


def _bounds(spec: RunSpec, seeds: Sequence[Seed], journal: Journal) -> DriftBounds | None:
    """When a parent has drifted, learned from the first seeds and kept; `None` with a fixed residual."""
    if spec.residual == "fixed":
        return None
    known = journal.meta("drift_bounds")
    bounds = DriftBounds(*known) if known else DriftBounds.of([seed.draft.input for seed in seeds])
    if known is None:
        journal.set_meta("drift_bounds", [bounds.usual, bounds.least])
    return bounds


async def _novelty(
    spec: RunSpec, seeds: Sequence[Seed], journal: Journal, calls: ModelCalls
) -> JournaledDeduplicator | NoDeduplication:
    if spec.duplicates == "off":
        return NoDeduplication()
    known = journal.meta("duplicate_threshold")
    texts = [(seed.id, seed.draft.input) for seed in seeds]
    duplicates = LexicalIndex(spec.duplicates, texts, threshold=known)
    if known is None:
        journal.set_meta("duplicate_threshold", duplicates.threshold)
    meaning = await _meaning(spec, seeds, journal, calls) if spec.embeddings else None
    novelty = JournaledDeduplicator(journal, duplicates, meaning)
    for id, text in _settled_texts(seeds, journal):
        novelty.restore(id, text)
    return novelty


async def _meaning(
    spec: RunSpec, seeds: Sequence[Seed], journal: Journal, calls: ModelCalls
) -> SemanticCheck:
    inputs = {seed.id: seed.draft.input for seed in seeds}

    def text_of(id: str) -> str | None:
        outcome = journal.outcome(id)
        if outcome is None or outcome.seed not in inputs:
            return inputs.get(id)
        return read_varying(_loads(outcome.payload))

    meaning = SemanticCheck(journal, calls.embed, calls.embedded, text_of)
    try:
        await meaning.enter(inputs, _settled_texts(seeds, journal))
    except NodeError as fault:
        raise EndpointUnusable(
            f"{spec.embeddings} gives no embeddings: {fault}",
            hint="--embeddings names an embedding model that the endpoint serves",
        ) from fault
    return meaning


def _settled_texts(seeds: Sequence[Seed], journal: Journal) -> Iterator[tuple[str, str]]:
    """Records of earlier invocations, and what varies in each."""
    ids = {seed.id for seed in seeds}
    for outcome in journal.outcomes("accepted", "surplus"):
        if outcome.seed in ids:
            yield outcome.node, read_varying(_loads(outcome.payload))


def _count(stage: Stage, journal: Journal, ground: prepare.PreparedInputs, out: Mapping[str, str]) -> None:
    """Counts of what earlier invocations settled."""
    progress, frontier = stage.progress, stage.frontier
    assert frontier is not None
    caps = frontier.shape.caps()
    progress.target, progress.possible = frontier.shape.target, len(ground.seeds) * sum(caps)
    for outcome in journal.outcomes("accepted", "rejected", "failed", "surplus", payload=False):
        if outcome.kind != "failed" or not stage.order.spec.retry_failed:
            progress.book("pruned" if outcome.node in out else outcome.kind, outcome.depth, outcome.label)
    progress.reasons.update(line["reason"] for line in _reject_lines(journal))
    progress.accepted_before = progress.accepted
    progress.barren = frontier.barren
    if frontier.barren:
        progress.barren_reasons.update(forest.read_barren_reasons(journal))


def _spent(journal: Journal) -> tuple[Usage, float | None]:
    """Tokens and US dollars of all invocations; the money is `None` where any of it is unknown."""
    rows = journal.usage()
    costs = [cost for *_, cost in rows if cost is not None]
    return sum((usage for _, _, usage, _ in rows), Usage()), sum(costs) if len(costs) == len(rows) else None


def _summary(stage: Stage, journal: Journal, fault: BaseException | None) -> dict[str, Any]:
    progress = stage.refresh()
    short = progress.target is not None and progress.accepted < progress.target
    nothing = progress.accepted == 0 and progress.target != 0
    stopped = fault.exit_code if isinstance(fault, AideError) else 1 if fault is not None else None
    code = stopped if stopped is not None else 6 if short or nothing else 0
    return {
        **progress.as_dict(),
        "exit_code": code,
        "stopped": "" if fault is None else str(fault) or type(fault).__name__,
        "format": stage.card.format if stage.card else "",
        "steps": usage_by_step(journal.usage()),
        "endpoints": dict(stage.order.stats()),
        "journal_bytes": journal.size(),
        **({"exam": stage.precheck.as_dict()} if stage.precheck else {}),
    }


def write_progress(stage: Stage) -> None:
    """Rewrite `progress.json`."""
    _write_json(stage.order.folder.progress, stage.refresh().as_dict())


def _write_json(path: Path, value: Any) -> None:
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _reject_lines(journal: Journal) -> Any:
    return (_loads(outcome.payload) for outcome in journal.outcomes("rejected", "failed"))


def _loads(payload: bytes) -> Any:
    return orjson.loads(payload)


__all__ = ["Order", "Stage", "run", "write_progress"]
