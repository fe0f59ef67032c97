"""Recipes: ways to expand. `aide` is the method of the paper."""

from aide.recipes.aide import Aide
from aide.recipes.base import RECIPES, Attributes, Deduplicator, Grown, Judge, Recipe, RecipeContext

RECIPES.add(Aide.name, Aide)

__all__ = ["RECIPES", "Attributes", "Deduplicator", "Grown", "Judge", "Recipe", "RecipeContext"]
