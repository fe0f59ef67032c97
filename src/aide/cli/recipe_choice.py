"""The recipe that settings name, and what follows from it for other settings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aide.config.resolve import DEFAULT, Settings, asks_for
from aide.config.settings import JUDGE_SETTINGS, METHOD, METHOD_SETTINGS, RECIPE_SETTINGS
from aide.errors import InputError
from aide.streams import is_stream

_DOCUMENTS: Final = "documents"
_NAMED_BY: Final = "--contexts"


def take_recipe(settings: Settings, seeds: Sequence[str] = ()) -> Settings:
    """The settings as their recipe takes them; see `recipes.settings.apply_recipe`.

    Where documents are given, no recipe is named and the `seeds` have no part that a document could stand for, it is
    the one that takes documents.

    Raises:
        errors.InputError: there is no such recipe, or a setting was given that it does not heed, or that a judge heeds
            where there is none.
    """
    settings = _choose_by_contexts(settings, seeds)
    origins = settings.origins
    foreign = [name for name in RECIPE_SETTINGS - METHOD_SETTINGS if origins.get(name, DEFAULT) != DEFAULT]
    if settings.spec.recipe != METHOD or foreign:
        # A rerun that has nothing to do is over before any recipe is imported.
        from aide.recipes.settings import apply_recipe

        settings = apply_recipe(settings)
    if not settings.spec.reflection:
        _refuse_grades(settings)
    return settings


def _refuse_grades(settings: Settings) -> None:
    """Refuse what says how a judge's grades are used, where there is no judge.

    A file may have it beside the option that turns the judge off to see what it is worth.
    """
    origins = settings.origins
    off = origins.get("reflection", DEFAULT).startswith("--")
    for name in sorted((*JUDGE_SETTINGS, "min_diversity")):
        origin = origins.get(name, DEFAULT)
        if asks_for(name, settings, {}) and (origin.startswith("--") or not off):
            raise InputError(
                f"{origin}: {name} has no effect where reflection is off, for no judge grades the records",
                hint="leave it out, or have a judge with --reflection",
            )


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
