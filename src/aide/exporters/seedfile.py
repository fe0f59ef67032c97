"""`--to seeds`: a file like the seed file, in the same container: JSON lines, an array, CSV, Parquet."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aide.dataset.conditions import value_as_text
from aide.dataset.lines import STDOUT, RecordLine, open_output, write_lines
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.seedshape import SeedShape
from aide.exporters.tables import write_parquet
from aide.seeds import SeedOrigin
from aide.seeds.markdown import write_markdown_row, write_markdown_rule
from aide.seeds.tables import JSON_ARRAY
from aide.seeds.workbooks import write_sheet


@dataclass(frozen=True, slots=True)
class SeedFileExporter:
    """More of the same: whatever reads the seed file reads this."""

    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write rows in the shape of the seeds."""
        if job.seeds is None:
            raise InputError(
                "the seed file is not known, and so neither is its shape", hint="name it with --seeds"
            )
        shape = SeedShape.learn(job.seeds)
        rows = (shape.make_row(line) for line in lines)
        origin = shape.loaded.origin
        if origin.container in ("csv", "markdown"):
            return ExportResult(_write_table(job.dest, rows, origin, shape.columns))
        if origin.container == "xlsx":
            return ExportResult(_write_workbook(job.dest, rows, origin, shape.columns))
        if origin.container == JSON_ARRAY:
            return ExportResult(_write_array(job.dest, rows))
        if origin.container in ("parquet", "arrow"):
            if job.dest == STDOUT:
                raise InputError(
                    "the seeds are a table, which can't be written to stdout", hint="-o more.parquet"
                )
            return ExportResult(write_parquet(job.dest, rows))
        return ExportResult(write_lines(job.dest, rows))


def _write_table(
    dest: str, rows: Iterable[Mapping[str, Any]], origin: SeedOrigin, columns: Sequence[str]
) -> int:
    with open_output(dest) as out:
        count = 0
        for cells in _make_cells(rows, origin, columns):
            out.write(_write_cells(cells, origin).encode("utf-8", "replace"))
            if not count and origin.container == "markdown":
                out.write(write_markdown_rule(len(cells)).encode())
            count += 1
    return count - origin.header  # the header is no example


def _write_workbook(
    dest: str, rows: Iterable[Mapping[str, Any]], origin: SeedOrigin, columns: Sequence[str]
) -> int:
    if dest == STDOUT:
        raise InputError("the seeds are a workbook, which can't be written to stdout", hint="-o more.xlsx")
    cells = list(_make_cells(rows, origin, columns))
    write_sheet(Path(dest), cells)
    return len(cells) - origin.header


def _write_cells(cells: Sequence[str], origin: SeedOrigin) -> str:
    if origin.container == "markdown":
        return write_markdown_row(cells)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=origin.delimiter, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _make_cells(
    rows: Iterable[Mapping[str, Any]], origin: SeedOrigin, columns: Sequence[str]
) -> Iterator[list[str]]:
    if origin.header:
        yield list(columns)
    for row in rows:
        cells = (row.get(column) for column in columns)
        yield ["" if cell is None else value_as_text(cell) for cell in cells]


def _write_array(dest: str, rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    with open_output(dest) as out:
        out.write(b"[")
        for row in rows:
            out.write(b",\n" if count else b"\n")
            out.write(json.dumps(row, ensure_ascii=False, indent=2).encode("utf-8", "replace"))
            count += 1
        out.write(b"\n]\n")
    return count
