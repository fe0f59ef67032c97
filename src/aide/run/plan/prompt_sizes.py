"""How long prompts and answers of each step will be: prompts are rendered as the run would send them.

A seed stands in for every parent. Tokens are estimated as `llm.usage` does, so they fit a server only
roughly; an earlier run of the folder knows better.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from aide.card import choose_demonstrations, describe_card, make_demonstration
from aide.config.spec import EMBED, RunSpec
from aide.errors import NodeError, Unusable
from aide.formats import Question, TaskCard
from aide.formats.base import ask_answer
from aide.llm.usage import estimate_tokens
from aide.parsing import TextPayload
from aide.prompts import Prompts
from aide.recipes import RECIPES, RecipeContext
from aide.records import WHOLE, Correction, Draft, Payload, Seed
from aide.run.context import build_recipe_context
from aide.run.deduplication import NoDeduplication
from aide.run.inputs import PreparedInputs
from aide.run.seed_pool import DEMONSTRATION_TOKENS, POOL
from aide.text.length import measure_length

T = TypeVar("T")

TYPICAL = 3  # seeds whose prompts are rendered: they stand for all


@dataclass(frozen=True, slots=True)
class CallLength:
    """Tokens of one call: prompt, completion as expected, and the most the step may write."""

    prompt: float
    completion: float
    limit: float


Lengths = dict[str, CallLength]


class _MeasuringAsk:
    """An `Ask` that renders, notes lengths and gets no answer."""

    def __init__(self, prompts: Prompts) -> None:
        self.prompts = prompts
        self.prompt: dict[str, list[int]] = {}
        self.limit: dict[str, int] = {}

    async def __call__(
        self, step: str, payload: Payload[T], /, *, template: str = "", max_output: int, draw: int = 0,
        correction: Correction | None = None, **context: Any,
    ) -> T:  # fmt: skip
        parts = context.pop("parts", WHOLE)
        messages = self.prompts.render(template or step, parts, correction, **context)
        self.prompt.setdefault(step, []).append(sum(estimate_tokens(message.content) for message in messages))
        self.limit[step] = max(self.limit.get(step, 0), max_output)
        raise Unusable("measured", "only the prompt was wanted")


async def measure_prompts(
    spec: RunSpec, inputs: PreparedInputs, card: TaskCard
) -> tuple[dict[bool, Lengths], dict[bool, Lengths]]:
    """Lengths by step, expected and at most, each without and with the seed beside the parent.

    Expected are means over a few seeds; at most is the longest seed, stretched to what the card lets pass.
    """
    prompts = Prompts(spec.prompts, card=card)
    pool = inputs.seeds[:POOL]

    def shown(seed: Seed) -> Any:
        chosen = choose_demonstrations(
            seed, pool, inputs.format, k=spec.demonstrations, max_tokens=DEMONSTRATION_TOKENS
        )
        return tuple(make_demonstration(each.draft, inputs.format) for each in chosen)

    context = build_recipe_context(
        spec, inputs, card, prompts, deduplicator=NoDeduplication(), demonstrations=cache(shown)
    )
    expected = await _measure_steps(context, _choose_typical(inputs.seeds))
    return expected, await _measure_steps(context, [_stretch_longest(inputs.seeds, card)])


def scale_lengths(lengths: dict[bool, Lengths], factor: float) -> dict[bool, Lengths]:
    """The lengths in the tokens of a model; what a step may write stays as it is."""
    return {
        anchored: {
            step: CallLength(each.prompt * factor, min(each.completion * factor, each.limit), each.limit)
            for step, each in steps.items()
        }
        for anchored, steps in lengths.items()
    }


async def _measure_steps(context: RecipeContext, chosen: Sequence[Seed]) -> dict[bool, Lengths]:
    found: dict[bool, Lengths] = {}
    for anchored in (False, True):
        ask = _MeasuringAsk(context.prompts)
        for seed in chosen:
            await _rehearse(context, chosen, seed, ask, anchored=anchored)
        written = _estimate_completions(chosen, context)
        found[anchored] = {
            step: CallLength(sum(sizes) / len(sizes), min(written[step], ask.limit[step]), ask.limit[step])
            for step, sizes in ask.prompt.items()
        }
        if context.spec.embeddings:
            found[anchored][EMBED] = CallLength(written[EMBED], 0.0, 0.0)
        if context.checks.quorum is not None and "answer" in found[anchored]:
            found[anchored]["check"] = found[anchored]["answer"]  # the same question once more
    return found


async def _rehearse(
    context: RecipeContext, seeds: Sequence[Seed], seed: Seed, ask: "_MeasuringAsk", *, anchored: bool
) -> None:
    """One call of each step, as if this seed were a parent."""
    card = context.card
    with suppress(NodeError):
        await describe_card(ask, [each.draft for each in seeds], card)
    await RECIPES["aide"](context).rehearse(seed, ask, anchored=anchored)
    if "tests" in ask.prompt:  # the solution is asked for after the tests, which never came
        demos, most = context.demonstrations(seed), card.max_answer_tokens
        question = Question(seed.id, seed.draft.input, seed.parts, demos=demos, max_output=most)
        with suppress(NodeError):
            await ask_answer(ask, TextPayload("code"), question, template="code")


def _estimate_completions(seeds: Sequence[Seed], context: RecipeContext) -> dict[str, float]:
    """Tokens that each step is expected to write: texts as long as those of the seeds."""
    spec = context.spec
    text = _mean([estimate_tokens(seed.draft.input) for seed in seeds])
    answer = _mean([_count_written(seed.draft, context) for seed in seeds])
    named = 17.0  # a relation and an attribute with their JSON
    together = answer + 16 if context.joint else 0.0
    siblings = 5 if any(seed.parts.fixed for seed in seeds) else 1
    return {
        "card": 250.0,
        "extract": 10 + named * spec.attributes,
        "expand_graph": 5 + named * context.graph_triples,
        "personas": 5 + 18.0 * spec.personas,
        "synthesize": siblings * (text + 8 * (siblings > 1)) + together,
        "revise": text + together,
        EMBED: text,
        "answer": answer,
        "tests": answer,
        "reflect": answer + 90,
    }


def _count_written(draft: Draft, context: RecipeContext) -> int:
    """Tokens of an answer as the model writes it."""
    if context.format.labelled:
        return estimate_tokens(draft.output) + 6 + estimate_tokens(draft.evidence)
    options = sum(estimate_tokens(choice) + 3 for choice in draft.choices) + 10 if draft.choices else 0
    worked = estimate_tokens(draft.reasoning) + estimate_tokens(draft.evidence)
    return max(options, estimate_tokens(draft.output)) + worked


def _choose_typical(seeds: Sequence[Seed]) -> list[Seed]:
    """A few seeds that stand for all: by length, from the lower to the upper third."""
    ordered = sorted(seeds, key=lambda seed: len(seed.parts.whole(seed.draft.input)))
    places = {round((len(ordered) - 1) * (n + 1) / (TYPICAL + 1)) for n in range(TYPICAL)}
    return [ordered[place] for place in sorted(places)]


def _stretch_longest(seeds: Sequence[Seed], card: TaskCard) -> Seed:
    """The longest seed, its text repeated up to the longest input that the card lets pass."""
    seed = max(seeds, key=lambda each: len(each.parts.whole(each.draft.input)))
    text = max((each.draft.input for each in seeds), key=len)
    times = -(-card.max_words // max(1, measure_length(text, card.unit)))
    return replace(seed, draft=replace(seed.draft, input=" ".join([text] * max(1, times))))


def _mean(values: Sequence[int]) -> float:
    return sum(values) / max(1, len(values))
