"""Rows as a Parquet file: a column for every field, and the examples as `messages` beside them."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import jsonlines
import orjson

from aide.dataset.lines import RecordLine, open_output
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.chat import join_tools
from aide.exporters.columns import fit_value, infer_columns, to_arrow_type
from aide.jsonl import encode_line

ROWS: Final = 1000
"""Rows in memory at once; a Parquet file is written in batches anyway."""


@dataclass(frozen=True, slots=True)
class ParquetExporter:
    """One Parquet file."""

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the records, each with its `messages`."""
        return ExportResult(write_parquet(job.dest, add_messages(lines, job)))


def add_messages(lines: Iterable[RecordLine], job: ExportJob) -> Iterator[dict[str, Any]]:
    """Every record with the turns of its example, so that a trainer can use the table as it is."""
    for line in lines:
        example = job.rendering.example(line)
        yield {**line.record, "messages": example.messages(), **join_tools(example)}


def write_parquet(dest: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows to a file, all or nothing; returns how many.

    A column's type is known only after its last row, and the rows may come from a pipe. So they are kept in a
    temporary file, which is read twice: memory does not grow with their number.

    Raises:
        InputError: pyarrow is missing, or there is not one row.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as fault:
        raise InputError("Parquet needs pyarrow", hint="pip install 'aide-expand[parquet]'") from fault
    with tempfile.TemporaryFile() as kept:
        writer = jsonlines.Writer(kept, dumps=lambda row: encode_line(row).rstrip(b"\n"))
        count = sum(1 for row in rows if writer.write(row))
        if not count:
            raise InputError("there is not one record to write", hint="a table needs at least one row")
        columns = infer_columns(_read_again(kept))
        schema = pa.schema([pa.field(name, to_arrow_type(kind)) for name, kind in columns.items()])
        with open_output(dest) as file, parquet.ParquetWriter(pa.PythonFile(file, mode="w"), schema) as table:
            again = _read_again(kept)
            while batch := list(islice(again, ROWS)):
                fitted = [
                    {name: fit_value(row.get(name), kind) for name, kind in columns.items()} for row in batch
                ]
                table.write_batch(pa.RecordBatch.from_pylist(fitted, schema))
    return count


def _read_again(kept: Any) -> Iterator[dict[str, Any]]:
    kept.seek(0)
    return iter(jsonlines.Reader(kept, loads=orjson.loads))
