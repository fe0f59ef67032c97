"""JSON values as text: objects and arrays, written in one way, and read without forgiving anything."""

import json
from math import isfinite
from typing import Any, Final

from aide.text.cleaning import clean_text

Structure = dict[str, Any] | list[Any]

_DEEPEST: Final = 60


def write_structure(value: Any) -> str:
    """A JSON value on one line, keys in their order."""
    return json.dumps(value, ensure_ascii=False)


def read_structure(text: str) -> Structure | None:
    """The object or array that `text` is; `None` where it is neither, or nothing but that."""
    body = text.strip()
    if body[:1] not in ("{", "[") or body[-1:] not in ("}", "]"):
        return None
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and is_shallow(value) else None


def read_fenced_structure(text: str) -> Structure | None:
    """The object or array that a text is, alone in a code fence or without one."""
    return read_structure(strip_fence(text)[1])


def strip_fence(text: str) -> tuple[str, str]:
    """The opening line of the code fence that a whole text stands in, and what stands inside; without one, the text."""
    head, _, rest = text.strip().partition("\n")
    fenced = head.startswith("```") and rest.endswith("```") and "```" not in rest[:-3]
    return (head, rest[:-3].strip()) if fenced else ("", text)


def _refuse(name: str) -> None:
    """NaN and Infinity are no JSON, though Python reads and writes them."""
    raise ValueError(name)


def clean_structure(value: Any) -> Any:
    """A value that a model said, its texts without what would break a file or a terminal."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean_structure(each) for each in value]
    if isinstance(value, dict):
        return {clean_text(str(name)): clean_structure(each) for name, each in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else value


def is_shallow(value: Any, deepest: int = _DEEPEST) -> bool:
    """True unless it is nested so deeply that reading it by recursion could fail."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return deepest > 0 and all(is_shallow(each, deepest - 1) for each in inner)


def imitate_layout(sample: str, value: Any) -> str:
    """A value written with the spaces, indents and fence of `sample`, JSON text of another value of its kind."""
    head, sample = strip_fence(sample)
    if head:
        return f"{head}\n{imitate_layout(sample, value)}\n```"
    known = read_structure(sample)
    layouts: tuple[dict[str, Any], ...] = (
        {}, {"separators": (",", ":")}, {"indent": 2}, {"indent": 4}, {"indent": 1},
    )  # fmt: skip
    for ascii in (False, True):
        for layout in layouts:
            if json.dumps(known, ensure_ascii=ascii, **layout) == sample.strip():
                return json.dumps(value, ensure_ascii=ascii, **layout)
    return write_structure(value)
