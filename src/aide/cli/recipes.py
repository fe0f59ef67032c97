"""`aide recipes`: the ways to grow, each with what it computes, its source and what it needs."""

from aide.cli.arguments import AsJson
from aide.cli.console import Output, format_json_line, report_error
from aide.config.resolve import spell_option


def recipes(as_json: AsJson = False) -> None:
    """List the ways to grow, those of installed packages included. Choose one with --recipe NAME."""
    from aide.recipes import RECIPES, add_plugins

    faults = add_plugins()
    output = Output()
    for name, recipe in RECIPES.items():
        heeds = [spell_option(setting) for setting in sorted(recipe.settings)]
        if as_json:
            facts = {
                "summary": recipe.summary,
                "source": recipe.source,
                "needs": recipe.needs,
                "options": heeds,
            }
            output.line(format_json_line({"recipe": name, **facts}))
            continue
        output.line(name)
        output.line(f"  {recipe.summary}")
        output.line(f"  source: {recipe.source}")
        output.line(f"  needs: {recipe.needs}")
        if heeds:
            output.line(f"  of its own options: {' '.join(heeds)}")
    for fault in faults.values():
        report_error(fault)
