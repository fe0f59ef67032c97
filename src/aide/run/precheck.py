"""The precheck of a run: the model is tried on the seeds, side by side, and each result journaled."""

import asyncio
from typing import Final

from aide.config.spec import RunSpec
from aide.errors import EndpointUnusable
from aide.judging.precheck import MAX_SEEDS, Judge, Precheck, SeedCheck, check_seed
from aide.recipes import steps
from aide.records import Ask, Draft, Hop, Point, Seed, digest, rng
from aide.run.context import RunContext

DECISION: Final = "exam"  # under which the journal keeps the results, in folders of every version


async def run_precheck(context: RunContext, *, at_once: int) -> Precheck:
    """Try the model on all seeds, or on a hundred where there are more; a seed that was tried before is not again.

    `at_once` bounds the seeds that are tried at one time.

    Raises:
        errors.AideError: of scope run.
    """
    spec, seeds, journal = context.session.spec, context.inputs.seeds, context.session.journal
    chosen = (
        seeds if len(seeds) <= MAX_SEEDS else rng(DECISION, str(spec.seed)).sample(list(seeds), MAX_SEEDS)
    )
    places = asyncio.Semaphore(at_once)
    checks = context.recipe_context.checks

    async def try_seed(seed: Seed) -> SeedCheck:
        kept = journal.get_decision(DECISION, seed.id)
        if kept is not None:
            return SeedCheck.from_dict(kept)
        async with places:
            ask = context.ask_for(digest(DECISION, seed.id))
            demos = context.recipe_context.demonstrations(seed)
            judge = make_judge(context, seed, ask) if spec.reflection else None
            found = await check_seed(seed, seeds, checks, demos, ask, judge)
        journal.decide(DECISION, seed.id, found.as_dict())
        return found

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(try_seed(seed)) for seed in chosen]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None
    return Precheck(tuple(task.result() for task in tasks))


def make_judge(context: RunContext, seed: Seed, ask: Ask) -> Judge:
    """The run's own judge, shown the seed as a candidate beside itself: only `correct` counts."""
    hop = Hop(seed, Point(seed.id, seed.draft, seed.parts, 0), 1, DECISION)

    async def judge(draft: Draft) -> bool:
        return (await steps.reflect(context.recipe_context, hop, draft, ask)).correct

    return judge


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
