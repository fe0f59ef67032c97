"""Values of a row's fields as text, chat turns included, and options with the one that a row means."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aide.text.cleaning import clean_text
from aide.text.structure import write_structure
from aide.text.suggestions import suggest_name

# Letters to J: beyond ten options there are numbers, and "M. Curie" is a name.
_LETTERED: Final = re.compile(r"\A\(?([A-Ja-j])[).:]\s*(?=\S)")
_LETTER: Final = re.compile(r"\A\W*([A-Ja-j])\W*\Z")
_ASSISTANT: Final = frozenset({"assistant", "gpt", "bot", "model", "chatgpt", "bing", "bard", "ai"})
_SYSTEM: Final = frozenset({"system", "developer"})


# What `pandas.read_csv` takes for a missing cell; its writers make such cells of missing values. An option of a
# question or a label may well be one of these words, which is for whoever knows the options to say.
_MISSING: Final = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip


def is_missing(value: Any) -> bool:
    """True when a field holds nothing, as pandas means it: NaN and infinity as numbers, or a text such as `NA`."""
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or (isinstance(value, str) and value.strip() in _MISSING)


class BadRowError(ValueError):
    """A row that is no example; its text is a clause that follows "line N"."""


class MissingFieldError(BadRowError):
    """A row without a field that a person named."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"has no field {name!r}{suggest_name(name, known)}; it has {', '.join(known) or 'none'}"
        )
        self.name = name
        """The field, as it was typed."""


def read_text_value(value: Any) -> str:
    """A field's value as text: chat turns joined, lists opened, numbers and booleans as JSON writes them."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):  # before numbers: to Python it is one
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping) and isinstance(value.get("text"), str | list):
        return read_text_value(value["text"])
    if isinstance(value, list) and value:
        if all(isinstance(turn, Mapping) and _role(turn) for turn in value):
            return _join_turns(value)
        if all(isinstance(part, Mapping) and "text" in part for part in value):
            return clean_text("".join(str(part["text"]) for part in value))
        return read_text_value(value[0])  # several accepted answers: the first is the usual one
    return ""


def read_output(value: Any) -> str:
    """An output as text: what is structure is JSON; accepted answers and parts of a message are text.

    A list of texts is the first of them here: whether it is a list of answers or one answer that is a list, all rows
    together tell (`outputs.settle_outputs`).
    """
    if isinstance(value, Mapping):
        # `{"text": […]}` is how data sets write accepted answers; anything else is an object, one key or many.
        return read_text_value(value) if isinstance(value.get("text"), list) else write_structure(value)
    if isinstance(value, list) and (not value or not _is_text_list(value)):
        return write_structure(value)
    return read_text_value(value)


def _is_text_list(value: Sequence[Any]) -> bool:
    """True for texts or numbers, for turns of a chat, and for the parts of a message."""
    if all(isinstance(each, Mapping) for each in value):
        turns = all(_role(each) for each in value)
        return turns or all({"text"} <= each.keys() <= {"text", "type"} for each in value)
    return all(isinstance(each, str | int | float) for each in value)


def _role(turn: Mapping[str, Any]) -> str:
    role = turn.get("role") or turn.get("from") or ""
    return role.casefold() if isinstance(role, str) else ""


def _words(turn: Mapping[str, Any]) -> str:
    return read_text_value(turn.get("content") if "content" in turn else turn.get("value", turn.get("text")))


def _join_turns(turns: Sequence[Mapping[str, Any]]) -> str:
    """One user turn as it is; several turns with their speakers in front."""
    turns = [turn for turn in turns if _words(turn) and _role(turn) not in _SYSTEM]
    if len(turns) == 1:
        return _words(turns[0])
    return "\n".join(
        f"{'Assistant' if _role(turn) in _ASSISTANT else 'User'}: {_words(turn)}" for turn in turns
    )


def read_options(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options and their letters, from a list, `{"A": …}`, `{"text": […], "label": […]}` or separated text.

    Raises:
        BadRowError: it is none of these.
    """
    letters: tuple[str, ...] = ()
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), list):
            letters, value = tuple(map(str, value.get("label", ()))), value["text"]
        else:
            letters, value = tuple(map(str, value)), list(value.values())
    if isinstance(value, str):
        value = re.split(r"\s*(?:\n|\||;)\s*", value.strip())
    if not isinstance(value, list):
        raise BadRowError("has options that are no list")
    options = [read_text_value(option) for option in value]
    if len(options) > 1 and all(_LETTERED.match(option) for option in options):
        options = [_LETTERED.sub("", option) for option in options]
    return tuple(options), letters


def resolve_option(options: Sequence[str], letters: Sequence[str], said: Any) -> str:
    """The option that a row means by a text, a letter or a place.

    A whole number counts from 0, as data sets do. A text is first looked for among the options, because an option
    may be a letter or a number itself.

    Raises:
        BadRowError: it is not exactly one.
    """
    if isinstance(said, int) and not isinstance(said, bool) and str(said) not in options:
        if not 0 <= said < len(options):
            raise BadRowError(f"has the output {said}, but {len(options)} options counted from 0")
        return options[said]
    text = read_text_value(said)
    if options.count(text) == 1 and text:
        return text
    if text in options:
        raise BadRowError("has its output twice among the options")
    if text in letters:
        return options[letters.index(text)]
    bare = _LETTERED.sub("", text).casefold()
    alike = [option for option in options if option.casefold() == bare]
    if len(alike) == 1:
        return alike[0]
    letter = _LETTER.match(text)
    place = ord(letter[1].upper()) - ord("A") if letter else int(text) if text.isdecimal() else -1
    if 0 <= place < len(options):
        return options[place]
    raise BadRowError("has an output that is none of its options")
