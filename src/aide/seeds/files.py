"""Files as people have them: found, unpacked, decoded, and read into rows; what a row means is for others."""

import codecs
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from aide.errors import InputError
from aide.jsonl import open_decompressed, parse_json
from aide.seeds.tables import SeedTable, read_columns, read_separated
from aide.streams import NO_STREAMS, STDIN, Streams, is_nameless

_TEXTS: Final = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
# What a folder may hold, the most telling first: a run of ours, a dataset saved to disk, a snapshot of a hub. Of a
# dataset with splits only the training one is read, because the others are there to measure on.
_LAYOUTS: Final = (
    "shards/*.jsonl", "train/*.arrow", "*.arrow", "*/*.arrow", "data/train*", "train*", "data/*", "*",
)  # fmt: skip
_ABOUT: Final = frozenset({"dataset_info.json", "dataset_dict.json", "state.json", "dataset_infos.json"})
_GAP: Final = re.compile(r"[\s,]+")
# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_files(
    paths: Sequence[str],
    encoding: str = "",
    known: Sequence[str] = (),
    streams: Streams = NO_STREAMS,
    header: bool | None = None,
) -> Iterator[SeedTable]:
    """The tables of all files, of folders too; `-` is standard input. What `streams` holds is not read again.

    `encoding` is that of text files; empty means UTF-8, or what the file's mark says. `known` are folded names of
    columns, `header` says whether a table's first row is one; see `tables.read_separated`.

    Raises:
        InputError: a file is missing, empty, unreadable or of no known kind.
    """
    for path in paths:
        if path == STDIN or path in streams:
            name = "stdin" if path == STDIN else path
            stream = BytesIO(streams[path]) if path in streams else sys.stdin.buffer
            ending = "" if path == STDIN else _find_ending(Path(path))
            yield _read_table(name, ending, _decompress(name, stream), encoding, known, header)
            continue
        for file in _find_files(Path(path)):
            yield _read_table(str(file), _find_ending(file), _read(file), encoding, known, header)


def name_task(path: str) -> str:
    """The task's name by its file: no folder, no endings."""
    name = "stdin" if is_nameless(path) else Path(path).resolve().name
    for ending in (".gz", ".zst", *_TEXTS, ".txt", ".md", ".aide"):
        name = name.removesuffix(ending)
    return name or "task"


def _find_files(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(
            f"there is no file {path}", hint="give a seeds file, a folder, or - for standard input"
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
    named = file.name.removesuffix(".gz").removesuffix(".zst")
    return named not in _ABOUT and named.endswith((*_TEXTS, ".arrow"))


def _find_ending(file: Path) -> str:
    return Path(file.name.removesuffix(".gz").removesuffix(".zst")).suffix.lower()


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
    name: str, kind: str, data: bytes, encoding: str, known: Sequence[str], header: bool | None
) -> SeedTable:
    if kind == ".arrow" or data.startswith(b"PAR1"):
        return read_columns(name, data)
    text = _decode(name, data, encoding)
    start = text.lstrip()[:1]
    if not start:
        raise InputError(f"{name} is empty", hint="it needs about ten examples, one a line")
    # A name may be wrong or missing, as on standard input; what the text begins with decides where it can.
    if kind in {".csv", ".tsv"} or (kind not in {".jsonl", ".ndjson", ".json"} and start not in "{["):
        return read_separated(name, text, kind, known, header)
    return _read_array(name, text) if start == "[" else _read_objects(name, text, known)


def _decode(name: str, data: bytes, encoding: str) -> str:
    marked = next((codec for mark, codec in _MARKS if data.startswith(mark)), "")
    codec = encoding or marked or _guess_codec(data)
    try:
        return data.decode(codec)
    except UnicodeDecodeError as fault:
        if codec == "utf-8":
            # Programs that keep text as UTF-16 may write half a character; it is cleaned away with others.
            with suppress(UnicodeDecodeError):
                return data.decode(codec, "surrogatepass")
        line = data.count(b"\n", 0, fault.start) + 1
        raise InputError(
            f"{name}:{line}: is not {codec}: byte 0x{data[fault.start]:02x}",
            hint="say how the file is encoded, such as --encoding cp1252 or --encoding latin-1",
        ) from fault


def _guess_codec(data: bytes) -> str:
    """UTF-16 without its mark gives itself away: every other byte of plain text is zero."""
    head = data[:400]
    if head[1::2].count(0) * 2 > len(head[1::2]):
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) * 2 > len(head[::2]) > 0 else "utf-8"


def _read_array(name: str, text: str) -> SeedTable:
    try:
        items = parse_json(text)
    except ValueError as fault:
        line = getattr(fault, "lineno", 1)
        raise InputError(f"{name}:{line}: is not JSON: {getattr(fault, 'msg', fault)}") from fault
    table = SeedTable(name, "json")
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
    return _unwrap(name, head, known) or _read_lines(name, text)


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
    table = SeedTable(name, "json")
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
        return _unwrap(name, table.rows[0][1], known) or table
    return table


def _unwrap(name: str, whole: dict[str, Any], known: Sequence[str]) -> SeedTable | None:
    """The rows inside one object: its longest list of objects, or its columns; `None` if it is a row."""
    inside = {key: value for key, value in whole.items() if isinstance(value, list) and value}
    lists = {key: rows for key, rows in inside.items() if all(isinstance(item, dict) for item in rows)}
    about = whole.get("description") or whole.get("task") or ""
    about = about if isinstance(about, str) else ""
    # A list of objects under the name of a column is a value of one row: chat turns, answers and places.
    rows: list[list[dict[str, Any]]] = [rows for key, rows in lists.items() if key.casefold() not in known]
    if rows:
        longest = sorted(rows, key=len)[-1]
        return SeedTable(name, "json", list(enumerate(longest, 1)), about=about)
    lengths = {len(value) for value in inside.values()}
    if len(inside) == len(whole) > 1 and len(lengths) == 1 and not lists:
        columns = zip(*whole.values(), strict=True)
        return SeedTable(
            name, "json", [(n, dict(zip(whole, row, strict=True))) for n, row in enumerate(columns, 1)]
        )
    splits = {key: value for key, value in whole.items() if isinstance(value, dict)}
    if len(splits) == len(whole) and splits:
        return _unwrap(name, splits.get("train") or next(iter(splits.values())), known)
    return None
