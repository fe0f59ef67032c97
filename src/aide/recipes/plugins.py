"""Recipes of installed packages: loaded by their entry points, and named where they can't be."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from aide.config.settings import RECIPE_SETTINGS
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.recipes.contract import Recipe
from aide.recipes.written import WrittenRecipe

PLUGINS: Final = "aide.recipes"
"""The group of entry points under which other packages offer recipes."""
_TEXTS: Final = ("name", "summary", "source")


def load_plugins() -> Iterator[tuple[str, type[Recipe] | InputError]]:
    """The recipe of each entry point by its name, or why there is none."""
    for entry in entry_points(group=PLUGINS):
        try:
            yield entry.name, _load(entry)
        except InputError as fault:
            yield entry.name, fault


def find_fault(found: Any) -> str:
    """Why a thing can't be used as a recipe, in words that follow "it can't be used: "; empty where it can."""
    if not (isinstance(found, type) and issubclass(found, Recipe)):
        return f"{getattr(found, '__name__', repr(found))} is no subclass of aide.recipes.Recipe"
    missing = [name for name in _TEXTS if not isinstance(getattr(found, name, None), str)]
    missing += [f"{name}()" for name in _list_missing_methods(found)]
    if missing:
        return f"the class {found.__name__} has no {', '.join(missing)}"
    unknown = sorted(found.settings - RECIPE_SETTINGS | set(found.defaults) - set(RunSpec.model_fields))
    if unknown:
        return f"the class {found.__name__} names settings that aide has not: {', '.join(unknown)}"
    if found.prompts is not None and not found.prompts.is_dir():
        return f"the folder of its prompts, {found.prompts}, was not installed"
    return ""


def _load(entry: EntryPoint) -> type[Recipe]:
    package = entry.dist.name if entry.dist else "an unnamed package"
    try:
        found = entry.load()
        fault = find_fault(found)
    except (Exception, SystemExit) as error:  # a module of others may raise anything
        fault = f"{type(error).__name__}: {error}"
        raise _describe(entry, package, fault) from error
    if fault:
        raise _describe(entry, package, fault)
    recipe: type[Recipe] = found
    return recipe


def _describe(entry: EntryPoint, package: str, fault: str) -> InputError:
    return InputError(
        f"the recipe {entry.name!r} of the package {package} can't be used: {fault} "
        f"(entry point {entry.name} = {entry.value})",
        hint=f"mend the package, or take it away with `pip uninstall {package}`",
    )


def _list_missing_methods(recipe: type[Recipe]) -> list[str]:
    if recipe.grow is Recipe.grow:
        return ["grow"]
    missing = []
    if issubclass(recipe, WrittenRecipe) and (
        recipe.grow is WrittenRecipe.grow and recipe.synthesize is WrittenRecipe.synthesize
    ):
        missing += [
            name
            for name in ("find_template", "describe")
            if getattr(recipe, name) is getattr(WrittenRecipe, name)
        ]
    shaped = getattr(recipe.shape, "__func__", None) is not getattr(Recipe.shape, "__func__", None)
    if shaped and recipe.plant is Recipe.plant:
        missing.append("plant")
    return missing
