"""`--answer-missing`: chats that end with the user's turn are answered before anything grows from them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from aide.card import make_demonstration
from aide.errors import EndpointUnusable, NodeError
from aide.formats import Demonstration, Format, Question, TaskCard
from aide.recipes.base import run_all
from aide.records import ASSISTANT, WHOLE, Ask, Draft, Seed, Turn, digest
from aide.run.inputs import PreparedInputs, count_inputs_card
from aide.run.session import Session

_SHOWN: Final = 3  # answered seeds that the model sees, where there are any
_SUPPOSED: Final = (
    "An answer of the usual length, which says in two sentences what was asked for, and no more."
)


def list_unanswered(inputs: PreparedInputs) -> list[Seed]:
    """The seeds that have no answer; their format is then one of chats."""
    return [seed for seed in inputs.seeds if not seed.draft.output]


def suppose_answers(inputs: PreparedInputs) -> PreparedInputs:
    """The inputs as a plan takes them: where an answer is missing, one of the usual length."""
    waiting = list_unanswered(inputs)
    if not waiting:
        return inputs
    turn = Turn(ASSISTANT, _SUPPOSED)
    seeds = (
        seed if seed.draft.output else replace(seed, draft=_add_turn(seed.draft, turn))
        for seed in inputs.seeds
    )
    return replace(inputs, seeds=tuple(seeds), supposed=tuple(waiting))


def _add_turn(draft: Draft, turn: Turn) -> Draft:
    return replace(draft, output=turn.content, turns=(*draft.turns, turn))


async def answer_missing(session: Session, inputs: PreparedInputs) -> PreparedInputs:
    """The inputs with all seeds answered, each by one call; the ids of the seeds stay.

    Raises:
        errors.EndpointUnusable: a seed can't be answered.
    """
    waiting = list_unanswered(inputs)
    if not waiting:
        return inputs
    card = count_inputs_card(session.spec, inputs)
    prompts = inputs.make_prompts(session.spec, card=card)
    done = [seed for seed in inputs.seeds if seed.draft.output][:_SHOWN]
    demos = tuple(make_demonstration(seed.draft, inputs.format) for seed in done)
    drafts = await answer_seeds(waiting, lambda id: session.ask_for(id, prompts), inputs.format, card, demos)
    found = {seed.id: draft for seed, draft in zip(waiting, drafts, strict=True)}
    seeds = (replace(seed, draft=found.get(seed.id, seed.draft)) for seed in inputs.seeds)
    return replace(inputs, seeds=tuple(seeds))


async def answer_seeds(
    seeds: Sequence[Seed],
    ask_for: Callable[[str], Ask],
    format: Format,
    card: TaskCard,
    demos: tuple[Demonstration, ...],
) -> list[Draft]:
    """The drafts of these seeds with their answers; raises `errors.EndpointUnusable` where one can't be had."""

    async def answer(seed: Seed) -> Draft:
        id = digest("missing answer", seed.id)
        parts = format.list_fixed(seed.draft, WHOLE)
        question = Question(id, seed.draft.input, parts, None, demos, card.max_answer_tokens)
        try:
            return await format.answer(ask_for(id), card, replace(question, chat=seed.draft))
        except NodeError as fault:
            raise EndpointUnusable(
                f"seed {seed.name or seed.id} can't be answered: {fault.reason}",
                hint="answer it in the file, or leave it out",
            ) from fault

    return await run_all(answer(seed) for seed in seeds)
