"""A command line that can't be read, told as every error is: one sentence, and a hint."""

import sys
from collections.abc import Container, Sequence
from typing import Any, Final

import typer

from aide.errors import InputError

USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__bases__[0]  # typer has no public name for it


def convert_usage_error(error: Any, words: Sequence[str], commands: Container[str]) -> InputError:
    """A usage error of typer's as one of ours: an unknown option or command, a missing or a wrong value.

    `words` were typed after `aide`; where the error does not know its command, the first of them tells it.
    """
    context = getattr(error, "ctx", None)
    named = f"aide {words[0]}" if words and words[0] in commands else "aide"
    helped = f"`{context.command_path if context else named} --help` shows what it takes"
    faulty = _faulty(error)
    if faulty:
        return InputError(faulty.rstrip("."), hint=helped)
    likely = getattr(error, "possibilities", None)
    said, _, meant = (error.message if likely else error.format_message()).partition(" Did you mean ")
    if likely:
        *others, last = likely
        meant = f"{', '.join(others)} or {last}?" if others else f"{last}?"
    sentence = said[:1].lower() + said[1:].rstrip(".")
    return InputError(sentence, hint=f"did you mean {meant} {helped}" if meant else helped)


def _faulty(error: Any) -> str:
    """What is wrong with the value of an option, in the words that settings have; empty where it is not that."""
    cause, param = error.__cause__, getattr(error, "param", None)
    if "pydantic" not in sys.modules or param is None:
        return ""
    from pydantic import ValidationError

    from aide.config.problems import explain_value

    return f"{max(param.opts, key=len)} {explain_value(cause)}" if isinstance(cause, ValidationError) else ""


__all__ = ["USAGE_ERROR", "convert_usage_error"]
