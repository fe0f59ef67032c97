"""What a session is used for: seeds, task card and recipe, the same for a run, a single step and a plan."""

from collections.abc import Callable
from dataclasses import dataclass

from aide.config.spec import RunSpec
from aide.formats import Demonstration, TaskCard
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes import RECIPES, Deduplicator, Recipe, RecipeContext
from aide.recipes.personas import load_bank
from aide.records import Embed, Seed, digest
from aide.run.calls import NodeAsk
from aide.run.inputs import PreparedInputs
from aide.run.seed_pool import SeedPool
from aide.run.session import Session
from aide.run.task_card import rank_near_labels
from aide.run.test_results import JournaledTestRunner
from aide.verify.agreement import choose_quorum
from aide.verify.answers import AnswerChecks, TestRunner


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything that is fixed before the first record. Nothing in it changes while the session is open."""

    session: Session
    inputs: PreparedInputs
    card: TaskCard
    recipe_context: RecipeContext
    recipe: Recipe

    def ask_for(self, node: str) -> NodeAsk:
        """An `Ask` whose prompts know the task card, and whose calls are booked on `node`."""
        return self.session.ask_for(node, self.recipe_context.prompts)


def make_context(
    session: Session, inputs: PreparedInputs, card: TaskCard, deduplicator: Deduplicator
) -> RunContext:
    """The context of a session whose card is fixed.

    Raises:
        errors.InputError: the persona bank can't be read.
    """
    pool = SeedPool(session.spec, inputs, session.journal)
    runner = JournaledTestRunner(session.journal, session.sandbox) if session.sandbox else None
    embed = session.embed_for(digest("personas")) if session.spec.embeddings else None
    recipe_context = build_recipe_context(
        session.spec, inputs, card, Prompts(session.spec.prompts, card=card),
        deduplicator=deduplicator, demonstrations=pool.demonstrations, run=runner, embed=embed,
    )  # fmt: skip
    return RunContext(session, inputs, card, recipe_context, RECIPES["aide"](recipe_context))


def build_recipe_context(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    prompts: Prompts,
    *,
    deduplicator: Deduplicator,
    demonstrations: Callable[[Seed], tuple[Demonstration, ...]],
    run: TestRunner | None = None,
    embed: Embed | None = None,
) -> RecipeContext:
    """What a recipe is given. With `embed` a bank of personas is ranked by it; `run` runs tests of code.

    Raises:
        errors.InputError: the persona bank can't be read.
    """
    banked = spec.persona_file is not None or spec.personas_from == "bank"
    return RecipeContext(
        spec=spec,
        task=inputs.loaded.task,
        card=card,
        format=inputs.format,
        gate=FormGate(
            card,
            [seed.draft.input for seed in inputs.seeds],
            [seed.draft.output for seed in inputs.seeds],
            inputs.avoid,
        ),
        checks=AnswerChecks(inputs.format, card, choose_quorum(spec.agreement, card), run),
        thresholds=Thresholds(spec.min_relevance, spec.min_diversity),
        prompts=prompts,
        deduplicator=deduplicator,
        graph_triples=spec.count_graph_triples(fixed=inputs.format.labelled or inputs.fixed_parts),
        bank=load_bank(spec.persona_file, embed) if banked else None,
        demonstrations=demonstrations,
        near_labels=rank_near_labels(card, inputs),
    )


__all__ = ["RunContext", "build_recipe_context", "make_context"]
