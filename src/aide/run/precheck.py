"""The exam of a run: seeds examined side by side, each sitting journaled, so that none is paid for twice."""

import asyncio
from collections.abc import Callable, Sequence

from aide.config.spec import RunSpec
from aide.errors import EndpointUnusable
from aide.journal import Journal
from aide.judging.precheck import MOST, Judge, Precheck, SeedCheck, check_seed
from aide.recipes.aide import Aide
from aide.records import Ask, Draft, Hop, Point, Seed, digest, rng
from aide.run.calls import NodeAsk

EXAM = "exam"


async def run_precheck(
    spec: RunSpec,
    seeds: Sequence[Seed],
    recipe: Aide,
    journal: Journal,
    asker: Callable[[str], NodeAsk],
    *,
    at_once: int,
) -> Precheck:
    """Examine all seeds, or a hundred where there are more; what was examined before is not again.

    Raises:
        errors.EndpointUnusable: the teacher stays below `--min-exam`.
        errors.AideError: what else stops a run.
    """
    chosen = seeds if len(seeds) <= MOST else rng(EXAM, str(spec.seed)).sample(list(seeds), MOST)
    room = asyncio.Semaphore(at_once)
    checks = recipe.brief.checks

    async def one(seed: Seed) -> SeedCheck:
        kept = journal.decided(EXAM, seed.id)
        if kept is not None:
            return SeedCheck.from_dict(kept)
        async with room:
            ask = asker(digest(EXAM, seed.id))
            demos = recipe.brief.demonstrations(seed)
            judge = make_judge(recipe, seed, ask) if spec.reflection else None
            sitting = await check_seed(seed, seeds, checks, demos, ask, judge)
        journal.decide(EXAM, seed.id, sitting.as_dict())
        return sitting

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(seed)) for seed in chosen]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None
    return Precheck(tuple(task.result() for task in tasks))


def make_judge(recipe: Aide, seed: Seed, ask: Ask) -> Judge:
    """The run's own judge, shown the seed as a candidate beside itself: only `correct` counts."""
    hop = Hop(seed, Point(seed.id, seed.draft, seed.parts, 0), 1, EXAM)

    async def judge(draft: Draft) -> bool:
        return (await recipe.reflect(hop, draft, ask)).correct

    return judge


def enforce_min_share(spec: RunSpec, exam: Precheck) -> None:
    """Hold the exam to `--min-exam`; raises `EndpointUnusable` below it."""
    if spec.min_exam is not None and exam.share < spec.min_exam:
        right, asked = exam.right
        raise EndpointUnusable(
            f"the teacher is right on {right} of {asked} seeds, below --min-exam {spec.min_exam:g}",
            hint="look at the seeds it misses: their answers may be wrong; or take a stronger model",
        )
