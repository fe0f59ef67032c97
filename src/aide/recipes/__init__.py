"""Recipes: ways to expand. `aide` is the method of the paper."""

from aide.recipes.aide import Aide
from aide.recipes.base import RECIPES, Attributes, Deduplicator, Grown, Judge, Recipe, RecipeContext
from aide.recipes.steps import NOT_NEEDED

RECIPES.add(Aide.name, Aide)

__all__ = ["NOT_NEEDED", "RECIPES", "Attributes", "Deduplicator", "Grown", "Judge", "Recipe", "RecipeContext"]
