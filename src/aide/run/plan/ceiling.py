"""Targets that a tree can't hold are refused before anything is spent."""

from bisect import bisect_left

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.formats import TaskCard
from aide.recipes import find_recipe
from aide.run.composition import Composition, Held, SeedBatch, compose
from aide.run.context import make_shape
from aide.run.inputs import PreparedInputs
from aide.run.plan.part import POOL
from aide.run.task_card import list_hop_labels
from aide.text.figures import format_plural


def check_target(spec: RunSpec, inputs: PreparedInputs, card: TaskCard) -> None:
    """Refuse a target for which there are not enough places, all further draws included.

    Plain records need no parent, so with a share of these any number has a place.

    Raises:
        errors.InputError: with the ceiling, and what would raise it.
    """
    target = spec.compute_target(len(inputs.seeds))
    if target is None or spec.plain_share:
        return
    shape, labels = make_shape(spec, inputs), list_hop_labels(spec, card, inputs)
    roots = find_recipe(spec.recipe).roots(spec, inputs)

    def compose_for(records: int) -> Composition:
        batch = SeedBatch(POOL, inputs.seeds, records)
        return compose(spec, shape, [batch], labels.names, labels.near, Held(), labels.weights, roots)

    # Labels have shares of their own, so the one with the fewest places decides for all: hence a search.
    most = bisect_left(range(target), True, key=lambda records: compose_for(records + 1).total <= records)
    if most < target:
        seeds, hops = format_plural(len(inputs.seeds), "seed"), format_plural(spec.hops, "hop")
        if inputs.documents:
            seeds += f" and {format_plural(len(inputs.documents), 'chunk')} of documents"
        raise InputError(
            f"no room for {target:,} records: at most {most:,} can grow from {seeds} over {hops}",
            hint=name_remedies(spec),
        )


def name_remedies(spec: RunSpec) -> str:
    """What makes room for more records, of what the recipe heeds."""
    recipe = find_recipe(spec.recipe)
    heeded = recipe.settings
    if "queries" in heeded:  # a passage has as many, whatever seed it stands beside
        return f"add documents, or raise --queries (now {spec.queries})"
    if recipe.takes_documents:
        return "add documents or seeds"
    ways = ["add seeds or hops" if "hops" in heeded else "add seeds"]
    ways += [f"raise --attributes (now {spec.attributes})"] if "attributes" in heeded else []
    ways += ["set --plain-share above 0"] if "plain_share" in heeded and not spec.plain_share else []
    return ", or ".join([", ".join(ways[:-1]), ways[-1]]) if len(ways) > 1 else ways[0]
