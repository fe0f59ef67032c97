"""`aide config`: every setting, its value, and where the value came from."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from aide.cli.console import Output, format_json_line
from aide.cli.options import with_spec_options
from aide.config.resolve import Settings, resolve_settings
from aide.config.spec import RunSpec, get_flag

_TABLES: Final = ("steps", "endpoints", "prices", "extra", "headers", "query")


@with_spec_options
def config(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object: value and origin by name.")
    ] = False,
    *,
    spec_flags: dict[str, object],
    config: str | None = None,
) -> None:
    """Show every setting and where its value came from, in the form of a config file."""
    settings = resolve_settings(spec_flags, environ=os.environ, config=config, endpoint_needed=False)
    out = Output()
    if as_json:
        values = settings.spec.as_dict()
        shown = {name: {"value": values[name], "origin": origin} for name, origin in settings.origins.items()}
        out.line(format_json_line(shown))
        return
    for line in settings_as_toml(settings):
        out.line(line)


def settings_as_toml(settings: Settings) -> Iterator[str]:
    """The lines of a config file that gives these very settings; what is unset stands as a comment."""
    values = settings.spec.as_dict()
    flat = [name for name in RunSpec.model_fields if name not in _TABLES]
    for group in dict.fromkeys(get_flag(name).group for name in flat):
        yield f"[{group}]"
        for name in flat:
            if get_flag(name).group == group:
                yield _line(name, values[name], settings.origins[name])
        yield ""
    yield "[request]"
    for name in ("extra", "headers", "query"):
        yield _line(name, values[name], settings.origins[name])
    yield from ("", f"# steps: {settings.origins['steps']}")
    for step, sampling in values["steps"].items():
        yield from _table(f"[steps.{step}]", sampling)
    for endpoint in values["endpoints"]:
        yield from _table("[[endpoints]]", endpoint)
    if values["prices"]:
        yield from _table("[prices]", values["prices"])


def _table(heading: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield heading
    yield from (
        f"{_key(name)} = {_value(value)}" for name, value in values.items() if value not in (None, "", {})
    )
    yield ""


def _line(name: str, value: Any, origin: str) -> str:
    return f"# {name} is unset  # {origin}" if value is None else f"{name} = {_value(value)}  # {origin}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(
            f"{_key(name)} = {_value(each)}" for name, each in value.items() if each is not None
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


__all__ = ["config", "settings_as_toml"]
