"""What a run asks once, whatever its target: the precheck before its first record, and the realism meter at its end."""

from collections.abc import Sequence
from contextlib import suppress

from aide.errors import NodeError
from aide.judging.precheck import MAX_SEEDS, answer_seed
from aide.metrics.realism import STEP, ask_which_are_made, compose_calls
from aide.recipes import RecipeContext
from aide.records import Seed, rng
from aide.run.inputs import PreparedInputs
from aide.run.judge_groups import GroupedJudge
from aide.run.plan.measuring import MeasuringAsk, SizeTable
from aide.verify.answers import AnswerChecks


async def rehearse_precheck(
    context: RecipeContext,
    checks: AnswerChecks,
    judge: GroupedJudge,
    inputs: PreparedInputs,
    ask: MeasuringAsk,
) -> None:
    """What is asked about the seeds: see `run.precheck`; labels are taken to come out right."""
    format, seeds = inputs.format, inputs.seeds[:MAX_SEEDS]
    for seed in seeds if format.runs_tests or not context.spec.reflection else ():
        await answer_seed(seed, checks, context.demonstrations(seeds[0]), ask)
    if not context.spec.reflection:
        return
    for fold in _split(seeds, min(judge.size, max(1, len(inputs.seeds) // 2))):
        await judge.read_real(fold, fold[0].id)
    for fold in _split(seeds, judge.size) if format.shows_answer(checks.card) else ():
        for turn in ("right", "wrong"):  # each seed's own answer and a wrong one, which is as long
            await judge.compare_answers([seed.draft for seed in fold], f"{turn} {fold[0].id}")


async def rehearse_realism(inputs: PreparedInputs, ask: MeasuringAsk, table: SizeTable) -> None:
    """Records among real texts: one group, and as many as share a call."""
    real = [seed.draft.input for seed in (*inputs.seeds, *inputs.human)]
    # No text is a real one word for word: such a one would not be held against itself.
    made = [f"{seed.draft.input} " for seed in inputs.seeds]
    groups = compose_calls(real, made, rng(STEP))[0]
    for few in (groups[:1], groups):
        with suppress(NodeError):
            await ask_which_are_made(ask, few)
        [(_, size)] = ask.take()
        table.note(STEP, len(few), size)


def _split(seeds: Sequence[Seed], size: int) -> list[Sequence[Seed]]:
    return [seeds[first : first + size] for first in range(0, len(seeds), size)]
