"""TOML that Python's own reader takes, whatever is in a value."""

import tomllib
from typing import Any

import pytest

from aide.text.toml import format_toml_key, format_toml_value


@pytest.mark.parametrize(
    "value",
    ["", 'a "b"\n\\ \x7f \u2028 é', True, 3, 0.5, [], ["a", ["b"]], {}, {"a b": 1, "c": {"d": "e"}}],
)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"{format_toml_key('a key')} = {format_toml_value(value)}") == {"a key": value}


def test_there_is_no_null() -> None:
    assert format_toml_value({"a": None, "b": 1}) == "{ b = 1 }"
