"""What was thought before the output of a row, wherever the row has it: beside it, before it in marks, in a turn."""

from collections.abc import Mapping
from typing import Any, Final

from aide.text.cleaning import clean_text
from aide.text.markers import split_thinking, wrap_thinking

THOUGHTS: Final = ("reasoning_content", "thinking")
"""Columns of what a model thought. A working that is written for the reader has other names."""
THOUGHT_KEYS: Final = ("reasoning_content", "reasoning", "thinking")
"""Where a turn of a chat has what was thought before its words."""


def split_thoughts(said: Any) -> tuple[str, Any]:
    """What was thought and what was said, where an output begins with thoughts in marks; else the output as it is."""
    if not isinstance(said, str):
        return "", said
    thoughts, answer = split_thinking(said)
    return (clean_text(thoughts), clean_text(answer)) if thoughts else ("", said)


def is_reasoning(column: str) -> bool:
    """True for a column named as what leads to an answer; a `solution` or an `explanation` may be the answer itself."""
    return column.strip().casefold().replace(" ", "_") in ("reasoning", "cot", "chain_of_thought", *THOUGHTS)


def find_thoughts_name(turn: Mapping[str, Any]) -> str:
    """The key under which a turn has thoughts; empty where it has none."""
    named = (name for name in THOUGHT_KEYS if isinstance(turn.get(name), str) and turn[name].strip())
    return next(named, "")


def wrap_like(sample: Any, thoughts: str, said: str) -> str:
    """The answer behind its thoughts, where the sample has such in marks; else the answer."""
    marked = split_thoughts(sample)[0]
    return wrap_thinking(sample, thoughts, said) if marked and thoughts else said
