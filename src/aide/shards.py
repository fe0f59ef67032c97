"""The files of a run folder that people read: lines of JSON, only ever appended; and a lock for one writer.

After a crash the line that was torn off is dropped when the file is opened, and `rebuild` brings back what the
journal knows. Why not jsonlines: docs/design/json-lines.md.
"""

import fcntl
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any, Final, Self
from zlib import crc32

import orjson

from aide.atomic import make_disk_error, sync_folder
from aide.errors import FolderHeld, InputError
from aide.jsonl import encode_line
from aide.records import ID_BYTES, digest

POLL_SECONDS: Final = 0.2  # between two tries for a lock: a person who waits for it does not notice
_PART: Final = re.compile(r"part-(\d+)\.jsonl")
_FREE: Final = bytes(ID_BYTES)


class IdSet:
    """A set of record ids in 15 to 30 bytes each, where a set of strings takes over 100: a run may hold a million.

    A hash table with open addressing: digests one after the other in one array, looked up by a checksum of their own.
    """

    def __init__(self) -> None:
        self._table = bytearray(1024 * ID_BYTES)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        return not self._place(_key(name))[1]

    def __iter__(self) -> Iterator[str]:
        """All ids as 20 hex digits, in no order."""
        return (key.hex() for key in _keys(self._table))

    def add(self, name: str) -> bool:
        """Put an id in; `False` where it was there already."""
        key = _key(name)
        at, free = self._place(key)
        if free:
            self._table[at : at + ID_BYTES] = key
            self._count += 1
            if self._count * ID_BYTES * 3 > len(self._table) * 2:
                self._grow()
        return free

    def _place(self, key: bytes) -> tuple[int, bool]:
        """Where the digest stands or would stand, and whether that place is free."""
        # A digest's own first bytes would do, but foreign ids may be numbers in 20 digits: the checksum spreads
        # those too.
        at = crc32(key) * ID_BYTES % len(self._table)
        while (there := self._table[at : at + ID_BYTES]) != key:
            if there == _FREE:
                return at, True
            at = (at + ID_BYTES) % len(self._table)
        return at, False

    def _grow(self) -> None:
        """Make the table twice as large, so that a look-up stays within a few places."""
        old, self._table = self._table, bytearray(2 * len(self._table))
        for key in _keys(old):
            at, _ = self._place(key)
            self._table[at : at + ID_BYTES] = key


class AppendOnlyLines:
    """An append-only file of JSON objects, one a line, each with an `id` that occurs once.

    A line goes to the file in one write, so whoever reads meanwhile sees whole lines. Nothing is brought to the
    disk line by line: the journal has every record already, and `rebuild` writes what a loss of power took.

    Raises (when opened):
        InputError: a line before the last part's end is no such object.
    """

    def __init__(self, path: Path) -> None:
        self.ids = IdSet()
        self._path = path
        self._file: FileIO | None = None
        self._lines, self._end = self._load(path, mend=True) if path.exists() else (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many records the log holds."""
        return len(self.ids)

    def append(self, record: Mapping[str, Any]) -> bool:
        """Write a record as one line; `False` where its id is there already.

        Readers see it at once. It is safe from loss of power after the next rotation or `close`.

        Raises:
            AideError: the disk is full or failed; the file then ends after the last whole line.
        """
        if record["id"] in self.ids:
            return False
        self._write(encode_line(record))
        self.ids.add(record["id"])
        return True

    def rebuild(self, records: Iterable[Mapping[str, Any]]) -> int:
        """Append those records whose ids are missing; returns how many were."""
        return sum(self.append(record) for record in records)

    def close(self) -> None:
        """Bring all lines to the disk and close the file; a second time does nothing."""
        if self._file is not None:
            file, self._file = self._file, None
            try:
                os.fsync(file.fileno())
            except OSError as error:
                raise make_disk_error(self._path, error) from error
            finally:
                file.close()

    def _write(self, line: bytes) -> None:
        try:
            file = self._file = self._file or _open_for_appending(self._path)
            try:
                # A nearly full disk takes part of a line and reports no error.
                if file.write(line) != len(line):
                    raise OSError(None, "no space left for a whole line")
            except OSError:
                file.truncate(self._end)
                raise
        except OSError as error:
            raise make_disk_error(self._path, error) from error
        self._end += len(line)
        self._lines += 1

    def _load(self, path: Path, *, mend: bool) -> tuple[int, int]:
        """Learn the ids of a file; returns its lines and bytes. `mend` cuts it before the first torn line.

        Only the last file can have one: the others were brought to the disk before the next was begun.
        """
        lines = end = 0
        with path.open("rb") as file:
            for line in file:
                name = _identify(line)
                if name is None:
                    break
                self.ids.add(name)
                lines += 1
                end += len(line)
        if end < path.stat().st_size:
            if not mend:
                raise InputError(
                    f"{path} line {lines + 1} is not a record",
                    hint="mend the line, or delete the file: the next run writes its records again",
                )
            os.truncate(path, end)
        return lines, end


class Shards(AppendOnlyLines):
    """Records in `part-00000.jsonl` and so on, `size` lines each."""

    def __init__(self, folder: Path, *, size: int = 1000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        parts = list_shards(folder)
        super().__init__(parts[-1] if parts else _part(folder, 0))
        self._size = size
        for path in parts[:-1]:
            self._load(path, mend=False)

    def _write(self, line: bytes) -> None:
        if self._lines >= self._size:
            self.close()
            number = _PART.fullmatch(self._path.name)
            self._path = _part(self._path.parent, int(number[1]) + 1 if number else 0)
            self._lines = self._end = 0
        super()._write(line)


def list_shards(folder: Path) -> list[Path]:
    """The shards in a folder, in the order in which they were written."""
    found = {path: match for path in folder.iterdir() if (match := _PART.fullmatch(path.name))}
    return sorted(found, key=lambda path: int(found[path][1]))


class FolderLock:
    """One writer per folder, as long as its process lives: `with FolderLock(folder): …`.

    The system lets go of the lock when its holder dies, however it dies, so there is nothing to clean up.
    `<folder>/lock` names the holder's process and machine. `wait` is how many seconds to wait for it.

    Raises (on entering):
        FolderHeld: another process has it still.
        InputError: the folder can't be written, or its file system has no locks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wait: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._wait = wait
        self._sleep = sleep
        self._clock = clock
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock, waiting for it if so asked."""
        path = self._folder / "lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
        except OSError as error:
            raise InputError(
                f"{path} can't be written: {error.strerror}", hint="name another folder with -o"
            ) from error
        try:
            self._take(file)
            with suppress(
                OSError
            ):  # who holds it is only told to people; a full disk is found where it matters
                file.truncate(0)
                file.write(f"{os.getpid()} {socket.gethostname()}\n".encode())
        except BaseException:
            file.close()
            raise
        self._file = file

    def release(self) -> None:
        """Let go of the lock; a second time does nothing."""
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                file.truncate(0)
            file.close()

    def _take(self, file: FileIO) -> None:
        until = self._clock() + self._wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                rest = until - self._clock()
                if rest <= 0:
                    raise self._held(file) from error
                self._sleep(min(POLL_SECONDS, rest))
            except OSError as error:
                raise InputError(
                    f"{self._folder} can't be locked: {error.strerror}",
                    hint="put the folder on a file system that has locks",
                ) from error
            else:
                return

    def _held(self, file: FileIO) -> FolderHeld:
        pid, _, host = os.pread(file.fileno(), 300, 0).decode("utf-8", "replace").strip().partition(" ")
        holder = f"process {pid} on {host}" if pid else "another process"
        return FolderHeld(
            f"{self._folder} is in use by {holder}",
            hint="wait until it ends, or wait for it with --lock-wait",
        )


def is_locked(folder: Path) -> bool:
    """True while another process writes in the folder."""
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _key(name: str) -> bytes:
    """The digest that an id is, or for a foreign id the digest of it."""
    try:
        key = bytes.fromhex(name)
    except ValueError:
        key = b""
    return key if len(name) == 2 * ID_BYTES == 2 * len(key) and key != _FREE else bytes.fromhex(digest(name))


def _keys(table: bytearray) -> Iterator[bytes]:
    """The digests that stand in a table of `Ids`."""
    for at in range(0, len(table), ID_BYTES):
        key = bytes(table[at : at + ID_BYTES])
        if key != _FREE:
            yield key


def _identify(line: bytes) -> str | None:
    """The id of a whole line; `None` where it is torn or no record."""
    if not line.endswith(b"\n"):
        return None
    try:
        name = orjson.loads(line)["id"]
    except (ValueError, TypeError, KeyError):
        return None
    return name if isinstance(name, str) else None


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.jsonl"


def _open_for_appending(path: Path) -> FileIO:
    """The file, made durably where there is none."""
    new = not path.exists()
    file = FileIO(path, "ab")
    if new:
        sync_folder(path.parent)
    return file


__all__ = ["AppendOnlyLines", "FolderLock", "IdSet", "Shards", "is_locked", "list_shards"]
