"""Long lines cut between words, for a screen of so many columns."""

from collections.abc import Iterator


def fold_line(line: str, width: int, indent: int) -> Iterator[str]:
    """A line in pieces of at most `width` columns; all but the first are indented by so many.

    Wide characters count as two columns.
    """
    from rich.cells import cell_len, chop_cells

    row, *words = line.split(" ")
    for word in words:
        if cell_len(row) + 1 + cell_len(word) <= width:
            row = f"{row} {word}"
            continue
        if row.strip():
            yield row
        # A word that is longer than a line, as in scripts without spaces, is cut anywhere.
        *pieces, row = chop_cells(word, max(1, width - indent)) or [""]
        yield from (" " * indent + piece for piece in pieces)
        row = " " * indent + row
    yield row
