"""Bytes of text files as text: by the encoding that a person names, by their mark, or as UTF-8."""

import codecs
from contextlib import suppress
from typing import Final

from aide.errors import InputError

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(name: str, data: bytes, encoding: str = "") -> str:
    """The text of a file. `encoding` empty means UTF-8, or what the file's mark says.

    Raises:
        InputError: it is not in that encoding; the message has the line.
    """
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
