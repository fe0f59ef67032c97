"""Columns that are a text around the example, such as Alpaca's `text`: found in the seeds, made anew for a record."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

Filled = tuple[str, ...]
"""The columns of the example that hold something: where one is empty, the text around it is another."""


@dataclass(frozen=True, slots=True)
class ColumnTemplate:
    """How one column repeats others, by which of them hold something."""

    sources: tuple[str, ...]
    """The columns of the example."""
    pieces: Mapping[Filled, tuple[str, ...]]
    """What stands between the columns, and in every second place the name of one."""

    @classmethod
    def learn(
        cls, column: str, sources: tuple[str, ...], rows: Iterable[Mapping[str, Any]]
    ) -> "ColumnTemplate | None":
        """The template of `column` around the columns `sources`; `None` where some row does not follow it."""
        pieces: dict[Filled, tuple[str, ...]] = {}
        for row in rows:
            value, filled = row.get(column), _list_filled(sources, row)
            if not isinstance(value, str) or not filled:
                return None
            template = pieces.setdefault(filled, _cut(value, filled, row))
            # A cell that stands in it twice may be a word of the text around it, which only looks like the cell.
            names = template[1::2]
            if not names or len(set(names)) < len(names) or _fill(template, row) != value:
                return None
        return cls(sources, pieces) if pieces else None

    def fill(self, cells: Mapping[str, Any]) -> str | None:
        """The column's text for these cells; `None` where no seed had the same ones filled."""
        template = self.pieces.get(_list_filled(self.sources, cells))
        return None if template is None else _fill(template, cells)


def _list_filled(sources: Sequence[str], row: Mapping[str, Any]) -> Filled:
    return tuple(name for name in sources if isinstance(row.get(name), str) and row[name])


def _cut(value: str, filled: Filled, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The pieces of `value` between the cells of `row`, each followed by the name of the cell that stands there."""
    # The longest first: an answer may repeat its question, and a short input may stand in both.
    names = sorted(filled, key=lambda name: -len(row[name]))
    by_text = {row[name]: name for name in reversed(names)}
    parts = re.split(f"({'|'.join(re.escape(row[name]) for name in names)})", value)
    return tuple(by_text[part] if place % 2 else part for place, part in enumerate(parts))


def _fill(template: Sequence[str], cells: Mapping[str, Any]) -> str:
    return "".join(
        text + (cells[name] if name else "")
        for text, name in zip_longest(template[::2], template[1::2], fillvalue="")
    )
