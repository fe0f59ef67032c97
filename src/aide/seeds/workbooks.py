"""Excel workbooks (.xlsx), read and written by openpyxl."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

from aide.errors import InputError


def read_sheet(name: str, data: bytes, sheet: str = "") -> list[tuple[int, list[str]]]:
    """The rows of one sheet that hold something, each with its number; formulas by the value they had last.

    Raises:
        InputError: openpyxl is missing, the file is broken, or it isn't clear which sheet is meant.
    """
    book = _open(name, data)
    sheets = {each.title: _read_rows(each) for each in book.worksheets}
    filled = [title for title, rows in sheets.items() if rows]
    if sheet and sheet not in sheets:
        raise InputError(f"{name} has no sheet {sheet!r}", hint=f"it has {', '.join(sheets)}")
    if not sheet and len(filled) > 1:
        raise InputError(f"{name} has several sheets: {', '.join(filled)}", hint="name one with --sheet")
    if not filled:
        raise InputError(f"{name} is empty", hint="it needs about ten examples, one a row")
    return sheets[sheet or filled[0]]


def write_sheet(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """A workbook with one sheet of these rows."""
    openpyxl = _load(str(path))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    book.save(path)


def _open(name: str, data: bytes) -> Any:
    openpyxl = _load(name)
    try:
        return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as fault:
        raise InputError(f"{name} is a broken workbook: {fault}") from fault


def _load(name: str) -> Any:
    try:
        import openpyxl
    except ImportError as fault:
        raise InputError(
            f"{name} needs openpyxl", hint="pip install 'aide-expand[xlsx]', or save it as .csv"
        ) from fault
    return openpyxl


def _read_rows(sheet: Any) -> list[tuple[int, list[str]]]:
    cells = [
        (number, list(map(_write_cell, row)))
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
    ]
    rows = [(number, row) for number, row in cells if any(cell.strip() for cell in row)]
    # A sheet is as wide as its widest row, and formats reach further than texts.
    width = max((place for _, row in rows for place, cell in enumerate(row, 1) if cell.strip()), default=0)
    return [(number, [*row, *[""] * width][:width]) for number, row in rows]


def _write_cell(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates by ISO 8601, without a time where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)
