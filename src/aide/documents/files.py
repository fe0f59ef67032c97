"""Documents in files and folders, read one at a time: text, Markdown, HTML, JSON lines, and what is converted."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from aide.documents.conversions import ConversionCache
from aide.documents.convert import CONVERTED
from aide.documents.pages import find_charset, read_page
from aide.errors import InputError
from aide.jsonl import open_decompressed, parse_json
from aide.places import name_lost_target, spell_name, suggest_place
from aide.seeds.encodings import decode_text
from aide.seeds.kinds import is_binary, name_foreign_kind
from aide.text.cleaning import clean_text
from aide.text.figures import format_plural

_TEXTS: Final = (".txt", ".text", ".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".org")
_PAGES: Final = (".html", ".htm", ".xhtml")
_ROWS: Final = (".jsonl", ".ndjson")
_KNOWN: Final = frozenset({*_TEXTS, *_PAGES, *_ROWS, *CONVERTED})
_COMPRESSED: Final = (".gz", ".zst", ".bz2", ".xz")
_KINDS: Final = "text, Markdown, HTML, JSON lines, PDF, Word, PowerPoint, Excel and EPUB files"
# Folders of programs, and those of runs: records are no documents.
_PASSED: Final = frozenset({"node_modules", "__pycache__"})
_RUN_FOLDER: Final = "journal.sqlite"
_TEXT_FIELDS: Final = (
    "text",
    "content",
    "contents",
    "document",
    "context",
    "passage",
    "page_content",
    "body",
)
_MOST_BYTES: Final = 64 << 20
"""Of a file that is read as a whole; JSON lines are read line by line."""
_ARCHIVE: Final = b"PK\x03\x04"
_MARKUP: Final = (b"<!doctype html", b"<html")
_FALLBACK: Final = "cp1252"  # what browsers take a page for that names no encoding
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Document:
    """One text with the name of its file; of JSON lines each line is a document."""

    name: str
    text: str
    title: str = ""
    """What it says of itself beside its text."""


class DocumentReader:
    """The documents of `paths`, which are files and folders.

    What a folder holds besides documents is left out, and so is what can't be read where `skip_bad` is true: `notes`
    says so once all is read. `besides` are seed files: no documents, whether a folder holds them or they are named.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        encoding: str = "",
        skip_bad: bool = False,
        besides: Sequence[Path] = (),
        flag: str = "--contexts",
        cache: Path | None = None,
    ) -> None:
        """`encoding` is that of texts which are not UTF-8; empty means that they are refused. `flag` is the option that
        named the paths, as messages say it. `cache` is a folder for the texts of converted files.
        """
        self._paths = paths
        self._encoding = encoding
        self._skip_bad = skip_bad
        self._flag = flag
        self._besides = {path.resolve() for path in besides}
        self._conversions = ConversionCache(cache)
        self._names: set[str] = set()
        self._others: Counter[str] = Counter()
        self._seeds: list[str] = []
        self._silent: dict[bool, list[str]] = {
            True: [],
            False: [],
        }  # by whether they may be pictures of texts
        self._bad: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What was left out, in sentences."""
        notes = []
        if self._others:
            kinds = ", ".join(f"{ending} {count}" for ending, count in self._others.most_common(_SHOWN))
            count = format_plural(sum(self._others.values()), "file")
            notes.append(f"{self._flag} leaves out {count} of other kinds ({kinds})")
        if self._seeds:
            verb = "is a seed file" if len(self._seeds) == 1 else "are seed files"
            notes.append(f"{self._flag} leaves out {_list_some(self._seeds)}, which {verb}")
        for scans, silent in self._silent.items():
            if silent:
                verb = "holds" if len(silent) == 1 else "hold"
                told = "; a scan is a picture" if scans else ""
                notes.append(f"{self._flag}: {_list_some(silent)} {verb} no text{told}")
        if self._bad:
            notes.append(f"{self._flag} leaves out what can't be read: {_list_some(self._bad, '; ')}")
        return notes

    def describe_nothing(self) -> InputError:
        """What to tell where no document had a text, once all is read."""
        mended = "run a text recognition over scans" if self._silent[True] else "name files that hold text"
        return InputError("; ".join(self.notes) or f"{self._flag} names no documents", hint=mended)

    def read(self) -> Iterator[Document]:
        """Each document that has a text.

        Raises:
            InputError: a file is missing, broken, too large, binary, or needs a library that is missing; a folder
                holds no document.
        """
        for path in self._paths:
            for name, file in self._find_files(path):
                try:
                    yield from self._read_file(name, file)
                except InputError as fault:
                    if not self._skip_bad:
                        raise
                    self._bad.append(str(fault))

    # --- files ----------------------------------------------------------------------------------------

    def _find_files(self, path: Path) -> Iterator[tuple[str, Path]]:
        if not path.exists():
            raise InputError(
                f"there is no file {path}{suggest_place(path)}", hint=f"{self._flag} takes files and folders"
            )
        if not path.is_dir():
            if path.resolve() in self._besides:
                self._seeds.append(path.name)
                return
            yield self._name(path.name, path), path
            return
        found = False
        root = path.resolve().name
        for file in _walk(path):
            ending = _find_ending(file.name)
            if file.resolve() in self._besides:
                continue
            if ending not in _KNOWN:
                self._others[ending or "without an ending"] += 1
                continue
            if file.exists() and not file.is_file():  # a pipe would be waited for without end
                self._others["pipe or device"] += 1
                continue
            found = True
            yield self._name(f"{root}/{file.relative_to(path).as_posix()}", file), file
        if not found:
            raise InputError(f"the folder {path} holds no documents", hint=f"{self._flag} takes {_KINDS}")

    def _name(self, name: str, file: Path) -> str:
        """The name by which records and messages know a file: short, or its whole path where another has that name."""
        name = spell_name(str(file) if spell_name(name) in self._names else name)
        self._names.add(name)
        return name

    def _read_file(self, name: str, file: Path) -> Iterator[Document]:
        try:
            with file.open("rb") as opened, open_decompressed(name, opened) as stream:
                if _find_ending(file.name) in _ROWS:
                    yield from self._read_rows(name, stream)
                    return
                data = stream.read(_MOST_BYTES + 1)
        except OSError as fault:
            raise InputError(
                f"{name} can't be read: {fault.strerror or fault}{name_lost_target(file)}",
                hint="take it out, or leave out what can't be read with --skip-bad",
            ) from fault
        if len(data) > _MOST_BYTES:
            raise InputError(
                f"{name} is larger than {_MOST_BYTES >> 20} MiB",
                hint="split it, or write JSON lines, a text a line",
            )
        text = clean_text(self._read_text(name, _find_ending(file.name), data).replace("\f", "\n\n"))
        if text:
            yield Document(name, text)
        else:
            scan = data.startswith(b"%PDF") or _find_ending(file.name) in CONVERTED
            self._silent[scan].append(name)

    def _read_text(self, name: str, ending: str, data: bytes) -> str:
        if data.startswith(b"%PDF"):
            return self._conversions.convert(name, data, ".pdf")
        if ending in CONVERTED:
            return self._conversions.convert(name, data, ending)
        if data.startswith(_ARCHIVE):
            raise InputError(f"{name} is an archive", hint="unpack it, and name its folder")
        head = data.lstrip()[:64].lower()
        if ending in _PAGES or head.startswith(_MARKUP):
            return read_page(self._decode(name, data, find_charset(data), _FALLBACK))
        foreign = "" if head.startswith(b"<") else name_foreign_kind(data)[0]
        if not foreign and is_binary(data):
            foreign = "a binary file, not text"
        if foreign:
            raise InputError(f"{name} is {foreign}", hint=f"{self._flag} takes {_KINDS}")
        return self._decode(name, data)

    def _decode(self, name: str, data: bytes, *others: str) -> str:
        try:
            return decode_text(name, data)
        except InputError:
            for codec in (*others, self._encoding):
                with suppress(UnicodeDecodeError, LookupError):
                    if codec:
                        return data.decode(codec)
            raise

    # --- JSON lines -----------------------------------------------------------------------------------

    def _read_rows(self, name: str, stream: BinaryIO) -> Iterator[Document]:
        for number, line in enumerate(stream, start=1):
            if not (line := line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
                continue
            try:
                yield _read_row(f"{name}:{number}", line)
            except InputError as fault:
                if not self._skip_bad:
                    raise
                self._bad.append(str(fault))


def _read_row(name: str, line: bytes) -> Document:
    """A line that is a string, or an object with a text: under one of the usual names, else its first string. A `title`
    or `heading` beside the text is its title.
    """
    try:
        row = parse_json(line)
    except ValueError as fault:
        raise InputError(f"{name} is not JSON", hint="one object or string a line") from fault
    text = clean_text(row if isinstance(row, str) else _find_text(row) if isinstance(row, Mapping) else "")
    if not text:
        raise InputError(f"{name} holds no text", hint='such as {"text": "…"}')
    given = row.get("title", row.get("heading")) if isinstance(row, Mapping) else ""
    title = " ".join(clean_text(given).split()) if isinstance(given, str) else ""
    return Document(name, text, title if title != text else "")


def _find_text(row: Mapping[str, Any]) -> str:
    named = (row[name] for name in _TEXT_FIELDS if name in row)
    return next((value for value in (*named, *row.values()) if isinstance(value, str) and value.strip()), "")


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, in an order that does not depend on the disk; none that is hidden."""

    def refuse(fault: OSError) -> None:
        raise InputError(f"{fault.filename} can't be read: {fault.strerror}") from fault

    for root, folders, files in os.walk(folder, onerror=refuse):
        if _RUN_FOLDER in files:
            folders.clear()
            continue
        folders[:] = sorted(each for each in folders if each not in _PASSED and not each.startswith("."))
        yield from (Path(root, each) for each in sorted(files) if not each.startswith("."))


def _find_ending(name: str) -> str:
    bare = next((name.removesuffix(end) for end in _COMPRESSED if name.endswith(end)), name)
    return Path(bare).suffix.lower()


def _list_some(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more
