"""JSON lines as bytes: compressed or plain, read leniently, written in one way only.

Compression is recognised by the first bytes, never by a file's name: a download may have lost its ending.
gzip, zstd, bzip2 and xz are read, gzip is written.
"""

import bz2
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import orjson

from aide.errors import InputError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_CHUNK: Final = 1 << 16


class _ZstdReader(io.RawIOBase):
    """What zstd frames hold, one frame after another.

    `zstandard`'s own reader takes a file that is cut off inside a frame for one that ends there. Here such an
    end raises `EOFError`: half a data set must not pass for a whole one.
    """

    def __init__(self, name: str, compressed: io.BufferedReader) -> None:
        try:
            import zstandard
        except ImportError as fault:
            raise InputError(
                f"{name} is compressed with zstd", hint="pip install 'aide-expand[zstd]'"
            ) from fault
        self._compressed = compressed
        self._zstandard: Any = zstandard
        self._frame: Any = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            chunk = self._take_rest() or self._compressed.read1(_CHUNK)
            if not chunk:
                if self._frame is not None:
                    raise EOFError("it ends in the middle of a zstd frame")
                return 0
            if self._frame is None:
                self._frame = self._zstandard.ZstdDecompressor().decompressobj()
            try:
                self._ready = self._frame.decompress(chunk)
            except self._zstandard.ZstdError as fault:
                raise OSError(str(fault)) from fault
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _take_rest(self) -> bytes:
        """What was read beyond the end of a frame: the beginning of the next."""
        if self._frame is None or not self._frame.eof:
            return b""
        rest: bytes = self._frame.unused_data
        self._frame = None
        return rest


@contextmanager
def open_decompressed(name: str, file: BinaryIO) -> Iterator[io.BufferedReader]:
    """The decompressed bytes of a stream; a plain stream is given as it is.

    Raises:
        InputError: the stream is broken or ends too early (raised where it is read inside the `with`), or it
            needs zstd, which is not installed. `name` is what the message calls it.
    """
    stream = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file))
    try:
        head = stream.peek(len(_XZ))
        if head.startswith(_GZIP):
            stream = io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=stream)))
        elif head.startswith(_ZSTD):
            stream = io.BufferedReader(_ZstdReader(name, stream))
        elif head.startswith(_BZIP2):
            stream = io.BufferedReader(cast("Any", bz2.BZ2File(stream)))
        elif head.startswith(_XZ):
            stream = io.BufferedReader(cast("Any", lzma.LZMAFile(stream)))  # noqa: SIM115 - closed with the stream
        yield stream
    except BrokenPipeError:
        raise
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as fault:
        raise InputError(f"{name} can't be read to its end: {fault}") from fault


@contextmanager
def open_compressed(path: Path, plain: BinaryIO) -> Iterator[BinaryIO]:
    """Where to write, so that `plain` holds what the file's name promises: gzip for `.gz`."""
    if path.name.endswith(".gz"):
        # No name and no time inside, so that equal records make equal files.
        with gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0) as file:
            yield cast("BinaryIO", file)
    else:
        yield plain


def parse_json(text: str | bytes) -> Any:
    """One JSON value, read leniently.

    What orjson refuses and other tools write is accepted: NaN, escaped lone surrogates, raw control
    characters in strings.

    Raises:
        ValueError: it is not JSON, (as `UnicodeDecodeError`) not UTF-8, or nested more deeply than anybody reads it.
    """
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        try:
            return json.loads(text if isinstance(text, str) else text.decode(), strict=False)
        except RecursionError:
            # From None: its frames are as many as the interpreter allows.
            raise ValueError("nested too deeply") from None


def encode_json(value: Any) -> bytes:
    """A value as JSON; lone surrogates, which seeds and servers do send, become question marks."""
    try:
        return orjson.dumps(value)
    except TypeError:
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return plain.encode("utf-8", "replace")


def encode_line(record: Mapping[str, Any]) -> bytes:
    """A record as one line, its end included; see `encode_json`."""
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return encode_json(record) + b"\n"
