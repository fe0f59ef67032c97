"""The precheck of a run: model, judge and definitions of labels are tried on the seeds, each result journaled."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from aide.card import find_label_mistakes, make_demonstration, rewrite_labels
from aide.config.spec import RunSpec
from aide.errors import EndpointUnusable
from aide.formats import TaskCard
from aide.journal import Journal
from aide.judging.precheck import MAX_SEEDS, Precheck, SeedCheck, answer_seed, read_seed
from aide.judging.verdict import Thresholds
from aide.recipes.base import run_all
from aide.records import Comparison, Draft, Reading, Seed, digest, rng
from aide.run.inputs import PreparedInputs
from aide.run.judge_groups import GroupedJudge
from aide.run.session import Session
from aide.run.task_card import DESCRIBED, keep_card
from aide.run.test_results import JournaledTestRunner
from aide.verify.answers import AnswerChecks

DECISION: Final = "exam"  # under which the journal keeps the results, in folders of every version
CALIBRATED: Final = "min_relevance"
"""Under which the journal keeps the least relevance that the seeds' own grades allow."""
JudgeFor = Callable[[TaskCard], GroupedJudge]


async def run_precheck(
    session: Session, inputs: PreparedInputs, card: TaskCard, judge_for: JudgeFor
) -> tuple[TaskCard, Precheck]:
    """Try the run on all seeds, or on a hundred where there are more; a seed that was tried before is not again.

    Where labels were defined by the model and blind readings of the seeds go wrong, these definitions are written once
    more: the card that comes back has those with which more seeds come out right.

    Raises:
        errors.AideError: of scope run.
    """
    journal, seeds = session.journal, list(inputs.seeds)
    if len(seeds) > MAX_SEEDS:
        seeds = rng(DECISION, str(session.spec.random_seed)).sample(seeds, MAX_SEEDS)
    known = {seed.id: journal.get_decision(DECISION, seed.id) for seed in seeds}
    if fresh := [seed for seed in seeds if known[seed.id] is None]:
        card, found = await _Trial(session, inputs, judge_for).try_seeds(card, fresh)
        for seed, each in zip(fresh, found, strict=True):
            known[seed.id] = each.as_dict()
            journal.decide(DECISION, seed.id, known[seed.id])
    return card, Precheck(tuple(SeedCheck.from_dict(each) for each in known.values() if each))


class _Trial:
    """Of seeds that were not tried before."""

    def __init__(self, session: Session, inputs: PreparedInputs, judge_for: JudgeFor) -> None:
        self._session = session
        self._inputs = inputs
        self._judge_for = judge_for

    async def try_seeds(self, card: TaskCard, seeds: Sequence[Seed]) -> tuple[TaskCard, list[SeedCheck]]:
        format, reflection = self._inputs.format, self._session.spec.reflection
        # What no judge answers, the solver does.
        answered = seeds if format.runs_tests or not reflection else ()
        answers = await run_all(self._answer(card, seed) for seed in answered)
        if not reflection:
            return card, answers
        readings = await self._read(card, seeds)
        if format.labelled:
            card, readings = await self._mend_labels(card, seeds, readings)
        right: Sequence[Comparison | None] = [None] * len(seeds)
        wrong = right
        if format.shows_answer(card):
            right, wrong = await self._compare(card, seeds)
        found = [
            read_seed(seed, format, card, reading, yes, no)
            for seed, reading, yes, no in zip(seeds, readings, right, wrong, strict=True)
        ]
        if answers:
            pairs = zip(found, answers, strict=True)
            found = [replace(each, said=answer.said, right=answer.right) for each, answer in pairs]
        return card, found

    async def _answer(self, card: TaskCard, seed: Seed) -> SeedCheck:
        session, format = self._session, self._inputs.format
        run = JournaledTestRunner(session.journal, session.sandbox) if session.sandbox else None
        others = [each for each in self._inputs.seeds if each.id != seed.id][: session.spec.demonstrations]
        demos = tuple(make_demonstration(each.draft, format) for each in others)
        ask = session.ask_for(digest(DECISION, seed.id), self._inputs.make_prompts(session.spec, card=card))
        checks = AnswerChecks(format, card, run=run, query=run.query if run else None)
        return await answer_seed(seed, checks, demos, ask)

    async def _read(self, card: TaskCard, seeds: Sequence[Seed]) -> list[Reading | None]:
        """The judge's readings, each beside examples that are not among the texts of its call."""
        judge = self._judge_for(card)
        folds = _split(seeds, min(judge.size, max(1, len(self._inputs.seeds) // 2)))
        found = await run_all(
            judge.read_real(fold, digest(DECISION, *(seed.id for seed in fold))) for fold in folds
        )
        return [reading for fold in found for reading in fold]

    async def _mend_labels(
        self, card: TaskCard, seeds: Sequence[Seed], readings: list[Reading | None]
    ) -> tuple[TaskCard, list[Reading | None]]:
        """Definitions with which blind readings go right; a person's own are never touched."""
        journal, drafts = self._session.journal, [seed.draft for seed in seeds]
        mistakes = find_label_mistakes(drafts, _list_answers(readings))
        # A card that records were made with is fixed, whatever seeds come later.
        fixed = journal.get_meta(DESCRIBED) != journal.get_meta("card") or journal.count_outcomes()
        if not mistakes or fixed:
            return card, readings
        given = {label.name: label for label in self._inputs.labels if label.description}
        ask = self._session.ask_for(digest("card", "again"))
        written = await rewrite_labels(ask, card, mistakes, [seed.draft for seed in self._inputs.seeds])
        other = replace(card, labels=tuple(given.get(label.name, label) for label in written.labels))
        if other == card:
            return card, readings
        again = await self._read(other, seeds)
        if len(find_label_mistakes(drafts, _list_answers(again))) >= len(mistakes):
            return card, readings
        keep_card(self._session, self._inputs, other)
        return other, again

    async def _compare(
        self, card: TaskCard, seeds: Sequence[Seed]
    ) -> tuple[list[Comparison | None], list[Comparison | None]]:
        """What the judge makes of each seed's own answer and of a wrong one; never of both in one call."""
        judge = self._judge_for(card)
        said: dict[tuple[str, bool], Comparison | None] = {}
        for fold in _split(seeds, judge.size):
            for turn in (False, True):
                shown = [(seed, (place % 2 == 0) != turn) for place, seed in enumerate(fold)]
                drafts = [(seed.id, own, self._draft(card, seed, own)) for seed, own in shown]
                asked = [(id, own, draft) for id, own, draft in drafts if draft is not None]
                if asked:
                    name = digest(DECISION, str(turn), *(id for id, _, _ in asked))
                    found = await judge.compare_answers([draft for _, _, draft in asked], name)
                    said |= {(id, own): each for (id, own, _), each in zip(asked, found, strict=True)}
        return [said.get((seed.id, True)) for seed in seeds], [said.get((seed.id, False)) for seed in seeds]

    def _draft(self, card: TaskCard, seed: Seed, own: bool) -> Draft | None:
        if own:
            return seed.draft
        # An answer of another seed that happens to be the same would be right here.
        others = [each.draft.output for each in self._inputs.seeds if each.draft.output != seed.draft.output]
        return self._inputs.format.make_wrong(seed.draft, card, others, rng(DECISION, seed.id))


def _split(seeds: Sequence[Seed], size: int) -> list[Sequence[Seed]]:
    return [seeds[first : first + size] for first in range(0, len(seeds), max(1, size))]


def _list_answers(readings: Sequence[Reading | None]) -> list[str | None]:
    return [reading.own_answer if reading else None for reading in readings]


def fix_thresholds(journal: Journal, precheck: Precheck, thresholds: Thresholds) -> Thresholds:
    """Thresholds that the seeds themselves would pass, fixed with the first precheck: later seeds change nothing."""
    kept = journal.get_meta(CALIBRATED)
    if kept is None:
        kept = precheck.calibrate(thresholds).min_relevance
        journal.set_meta(CALIBRATED, kept)
    return replace(thresholds, min_relevance=min(thresholds.min_relevance, int(kept)))


def enforce_min_share(spec: RunSpec, precheck: Precheck) -> None:
    """Hold the precheck to `--min-exam`.

    Raises:
        errors.EndpointUnusable: the model got fewer seeds right.
    """
    if spec.min_exam is not None and precheck.share < spec.min_exam:
        right, asked = precheck.right
        raise EndpointUnusable(
            f"the model got {right} of {asked} seeds right, below --min-exam {spec.min_exam:g}",
            hint="look at the seeds it misses: their answers may be wrong; or take a stronger model",
        )
