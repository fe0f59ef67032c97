"""Single steps of the method on records that are there already: the answer, and the judge's verdict.

The same prompts, checks and journal as in a run: what was answered once is not paid for again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from aide.errors import FolderHeld, Rejection
from aide.formats import Question
from aide.formats.choices import NONE, choose_option
from aide.journal import Journal
from aide.prompts import Prompts
from aide.recipes.aide import Aide
from aide.records import Draft, Hop, Parts, Point, Seed, Usage, Verdict, digest
from aide.run import inputs as prepare
from aide.run.budget import Budget
from aide.run.calls import ModelCalls
from aide.run.deduplication import NoDeduplication
from aide.run.folder import RunFolder
from aide.run.recipe_context import build_recipe_context
from aide.run.session import Order
from aide.run.test_results import JournaledTestRunner
from aide.sandbox.isolation import Sandbox
from aide.seeds.shapes import INPUTS, RowFields
from aide.seeds.values import read_text_value
from aide.shards import FolderLock
from aide.text.shingles import compute_features, measure_jaccard
from aide.verify.agreement import Quorum, Vote, collect_votes
from aide.verify.answers import rename_step

T = TypeVar("T")
R = TypeVar("R")

ONCE = Quorum(1, 1)
NEAREST = 200  # among so many seeds the nearest is looked for


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Everything that a step needs. Records are told apart by their content, not by their place in a file."""

    recipe: Aide
    calls: ModelCalls
    seeds: tuple[Seed, ...]

    async def answer(self, record: Mapping[str, Any]) -> tuple[Draft, Mapping[str, Any]]:
        """The answer step for a given input, checked as in a run; given options are chosen among.

        Raises:
            errors.NodeError: no answer that passes the checks.
        """
        brief = self.recipe.brief
        parts, text = self._input(record)
        id = digest("answer", parts.whole(text))
        ask = self.calls.asker(id)
        demos = tuple(demo for demo in brief.demonstrations(self.seeds[0]) if demo.input != text)
        question = Question(id, text, parts, None, demos, brief.card.max_answer_tokens)
        choices = tuple(str(each) for each in record.get("choices") or ())
        if not choices or brief.format.labelled:
            checked = await brief.checks.answer(ask, question)
            return checked.draft, checked.scores
        given, quorum = Draft(text, "", choices), brief.checks.quorum or ONCE

        async def draw(number: int) -> Vote:
            asked = rename_step("check", ask) if number else ask
            said = await choose_option(asked, given, replace(question, draw=number))
            return Vote("" if said == NONE else said, replace(given, output=said))

        tally = await collect_votes(await draw(0), draw, quorum, brief.format.compare)
        if tally.winner is None:
            raise Rejection("answer", "no_agreement", ", ".join(tally.votes))
        return tally.winner, {"agreement": tally.share} if quorum.needed > 1 else {}

    async def grade(self, record: Mapping[str, Any], draft: Draft) -> Verdict:
        """The judge's verdict on a record beside its seed, or beside the nearest seed where it names none."""
        parts, text = self._input(record)
        seed = self._seed(record, text)
        hop = Hop(seed, Point(seed.id, seed.draft, parts, 0), 1, "grade")
        draft = replace(draft, input=text)
        return await self.recipe.reflect(hop, draft, self.calls.asker(digest("grade", text, draft.output)))

    def _input(self, record: Mapping[str, Any]) -> tuple[Parts, str]:
        """The fixed parts of a record and what varies."""
        frame = self.seeds[0].parts
        given = record.get("parts") or record
        if isinstance(given, Mapping) and {frame.varying, *(name for name, _ in frame.fixed)} <= given.keys():
            fixed = tuple((name, str(given[name])) for name, _ in frame.fixed)
            return replace(frame, fixed=fixed), str(given[frame.varying])
        fields = RowFields(record)
        name = fields.first(INPUTS)
        text = read_text_value(fields.exact(name)) if name else ""
        if not text.strip():
            raise Rejection("answer", "no_input", "the record has no `input`")
        return Parts(), text

    def _seed(self, record: Mapping[str, Any], text: str) -> Seed:
        lineage = record.get("lineage")
        named = lineage.get("seed_id") if isinstance(lineage, Mapping) else None
        others = [seed for seed in self.seeds[:NEAREST] if seed.draft.input != text] or list(self.seeds)
        mine = compute_features(text)[1]
        near = max(others, key=lambda seed: measure_jaccard(mine, compute_features(seed.draft.input)[1]))
        return next((seed for seed in self.seeds if seed.id == named), near)

    @property
    def usage(self) -> Usage:
        """What was used, over all times that this folder was used."""
        return self.calls.budget.spent


@asynccontextmanager
async def open_step_runner(order: Order, ground: prepare.PreparedInputs) -> AsyncIterator[StepRunner]:
    """A desk over the journal of `order.folder`, closed with everything in it written.

    Raises:
        errors.AideError: the folder is held, the card can't be had, or code may not be run here.
    """
    spec = order.spec
    sandbox = Sandbox.find() if spec.run_code and ground.format.runs_tests else None
    try:
        async with open_calls(order) as calls:
            journal, prompts = calls.journal, calls.prompts
            card = await prepare.fix_card(spec, ground, order.folder, journal, calls.asker(digest("card")))
            prompts.constants["card"] = card
            pool = prepare.SeedPool(spec, ground, journal)
            run = JournaledTestRunner(journal, sandbox) if sandbox else None
            brief = build_recipe_context(
                spec,
                ground,
                card,
                prompts,
                novelty=NoDeduplication(),
                demonstrations=pool.demonstrations,
                run=run,
            )
            yield StepRunner(Aide(brief), calls, ground.seeds)
    finally:
        if sandbox is not None:
            sandbox.close()


@asynccontextmanager
async def open_calls(order: Order) -> AsyncIterator[ModelCalls]:
    """Calls over the journal of `order.folder`, which is held meanwhile and closed with everything in it written.

    Raises:
        errors.AideError: the folder is held.
    """
    spec = order.spec
    order.folder.create()
    lock = FolderLock(order.folder.path)
    try:
        lock.acquire()
    except FolderHeld as held:  # of two commands in one pipe the second would wait for ever
        raise FolderHeld(str(held), hint="name a folder of its own with --journal DIR") from held
    journal = Journal.open(order.folder.journal)
    reuse = Journal.open(RunFolder(spec.reuse).journal, readonly=True) if spec.reuse else None
    try:
        order.restore(journal.meta("capabilities") or {})
        rows = journal.usage()
        spent, money = sum((row[2] for row in rows), Usage()), sum(row[3] or 0.0 for row in rows)
        yield ModelCalls(
            spec, Prompts(spec.prompts), journal, Budget(spec, spent, money, clock=order.clock), order.complete,
            now=order.now, reuse=reuse, note_invalid=order.note_invalid,
        )  # fmt: skip
        journal.set_meta("capabilities", dict(order.snapshot()))
    finally:
        await journal.flush()
        journal.close()
        if reuse is not None:
            reuse.close()
        lock.release()


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
