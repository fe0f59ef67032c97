"""The content of a line, whatever its shape: one of our records, or any shape that seeds may have."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aide.dataset.lines import RecordLine
from aide.errors import InputError
from aide.formats import FORMATS, Format, guess_format
from aide.records import (
    CONTENT,
    REASONING_MARKS,
    Draft,
    Lineage,
    Record,
    Seed,
    Turn,
    find_varying_name,
    read_output,
    read_varying,
)
from aide.seeds.chats import describe_end
from aide.seeds.shapes import RowFields, UnknownColumnsError, recognise_shape
from aide.seeds.values import BadRowError, read_text_value

_CHAT: Final = ("turns", "tools", "system")


class UnknownRecordError(InputError):
    """A line none of whose columns is known to hold the input, or the output."""

    def __init__(self, line: RecordLine, fault: BadRowError, hint: str) -> None:
        super().__init__(f"{line.where}: {fault}", hint=hint)
        self.line = line


def read_draft(line: RecordLine) -> Draft:
    """The whole input, the output and what belongs to them.

    Raises:
        InputError: no input or no output is found; the message names file and line.
    """
    record = line.record
    if isinstance(record.get("input"), str) and isinstance(record.get("output"), str | dict | list):
        record = {**record, "output": read_output(record)}
        names = {**CONTENT, **REASONING_MARKS}
        texts = {
            name: _read_value(record[name], shape)
            for name, shape in names.items()
            if name in record and name not in _CHAT
        }
        return Draft.from_dict({**texts, **_read_chat(record)})
    fields = RowFields(record)
    try:
        content = recognise_shape(fields).read(fields)
        if not content.draft.output:
            raise BadRowError(describe_end(content.draft.turns))
    except BadRowError as fault:
        hint = "a record has at least `input` and `output`"
        if isinstance(fault, UnknownColumnsError):
            raise UnknownRecordError(line, fault, hint) from fault
        raise InputError(f"{line.where}: {fault}", hint=hint) from fault
    pieces = [*(text for _, text in content.fixed), content.preamble, content.draft.input]
    return replace(content.draft, input="\n\n".join(filter(None, pieces)), evidence="")


def read_varying_draft(line: RecordLine) -> Draft:
    """The same with what varies in the input alone, where the line is a record with parts.

    Raises:
        InputError: no input or no output is found.
    """
    draft = read_draft(line)
    return replace(draft, input=read_varying(line.record)) if find_varying_name(line.record) else draft


def comparable_text(line: RecordLine) -> str:
    """The text that duplicates are found by: the varying part and, if there are options, the correct one.

    Many questions of an exam have the same words ("Which of these is true?"): only the answer tells them
    apart. Labels do not count: one text with two labels is still one text.
    """
    record = line.record
    if not find_varying_name(record) and not isinstance(record.get("input"), str):
        draft = read_draft(line)
        return f"{draft.input}\n{draft.output}" if draft.choices else draft.input
    text, choices = read_varying(record), record.get("choices")
    if choices and not is_labelled(record) and isinstance(record.get("output"), str):
        return f"{text}\n{record['output']}"
    return text


def infer_format(record: Mapping[str, Any], draft: Draft) -> Format:
    """The format that a record names, or else the one that its shape suggests."""
    return _named_format(record) or guess_format(draft)


def is_labelled(record: Mapping[str, Any]) -> bool:
    """True when the record names a format with a fixed label set."""
    format = _named_format(record)
    return format is not None and format.labelled


def _named_format(record: Mapping[str, Any]) -> Format | None:
    name = record.get("format")  # in a record of somebody else it may be anything
    return FORMATS[name] if isinstance(name, str) and name in FORMATS else None


def name_record(line: RecordLine) -> str:
    """The record's id, or file and line if it has none."""
    name = line.record.get("id")
    return name if isinstance(name, str) and name else line.where


def read_lineage(line: RecordLine) -> Lineage:
    """Where a record came from.

    Raises:
        InputError: it has no lineage; the message names file and line.
    """
    try:
        return Lineage.from_dict(line.record["lineage"])
    except (KeyError, TypeError) as fault:
        hint = "records that `aide expand` wrote have a lineage; others are split with --by record"
        raise InputError(f"{line.where}: has no lineage", hint=hint) from fault


def seed_as_record(seed: Seed, task: str, format: str) -> dict[str, Any]:
    """A seed in the shape of a record, at hop 0 and its own parent."""
    # Its own parent at hop 0, so that splits and traces need no special case for seeds.
    lineage = Lineage(seed.id, seed.id, 0, "seed", None, None, False)
    draft = FORMATS[format].normalise(seed.draft)
    return Record(seed.id, task, format, draft, seed.parts, lineage, meta={**seed.meta, **seed.own}).as_dict()


def _read_chat(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a chat, as a record holds them; none where columns of such names hold something else."""
    try:
        turns = [Turn.from_dict(turn) for turn in record.get("turns") or ()]
    except (KeyError, TypeError, AttributeError):
        return {}
    if not turns and "lineage" not in record:
        return {}
    found = {name: record[name] for name in _CHAT if name in record}
    return (
        found if isinstance(found.get("system", ""), str) and isinstance(found.get("tools", []), list) else {}
    )


def _read_value(value: Any, shape: type) -> Any:
    """A field of a draft; of another type than its own it counts as empty."""
    if not isinstance(value, shape):
        return shape()
    return list(map(read_text_value, value)) if isinstance(value, list) else value
