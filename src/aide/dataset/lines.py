"""JSON lines from files, run folders and pipes, one at a time; and out again, each as soon as it is there.

A line that is passed on unchanged keeps its bytes: the fields that a command does not look at, and even the
way in which numbers are written, belong to whoever wrote them.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from aide.atomic import is_passage
from aide.config.partition import list_part_folders
from aide.dataset.reviews import Reviews
from aide.errors import InputError
from aide.jsonl import encode_line, open_compressed, open_decompressed, parse_json
from aide.places import make_parent, suggest_place
from aide.shards import list_shards

STDIN: Final = "-"
STDOUT: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"
_LINE_FILES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson")


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record and where it was read."""

    record: dict[str, Any]
    raw: bytes
    """The bytes of the line, without its end."""
    path: str = ""
    number: int = 0
    """The line's number in `path`, from 1."""

    @property
    def where(self) -> str:
        """`file:line`, as errors and reports name it."""
        return f"{self.path}:{self.number}"


def read_lines(sources: Sequence[str], stdin: BinaryIO | None = None) -> Iterator[RecordLine]:
    """The lines of all sources, in order; none is held once the next is asked for.

    Args:
        sources: files of JSON lines (plain, gzip or zstd), run folders, folders of such files, `-` for
            standard input, which is also read if there are no sources. CSV, JSON arrays and Parquet are
            accepted, but read as a whole. A run folder gives its accepted records as its `reviews.jsonl`
            has left them.
        stdin: what `-` reads, in bytes.

    Raises:
        InputError: a source is missing or unreadable, or a line is no JSON object; it names file and line.
    """
    for source in sources or (STDIN,):
        if source == STDIN:
            yield from _read_stream("stdin", _standard_input(stdin, named=bool(sources)))
        elif Path(source).is_dir():
            yield from _read_folder(Path(source))
        else:
            yield from _read_file(Path(source))


def check_sources(sources: Sequence[str]) -> None:
    """Refuse a source that is not there, before anything is said or written.

    Raises:
        InputError: there is no such file or folder.
    """
    for path in (Path(each) for each in sources if each != STDIN):
        if not path.exists():
            raise _missing(path)


def write_lines(output: str, items: Iterable[RecordLine | Mapping[str, Any]]) -> int:
    """Write lines to a file or, with `-`, to standard output; returns how many.

    A file (gzip if its name ends so) is put in its place when everything is written. Until then the old one
    stays, so that it may be among the sources.

    Raises:
        InputError: the file can't be written.
        BrokenPipeError: the reader of standard output has gone.
    """
    count = 0
    with open_output(output) as out:
        for item in items:
            write_line(out, item)
            count += 1
    return count


def write_line(out: BinaryIO, item: RecordLine | Mapping[str, Any]) -> None:
    """Write a line with the bytes it was read with, or a record as a line of its own."""
    out.write(item.raw + b"\n" if isinstance(item, RecordLine) else encode_line(item))


class _PromptStdout:
    """Standard output without a buffer: the next program in the pipe gets each line at once."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def open_output(output: str) -> Iterator[BinaryIO]:
    """A file to write bytes to, put in its place only if all went well; `-` is standard output.

    Raises:
        InputError: the file can't be written.
    """
    if output == STDOUT:
        yield cast("BinaryIO", _PromptStdout())
        return
    path = Path(output)
    if is_passage(path):
        try:
            passage = path.open("wb")
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        with passage, open_compressed(path, passage) as out:
            yield out
        return
    make_parent(path)
    # In the same folder, since only there a rename is atomic; two processes may write to one path.
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
        # What the caller does inside the `with` may fail too; its faults are not this file's.
        if isinstance(fault, BrokenPipeError) or fault.filename not in (None, str(scratch)):
            raise
        raise _unwritable(path, fault) from fault
    finally:
        scratch.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder to write to, unless it is there.

    Raises:
        InputError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _unwritable(folder, fault) from fault


def _unwritable(path: Path, fault: OSError) -> InputError:
    return InputError(f"{path} can't be written: {fault.strerror or fault}", hint="name another file")


# --- reading ------------------------------------------------------------------------------------


def _standard_input(stdin: BinaryIO | None, *, named: bool) -> BinaryIO:
    if stdin is not None:
        return stdin
    if not named and sys.stdin.isatty():
        raise InputError("there is nothing to read", hint="name a file or a run folder, or pipe one in")
    return sys.stdin.buffer


def _read_folder(folder: Path) -> Iterator[RecordLine]:
    """The records of a run as its reviews left them; of another folder, all files of JSON lines in it.

    Parts of a run that are not merged are read one after the other.
    """
    merged = (folder / "shards").is_dir()
    if not merged and (parts := list_part_folders(folder)):
        for part in parts.values():
            yield from _read_folder(part)
        return
    if merged or (folder / "run.json").exists():
        yield from _read_run(folder)
        return
    files = sorted(path for path in folder.iterdir() if path.name.endswith(_LINE_FILES))
    if not files:
        raise InputError(
            f"{folder} is no run folder and holds no JSON lines",
            hint="name the folder that aide expand wrote",
        )
    for path in files:
        yield from _read_file(path)


def _read_run(folder: Path) -> Iterator[RecordLine]:
    reviews = Reviews.read(folder)
    added = {str(record["id"]): record for record in reviews.read_added()}
    shards = list_shards(folder / "shards") if (folder / "shards").is_dir() else []
    for shard in shards:
        # A run that is still going on may be writing the last line of the last shard.
        for line in _read_file(shard, skip_torn=shard == shards[-1]):
            added.pop(str(line.record.get("id")), None)
            reviewed = reviews.apply(line.record)
            if reviewed is line.record:  # unchanged: it keeps its bytes
                yield line
            elif reviewed is not None:
                yield make_line(reviewed, line.path, line.number)
    for record in added.values():
        yield make_line(record, str(reviews.path))


def _read_file(path: Path, *, skip_torn: bool = False) -> Iterator[RecordLine]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as fault:
        hint = "give a file, a run folder, or - for standard input"
        raise InputError(f"{path} can't be read: {fault.strerror}", hint=hint) from fault
    with file:
        yield from _read_stream(str(path), file, skip_torn=skip_torn)


def _missing(path: Path) -> InputError:
    hint = "give a file, a run folder, or - for standard input"
    return InputError(f"there is no file or folder {path}{suggest_place(path)}", hint=hint)


def _read_stream(name: str, file: BinaryIO, *, skip_torn: bool = False) -> Iterator[RecordLine]:
    """The lines of an open file; `skip_torn` leaves out a last line without its end."""
    with open_decompressed(name, file) as stream:
        # Every JSON line begins with a brace; so does a JSON file of one object, hence the look at the name.
        head = stream.peek(1 << 12)
        start = head.removeprefix(_BOM).lstrip()[:1]
        if head and (start not in (b"{", b"") or name.endswith((".json", ".csv", ".tsv"))):
            yield from _read_table(name, stream)
            return
        for number, raw in enumerate(stream, 1):
            # Spreadsheets write a byte order mark, which orjson refuses.
            body = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
            if body and not (skip_torn and not raw.endswith(b"\n")):
                yield RecordLine(parse_line(name, number, body), body, name, number)


def parse_line(name: str, number: int, body: bytes) -> dict[str, Any]:
    """The record in a line.

    Raises:
        InputError: there is none; the message names `name` and `number`.
    """
    try:
        value = parse_json(body)
    except UnicodeDecodeError as fault:
        hint = "convert the file, for example with iconv"
        raise InputError(f"{name}:{number}: is not UTF-8", hint=hint) from fault
    except ValueError as fault:
        hint = "one JSON object a line; correct the line or remove it"
        raise InputError(
            f"{name}:{number}: is not JSON ({str(fault).split(': line')[0]})", hint=hint
        ) from fault
    if isinstance(value, dict):
        return value
    raise InputError(f"{name}:{number}: is no JSON object", hint="every line is one record: {…}")


def make_line(record: dict[str, Any], path: str, number: int = 0) -> RecordLine:
    """A line for a record that did not stand in a file as it is now."""
    return RecordLine(record, encode_line(record).rstrip(b"\n"), path, number)


def _read_table(name: str, stream: BinaryIO) -> Iterator[RecordLine]:
    """Rows of what is no JSON lines: read as a whole, each written as a line of its own."""
    # Imported here: plain lines need none of it, and without it a command starts in a third of the time.
    from aide.seeds.column_names import KNOWN
    from aide.seeds.files import read_files

    path = STDIN if name == "stdin" else name
    for table in read_files((path,), known=tuple(KNOWN), streams={path: stream.read()}):
        if table.problems:
            raise InputError(str(table.problems[0]), hint="correct the line or remove it")
        for number, row in table.rows:
            yield make_line(row, name, number)
