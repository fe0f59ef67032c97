"""Tables: text with separators, Parquet, and the Arrow files of a dataset saved to disk."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from aide.errors import InputError
from aide.seeds.chat_rows import TURNS
from aide.seeds.headers import is_header, name_columns
from aide.seeds.markdown import read_markdown
from aide.seeds.workbooks import read_sheet

Row = tuple[int, dict[str, Any]]

TABLES: Final = ("csv", "markdown", "xlsx")
"""Containers of which a person decides whether the first row is a header."""
JSON_ARRAY: Final = "json"
"""The container of rows in one JSON value."""
_DELIMITERS: Final = (",", "\t", ";", "|", "\x1f")
_SEPARATOR_LINE: Final = re.compile(r"\ufeff?sep=(\\t|.)\r?\n", re.IGNORECASE)
_LONGEST_CELL: Final = 2**31 - 1  # what the C long of every platform holds
_LOOKED_AT: Final = 40  # rows in which the delimiter is looked for
_REGULAR: Final = 0.5  # of them as wide as most: free text in cells makes the others ragged


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A row that can't be used."""

    path: str
    line: int
    """From 1; 0 is the file as a whole."""
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}" if self.line else f"{self.path}: {self.reason}"


@dataclass(slots=True)
class SeedTable:
    """The rows of one file, and how they were stored."""

    path: str
    container: str
    """`jsonl`, `json`, `csv`, `markdown`, `xlsx`, `parquet` or `arrow`."""
    rows: list[Row] = field(default_factory=list)
    """Each with its line; those of a JSON array, of Parquet and of Arrow are counted."""
    problems: list[LineProblem] = field(default_factory=list)
    delimiter: str = ""
    """Of `csv` and `markdown` alone."""
    header: bool = True
    """Whether the first row of a table named the columns."""
    about: str = ""
    """What the file itself says about its task."""

    def report(self, line: int, reason: str) -> None:
        """Note a row that can't be used."""
        self.problems.append(LineProblem(self.path, line, reason))


def read_separated(
    name: str, text: str, kind: str = "", known: Sequence[str] = (), header: bool | None = None
) -> SeedTable:
    """Text with a separator between its columns, or a Markdown table; cells may hold newlines in quotes.

    `header` says whether the first row names the columns; where it is `None` the row itself tells (see `headers`), and
    `known` are folded names of columns. Without a header the columns are named by number, from "1".

    Raises:
        InputError: no delimiter makes columns of it, or its first row can't be told from an example.
    """
    if lines := read_markdown(text, anywhere=kind == ".md"):
        table = SeedTable(name, "markdown", delimiter="|")
        return _name_rows(table, lines, known, header=True)
    text, skipped, delimiter = _read_separator_line(text)
    delimiter = delimiter or ("\t" if kind == ".tsv" and "\t" in text else _find_delimiter(text))
    if not delimiter and text.split("\n", 1)[0].strip('"\r ').casefold() in TURNS:
        delimiter = ","  # a table of nothing but chats
    if not delimiter:
        raise InputError(
            f"{name} is neither JSON lines, nor JSON, nor a table with columns",
            hint='write one JSON object a line, such as {"input": "…", "output": "…"}',
        )
    table = SeedTable(name, "csv", delimiter=delimiter)
    with _long_cells():
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        lines = list(_read_lines(reader, table, skipped))
    return _name_rows(table, lines, known, header)


def read_workbook(
    name: str, data: bytes, known: Sequence[str] = (), header: bool | None = None, sheet: str = ""
) -> SeedTable:
    """One sheet of an Excel workbook; raises `InputError` as `read_separated` and `workbooks.read_sheet` do."""
    return _name_rows(SeedTable(name, "xlsx"), read_sheet(name, data, sheet), known, header)


def _read_lines(reader: Any, table: SeedTable, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, each with its line; what is no row is reported."""
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            table.report(line, f"is no row of a table ({fault})")
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _name_rows(
    table: SeedTable, lines: Sequence[tuple[int, list[str]]], known: Sequence[str], header: bool | None
) -> SeedTable:
    """The table with its rows as objects."""
    if not lines:
        return table
    first = lines[0][1]
    if header is None:
        header = is_header(table.path, [cells for _, cells in lines], known)
    table.header = header
    columns = name_columns(table.path, first) if header else [str(n) for n in range(1, len(first) + 1)]
    for line, cells in lines[header:]:
        if len(cells) != len(columns):
            table.report(line, f"has {len(cells)} columns instead of {len(columns)}")
        elif not (header and cells == first):  # joined files repeat their header
            table.rows.append((line, dict(zip(columns, cells, strict=True))))
    return table


def _read_separator_line(text: str) -> tuple[str, int, str]:
    """The text without a first line such as `sep=;`, which spreadsheets write; how many lines it is, what it says."""
    found = _SEPARATOR_LINE.match(text)
    return (text[found.end() :], 1, found[1].replace("\\t", "\t")) if found else (text, 0, "")


@contextmanager
def _long_cells() -> Iterator[None]:
    """Cells of any length: the module's own limit, of 131,072 characters, is one for the whole process."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _find_delimiter(text: str) -> str:
    """The separator that gives the first rows most nearly the same number of columns, and more than one."""
    head = text[
        :100_000
    ]  # enough for the rows looked at, and a bound where the whole file is one quoted cell

    def measure_regularity(delimiter: str) -> tuple[float, int]:
        try:
            reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True)
            rows = filter(None, reader)
            widths = [len(row) for row in islice(rows, _LOOKED_AT)]
            if len(head) < len(text) and 1 < len(widths) < _LOOKED_AT:
                widths.pop()  # the row in which the head was cut off
        except csv.Error:
            return 0.0, 0
        usual = max(set(widths), key=widths.count) if widths else 0
        return (widths.count(usual) / len(widths), usual) if usual > 1 else (0.0, 0)

    (share, _), best = max(((measure_regularity(each), each) for each in _DELIMITERS), key=itemgetter(0))
    return best if share >= _REGULAR else ""


def read_columns(name: str, data: bytes) -> SeedTable:
    """The rows of a Parquet file, or of an Arrow file as a dataset library saves it: a stream, or with a footer.

    Raises:
        InputError: where pyarrow is missing or the file is broken.
    """
    try:
        import pyarrow
        from pyarrow import ipc, parquet
    except ImportError as fault:
        raise InputError(
            f"{name} needs pyarrow to be read", hint="pip install 'aide-expand[parquet]'"
        ) from fault
    container, source = "parquet" if data.startswith(b"PAR1") else "arrow", pyarrow.BufferReader(data)
    try:
        if container == "parquet":
            table = parquet.read_table(source)
        else:
            opened = ipc.open_file(source) if data.startswith(b"ARROW1") else ipc.open_stream(source)
            table = opened.read_all()
    except pyarrow.ArrowException as fault:
        raise InputError(f"{name} is a broken {container.title()} file: {fault}") from fault
    return SeedTable(name, container, _read_rows(table))


def _read_rows(table: Any) -> list[Row]:
    """Python values, with class numbers written out where the file names the classes: a model can't read 3 as joy."""
    classes = _find_classes(table.schema.metadata or {})
    rows = []
    for number, row in enumerate(table.to_pylist(), 1):
        for column, names in classes.items():
            value = row.get(column)
            if isinstance(value, int) and 0 <= value < len(names):
                row[column] = names[value]
        rows.append(
            (number, {column: _make_plain(value) for column, value in row.items() if value is not None})
        )
    return rows


def _find_classes(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    except (ValueError, AttributeError):
        return {}
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _make_plain(value: Any) -> Any:
    """A value that JSON has: dates, decimals and bytes become text."""
    if isinstance(value, dict):
        return {str(key): _make_plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_make_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str | int | float | bool | None) else str(value)
