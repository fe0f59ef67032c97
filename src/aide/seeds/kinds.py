"""What a file is that holds no rows we read: named as what it is, with the way to rows."""

from typing import Final

# By the first bytes, because a name may be anything.
_MAGIC: Final = (
    (b"%PDF", "a PDF", "copy examples out of it into a table"),
    (b"\x80\x02", "a pickle", "which may run code; write it as JSON lines with the program that made it"),
    (b"\x80\x03", "a pickle", "which may run code; write it as JSON lines with the program that made it"),
    (b"\x80\x04", "a pickle", "which may run code; write it as JSON lines with the program that made it"),
    (b"\x80\x05", "a pickle", "which may run code; write it as JSON lines with the program that made it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as .xlsx or .csv"),
    (b"SQLite format 3", "an SQLite database", "sqlite3 FILE -json 'SELECT …'"),
    (b"\x93NUMPY", "a NumPy array", "write its rows as JSON lines"),
    (b"\x89HDF", "an HDF5 file", "write its rows as JSON lines"),
    (b"\x89PNG", "an image", "examples are texts"),
    (b"\xff\xd8\xff", "an image", "examples are texts"),
    (b"GIF8", "an image", "examples are texts"),
    (b"GGUF", "a model", "name a file of examples"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"Obj\x01", "an Avro file", "write it as Parquet or JSON lines"),
    (b"ORC", "an ORC file", "write it as Parquet or JSON lines"),
    (b"{\\rtf", "an RTF document", "copy examples out of it into a table"),
)
_UTF_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_MARKUP: Final = (b"<!doctype html", b"<html", b"<?xml")
_TAR: Final = slice(257, 262)
_OFFICE: Final = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint file"),
    ("content.xml", "an OpenDocument file"),
)


def name_foreign_kind(data: bytes) -> tuple[str, str]:
    """What the file is and what helps; two empty texts where it may be one that is read."""
    for begin, kind, hint in _MAGIC:
        if data.startswith(begin):
            return kind, hint
    if data[_TAR] == b"ustar":
        return "a tar archive", "unpack it"
    if data[:200].lstrip().lower().startswith(_MARKUP):
        return "a web page or XML", "write its examples as JSON lines or as a table"
    return "", ""


def is_binary(data: bytes) -> bool:
    """True when it holds bytes that no text has, whatever its encoding: zeros where no UTF-16 or UTF-32 has them."""
    head = data[:4096]
    if data.startswith(_UTF_MARKS) or b"\0" not in head:
        return False
    even, odd = head[::2].count(0), head[1::2].count(0)
    # Plain text in UTF-16 without a mark has its zeros in every other byte, and there alone.
    return not (2 * max(even, odd) > len(head) // 2 and 20 * min(even, odd) < len(head))


def name_office_kind(members: list[str]) -> str:
    """Which office program's file an archive with these members is; empty for a plain one."""
    return next((kind for begin, kind in _OFFICE if any(name.startswith(begin) for name in members)), "")
