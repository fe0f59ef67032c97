"""Operations: prompts of which each says in a phrase how a new text is changed; and the line that a writer is given."""

from aide.card import Traits
from aide.config.spec import RunSpec
from aide.prompts import Prompts, list_variants
from aide.recipes.base import RecipeContext
from aide.recipes.contract import RecipeInputs
from aide.records import DOMAIN, PERSONA, PLAIN, Hop


def check_operations(spec: RunSpec, inputs: RecipeInputs) -> None:
    """An operation without a prompt is told before anything is spent.

    Raises:
        errors.InputError: naming the prompt that is missing.
    """
    prompts = Prompts(spec.prompts)
    for operation in spec.operations:
        prompts.find_template(*list_variants(operation, inputs.format.prompt_names, parts=inputs.fixed_parts))


def render_operation(context: RecipeContext, operation: str) -> str:
    """What an operation asks for, the variant for this format and for fixed parts first."""
    names = list_variants(operation, context.format.prompt_names, parts=context.fixed_parts)
    return context.prompts.render_instruction(context.prompts.find_template(*names))


def describe_hop(context: RecipeContext, hop: Hop, change: str = "", *, answered: bool = False) -> str:
    """One line of a prompt: what it is about, how it is changed, its traits, the shape that it takes over."""
    about = [hop.topic] if hop.topic else []
    if hop.operation != PLAIN:
        if hop.triple:
            about += [f"{hop.triple.relation}: {hop.triple.attribute}"]
        elif hop.persona:
            about += [hop.persona]
        about = [" – ".join(about), *([change] if change and _has_room(hop) else [])]
    line = "; ".join(filter(None, about))
    others = f" (others take up: {'; '.join(hop.others)})" if hop.others else ""
    said = f"{line}{others}{'. ' if line and hop.manner else ''}{hop.manner[:1].upper()}{hop.manner[1:]}."
    shape = context.format.describe_shape(hop.parent.draft, answered=answered)
    return f"{said if said != '.' else ''} {shape}".strip() if shape else said


def _has_room(hop: Hop) -> bool:
    """A short text has room for its matter alone: a circumstance cannot be had in five words, another matter can."""
    return not hop.traits or hop.operation in (PERSONA, DOMAIN) or not Traits.from_dict(hop.traits).is_short
