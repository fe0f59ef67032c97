"""How a task's output is found, asked for, checked, compared and shown: one module a format, all registered here."""

from aide.formats.base import FORMATS, Format
from aide.formats.chat import Chat
from aide.formats.choices import MultipleChoice
from aide.formats.code import Code
from aide.formats.detect import detect_format, guess_format
from aide.formats.label_sets import MultiLabel
from aide.formats.labels import Classification, YesNo
from aide.formats.structured import Structured
from aide.formats.task import Demonstration, Label, Question, TaskCard, Topic
from aide.formats.text import FreeText, Open

# `detect_format` asks in this order, so the most telling shape comes first: yes and no are also a label set, and
# options that are the same for all seeds are labels.
for _format in (
    Chat(),
    MultiLabel(),
    Structured(),
    Code(),
    YesNo(),
    MultipleChoice(),
    Classification(),
    Open(),
    FreeText(),
):
    FORMATS.add(_format.name, _format)

__all__ = [
    "FORMATS",
    "Demonstration",
    "Format",
    "Label",
    "Question",
    "TaskCard",
    "Topic",
    "detect_format",
    "guess_format",
]
