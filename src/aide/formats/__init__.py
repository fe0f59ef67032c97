"""How a task's output is found, asked for, checked and shown: one module a format, all registered here."""

from aide.formats.base import FORMATS, Demonstration, Format, Label, Question, TaskCard
from aide.formats.choices import MultipleChoice
from aide.formats.code import Code
from aide.formats.detect import detect_format
from aide.formats.labels import Labelled
from aide.formats.text import FreeText, Open

for _format in (
    Open(),
    FreeText(),
    MultipleChoice(),
    Labelled("yes_no"),
    Labelled("classification"),
    Code(),
):
    FORMATS.add(_format.name, _format)

__all__ = ["FORMATS", "Demonstration", "Format", "Label", "Question", "TaskCard", "detect_format"]
