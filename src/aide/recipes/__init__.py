"""Recipes: ways to expand. `aide` is the method of the paper. docs/design/recipes.md tells how to add one."""

from collections.abc import Mapping
from typing import Final

from aide.config import resources
from aide.errors import InputError
from aide.recipes.aide import Aide
from aide.recipes.base import Deduplicator, Judge, RecipeContext
from aide.recipes.chain import Chain
from aide.recipes.contract import Found, Grown, Recipe, RecipeInputs, Roots
from aide.recipes.documents import Documents
from aide.recipes.evol import Evol
from aide.recipes.naive import Naive
from aide.recipes.plugins import load_plugins
from aide.recipes.retrieval import Retrieval
from aide.recipes.self_guide import SelfGuide
from aide.recipes.steps import NOT_NEEDED
from aide.recipes.tasks import Tasks
from aide.recipes.tcia import Tcia
from aide.recipes.written import WrittenRecipe
from aide.registry import Registry

RECIPES: Final[Registry[type[Recipe]]] = Registry("recipe")
for _recipe in (
    Aide,
    Chain,
    Documents,
    Evol,
    Naive,
    Retrieval,
    SelfGuide,
    Tasks,
    Tcia,
):
    RECIPES.add(_recipe.name, _recipe)


def find_recipe(name: str) -> type[Recipe]:
    """The recipe of that name, one of ours or of an installed package.

    Raises:
        errors.InputError: there is none, or the package's can't be loaded.
    """
    if name not in RECIPES and (fault := add_plugins().get(name)):
        raise fault
    recipe = RECIPES[name]
    if recipe.prompts is not None:
        resources.add_folder("prompts", f"recipes/{name}", recipe.prompts)
    return recipe


def add_plugins() -> Mapping[str, InputError]:
    """Register the recipes of installed packages; ours go before one of the same name.

    Returns what is wrong with each that can't be used, by its name.
    """
    faults = {}
    for name, recipe in load_plugins():
        if isinstance(recipe, InputError):
            faults[name] = recipe
        elif name not in RECIPES:
            RECIPES.add(name, recipe)
    return {name: fault for name, fault in faults.items() if name not in RECIPES}


__all__ = [
    "NOT_NEEDED", "RECIPES", "Deduplicator", "Found", "Grown", "Judge", "Recipe", "RecipeContext", "RecipeInputs",
    "Roots", "WrittenRecipe", "add_plugins", "find_recipe",
]  # fmt: skip
