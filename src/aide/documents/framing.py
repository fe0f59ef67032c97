"""A document as the fixed part of an input: in the place of the seed's own, or before what the seed asks."""

from dataclasses import replace
from typing import Final

from aide.formats import TaskCard
from aide.records import DOCUMENT, Parts

ASKED: Final = "question"
"""The varying part of a record about a document whose seed has no fixed part."""


def frame_document(parts: Parts, text: str) -> Parts:
    """The parts of a seed with this document as their first fixed one."""
    if not parts.fixed:
        return Parts(((DOCUMENT, text),), ASKED, f"{{{DOCUMENT}}}\n\n{{{ASKED}}}")
    (name, _), *others = parts.fixed
    return replace(parts, fixed=((name, text), *others))


def frame_card(card: TaskCard) -> TaskCard:
    """The card of seeds without fixed parts, for records that are about a document."""
    return card if card.fixed else replace(card, fixed=(DOCUMENT,), varying=ASKED)
