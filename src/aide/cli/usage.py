"""Usage errors in the form of all errors: one sentence, and a hint."""

import sys
from collections.abc import Collection, Sequence
from typing import Any, Final

import typer

from aide.cli.mistakes import explain_option, find_command
from aide.errors import InputError

USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__bases__[0]  # typer has no public name for it


def convert_usage_error(error: Any, words: Sequence[str], commands: Collection[str]) -> InputError:
    """Convert typer's error: an unknown option or command, a missing or a wrong value.

    `words` were typed after `aide`; the first is the command if the error itself does not know it.
    """
    context = getattr(error, "ctx", None)
    named = f"aide {words[0]}" if words and words[0] in commands else "aide"
    help_hint = f"`{context.command_path if context else named} --help` shows all options"
    if typed := getattr(error, "option_name", ""):
        known = {spelled for each in (context.command.params if context else ()) for spelled in each.opts}
        told, hint = explain_option(typed, known, words, commands)
        if told and hasattr(error, "possibilities"):
            return InputError(told, hint=f"{hint}; {help_hint}" if "`" not in hint else hint)
    elif words and (meant := find_command(words[0], commands)) and words[0] not in commands:
        return InputError(f"there is no command {words[0]}", hint=f"it is called `aide {meant}`; {help_hint}")
    wrong_value = _explain_value_error(error)
    if wrong_value:
        return InputError(wrong_value.rstrip("."), hint=help_hint)
    likely = getattr(error, "possibilities", None)
    said, _, meant = (error.message if likely else error.format_message()).partition(" Did you mean ")
    if likely:
        *others, last = likely
        meant = f"{', '.join(others)} or {last}?" if others else f"{last}?"
    sentence = said[:1].lower() + said[1:].rstrip(".")
    return InputError(sentence, hint=f"did you mean {meant} {help_hint}" if meant else help_hint)


def _explain_value_error(error: Any) -> str:
    """What is wrong with an option's value, in the words used for settings; empty if that is not the error."""
    cause, param = error.__cause__, getattr(error, "param", None)
    # Not imported means that no setting was checked; importing it here would slow down every typo.
    if "pydantic" not in sys.modules or param is None:
        return ""
    from pydantic import ValidationError

    from aide.config.problems import explain_value

    return f"{max(param.opts, key=len)} {explain_value(cause)}" if isinstance(cause, ValidationError) else ""
