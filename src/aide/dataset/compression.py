"""Packed streams, told by their first bytes: gzip and zstd in, gzip out."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from aide.errors import InputError

BROKEN: Final[tuple[type[Exception], ...]] = (OSError, EOFError, zlib.error)

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_CHUNK: Final = 1 << 16


class _Zstd(io.RawIOBase):
    """What zstd frames hold, one frame after another; an end inside a frame is an `EOFError`, not the end."""

    def __init__(self, name: str, packed: io.BufferedReader) -> None:
        try:
            import zstandard
        except ImportError as fault:
            raise InputError(f"{name} is packed with zstd", hint="pip install 'aide-expand[zstd]'") from fault
        self._packed = packed
        self._zstandard: Any = zstandard
        self._frame: Any = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            chunk = self._left() or self._packed.read1(_CHUNK)
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

    def _left(self) -> bytes:
        """What came after the end of a frame: the beginning of the next."""
        if self._frame is None or not self._frame.eof:
            return b""
        left: bytes = self._frame.unused_data
        self._frame = None
        return left


def open_decompressed(name: str, file: BinaryIO) -> io.BufferedReader:
    """The bytes inside a stream; reading them raises one of `BROKEN` where they end too early.

    Raises:
        InputError: zstd is needed and not installed.
    """
    stream = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file))
    head = stream.peek(4)
    if head.startswith(_GZIP):
        return io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=stream)))
    if head.startswith(_ZSTD):
        return io.BufferedReader(_Zstd(name, stream))
    return stream


@contextmanager
def open_compressed(path: Path, plain: BinaryIO) -> Iterator[BinaryIO]:
    """Where to write to, so that `plain` gets what the file's name promises: gzip for `.gz`."""
    if path.name.endswith(".gz"):
        with gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0) as file:
            yield cast("BinaryIO", file)
    else:
        yield plain


__all__ = ["BROKEN", "open_compressed", "open_decompressed"]
