"""Files as people have them: found, unpacked, decoded, and read into rows; what a row means is for others."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from aide.errors import InputError
from aide.jsonl import open_decompressed, parse_json
from aide.places import suggest_place
from aide.seeds.archives import MAGIC, is_workbook, read_members
from aide.seeds.encodings import decode_text
from aide.seeds.kinds import is_binary, name_foreign_kind
from aide.seeds.tables import JSON_ARRAY, SeedTable, read_columns, read_separated, read_workbook
from aide.seeds.unwrap import unwrap_object
from aide.streams import NO_STREAMS, STDIN, Streams, is_nameless

_TEXTS: Final = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xlsx")
_COMPRESSED: Final = (".gz", ".zst", ".bz2", ".xz")
# What a folder may hold, the most telling first: a run of ours, a dataset saved to disk, a snapshot of a hub. Of a
# dataset with splits only the training one is read, because the others are there to measure on.
_LAYOUTS: Final = (
    "shards/*.jsonl", "train/*.arrow", "*.arrow", "*/*.arrow", "data/train*", "train*", "data/*", "*",
)  # fmt: skip
_ABOUT: Final = frozenset({"dataset_info.json", "dataset_dict.json", "state.json", "dataset_infos.json"})
_GAP: Final = re.compile(r"[\s,]+")


def read_files(
    paths: Sequence[str],
    encoding: str = "",
    known: Sequence[str] = (),
    streams: Streams = NO_STREAMS,
    header: bool | None = None,
    sheet: str = "",
) -> Iterator[SeedTable]:
    """The tables of all files, of folders too; `-` is standard input. What `streams` holds is not read again.

    `encoding` is that of text files; empty means UTF-8, or what the file's mark says. `known` are folded names of
    columns, `header` says whether a table's first row is one; see `tables.read_separated`. `sheet` is
    that of a workbook.

    Raises:
        InputError: a file is missing, empty, unreadable or of no known kind.
    """
    for path in paths:
        if path == STDIN or path in streams:
            name = "stdin" if path == STDIN else path
            stream = BytesIO(streams[path]) if path in streams else sys.stdin.buffer
            found = iter(
                [(name, "" if path == STDIN else _find_ending(Path(path)), _decompress(name, stream))]
            )
        else:
            found = ((str(file), _find_ending(file), _read(file)) for file in _find_files(Path(path)))
        for name, ending, data in found:
            for inner, kind, content in _unpack(name, ending, data):
                yield _read_table(inner, kind, content, encoding, known, header, sheet)


def _unpack(name: str, ending: str, data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """The file itself, or those of data in a zip archive."""
    if not data.startswith(MAGIC) or is_workbook(name, data):
        yield name, ending, data
        return
    for member, content in read_members(name, data, _is_data_name):
        yield member, _find_ending(Path(member)), _decompress(member, BytesIO(content))


def name_task(path: str) -> str:
    """The task's name by its file: no folder, no endings."""
    name = "stdin" if is_nameless(path) else Path(path).resolve().name
    for ending in (".zip", *_COMPRESSED, *_TEXTS, ".txt", ".md", ".aide"):
        name = name.removesuffix(ending)
    return name or "task"


def _find_files(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(
            f"there is no file {path}{suggest_place(path)}",
            hint="give a seeds file, a folder, or - for standard input",
        )
    if not path.is_dir():
        return [path]
    for pattern in _LAYOUTS:
        found = sorted(file for file in path.glob(pattern) if file.is_file() and _is_data(file))
        if found:
            return found
    raise InputError(
        f"the folder {path} holds no data", hint=f"it should have files such as {', '.join(_TEXTS)}"
    )


def _is_data(file: Path) -> bool:
    return _is_data_name(file.name)


def _is_data_name(name: str) -> bool:
    named = _strip_compression(name.rpartition("/")[2])
    return named not in _ABOUT and named.endswith((*_TEXTS, ".arrow"))


def _find_ending(file: Path) -> str:
    return Path(_strip_compression(file.name)).suffix.lower()


def _strip_compression(name: str) -> str:
    return next((name.removesuffix(end) for end in _COMPRESSED if name.endswith(end)), name)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _decompress(str(file), opened)
    except OSError as fault:
        raise InputError(f"{file} can't be read: {fault.strerror}") from fault


def _decompress(name: str, file: BinaryIO) -> bytes:
    with open_decompressed(name, file) as stream:
        return stream.read()


def _read_table(
    name: str, kind: str, data: bytes, encoding: str, known: Sequence[str], header: bool | None, sheet: str
) -> SeedTable:
    if kind == ".arrow" or data.startswith((b"PAR1", b"ARROW1")):
        return read_columns(name, data)
    if data.startswith(MAGIC):
        return read_workbook(name, data, known, header, sheet)
    foreign, hint = name_foreign_kind(data)
    if not foreign and not encoding and is_binary(data):
        foreign, hint = "a binary file, not text", "examples are JSON lines, JSON, CSV or another table"
    if foreign:
        raise InputError(f"{name} is {foreign}", hint=hint)
    text = decode_text(name, data, encoding)
    start = text.lstrip()[:1]
    if not start:
        raise InputError(f"{name} is empty", hint="it needs about ten examples, one a line")
    # A name may be wrong or missing, as on standard input; what the text begins with decides where it can.
    if kind in {".csv", ".tsv"} or (kind not in {".jsonl", ".ndjson", ".json"} and start not in "{["):
        return read_separated(name, text, kind, known, header)
    return _read_array(name, text) if start == "[" else _read_objects(name, text, known)


def _read_array(name: str, text: str) -> SeedTable:
    try:
        items = parse_json(text)
    except ValueError as fault:
        line = getattr(fault, "lineno", 1)
        raise InputError(
            f"{name}:{line}: is not JSON: {getattr(fault, 'msg', fault)}",
            hint="JSON has no comma behind the last item, and its texts stand in double quotes",
        ) from fault
    table = SeedTable(name, JSON_ARRAY)
    for place, item in enumerate(items, 1):
        if isinstance(item, dict):
            table.rows.append((place, item))
        else:
            table.report(place, f"item {place} is no object")
    return table


def _read_objects(name: str, text: str, known: Sequence[str]) -> SeedTable:
    """JSON lines; or objects one after another over several lines; or one object around the rows."""
    first, _, rest = text.strip().partition("\n")
    try:
        head = parse_json(first)
    except ValueError:  # the first line is no whole object: pretty-printed, or broken
        return _read_spread(name, text, known) or _read_lines(name, text)
    if rest.strip() or not isinstance(head, dict):
        return _read_lines(name, text)
    return unwrap_object(name, head, known) or _read_lines(name, text)


def _read_lines(name: str, text: str) -> SeedTable:
    table = SeedTable(name, "jsonl")
    # Only \n ends a line: U+2028 and its like may stand in a string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError as fault:
            table.report(number, f"is not JSON ({getattr(fault, 'msg', str(fault)).split(': ')[0]})")
            continue
        if isinstance(value, dict):
            table.rows.append((number, value))
        else:
            table.report(number, "is no JSON object")
    return table


def _read_spread(name: str, text: str, known: Sequence[str]) -> SeedTable | None:
    decoder = json.JSONDecoder(strict=False)
    table = SeedTable(name, JSON_ARRAY)
    place, line, end = 0, 1, len(text.rstrip())
    while place < end:
        if gap := _GAP.match(text, place):
            line += text.count("\n", place, gap.end())
            place = gap.end()
        try:
            value, stop = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        table.rows.append((line, value))
        line += text.count("\n", place, stop)
        place = stop
    if len(table.rows) == 1:
        return unwrap_object(name, table.rows[0][1], known) or table
    return table
