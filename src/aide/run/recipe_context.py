"""What a recipe is given, gathered from spec, seeds and card: the same for a run and for its plan."""

from collections.abc import Callable

from aide.config.spec import RunSpec
from aide.formats import Demonstration, TaskCard
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes import Deduplicator, RecipeContext
from aide.recipes.personas import load_bank
from aide.records import Embed, Seed
from aide.run.inputs import PreparedInputs, rank_near_labels
from aide.verify.agreement import choose_quorum
from aide.verify.answers import AnswerChecks, Runner


def build_recipe_context(
    spec: RunSpec,
    ground: PreparedInputs,
    card: TaskCard,
    prompts: Prompts,
    *,
    novelty: Deduplicator,
    demonstrations: Callable[[Seed], tuple[Demonstration, ...]],
    run: Runner | None = None,
    embed: Embed | None = None,
) -> RecipeContext:
    """Everything that is fixed before the first record; with `embed` a bank of personas is ranked by it.

    Raises:
        errors.InputError: the persona bank can't be read.
    """
    return RecipeContext(
        spec=spec,
        task=ground.loaded.task,
        card=card,
        format=ground.format,
        gate=FormGate(
            card,
            [seed.draft.input for seed in ground.seeds],
            [seed.draft.output for seed in ground.seeds],
            ground.avoid,
        ),
        checks=AnswerChecks(ground.format, card, choose_quorum(spec.agreement, card), run),
        standard=Thresholds(spec.min_relevance, spec.min_diversity),
        prompts=prompts,
        novelty=novelty,
        graph_triples=spec.graph(fixed=ground.format.labelled or ground.fixed_parts),
        bank=load_bank(spec.persona_file, embed)
        if spec.persona_file or spec.personas_from == "bank"
        else None,
        demonstrations=demonstrations,
        near_labels=rank_near_labels(card, ground),
    )
