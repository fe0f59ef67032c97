"""The precheck of a run: seeds are checked side by side and each check is journaled, so that none is paid for twice."""

import asyncio
from collections.abc import Callable, Sequence

from aide.config.spec import RunSpec
from aide.errors import EndpointUnusable
from aide.journal import Journal
from aide.judging.precheck import MAX_SEEDS, Judge, Precheck, SeedCheck, check_seed
from aide.recipes.aide import Aide
from aide.records import Ask, Draft, Hop, Point, Seed, digest, rng
from aide.run.calls import NodeAsk

EXAM = "exam"  # the word in journals and hashes: another would make every folder pay again


async def run_precheck(
    spec: RunSpec,
    seeds: Sequence[Seed],
    recipe: Aide,
    journal: Journal,
    asker: Callable[[str], NodeAsk],
    *,
    at_once: int,
) -> Precheck:
    """Check all seeds, or a hundred where there are more; a seed that was checked before is not asked about again.

    Raises:
        errors.EndpointUnusable: the model stays below `--min-exam`.
        errors.AideError: what else stops a run.
    """
    chosen = seeds if len(seeds) <= MAX_SEEDS else rng(EXAM, str(spec.seed)).sample(list(seeds), MAX_SEEDS)
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
            check = await check_seed(seed, seeds, checks, demos, ask, judge)
        journal.decide(EXAM, seed.id, check.as_dict())
        return check

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


def enforce_min_share(spec: RunSpec, precheck: Precheck) -> None:
    """Hold the precheck to `--min-exam`; raises `EndpointUnusable` below it."""
    if spec.min_exam is not None and precheck.share < spec.min_exam:
        right, asked = precheck.right
        raise EndpointUnusable(
            f"the model got {right} of {asked} seeds right, below --min-exam {spec.min_exam:g}",
            hint="look at the seeds it misses: their answers may be wrong; or take a stronger model",
        )
