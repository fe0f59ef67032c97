"""The task card as a file that a person reads and edits."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from pydantic import TypeAdapter, ValidationError

from aide.errors import InputError
from aide.formats import FORMATS, TaskCard
from aide.records import FORMATS as FORMAT_NAMES
from aide.text.length import UNITS
from aide.text.toml import format_toml_value

# The order, grouping and comments of the file. Every field of the card stands here once, but for `topics` and
# `labels`, which come last; a test holds that.
_LAYOUT: Final = (
    ("What the model said of the task, from the seeds. Edit freely before the first record.", (
        ("task", "what is given and what has to be answered"),
        ("source", "who writes such inputs, where; goes on from \"They come from\""),
        ("register", "the manner in which the inputs are written"),
        ("hard", "what makes an input hard or tricky, if anything"),
        ("answer_form", "what an answer looks like"),
        ("language", "of the inputs, by its English name"),
        ("language_code", ""),
        ("locale", "whose names, law, money and units the inputs use"),
    )),
    ("What was counted from the seeds.", (
        ("format", f"{', '.join(FORMAT_NAMES[:-1])} or {FORMAT_NAMES[-1]}"),
        ("varying", "the part of an input that is written anew"),
        ("fixed", "the parts that are never rewritten"),
        ("options", "number of options of a multiple choice question"),
        ("min_words", "bounds of an input, in `unit`"),
        ("max_words", ""),
        ("unit", "words, or characters (white space is none)"),
        ("convention", "how an answer ends; <number> or <answer> stands for the result"),
        ("bare", "whether an answer is nothing but that ending"),
        ("code", "programming language of the answers, where they are code"),
        ("schema", "JSON Schema of the answers, where they are JSON"),
        ("max_input_tokens", "most tokens of an input and of an answer"),
        ("max_answer_tokens", ""),
    )),
)  # fmt: skip
_CARD: Final = TypeAdapter(TaskCard)
_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)")


def card_to_toml(card: TaskCard, traits: Sequence[tuple[str, str]] = (), columns: Sequence[str] = ()) -> str:
    """The card as commented TOML; `card_from_toml` gives it back equal.

    `traits` are names and words for what the seeds' inputs are like, shown as a comment: they are counted anew whenever
    they are needed. So are `columns`, sentences on what becomes of columns beside the examples.
    """
    lines = [
        "# The task card: every prompt and every check follows it. It is fixed from the first record on."
    ]
    for heading, entries in _LAYOUT:
        lines += ["", f"# {heading}"]
        for name, comment in entries:
            line = f"{name} = {_format_field(getattr(card, name))}"
            lines.append(f"{line}  # {comment}" if comment else line)
    if traits:
        lines += [
            "",
            "# What the seeds' inputs are like; each new one takes after one of them. Not to be edited here.",
        ]
        lines += [f"#   {name:{max(len(name) for name, _ in traits)}}  {words}" for name, words in traits]
    if columns:
        lines += [
            "",
            "# Columns of the seeds beside the examples.",
            *(f"#   {_on_one_line(each)}" for each in columns),
        ]
    if card.topics:
        lines += [
            "",
            "# What the whole data set is about, and how common each topic is: 1 for rare to 5 for very common.",
            "[topics]",
            *(f"{format_toml_value(topic.name)} = {topic.share}" for topic in card.topics),
        ]
    if card.labels:
        lines += [
            "",
            "# The fixed set of labels. A description tells a label from its neighbours; near are those most easily",
            "# taken for it.",
        ]
    for label in card.labels:
        lines += [
            "[[labels]]",
            f"name = {format_toml_value(label.name)}",
            f"description = {format_toml_value(label.description)}",
            *([f"near = {format_toml_value(label.near)}"] if label.near else []),
        ]
    return "\n".join(lines) + "\n"


def _format_field(value: object) -> str:
    """A field of the card; a text of several lines, such as a schema, stands there as lines where it can."""
    plain = isinstance(value, str) and "\n" in value and "'" not in value
    if plain and all(char.isprintable() or char == "\n" for char in str(value)):
        return f"'''\n{value}'''"
    return format_toml_value(value)


def _on_one_line(text: str) -> str:
    """A text that a comment can hold: names of columns are anybody's."""
    return "".join(char if char.isprintable() else " " for char in text)


def card_from_toml(text: str) -> TaskCard:
    """The card in a file.

    Raises:
        InputError: nonsense, named with its line where it has one.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        where = _AT_LINE.search(str(fault))
        line = where[1] if where else str(text.count("\n") + 1)
        raise _wrong(line, _AT_LINE.sub("", str(fault))) from fault
    except RecursionError:
        raise _wrong("1", "it is nested too deeply") from None
    if isinstance(data.get("topics"), dict):
        data["topics"] = [{"name": name, "share": share} for name, share in data["topics"].items()]
    known = [field.name for field in fields(TaskCard)]
    for name in data:
        if name not in known:
            raise _wrong(_line(text, name), f"there is no {name!r} on a task card")
    try:
        card = _CARD.validate_python(data)
    except ValidationError as fault:
        error = fault.errors(include_url=False)[0]
        where_ = ".".join(str(step) for step in error["loc"])
        raise _wrong(_line(text, str(error["loc"][0])), f"{where_}: {error['msg']}") from fault
    if problem := _nonsense(card):
        name, told = problem
        raise _wrong(_line(text, name), told)
    return card


def _nonsense(card: TaskCard) -> tuple[str, str] | None:
    """The first field that can't be right, and why."""
    if card.format not in FORMATS:
        return "format", f"there is no format {card.format!r}"
    if card.unit not in UNITS:
        return "unit", f"unit is words or characters, not {card.unit!r}"
    if not 0 < card.min_words <= card.max_words:
        return "min_words", f"an input can't have {card.min_words} to {card.max_words} {card.unit}"
    if min(card.max_input_tokens, card.max_answer_tokens) < 1:
        return "max_input_tokens", "a completion has at least one token"
    if wrong := next((topic for topic in card.topics if not 1 <= topic.share <= 5), None):
        return "topics", f"the share of {wrong.name!r} is {wrong.share}; shares go from 1 to 5"
    if problem := FORMATS[card.format].check_card(card):
        return problem
    if card.convention and not re.search("<number>|<answer>", card.convention):
        return "convention", "a convention holds <number> or <answer>, where the result stands"
    return None


def _line(text: str, name: str) -> str:
    found = re.search(rf"^\s*(?:\[\[)?{re.escape(name)}\b", text, re.MULTILINE)
    return str(text.count("\n", 0, found.start()) + 1) if found else "1"


def _wrong(line: str, told: str) -> InputError:
    return InputError(
        f"task.toml:{line}: {told}", hint="mend the line, or delete the file to have it drawn anew"
    )
