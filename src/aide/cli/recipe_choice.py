"""The recipe that settings name, and what follows from it for other settings."""

from aide.config.resolve import DEFAULT, Settings
from aide.config.settings import METHOD, METHOD_SETTINGS, RECIPE_SETTINGS


def take_recipe(settings: Settings) -> Settings:
    """The settings as their recipe takes them; see `recipes.settings.apply_recipe`.

    Raises:
        errors.InputError: there is no such recipe, or a setting was given that it does not heed.
    """
    origins = settings.origins
    foreign = [name for name in RECIPE_SETTINGS - METHOD_SETTINGS if origins.get(name, DEFAULT) != DEFAULT]
    if settings.spec.recipe == METHOD and not foreign:
        return settings  # a rerun that has nothing to do is over before any recipe is imported
    from aide.recipes.settings import apply_recipe

    return apply_recipe(settings)
