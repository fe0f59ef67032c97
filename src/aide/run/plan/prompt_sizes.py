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
from aide.prompts import Prompts
from aide.recipes import RecipeContext
from aide.recipes.aide import Aide
from aide.recipes.extraction import make_extraction_payload
from aide.records import PERSONA, WHOLE, Correction, Draft, Hop, Payload, Point, Seed, Triple
from aide.run.deduplication import NoDeduplication
from aide.run.inputs import DEMONSTRATION_TOKENS, POOL, PreparedInputs
from aide.run.recipe_context import build_recipe_context
from aide.text.length import measure_length

T = TypeVar("T")

SPECIMENS = 3
_TRIPLE = Triple("a topic of two words", "is measured by", "an attribute")
_PERSONA = "a retired engineer who explains every step of her reasoning to her neighbours"
_CRITIQUE = (
    "It is too far from the seed: relevance 5 of 10. Keep to what the seed asks, and mend what does not fit."
)


@dataclass(frozen=True, slots=True)
class CallLength:
    """Tokens of one call: prompt, completion as expected, and the most the step may write."""

    prompt: float
    completion: float
    limit: float


Lengths = dict[str, CallLength]


class _Measure:
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
    spec: RunSpec, ground: PreparedInputs, card: TaskCard
) -> tuple[dict[bool, Lengths], dict[bool, Lengths]]:
    """Lengths by step, expected and at most, each without and with the seed beside the parent.

    Expected are means over a few seeds; at most is the longest seed, stretched to what the card lets pass.
    """
    prompts = Prompts(spec.prompts, card=card)
    pool = ground.seeds[:POOL]

    def shown(seed: Seed) -> Any:
        chosen = choose_demonstrations(
            seed, pool, ground.format, k=spec.demonstrations, max_tokens=DEMONSTRATION_TOKENS
        )
        return tuple(make_demonstration(each.draft, ground.format) for each in chosen)

    brief = build_recipe_context(
        spec, ground, card, prompts, novelty=NoDeduplication(), demonstrations=cache(shown)
    )
    expected = await _lengths(brief, ground, _spread(ground.seeds))
    return expected, await _lengths(brief, ground, [_stretched(ground.seeds, card)])


def scale_lengths(lengths: dict[bool, Lengths], factor: float) -> dict[bool, Lengths]:
    """The lengths in the tokens of a model; what a step may write stays as it is."""
    return {
        anchored: {
            step: CallLength(each.prompt * factor, min(each.completion * factor, each.limit), each.limit)
            for step, each in steps.items()
        }
        for anchored, steps in lengths.items()
    }


async def _lengths(
    brief: RecipeContext, ground: PreparedInputs, chosen: Sequence[Seed]
) -> dict[bool, Lengths]:
    found: dict[bool, Lengths] = {}
    for anchored in (False, True):
        ask = _Measure(brief.prompts)
        for seed in chosen:
            await _every_step(Aide(brief), brief, ground, seed, ask, anchored=anchored)
        said = _completions(chosen, brief)
        found[anchored] = {
            step: CallLength(sum(sizes) / len(sizes), min(said[step], ask.limit[step]), ask.limit[step])
            for step, sizes in ask.prompt.items()
        }
        if brief.spec.embeddings:
            found[anchored][EMBED] = CallLength(said[EMBED], 0.0, 0.0)
        if brief.checks.quorum is not None and "answer" in found[anchored]:
            found[anchored]["check"] = found[anchored]["answer"]  # the same question once more
    return found


async def _every_step(
    recipe: Aide, brief: RecipeContext, ground: PreparedInputs, seed: Seed, ask: _Measure, *, anchored: bool
) -> None:
    """One call of each step, as if this seed were a parent; what a step would go on with is made up."""
    spec, card, parent = brief.spec, brief.card, Point(seed.id, seed.draft, seed.parts, int(anchored))
    told: dict[str, Any] = {"text": seed.draft.input, "parts": seed.parts, "demos": ()}
    triples = (_TRIPLE,) * max(1, spec.attributes)
    hops = [
        Hop(seed, parent, 1, name, _TRIPLE, topic=_TRIPLE.topic, anchored=anchored)
        for name in spec.operations
    ]
    hops += (
        [Hop(seed, parent, 1, PERSONA, persona=_PERSONA, topic=_TRIPLE.topic, anchored=anchored)]
        if spec.personas
        else []
    )
    if ground.format.labelled:
        hops = [replace(hop, label=seed.draft.output) for hop in hops]
    if seed.parts.fixed:
        hops = [replace(hop, siblings=tuple(replace(hop, draw=n) for n in range(5))) for hop in hops]
    with suppress(NodeError):
        await describe_card(ask, [each.draft for each in ground.seeds], card, card.task)
    with suppress(NodeError):
        await ask(
            "extract",
            make_extraction_payload(spec.attributes),
            max_output=150 + 40 * spec.attributes,
            attributes=spec.attributes,
            **told,
        )
    await recipe.expand_graph(_TRIPLE.topic, triples, ask, **told)
    await _personas(brief, seed, ask)
    for hop in hops:
        with suppress(NodeError):
            await recipe.synthesize(hop, ask)
        with suppress(NodeError):
            await recipe.revise(hop, seed.draft, _CRITIQUE, ask)
    with suppress(NodeError):
        await recipe.answer(hops[0], Draft(seed.draft.input, ""), ask)
    if "tests" in ask.prompt:  # the solution is asked for after the tests, which never came
        question = Question(
            seed.id,
            seed.draft.input,
            seed.parts,
            demos=brief.demonstrations(seed),
            max_output=card.max_answer_tokens,
        )
        with suppress(NodeError):
            await ask_answer(ask, make_extraction_payload(1), question, template="code")
    if spec.reflection:
        with suppress(NodeError):
            await recipe.reflect(hops[0], seed.draft, ask)


async def _personas(brief: RecipeContext, seed: Seed, ask: _Measure) -> None:
    from aide.recipes.personas import find_personas

    await find_personas(_TRIPLE.topic, brief.spec.personas, brief.bank, ask, parts=seed.parts)


def _completions(seeds: Sequence[Seed], brief: RecipeContext) -> dict[str, float]:
    """Tokens that each step is expected to write: texts as long as those of the seeds."""
    spec = brief.spec
    text = _mean([estimate_tokens(seed.draft.input) for seed in seeds])
    answer = _mean([_written(seed.draft, brief) for seed in seeds])
    named = 17.0  # a relation and an attribute with their JSON
    together = answer + 16 if brief.joint else 0.0
    siblings = 5 if any(seed.parts.fixed for seed in seeds) else 1
    return {
        "card": 120.0,
        "extract": 10 + named * spec.attributes,
        "expand_graph": 5 + named * brief.graph_triples,
        "personas": 5 + 18.0 * spec.personas,
        "synthesize": siblings * (text + 8 * (siblings > 1)) + together,
        "revise": text + together,
        EMBED: text,
        "answer": answer,
        "tests": answer,
        "reflect": answer + 90,
    }


def _written(draft: Draft, brief: RecipeContext) -> int:
    """Tokens of an answer as the model writes it."""
    if brief.format.labelled:
        return estimate_tokens(draft.output) + 6 + estimate_tokens(draft.evidence)
    options = sum(estimate_tokens(choice) + 3 for choice in draft.choices) + 10 if draft.choices else 0
    worked = estimate_tokens(draft.reasoning) + estimate_tokens(draft.evidence)
    return max(options, estimate_tokens(draft.output)) + worked


def _spread(seeds: Sequence[Seed]) -> list[Seed]:
    """A few seeds that stand for all: by length, from the lower to the upper third."""
    ordered = sorted(seeds, key=lambda seed: len(seed.parts.whole(seed.draft.input)))
    places = {round((len(ordered) - 1) * (n + 1) / (SPECIMENS + 1)) for n in range(SPECIMENS)}
    return [ordered[place] for place in sorted(places)]


def _stretched(seeds: Sequence[Seed], card: TaskCard) -> Seed:
    """The longest seed, its text repeated up to the longest input that the card lets pass."""
    seed = max(seeds, key=lambda each: len(each.parts.whole(each.draft.input)))
    text = max((each.draft.input for each in seeds), key=len)
    times = -(-card.max_words // max(1, measure_length(text, card.unit)))
    return replace(seed, draft=replace(seed.draft, input=" ".join([text] * max(1, times))))


def _mean(values: Sequence[int]) -> float:
    return sum(values) / max(1, len(values))
