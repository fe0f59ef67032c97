"""The recipe that settings name, and what follows from it for other settings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aide.config.resolve import DEFAULT, Settings
from aide.config.settings import METHOD, METHOD_SETTINGS, RECIPE_SETTINGS
from aide.streams import is_stream

_DOCUMENTS: Final = "documents"
_NAMED_BY: Final = "--contexts"


def take_recipe(settings: Settings, seeds: Sequence[str] = ()) -> Settings:
    """The settings as their recipe takes them; see `recipes.settings.apply_recipe`.

    Where documents are given, no recipe is named and the `seeds` have no part that a document could stand for, it is
    the one that takes documents.

    Raises:
        errors.InputError: there is no such recipe, or a setting was given that it does not heed.
    """
    settings = _choose_by_contexts(settings, seeds)
    origins = settings.origins
    foreign = [name for name in RECIPE_SETTINGS - METHOD_SETTINGS if origins.get(name, DEFAULT) != DEFAULT]
    if settings.spec.recipe == METHOD and not foreign:
        return settings  # a rerun that has nothing to do is over before any recipe is imported
    from aide.recipes.settings import apply_recipe

    return apply_recipe(settings)


def _choose_by_contexts(settings: Settings, seeds: Sequence[str]) -> Settings:
    spec, origins = settings.spec, settings.origins
    # What can be read only once is read later; there a hint says which recipe to name.
    if (
        not spec.contexts
        or origins.get("recipe", DEFAULT) != DEFAULT
        or any(map(is_stream, seeds))
        or not seeds
    ):
        return settings
    from aide.run.inputs import has_fixed_parts

    if has_fixed_parts(spec, seeds):
        return settings
    chosen = spec.model_copy(update={"recipe": _DOCUMENTS})
    return replace(settings, spec=chosen, origins={**origins, "recipe": _NAMED_BY})
