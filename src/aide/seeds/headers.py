"""Whether the first row of a table names its columns, and which column is likely what.

A header that is read as an example grows into records, and an example that is read as a header is lost. Neither shows
in the data. So the first row is a header only where something tells it from the others, and where the signs disagree a
person is asked.
"""

import re
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any, Final

from aide.errors import InputError
from aide.seeds.column_names import INPUTS, OUTPUTS
from aide.seeds.shapes import RowFields

_NAME_LETTERS: Final = 40
_NAME_WORDS: Final = 5
_REPEATS_OVER: Final = 4  # fewer values say nothing about whether they are labels
_LONGER: Final = 3  # texts of so many times the length of their column's name are no names
_MOST: Final = 2 / 3
_NUMBER: Final = re.compile(r"[-+]?[\d.,]+%?")
_SENTENCE_END: Final = re.compile(r"[.!?…。？！:]\Z")

Cells = Sequence[str]


def is_header(name: str, rows: Sequence[Cells], known: Sequence[str]) -> bool:
    """True when the first row names the columns; `known` are names that columns have as a rule.

    Raises:
        InputError: it has a known name, but reads like an example otherwise.
    """
    first, *rest = rows
    cells = [cell.strip() for cell in first]
    columns = [_list_values(rest, first, place) for place in range(len(cells))]
    # A label of the first row comes again below, a name does not.
    if any(cell and cell in values for cell, values in zip(cells, columns, strict=True)):
        return False
    named = [cell for cell in cells if fold_name(cell) in known]
    plain = all(_is_plain(cell) for cell in cells if cell)
    if named:
        if plain or 2 * len(named) > len(cells):
            return True
        raise _make_question(name, cells)
    unique = len({cell.casefold() for cell in cells}) == len(cells)
    if not (plain and unique and all(cells)):
        return False
    if any(map(_is_unlike, cells, columns)):
        return True
    if any(map(_is_shorter, cells, columns)):
        raise _make_question(name, cells)
    return False


def fold_name(name: str) -> str:
    """A column's name without case and spaces, as known names are written."""
    return name.strip().casefold().replace(" ", "_")


def _list_values(rows: Sequence[Cells], first: Cells, place: int) -> list[str]:
    """What stands below the first row; where files were joined their common header may come again."""
    return [row[place].strip() for row in rows if len(row) == len(first) and row != first]


def _is_plain(cell: str) -> bool:
    """True when `cell` could be a name: short, with letters, and no sentence."""
    words = len(cell.split())
    if len(cell) > _NAME_LETTERS or words > _NAME_WORDS or "\n" in cell or _NUMBER.fullmatch(cell):
        return False
    return any(char.isalpha() for char in cell) and not (words > 1 and _SENTENCE_END.search(cell))


def _is_unlike(cell: str, values: Sequence[str]) -> bool:
    """True when the values below `cell` are of another kind: labels, numbers, long texts, another spelling."""
    filled = [value for value in values if value]
    if len(filled) < 2:
        return False
    repeated = len(filled) >= _REPEATS_OVER and 2 * len(set(filled)) <= len(filled)
    numbers = all(map(_NUMBER.fullmatch, filled)) and not _NUMBER.fullmatch(cell)
    lengths = [len(value) for value in filled]
    longer = min(lengths) > len(cell) and median(lengths) >= _LONGER * len(cell)
    spelled = bool(re.search(r"\w_\w", cell)) and not any("_" in value for value in filled)
    capital = cell[:1].isupper() and all(value[:1].islower() for value in filled)
    return bool(repeated or numbers or longer or spelled or capital)


def _is_shorter(cell: str, values: Sequence[str]) -> bool:
    """True where one word stands above texts of which most have several: a name, or a short example."""
    several = sum(len(value.split()) > 1 for value in values)
    return len(cell.split()) == 1 and len(values) > 1 and several >= _MOST * len(values)


def _make_question(name: str, cells: Cells) -> InputError:
    return InputError(
        f"{name}: its first row may be a header or an example: {' | '.join(cells)[:120]}",
        hint="say --header or --no-header",
    )


def name_columns(name: str, cells: Cells) -> list[str]:
    """The names in a header; a column without one, as an index has, is named by its place.

    Raises:
        InputError: two columns have one name, so that one would hide the other.
    """
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, 1)]
    if twice := [each for place, each in enumerate(names) if each in names[:place]]:
        raise InputError(
            f"{name} has two columns named {twice[0]}", hint="name one of them differently in the first row"
        )
    return names


def guess_halves(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The columns that are most likely input and output, for a person to correct; empty where there is but one."""
    columns = [name for name in rows[0] if not _is_index(name, rows)]
    if len(columns) < 2:  # a number may well be the answer
        columns = list(rows[0])
    if len(columns) < 2:
        return "", ""
    values = {name: [str(row.get(name, "")) for row in rows] for name in columns}
    labels = [name for name in columns if len(set(values[name])) < len(rows)]
    output = min(labels, key=lambda name: len(set(values[name])), default=columns[-1])
    others = [name for name in columns if name != output]
    return max(others, key=lambda name: mean(map(len, values[name]))), output


def guess_columns(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """As `guess_halves`, with a column of a known name for what it is known for."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    fields = RowFields(dict.fromkeys(columns, ""))
    input, output = guess_halves(rows)
    if known := fields.find((*INPUTS, "instruction")):
        input = known
        output = output if output != known else next((name for name in columns if name != known), "")
    elif known := fields.find(OUTPUTS):
        output = known
        input = input if input != known else next((name for name in columns if name != known), "")
    return input, output


def _is_index(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    texts = [str(row.get(name, "")) for row in rows]
    return len(rows) > 1 and len(set(texts)) == len(texts) and all(map(str.isdecimal, texts))
