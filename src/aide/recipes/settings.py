"""The settings of a run as its recipe takes them: its own defaults, and nothing that it would not heed."""

from dataclasses import replace

from pydantic import ValidationError

from aide.config.problems import explain_error
from aide.config.resolve import DEFAULT, Settings, asks_for, spell_option
from aide.config.settings import RECIPE_SETTINGS
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.recipes import Recipe, find_recipe


def apply_recipe(settings: Settings) -> Settings:
    """Fill in what the recipe has other defaults for.

    Raises:
        errors.InputError: there is no such recipe, or a setting was given that it does not heed.
    """
    spec, origins = settings.spec, settings.origins
    recipe = find_recipe(spec.recipe)
    foreign = RECIPE_SETTINGS - recipe.settings | recipe.unheeded
    for name in sorted(foreign):
        if asks_for(name, settings, recipe.defaults):
            raise _refuse(recipe, name, origins[name])
    given = {
        name: value
        for name, value in recipe.defaults.items()
        if name in foreign or origins.get(name, DEFAULT) == DEFAULT
    }
    if not given:
        return settings
    try:
        changed = RunSpec(**{**spec.as_dict(), **given})
    except ValidationError as error:
        raise explain_error(error, lambda path: path[0]) from error
    return replace(settings, spec=changed)


def _refuse(recipe: type[Recipe], name: str, origin: str) -> InputError:
    option = origin if origin.startswith("--") else spell_option(name)
    where = "" if option == origin else f"{origin}: "
    taken = ", ".join(map(spell_option, sorted(recipe.settings))) or "none"
    return InputError(
        f"{where}the recipe {recipe.name} has no use for {option}",
        hint=f"leave it out; {recipe.name} takes {taken} of the recipes' options",
    )


__all__ = ["apply_recipe"]
