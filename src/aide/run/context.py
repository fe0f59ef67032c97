"""What a session is used for: seeds, task card and recipe, the same for a run, a single step and a plan."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from math import ceil

import orjson

from aide.config.spec import RunSpec
from aide.formats import TaskCard
from aide.frontier import ChooseParent, Frontier, TreeShape
from aide.gates.form import FormGate
from aide.journal import Journal
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes import Deduplicator, Judge, Recipe, RecipeContext, Roots, find_recipe
from aide.recipes.collection import PassageCollection
from aide.recipes.personas import load_bank
from aide.records import Embed, Group, Hop, digest
from aide.run import restore
from aide.run.calls import NodeAsk
from aide.run.group_sizes import GUIDED, PLAIN, GroupSizes
from aide.run.guard import PATIENCE, has_given_up
from aide.run.inputs import PreparedInputs
from aide.run.seed_pool import SeedPool
from aide.run.session import Session
from aide.run.shares import fix_plain_share
from aide.run.task_card import list_hop_labels
from aide.run.test_results import JournaledTestRunner
from aide.seeds.column_names import list_joined_columns
from aide.seeds.thoughts import is_reasoning
from aide.verify.agreement import choose_quorum
from aide.verify.answers import AnswerChecks, TestRunner
from aide.verify.queries import QueryRunner


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything that is fixed before the first record. Nothing in it changes while the session is open."""

    session: Session
    inputs: PreparedInputs
    card: TaskCard
    recipe_context: RecipeContext
    recipe: Recipe
    roots: Roots

    def ask_for(self, node: str) -> NodeAsk:
        """An `Ask` whose prompts know the task card, and whose calls are booked on `node`."""
        return self.session.ask_for(node, self.recipe_context.prompts)


def make_context(
    session: Session,
    inputs: PreparedInputs,
    card: TaskCard,
    deduplicator: Deduplicator,
    judge: Judge,
    pool: SeedPool,
    thresholds: Thresholds,
    wants: Callable[[Hop], bool] = lambda hop: True,
    note_written: Callable[[Group, int], None] = lambda group, count: None,
) -> RunContext:
    """The context of a session whose card is fixed.

    Raises:
        errors.InputError: the persona bank can't be read.
    """
    runner = JournaledTestRunner(session.journal, session.sandbox) if session.sandbox else None
    embed = session.embed_for(digest("personas")) if session.spec.embeddings else None
    recipe_context = build_recipe_context(
        session.spec, inputs, card, inputs.make_prompts(session.spec, card=card), deduplicator=deduplicator,
        judge=judge, thresholds=thresholds, pool=pool, run=runner, query=runner.query if runner else None, embed=embed,
        wants=wants, note_written=note_written,
    )  # fmt: skip
    recipe = find_recipe(session.spec.recipe)
    roots = recipe.roots(session.spec, inputs)
    return RunContext(session, inputs, card, recipe_context, recipe(recipe_context), roots)


def lengthen_card(card: TaskCard, times: float) -> TaskCard:
    """The card of a recipe whose texts and answers may be so many times as long."""
    if times == 1:
        return card
    names = ("max_words", "max_input_tokens", "max_answer_tokens")
    return replace(card, **{name: ceil(getattr(card, name) * times) for name in names})


def build_recipe_context(
    spec: RunSpec,
    inputs: PreparedInputs,
    card: TaskCard,
    prompts: Prompts,
    *,
    deduplicator: Deduplicator,
    judge: Judge,
    thresholds: Thresholds,
    pool: SeedPool,
    run: TestRunner | None = None,
    query: QueryRunner | None = None,
    embed: Embed | None = None,
    wants: Callable[[Hop], bool] = lambda hop: True,
    note_written: Callable[[Group, int], None] = lambda group, count: None,
) -> RecipeContext:
    """What a recipe is given. With `embed` a bank of personas is ranked by it; `run` runs tests of code.

    Raises:
        errors.InputError: the persona bank can't be read.
    """
    card = lengthen_card(card, find_recipe(spec.recipe).allow_length(spec))
    banked = spec.persona_file is not None or spec.personas_from == "bank"
    quorum = choose_quorum(spec.agreement, card, runs=query is not None)
    return RecipeContext(
        spec=spec,
        task=inputs.loaded.task,
        card=card,
        format=inputs.format,
        gate=_make_gate(inputs, card),
        # By itself a vote is held only where the judge, whose own answer is one, says otherwise.
        checks=AnswerChecks(
            inputs.format,
            card,
            quorum,
            run,
            eager=spec.agreement != "auto" or not spec.reflection,
            query=query,
        ),
        thresholds=thresholds,
        prompts=prompts,
        deduplicator=deduplicator,
        judge=judge,
        bank=load_bank(spec.persona_file, embed) if banked else None,
        demonstrations=pool.demonstrations,
        examples=pool.examples,
        seeds=tuple(pool.seeds.values()),
        near_labels=list_hop_labels(spec, card, inputs).near,
        fixed_parts=inputs.fixed_parts,
        keeps_thoughts=keeps_thoughts(spec, inputs, card),
        knowledge=inputs.knowledge,
        collection=None if inputs.frames_documents else PassageCollection(inputs.documents, embed),
        corpus=inputs.corpus,
        wants=wants,
        note_written=note_written,
    )


def _make_gate(inputs: PreparedInputs, card: TaskCard) -> FormGate:
    return FormGate(
        card,
        [seed.draft.input for seed in inputs.seeds],
        [inputs.format.read_prose(seed.draft, card) for seed in inputs.seeds],
        inputs.avoid,
        [seed.draft.reasoning for seed in inputs.seeds],
        list_joined_columns(inputs.loaded.origin.roles),
        [seed.draft for seed in inputs.seeds if seed.draft.turns],
    )


def keeps_thoughts(spec: RunSpec, inputs: PreparedInputs, card: TaskCard) -> bool:
    """True where records hold what the model thought: where a person says so or, left to itself, as seeds hold it.

    A column `reasoning` beside bare results is filled by the working that answers are asked for with.
    """
    if spec.reasoning != "auto":
        return spec.reasoning == "keep"
    if any(seed.draft.thoughts for seed in inputs.seeds):
        return True
    return not card.bare and is_reasoning(inputs.loaded.origin.roles.get("reasoning", ""))


def count_thoughtful(journal: Journal) -> int:
    """Of all accepted records, those that hold what the model thought."""
    accepted = (orjson.loads(outcome.payload) for outcome in journal.read_outcomes("accepted"))
    return sum(line.get("thought") is True for line in accepted)


def make_shape(spec: RunSpec, inputs: PreparedInputs) -> TreeShape:
    """What the tree of a task may hold."""
    return find_recipe(spec.recipe).shape(spec, inputs)


def build_frontier(
    context: RunContext,
    pools: Mapping[str, str],
    sizes: GroupSizes,
    choose: ChooseParent,
    out: Collection[str],
) -> Frontier:
    """The frontier of a session as the folder has it; `out` was pruned."""
    spec, inputs, journal = context.session.spec, context.inputs, context.session.journal
    shape, labels = make_shape(spec, inputs), list_hop_labels(spec, context.card, inputs)
    composition = restore.plan_levels(
        spec,
        shape,
        inputs.seeds,
        pools,
        journal,
        labels.names,
        labels.near,
        out,
        labels.weights,
        context.roots,
    )
    share = fix_plain_share(spec.part, journal, sizes.most(PLAIN)) if spec.part else None
    frontier = restore.build_frontier(
        shape, composition, journal, pools, groups=(sizes.most(GUIDED), sizes.most(PLAIN)), choose=choose, out=out,
        retry_failed=spec.retry_failed, patience=PATIENCE if spec.guard else 0, share=share,
    )  # fmt: skip
    if not has_given_up(context.session):
        frontier.patience.renew()
    return frontier
