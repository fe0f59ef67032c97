"""One expansion: from an open session to a finished run folder, everything in the order in which it must happen."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson

from aide.atomic import write_atomic
from aide.errors import AideError
from aide.formats import TaskCard
from aide.frontier import Frontier
from aide.journal import Journal
from aide.judging.precheck import Precheck
from aide.judging.verdict import Thresholds
from aide.llm.health import Trouble
from aide.metrics.drift import DriftBounds
from aide.records import Seed
from aide.run import restore
from aide.run.batches import summarise_batches
from aide.run.context import build_frontier, count_thoughtful, make_context
from aide.run.deduplication import open_deduplicator, read_duplicate_thresholds
from aide.run.distribution_report import measure_run_distribution
from aide.run.document_report import count_documents
from aide.run.drift_report import measure_drift, measure_embedding_drift
from aide.run.folder import (
    compute_identity,
    compute_invocation,
    list_earlier_extras,
    make_manifest,
    measure_shards,
)
from aide.run.folder_inputs import refuse_other_columns
from aide.run.group_sizes import KEPT, GroupSizes, learn_group_sizes, note_written
from aide.run.handed_card import take_card
from aide.run.hops import HopBuilder
from aide.run.inputs import PreparedInputs, SeedSource
from aide.run.judge_groups import GroupedJudge, make_judge
from aide.run.loop import Emit, GrowthLoop, RunOutput, WorkLimit
from aide.run.missing_answers import answer_missing
from aide.run.parents import ParentChooser
from aide.run.parts import CARD_SPENT, MERGED
from aide.run.precheck import enforce_min_share, fix_thresholds, run_precheck
from aide.run.progress import Progress, usage_by_step
from aide.run.pruning import read_pruned, read_standing, reconcile_shards
from aide.run.realism_meter import measure_realism
from aide.run.same_run import check_settings
from aide.run.seed_pool import SeedPool, find_gone_seeds
from aide.run.service import SYSTEM_CLOCK, Clock, ModelService
from aide.run.session import RunRequest, Session, open_session
from aide.run.steering import LengthSteering
from aide.run.task_card import fix_card, list_trait_rows
from aide.shards import AppendOnlyLines, Shards
from aide.stop import StopSwitch


class RunObserver(Protocol):
    """Who looks at a run. It is told what happens and can change nothing."""

    def on_card(self, card: TaskCard, traits: Sequence[tuple[str, str]]) -> None:
        """The task card is fixed; `traits` are names and words for what the seeds' inputs are like."""
        ...

    def on_precheck(self, precheck: Precheck) -> None:
        """The model was tried on the seeds."""
        ...

    def on_trouble(self, trouble: Trouble | None) -> None:
        """How long nothing has been answered; `None` while all is well. Told a few times a second, from the start."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """Where the run stands, a few times a second."""
        ...


@dataclass(slots=True)
class Expansion:
    """A run and its counts. `progress` is refreshed by `look`, from whichever thread asks."""

    request: RunRequest
    source: SeedSource
    models: ModelService
    observer: RunObserver
    emit: Emit | None = None
    """Is given each accepted record once it is safe, those of earlier invocations first."""
    limit: WorkLimit | None = None
    """Which pieces of work may begin; all of them where it is `None`."""
    expected: Mapping[str, Any] | None = None
    """What the plan expected, to be held against what was used."""
    clock: Clock = SYSTEM_CLOCK
    progress: Progress | None = None
    growing: bool = False
    """True once the first record may be grown: all that comes before can be refused as a whole."""
    _began: float = 0.0
    _session: Session | None = None
    _frontier: Frontier | None = None
    _card: TaskCard | None = None
    _keeps_thoughts: bool = False
    _precheck: Precheck | None = None
    _loop: GrowthLoop = field(init=False)

    @property
    def stop(self) -> StopSwitch:
        """Where the run is told to stop."""
        return self.models.stop

    async def run(self) -> dict[str, Any]:
        """Run to the end; returns the summary, which is on disk too.

        Raises:
            errors.AideError: what stopped the run; the folder is complete up to there and can be resumed.
        """
        self._began = self.clock.monotonic()
        session = open_session(
            self.request, self.models, source=self.source, admit=self._admit, clock=self.clock,
            gather=True,
        )  # fmt: skip
        async with session as self._session:
            inputs = self._session.inputs
            assert inputs is not None
            return await self._expand(self._session, await answer_missing(self._session, inputs))

    def _admit(self, inputs: PreparedInputs | None) -> None:
        """Refuse the folder of another run; else write the manifest, before the journal knows anything."""
        assert inputs is not None
        folder, spec = self.request.folder, self.request.spec
        manifest = folder.read_manifest()
        identity = compute_identity(spec)
        check_settings(folder, spec)
        refuse_other_columns(inputs, folder, spec, manifest)
        invocation = compute_invocation(spec, identity, inputs.hashes)
        seeds = {path: inputs.hashes[path] for path in self.request.seed_files}
        # What was expected before the first call stands: a resume must not improve on its own estimate.
        plan = manifest.get("plan") or {}
        kept: dict[str, Any] = {name: manifest[name] for name in (CARD_SPENT, MERGED) if name in manifest}
        folder.write_manifest(
            {
                **make_manifest(spec, self.request.origins, identity, seeds),
                **kept,
                "earlier_extras": list_earlier_extras(folder, spec),
                "begun": manifest.get("begun", self.clock.now()),
                "plan": plan
                if plan.get("asked") == invocation
                else {"asked": invocation, **(self.expected or {})},
            }
        )

    async def _expand(self, session: Session, inputs: PreparedInputs) -> dict[str, Any]:
        folder, journal = session.folder, session.journal
        if session.spec.card_only:
            return await self._check_card_only(session, inputs)
        reconcile_shards(journal, folder.shards)
        with ExitStack() as held:
            shards, rejects = (
                Shards(folder.shards, size=session.spec.shard_size),
                AppendOnlyLines(folder.rejects),
            )
            held.callback(shards.close)
            held.callback(rejects.close)
            fault: BaseException | None = None
            realism: dict[str, Any] = {}
            try:
                loop = await self._prepare(session, inputs, RunOutput(shards, rejects, self.emit))
                self.growing = True
                await loop.run()
                realism = await measure_realism(loop.context, read_pruned(journal))
            except BaseException as stopped:
                fault = stopped
                raise
            finally:
                await journal.flush()
                summary = {
                    **self._summarise(session, fault),
                    "gone_seeds": find_gone_seeds(inputs, journal),
                    "waiting_labels": dict(inputs.waiting_labels),
                    "duplicate_from": read_duplicate_thresholds(journal),
                    "drift": _measure_drift(session, inputs.seeds),
                    "documents": count_documents(journal, inputs.documents, read_pruned(journal)),
                    "realism": realism,
                    "distribution": _measure_distribution(session, inputs, self._card),
                }
                _write_json(folder.summary, summary)
                self.write_progress()
                pending = session.waves is not None and bool(session.waves.open)
                self._end_manifest(session, finished=fault is None and not pending)
        return summary

    async def _check_card_only(self, session: Session, inputs: PreparedInputs) -> dict[str, Any]:
        """Fix the task card and nothing else; the summary of an earlier run stays, since no record is touched."""
        await self._fix_card(
            session, inputs, learn_group_sizes(session.spec, inputs, session.journal.get_meta(KEPT))
        )
        if self._precheck is not None:
            self.observer.on_precheck(self._precheck)
        spent, cost = session.budget.spent, session.budget.money
        alone = {CARD_SPENT: {"calls": spent.calls, "tokens": spent.prompt + spent.completion, "cost": cost}}
        self._end_manifest(session, finished=False, more={} if session.journal.count_outcomes() else alone)
        return {**session.folder.read_summary(), "exit_code": 0}

    async def _fix_card(self, session: Session, inputs: PreparedInputs, sizes: GroupSizes) -> TaskCard:
        """The task card, tried on the seeds and shown."""
        take_card(session, inputs)
        card = await fix_card(session, inputs)
        if session.spec.prechecked:
            judge_for = partial(self._make_judge, session, inputs, sizes)
            card, self._precheck = await run_precheck(session, inputs, card, judge_for)
        self._card = card
        self.observer.on_card(card, list_trait_rows(card, inputs))
        return card

    def _make_judge(
        self, session: Session, inputs: PreparedInputs, sizes: GroupSizes, card: TaskCard
    ) -> GroupedJudge:
        return make_judge(session, inputs, card, sizes, count_open=self._count_open)

    async def _prepare(self, session: Session, inputs: PreparedInputs, output: RunOutput) -> GrowthLoop:
        """Everything that has to stand before the first record is grown."""
        spec, journal = session.spec, session.journal
        sizes = learn_group_sizes(session.spec, inputs, session.journal.get_meta(KEPT))
        card = inputs.frame_card(await self._fix_card(session, inputs, sizes))
        pool = SeedPool(spec, inputs, journal)
        thresholds = Thresholds(spec.min_relevance, spec.min_diversity, spec.keep_ambiguous)
        if self._precheck is not None:
            thresholds = fix_thresholds(journal, self._precheck, thresholds)
        judge = self._make_judge(session, inputs, sizes, card)
        deduplicator = await open_deduplicator(session, inputs)
        context = make_context(
            session, inputs, card, deduplicator, judge, pool, thresholds, lambda hop: self._loop.wants(hop),
            partial(note_written, session, sizes),
        )  # fmt: skip
        self._keeps_thoughts = context.recipe_context.keeps_thoughts
        bounds = _fix_drift_bounds(session, inputs.seeds)
        hops = HopBuilder(spec, inputs, card, journal, pool, bounds, context.roots)
        out = read_pruned(journal)
        self._frontier = frontier = build_frontier(
            context, pool.pools, sizes, ParentChooser(hops.read_text), out
        )
        judge.restore(_list_settled(journal))
        await restore.promote_surplus(frontier, journal, pool.pools)
        output.shards.rebuild(read_standing(journal, out))
        output.rejects.rebuild(_read_rejects(journal))
        self.progress = _count_settled(session, inputs, frontier, out)
        if output.emit is not None:
            for line in read_standing(journal, out):
                await output.emit(line)
        if self._precheck is not None:
            self.observer.on_precheck(self._precheck)
            enforce_min_share(spec, self._precheck)
        steering = LengthSteering(card.unit, on=spec.steer and not frontier.shape.whole)
        # Twice the calls that may be in flight: while one record waits for a call, another's next call is ready.
        self._loop = GrowthLoop(
            context, frontier, hops, deduplicator, judge, sizes, steering, output, self.progress,
            capacity=2 * session.capacity, limit=self.limit,
        )  # fmt: skip
        self._loop.note_standing(read_standing(journal, out))
        return self._loop

    def _count_open(self) -> int:
        # Nobody waits for the company of candidates that will not come.
        return self._frontier.open - (self.limit.set_aside if self.limit else 0) if self._frontier else 0

    def look(self) -> Progress | None:
        """The counts of this moment; `None` until the folder's earlier records are counted."""
        progress, session, frontier = self.progress, self._session, self._frontier
        if progress is None or session is None or frontier is None:
            return None
        progress.planned, progress.open = frontier.planned, frontier.candidates
        progress.usage = session.budget.spent
        progress.cost = None if session.budget.unpriced else session.budget.money
        progress.calls, progress.reused = session.calls.made, session.calls.reused
        progress.in_flight, progress.limit = self.models.in_flight, self.models.limit
        progress.trouble = self.models.trouble
        progress.seconds = self.clock.monotonic() - self._began
        progress.pace.note(progress.seconds, progress.accepted - progress.accepted_before)
        return progress

    def write_progress(self) -> None:
        """Rewrite `progress.json`, once there is anything to say."""
        if (progress := self.look()) is not None:
            _write_json(self.request.folder.progress, progress.as_dict())

    def _summarise(self, session: Session, fault: BaseException | None) -> dict[str, Any]:
        progress = self.look()
        if (
            progress is None
        ):  # stopped before the folder was looked at: what an earlier summary says still holds
            progress, counts = Progress(), session.folder.read_summary() or Progress().as_dict()
        else:
            counts = progress.as_dict()
        short = progress.target is not None and progress.accepted < progress.target
        nothing = progress.accepted == 0 and progress.target != 0
        stopped = fault.exit_code if isinstance(fault, AideError) else 1 if fault is not None else None
        return {
            **counts,
            "exit_code": stopped if stopped is not None else 6 if short or nothing else 0,
            "stopped": "" if fault is None else str(fault) or type(fault).__name__,
            "format": self._card.format if self._card else "",
            "steps": usage_by_step(session.journal.sum_usage()),
            "endpoints": dict(self.models.stats()),
            **summarise_batches(session.journal),
            "journal_bytes": session.journal.measure_size(),
            **({"exam": self._precheck.as_dict()} if self._precheck else {}),
            **({"thoughtful": count_thoughtful(session.journal)} if self._keeps_thoughts else {}),
        }

    def _end_manifest(
        self, session: Session, *, finished: bool, more: Mapping[str, Any] | None = None
    ) -> None:
        """Write when the invocation ended, and what it must share with a rerun that has nothing to do."""
        folder = session.folder
        manifest = folder.read_manifest()
        asked = manifest["plan"]["asked"]
        done = {"finished": {"invocation": asked, "shards": measure_shards(folder)}} if finished else {}
        folder.write_manifest({**manifest, **done, **(more or {}), "ended": self.clock.now()})


def _list_settled(journal: Journal) -> set[str]:
    return {outcome.node for outcome in journal.read_outcomes(payload=False) if outcome.kind != "planted"}


def _fix_drift_bounds(session: Session, seeds: Sequence[Seed]) -> DriftBounds | None:
    """When a parent has drifted, learned from the first seeds and kept; `None` unless the residual is adaptive."""
    if session.spec.residual != "adaptive":
        return None
    known = session.journal.get_meta("drift_bounds")
    bounds = DriftBounds(*known) if known else DriftBounds.of([seed.draft.input for seed in seeds])
    if known is None:
        session.journal.set_meta("drift_bounds", [bounds.usual, bounds.least])
    return bounds


def _measure_drift(session: Session, seeds: Sequence[Seed]) -> dict[str, Any]:
    """The drift meter, by words and, where there are embeddings, by meaning."""
    inputs, out = {seed.id: seed.draft.input for seed in seeds}, read_pruned(session.journal)
    drift = measure_drift(session.journal, inputs, out)
    if session.spec.embeddings:
        by_meaning = measure_embedding_drift(session.journal, inputs, session.embeddings.recall_text, out)
        drift |= {"meaning": by_meaning} if by_meaning else {}
    return drift


def _measure_distribution(session: Session, inputs: PreparedInputs, card: TaskCard | None) -> dict[str, Any]:
    """The records beside the seeds; empty where the run ended before it had a card."""
    if card is None:
        return {}
    recall = session.embeddings.recall_text if session.spec.embeddings else None
    out = read_pruned(session.journal)
    human = [seed.draft for seed in inputs.human]
    return measure_run_distribution(session.journal, inputs.seeds, card, human=human, out=out, recall=recall)


def _count_settled(
    session: Session, inputs: PreparedInputs, frontier: Frontier, out: Mapping[str, str]
) -> Progress:
    """Counts of what earlier invocations settled."""
    progress, journal = Progress(), session.journal
    progress.possible = frontier.count_possible()
    for outcome in journal.read_outcomes("accepted", "rejected", "failed", "surplus", payload=False):
        if outcome.kind != "failed" or not session.spec.retry_failed:
            kind = "pruned" if outcome.node in out else outcome.kind
            progress.count_outcome(kind, outcome.depth, outcome.label)
    progress.target = session.spec.compute_target(len(inputs.seeds))
    if session.spec.part and progress.target is not None:
        progress.target = progress.accepted + frontier.short
    progress.reasons.update(line["reason"] for line in _read_rejects(journal))
    progress.accepted_before = progress.accepted
    progress.without_attributes = frontier.without_attributes
    if frontier.without_attributes:
        progress.reasons_without_attributes.update(restore.read_reasons_without_attributes(journal))
    return progress


def _read_rejects(journal: Journal) -> Iterator[dict[str, Any]]:
    return (orjson.loads(outcome.payload) for outcome in journal.read_outcomes("rejected", "failed"))


def _write_json(path: Path, value: Any) -> None:
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")
