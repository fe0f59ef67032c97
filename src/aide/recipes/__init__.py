"""Recipes: ways to expand. `aide` is the method of the paper. docs/design/recipes.md tells how to add one."""

from importlib.metadata import entry_points
from typing import Final

from aide.config import resources
from aide.recipes.aide import Aide
from aide.recipes.base import Deduplicator, Judge, RecipeContext
from aide.recipes.chain import Chain
from aide.recipes.contract import Found, Grown, Recipe, RecipeInputs, Roots
from aide.recipes.documents import Documents
from aide.recipes.evol import Evol
from aide.recipes.naive import Naive
from aide.recipes.retrieval import Retrieval
from aide.recipes.self_guide import SelfGuide
from aide.recipes.steps import NOT_NEEDED
from aide.recipes.tasks import Tasks
from aide.recipes.tcia import Tcia
from aide.recipes.written import WrittenRecipe
from aide.registry import Registry

PLUGINS: Final = "aide.recipes"
"""The group of entry points under which other packages offer recipes."""
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
        errors.InputError: there is none.
    """
    if name not in RECIPES:
        load_plugins()
    recipe = RECIPES[name]
    if recipe.prompts is not None:
        resources.add_folder("prompts", f"recipes/{name}", recipe.prompts)
    return recipe


def load_plugins() -> None:
    """Register the recipes of installed packages; ours go before one of the same name."""
    for entry in entry_points(group=PLUGINS):
        if entry.name not in RECIPES:
            RECIPES.add(entry.name, entry.load())


__all__ = [
    "NOT_NEEDED", "PLUGINS", "RECIPES", "Deduplicator", "Found", "Grown", "Judge", "Recipe", "RecipeContext",
    "RecipeInputs", "Roots", "WrittenRecipe", "find_recipe", "load_plugins",
]  # fmt: skip
