"""Rows of test sets and of records as items to compare: of whatever shape, outputs not needed."""

from collections.abc import Mapping, Sequence
from typing import Any

from aide.dedup.contamination import BenchmarkItem
from aide.errors import InputError
from aide.records import find_varying_name, read_varying
from aide.seeds.column_names import CHOICES, INPUTS, KNOWN
from aide.seeds.files import read_files
from aide.seeds.shapes import RowFields, recognise_shape
from aide.seeds.values import BadRowError, read_options, read_text_value


def read_test_items(
    paths: Sequence[str],
    fields: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> list[BenchmarkItem]:
    """The items of all files (JSON lines, JSON, CSV, Parquet, folders of them), named `file:line`.

    `fields` are the columns of the question where guessing fails, `keep` those of what it asks about; rows
    that lack them are guessed at.

    Raises:
        InputError: a file can't be read, or a row of it holds no text; it names file and line.
    """
    items = []
    for table in read_files(paths, "", (*KNOWN, *(name.casefold() for name in fields))):
        if table.problems:
            raise InputError(str(table.problems[0]), hint="mend the line or take it out")
        for line, row in table.rows:
            item = row_as_item(row, f"{table.path}:{line}", fields, keep)
            if item is None:
                raise InputError(
                    f"{table.path}:{line}: holds no question; its fields are {', '.join(map(str, row))}",
                    hint="name the column with --input-field",
                )
            items.append(item)
    if not items:
        raise InputError(
            f"{', '.join(paths)} holds no test items", hint='one item a line, such as {"input": …}'
        )
    return items


def row_as_item(
    row: Mapping[str, Any], where: str, fields: Sequence[str] = (), keep: Sequence[str] = ()
) -> BenchmarkItem | None:
    """A row as an item; `None` where no text is found in it.

    Of records with parts the varying one is the question, and the fixed ones stand apart.
    """
    if varying := find_varying_name(row):
        fixed = (str(text) for name, text in row["parts"].items() if name != varying)
        return BenchmarkItem(where, read_varying(row), _choices(row), "\n".join(fixed))
    kept = "\n".join(text for name in keep if (text := read_text_value(row.get(name))))
    named = "\n".join(
        text for name in fields if name not in keep and (text := read_text_value(row.get(name)))
    )
    if named:
        return BenchmarkItem(where, named, _choices(row), kept)
    cells = RowFields(row)
    try:
        content = recognise_shape(cells).read(cells)
    except BadRowError:
        text = read_text_value(row.get(cells.find(INPUTS)))
        return BenchmarkItem(where, text, _choices(row), kept) if text else None
    text = f"{content.preamble}\n{content.draft.input}" if content.preamble else content.draft.input
    return BenchmarkItem(
        where, text, content.draft.choices, kept or "\n".join(text for _, text in content.fixed)
    )


def _choices(row: Mapping[str, Any]) -> tuple[str, ...]:
    cells = RowFields(row)
    name = cells.find(CHOICES)
    try:
        return tuple(read_options(row[name])[0]) if name else ()
    except BadRowError:
        return ()
