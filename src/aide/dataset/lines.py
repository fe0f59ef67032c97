"""JSON lines from files, run folders and pipes, one at a time; and out again, each as soon as it is there.

A line that is passed on is passed on byte by byte: what it holds besides the fields that a command looks at
is nobody's business, not even how its numbers are written.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import orjson

from aide.dataset.compression import BROKEN, open_compressed, open_decompressed
from aide.dataset.reviews import Reviews
from aide.errors import InputError
from aide.shards import encode_line, list_shards

STDIN: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"
_LINES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson")


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record and the bytes it stood as, without the line's end; `number` counts from 1 in `path`."""

    record: dict[str, Any]
    raw: bytes
    path: str = ""
    number: int = 0

    @property
    def where(self) -> str:
        """`file:line`, as errors and reports name it."""
        return f"{self.path}:{self.number}"


def read_lines(sources: Sequence[str], stdin: BinaryIO | None = None) -> Iterator[RecordLine]:
    """The lines of all sources, in order; none is held once the next is asked for.

    Args:
        sources: files of JSON lines (plain, gzip or zstd), run folders, folders of such files, `-` for
            standard input; none at all means standard input too. CSV, JSON arrays and Parquet are taken as
            well, but read as a whole. Of a run folder the accepted records come, as its `reviews.jsonl` has
            left them.
        stdin: what `-` reads, in bytes.

    Raises:
        InputError: a source is missing or unreadable, or a line is no JSON object; it names file and line.
    """
    for source in sources or (STDIN,):
        if source == STDIN:
            yield from _stream("stdin", _standard_input(stdin, named=bool(sources)))
        elif Path(source).is_dir():
            yield from _folder(Path(source))
        else:
            yield from _file(Path(source))


def read_records(sources: Sequence[str], stdin: BinaryIO | None = None) -> Iterator[dict[str, Any]]:
    """The records of `lines`, without where they stood."""
    return (line.record for line in read_lines(sources, stdin))


def write_lines(output: str, items: Iterable[RecordLine | Mapping[str, Any]]) -> int:
    """Write lines to a file, or with `-` to standard output, each at once; returns how many.

    A file (gzip where its name ends so) takes its place when all is written: until then the old one stands,
    so that it may be among the sources.

    Raises:
        InputError: the file can't be written.
        BrokenPipeError: whoever read standard output has gone.
    """
    count = 0
    with open_output(output) as out:
        for item in items:
            write_line(out, item)
            count += 1
    return count


def write_line(out: BinaryIO, item: RecordLine | Mapping[str, Any]) -> None:
    """Write a line byte by byte as it was read, or a record as a line of its own."""
    out.write(item.raw + b"\n" if isinstance(item, RecordLine) else encode_line(item))


class _PromptStdout:
    """Standard output that holds nothing back: the next program in the pipe gets each line at once."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def open_output(output: str) -> Iterator[BinaryIO]:
    """A file to write bytes to, put in its place only when all went well; `-` is standard output."""
    if output == STDIN:
        yield cast("BinaryIO", _PromptStdout())
        return
    path = Path(output)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        plain = scratch.open("wb")
    except OSError as fault:
        raise _unwritable(path, fault) from fault
    try:
        with plain, open_compressed(path, plain) as out:
            yield out
        scratch.replace(path)
    except OSError as fault:
        if isinstance(fault, BrokenPipeError) or fault.filename not in (None, str(scratch)):
            raise
        raise _unwritable(path, fault) from fault
    finally:
        scratch.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder to write to, if it is not there.

    Raises:
        InputError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _unwritable(folder, fault) from fault


# --- reading ------------------------------------------------------------------------------------


def _standard_input(stdin: BinaryIO | None, *, named: bool) -> BinaryIO:
    if stdin is not None:
        return stdin
    if not named and sys.stdin.isatty():
        raise InputError("there is nothing to read", hint="name a file or a run folder, or pipe one in")
    return sys.stdin.buffer


def _folder(folder: Path) -> Iterator[RecordLine]:
    """The records of a run as its reviews left them; of another folder, all files of JSON lines in it."""
    if (folder / "shards").is_dir() or (folder / "run.json").exists():
        reviews = Reviews.read(folder)
        parts = list_shards(folder / "shards") if (folder / "shards").is_dir() else []
        for part in parts:
            for line in _file(part, torn=part == parts[-1]):
                reviewed = reviews.apply(line.record)
                if reviewed is line.record:
                    yield line
                elif reviewed is not None:
                    yield RecordLine(reviewed, encode_line(reviewed).rstrip(b"\n"), line.path, line.number)
        return
    files = sorted(path for path in folder.iterdir() if path.name.endswith(_LINES))
    if not files:
        raise InputError(
            f"{folder} is no run folder and holds no JSON lines",
            hint="name the folder that aide expand wrote",
        )
    for path in files:
        yield from _file(path)


def _file(path: Path, *, torn: bool = False) -> Iterator[RecordLine]:
    try:
        file = path.open("rb")
    except OSError as fault:
        hint = "give a file, a run folder, or - for standard input"
        raise InputError(f"{path} can't be read: {fault.strerror}", hint=hint) from fault
    with file:
        yield from _stream(str(path), file, torn=torn)


def _stream(name: str, file: BinaryIO, *, torn: bool = False) -> Iterator[RecordLine]:
    """The lines of an open file; with `torn`, an end that was not wholly written is left out."""
    stream = open_decompressed(name, file)
    try:
        head = stream.peek(1 << 12)
        start = head.removeprefix(_BOM).lstrip()[:1]
        if head and (start not in (b"{", b"") or name.endswith((".json", ".csv", ".tsv"))):
            yield from _table(name, stream)
            return
        for number, raw in enumerate(stream, 1):
            body = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
            if body and not (torn and not raw.endswith(b"\n")):
                yield RecordLine(parse_line(name, number, body), body, name, number)
    except BROKEN as fault:
        if isinstance(fault, BrokenPipeError):
            raise
        raise InputError(f"{name} can't be read to its end: {fault}") from fault


def parse_line(name: str, number: int, body: bytes) -> dict[str, Any]:
    """The record that a line is.

    Raises:
        InputError: it is none; the message names `name` and `number`.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _leniently(name, number, body)
    if isinstance(value, dict):
        return value
    raise InputError(f"{name}:{number}: is no JSON object", hint="every line is one record: {…}")


def _leniently(name: str, number: int, body: bytes) -> Any:
    """What only a lenient reader takes: NaN, escaped lone surrogates, raw control characters in strings."""
    try:
        return json.loads(body.decode(), strict=False)
    except UnicodeDecodeError as fault:
        raise InputError(
            f"{name}:{number}: is not UTF-8", hint="convert the file, for example with iconv"
        ) from fault
    except (ValueError, RecursionError) as fault:
        told = str(fault).split(": line")[0]
        hint = "one JSON object a line; mend the line or take it out"
        raise InputError(f"{name}:{number}: is not JSON ({told})", hint=hint) from fault


def _table(name: str, stream: BinaryIO) -> Iterator[RecordLine]:
    """Rows of what is no JSON lines: read as a whole, each written as a line of its own."""
    # Imported here: lines pass without what reading tables needs, and start in a third of the time.
    from aide.seeds.files import read_files
    from aide.seeds.shapes import KNOWN

    path = STDIN if name == "stdin" else name
    for table in read_files((path,), known=tuple(KNOWN), stdin=stream):
        if table.problems:
            raise InputError(str(table.problems[0]), hint="mend the line or take it out")
        for number, row in table.rows:
            yield RecordLine(row, encode_line(row).rstrip(b"\n"), name, number)


# --- writing ------------------------------------------------------------------------------------


def _unwritable(path: Path, fault: OSError) -> InputError:
    return InputError(f"{path} can't be written: {fault.strerror or fault}", hint="name another file")


__all__ = [
    "STDIN",
    "RecordLine",
    "make_folder",
    "open_output",
    "parse_line",
    "read_lines",
    "read_records",
    "write_line",
    "write_lines",
]
