"""Human data with column names of their own: named by a person, or known from a run that grew from such a file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from aide.dataset.lines import RecordLine, make_line, read_lines
from aide.dataset.record_content import UnknownRecordError
from aide.dataset.seed_sources import find_run_folders, make_mapping
from aide.errors import InputError
from aide.seeds import SeedMapping
from aide.seeds.headers import guess_columns
from aide.seeds.load import recognise_row
from aide.seeds.shapes import RowFields
from aide.seeds.values import BadRowError

_LOOKED_AT: Final = 50
"""Rows that a guess at the columns is made from."""


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """Which columns hold input and output; none are named where the lines' own names are to tell."""

    mapping: SeedMapping = field(default_factory=SeedMapping)
    required: bool = False
    """Whether a line must have them; else one without them is read by its own names."""

    def as_likely(self) -> "NamedColumns":
        """The same for data that may have them or not."""
        return replace(self, required=False)

    def rename(self, lines: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The lines with `input` and `output` from these columns; records that `aide` has grown stay as they are.

        Raises:
            InputError: a line lacks a required column; the message names file and line.
        """
        named = bool(self.mapping.input_fields or self.mapping.output_field)
        return map(self._rename, lines) if named else iter(lines)

    def _rename(self, line: RecordLine) -> RecordLine:
        if isinstance(line.record.get("lineage"), dict):
            return line
        try:
            _, content = recognise_row(RowFields(line.record), self.mapping)
        except BadRowError as fault:
            if not self.required:
                return line
            hint = "name the columns with --input-field and --output-field"
            raise InputError(f"{line.where}: {fault}", hint=hint) from fault
        return make_line(content.draft.as_dict(), line.path, line.number)


def find_columns(inputs: Sequence[str] | None, output: str, sources: Sequence[str]) -> NamedColumns:
    """The columns that a person named, or those of the first run folder among the sources that was given some."""
    if inputs or output:
        return NamedColumns(SeedMapping(input_fields=tuple(inputs or ()), output_field=output), required=True)
    for folder in find_run_folders(sources):
        mapping = make_mapping(folder.read_manifest().get("spec", {}))
        if mapping.input_fields or mapping.output_field:
            return NamedColumns(mapping)
    return NamedColumns()


def ask_for_columns(fault: UnknownRecordError) -> InputError:
    """The same fault for a command with options for columns: with those that are likely meant."""
    line = fault.line
    lines = islice(read_lines([line.path]), _LOOKED_AT) if Path(line.path).is_file() else (line,)
    input, output = guess_columns([each.record for each in lines])
    return InputError(
        str(fault),
        hint="name the columns with --input-field and --output-field",
        remedy=("--input-field", input, "--output-field", output) if input and output else (),
    )


__all__ = ["NamedColumns", "ask_for_columns", "find_columns"]
