"""Values and keys as TOML, for the files that a person edits."""

import json
from collections.abc import Mapping
from typing import Any


def format_toml_value(value: Any) -> str:
    """A JSON value as TOML, in one line; members of a table that are `None` are left out, as TOML has no null."""
    if isinstance(value, Mapping):
        members = (
            f"{format_toml_key(name)} = {format_toml_value(each)}"
            for name, each in value.items()
            if each is not None
        )
        return f"{{ {inner} }}" if (inner := ", ".join(members)) else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(format_toml_value, value))}]"
    # A JSON string is a TOML string too, except that TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_toml_key(name: str) -> str:
    """A key, in quotes if it needs them."""
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isalnum() and name.isascii() else json.dumps(name)
