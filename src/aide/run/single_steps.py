"""Single steps of the method on records that are there already: the answer, and the judge's verdict.

The same prompts, checks and journal as in a run: what was answered once is not paid for again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aide.errors import Rejection
from aide.formats import Question, TaskCard
from aide.formats.choices import NONE, choose_option
from aide.judging.verdict import Thresholds
from aide.recipes.steps import check_answer, keep_thoughts
from aide.records import (
    WHOLE,
    Draft,
    Hop,
    Parts,
    Point,
    Seed,
    Verdict,
    digest,
    find_varying_name,
    read_varying,
)
from aide.run.context import RunContext, make_context
from aide.run.deduplication import NoDeduplication
from aide.run.group_sizes import KEPT, learn_group_sizes
from aide.run.inputs import SeedSource
from aide.run.judge_groups import make_judge
from aide.run.seed_pool import SeedPool
from aide.run.service import ModelService
from aide.run.session import RunRequest, open_session
from aide.run.student import StudentTrial, try_student
from aide.run.task_card import fix_card
from aide.seeds.chats import settle_like
from aide.seeds.column_names import INPUTS
from aide.seeds.shapes import RowFields, recognise_shape
from aide.seeds.values import BadRowError, read_text_value
from aide.text.shingles import compute_features, measure_jaccard
from aide.verify.agreement import Quorum, Vote, collect_votes
from aide.verify.answers import AnswerChecks, rename_step

T = TypeVar("T")
R = TypeVar("R")

ONCE: Final = Quorum(1, 1)
# The nearest seed is looked for among so many: a record without a seed of its own is held against each of them.
NEAREST: Final = 200
# Of two commands in one pipe the second would wait for the first for ever.
HELD_HINT: Final = "name a folder of its own with --journal DIR"


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs single steps. Records are told apart by their content, not by their place in a file."""

    context: RunContext

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """The examples of the task."""
        return self.context.inputs.seeds

    @property
    def calls_made(self) -> int:
        """Calls that were paid for in this session."""
        return self.context.session.calls.made

    async def answer(self, record: Mapping[str, Any]) -> tuple[Draft, Mapping[str, Any]]:
        """The answer step for a given input, checked as in a run; given options are chosen among.

        Raises:
            errors.NodeError: no answer that passes the checks.
        """
        recipe_context = self.context.recipe_context
        if recipe_context.format.chats:
            return await self._answer_chat(record)
        parts, text = self._input(record)
        id = digest("answer", parts.whole(text))
        ask = self.context.ask_for(id)
        demos = tuple(demo for demo in recipe_context.demonstrations(self.seeds[0]) if demo.input != text)
        question = Question(id, text, parts, None, demos, recipe_context.card.max_answer_tokens)
        choices = tuple(str(each) for each in record.get("choices") or ())
        if not choices or recipe_context.format.labelled:
            checked = await self._checks.answer(ask, question)
            check_answer(recipe_context, text, checked.draft)
            return keep_thoughts(recipe_context, checked.draft), checked.scores
        given, quorum = Draft(text, "", choices), recipe_context.checks.quorum or ONCE

        async def draw(number: int) -> Vote:
            asked = rename_step("check", ask) if number else ask
            said, thoughts = await choose_option(asked, given, replace(question, draw=number))
            return Vote("" if said == NONE else said, replace(given, output=said, thoughts=thoughts))

        tally = await collect_votes([await draw(0)], draw, quorum, recipe_context.format.compare)
        if tally.winner is None:
            raise Rejection("answer", "no_agreement", ", ".join(tally.votes))
        return keep_thoughts(recipe_context, tally.winner), {
            "agreement": tally.share
        } if quorum.needed > 1 else {}

    async def _answer_chat(self, record: Mapping[str, Any]) -> tuple[Draft, Mapping[str, Any]]:
        """A conversation with its next turn; one that it has already is written anew."""
        context, chat = self.context.recipe_context, self._read_chat(record)
        waiting = replace(chat, output="", turns=chat.context)
        calls = bool(chat.output and chat.turns[-1].calls)
        shown = context.format.show_input(waiting)
        id = digest("answer", shown, waiting.system, *waiting.tools)
        demos = tuple(demo for demo in context.demonstrations(self.seeds[0]) if demo.input != shown)
        parts = context.format.list_fixed(waiting, WHOLE)
        question = Question(id, waiting.input, parts, None, demos, context.card.max_answer_tokens)
        question = replace(question, chat=waiting, wants_call=calls)
        checked = await self._checks.answer(self.context.ask_for(id), question)
        check_answer(context, waiting.input, checked.draft)
        return keep_thoughts(context, checked.draft), checked.scores

    def _read_chat(self, record: Mapping[str, Any]) -> Draft:
        """The conversation of a record, in whatever layout, as the seeds of the task have theirs."""
        fields = RowFields(record)
        try:
            draft = recognise_shape(fields).read(fields).draft
        except BadRowError as fault:
            raise Rejection("answer", "no_input", f"the record {fault}") from fault
        return settle_like(draft, self.seeds[0].draft)

    async def try_student(self, record: Mapping[str, Any], draft: Draft, draws: int) -> StudentTrial:
        """What a student answers to the input of a record whose output is known.

        Raises:
            errors.NodeError: there is no input or output, or the endpoint can't serve it.
        """
        context = self.context.recipe_context
        parts, text = self._input(record)
        draft = replace(context.format.normalise(draft), input=text)
        if not draft.output.strip():
            raise Rejection("grade", "no_output", "the record has no `output`")
        id = digest("student", parts.whole(text), *draft.choices)
        demos = tuple(demo for demo in context.demonstrations(self.seeds[0]) if demo.input != text)
        question = Question(id, text, parts, None, demos, context.card.max_answer_tokens)
        return await try_student(
            self.context.ask_for(id), context.format, context.card, question, draft, draws
        )

    async def grade(self, record: Mapping[str, Any], draft: Draft) -> Verdict:
        """The judge's verdict on a record beside its seed, or beside the nearest seed where it names none.

        Raises:
            errors.NodeError: the judge said nothing usable.
        """
        context = self.context.recipe_context
        if context.format.chats:
            draft = settle_like(draft, self.seeds[0].draft)
            parts, text = WHOLE, draft.input
        else:
            parts, text = self._input(record)
        seed = self._seed(record, text)
        draft = replace(draft, input=text)
        hop = Hop(
            seed,
            Point(seed.id, seed.draft, parts, 0),
            1,
            "grade",
            persona=digest("grade", text, draft.output),
        )
        reading = await context.judge.read(hop, draft)
        comparison = await context.judge.compare(hop, draft)
        if context.format.is_comparable(context.card) and context.format.reading:
            final = context.format.extract_final_answer(draft, context.card)
            right = context.format.compare(final, reading.own_answer)
            # Where the judge has seen the answer, too, its word counts for what code can't compare.
            seen = comparison.correct or not context.format.shows_answer(context.card)
            comparison = replace(comparison, correct=right and seen)
        return Verdict(reading, comparison)

    @property
    def _checks(self) -> AnswerChecks:
        """The checks of a run, with every vote held at once: no judge follows whose answer would be one."""
        checks = self.context.recipe_context.checks
        return AnswerChecks(checks.format, checks.card, checks.quorum, checks.run, query=checks.query)

    def _input(self, record: Mapping[str, Any]) -> tuple[Parts, str]:
        """The fixed parts of a record and what varies, which is not blank."""
        parts, text = self._find_input(record)
        if not text.strip():
            raise Rejection("answer", "no_input", "the record has no `input`")
        return parts, text

    def _find_input(self, record: Mapping[str, Any]) -> tuple[Parts, str]:
        frame = self.seeds[0].parts
        given = record.get("parts") or record
        if isinstance(given, Mapping) and {frame.varying, *(name for name, _ in frame.fixed)} <= given.keys():
            fixed = tuple((name, str(given[name])) for name, _ in frame.fixed)
            return replace(frame, fixed=fixed), str(given[frame.varying])
        if not frame.fixed and (varying := find_varying_name(record)):  # a document was put beside its seed
            return Parts.locate(record["input"], record["parts"], varying), read_varying(record)
        fields = RowFields(record)
        name = fields.find(INPUTS)
        return Parts(), read_text_value(fields.get(name)) if name else ""

    def _seed(self, record: Mapping[str, Any], text: str) -> Seed:
        lineage = record.get("lineage")
        named = lineage.get("seed_id") if isinstance(lineage, Mapping) else None
        others = [seed for seed in self.seeds[:NEAREST] if seed.draft.input != text] or list(self.seeds)
        mine = compute_features(text)[1]
        near = max(others, key=lambda seed: measure_jaccard(mine, compute_features(seed.draft.input)[1]))
        return next((seed for seed in self.seeds if seed.id == named), near)


@asynccontextmanager
async def open_step_runner(
    request: RunRequest, models: ModelService, source: SeedSource, card: TaskCard | None = None
) -> AsyncIterator[StepRunner]:
    """A step runner over the journal of `request.folder`, closed with everything in it written.

    With `card` no model is asked to describe the task.

    Raises:
        errors.AideError: the folder is held, the card can't be had, or code may not be run here.
    """
    async with open_session(request, models, source=source, held_hint=HELD_HINT) as session:
        assert session.inputs is not None
        card = await fix_card(session, session.inputs, card)
        sizes = learn_group_sizes(session.spec, session.inputs, session.journal.get_meta(KEPT))
        judge = make_judge(session, session.inputs, card, sizes, count_open=lambda: 0)
        pool = SeedPool(session.spec, session.inputs, session.journal)
        spec = session.spec
        thresholds = Thresholds(spec.min_relevance, spec.min_diversity, spec.keep_ambiguous)
        context = make_context(session, session.inputs, card, NoDeduplication(), judge, pool, thresholds)
        yield StepRunner(context)


async def map_in_order(
    items: Iterable[T], work: Callable[[T], Coroutine[Any, Any, R]], *, at_once: int
) -> AsyncIterator[R]:
    """The results in the order of the items, so many under way at once; items are read as they are needed.

    Raises:
        errors.AideError: the first that any item raised; what was under way is stopped.
    """
    waiting: deque[asyncio.Task[R]] = deque()
    try:
        for item in items:
            waiting.append(asyncio.create_task(work(item)))
            if len(waiting) >= at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)
