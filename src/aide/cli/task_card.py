"""The task card as it is shown at the start of a run: all prompts and checks follow it."""

from typing import TYPE_CHECKING, Final

from aide.cli.console import escape_for_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aide.formats import TaskCard

LONGEST: Final = 400
"""Columns of a text that are shown."""

NAMED: Final = 12
"""Labels or topics that are named."""


def describe_card_rows(card: "TaskCard", traits: "Sequence[tuple[str, str]]" = ()) -> list[tuple[str, str]]:
    """Name and text of each line; texts of models and files are made safe for the console.

    `traits` are names and words for what the seeds' inputs are like.
    """
    place = ", ".join(escape_for_console(text, 60) for text in (card.language, card.locale) if text)
    rows = [
        ("task", escape_for_console(card.task, LONGEST)),
        ("format", _describe_format(card)),
        ("labels", _name_some(card.label_names)),
        ("fields", _name_some(_list_fields(card))),
        ("topics", _name_some([topic.name for topic in card.topics])),
        ("language", place),
        ("answer", escape_for_console(card.answer_form, LONGEST)),
        ("source", escape_for_console(card.source, LONGEST)),
        ("style", escape_for_console(card.register, LONGEST)),
        ("hard", escape_for_console(card.hard, LONGEST)),
        ("input", f"{card.min_words:,} to {card.max_words:,} {card.unit}{_describe_parts(card)}"),
        ("traits", escape_for_console("; ".join(f"{name} {words}" for name, words in traits), LONGEST)),
    ]
    return [(name, text) for name, text in rows if text]


def _describe_format(card: "TaskCard") -> str:
    facts = [card.format.replace("_", " ")]
    if card.options:
        facts.append(f"{card.options} options")
    if card.code:
        facts.append(escape_for_console(card.code, 40))
    if card.convention:
        facts.append(f"ends with {escape_for_console(card.convention, 60)}")
    return ", ".join(facts)


def _list_fields(card: "TaskCard") -> list[str]:
    """The fields of answers in JSON, with what is known of each; the whole schema stands in the card's file."""
    from aide.formats.schema import describe_fields
    from aide.formats.structured import load_card_schema

    return list(describe_fields(load_card_schema(card.schema)))


def _name_some(names: "Sequence[str]") -> str:
    more = len(names) - NAMED
    shown = ", ".join(escape_for_console(name, 40) for name in names[:NAMED])
    return shown + (f" and {more:,} more" if more > 0 else "")


def _describe_parts(card: "TaskCard") -> str:
    if not card.fixed:
        return ""
    fixed = ", ".join(escape_for_console(name, 40) for name in card.fixed)
    return f" of {escape_for_console(card.varying, 40)}; fixed: {fixed}"
