"""`aide config`: every setting, its value, and the value's origin."""

import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from aide.cli.console import Output, format_json_line
from aide.cli.options import with_spec_options
from aide.cli.recipe_choice import take_recipe
from aide.config.resolve import Settings, resolve_settings
from aide.config.spec import RunSpec, get_flag
from aide.text.toml import format_toml_key, format_toml_value

# They are written at the end: in TOML, what follows a table's heading belongs to that table.
_TABLES: Final = ("steps", "endpoints", "prices", "extra", "headers", "query")


@with_spec_options
def config(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: value and origin by name.")
    ] = False,
    *,
    spec_flags: dict[str, object],
    config: str | None = None,
) -> None:
    """Show every setting and where its value came from, as a config file."""
    settings = take_recipe(
        resolve_settings(spec_flags, environ=os.environ, config=config, endpoint_needed=False)
    )
    out = Output()
    if as_json:
        values = settings.spec.as_dict()
        shown = {name: {"value": values[name], "origin": origin} for name, origin in settings.origins.items()}
        out.line(format_json_line(shown))
        return
    for line in settings_as_toml(settings):
        out.line(line)


def settings_as_toml(settings: Settings) -> Iterator[str]:
    """The lines of a config file that gives exactly these settings; unset ones are comments."""
    values = settings.spec.as_dict()
    flat = [name for name in RunSpec.model_fields if name not in _TABLES]
    for group in dict.fromkeys(get_flag(name).group for name in flat):
        yield f"[{group}]"
        for name in flat:
            if get_flag(name).group == group:
                yield _format_setting(name, values[name], settings.origins[name])
        yield ""
    yield "[request]"
    for name in ("extra", "headers", "query"):
        yield _format_setting(name, values[name], settings.origins[name])
    yield from ("", f"# steps: {settings.origins['steps']}")
    for step, sampling in values["steps"].items():
        yield from _format_table(f"[steps.{step}]", sampling)
    for endpoint in values["endpoints"]:
        yield from _format_table("[[endpoints]]", endpoint)
    if values["prices"]:
        yield from _format_table("[prices]", values["prices"])


def _format_table(heading: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield heading
    yield from (
        f"{format_toml_key(name)} = {format_toml_value(value)}"
        for name, value in values.items()
        if value not in (None, "", {})
    )
    yield ""


def _format_setting(name: str, value: Any, origin: str) -> str:
    return (
        f"# {name} is unset  # {origin}"
        if value is None
        else f"{name} = {format_toml_value(value)}  # {origin}"
    )
