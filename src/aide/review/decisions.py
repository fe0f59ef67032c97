"""The decisions of a run folder as several writers share them: one line each, on the disk before it counts.

Whoever appends holds a lock on the file and reads first what others have appended, so that two windows, or two
processes, see each other's decisions and none replaces one that its person has not seen.
"""

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from aide.atomic import make_disk_error, sync_folder
from aide.crash_points import hit
from aide.dataset.reviews import FILE, OPEN, is_whole, parse_review
from aide.errors import InputError
from aide.jsonl import encode_line

Review = Mapping[str, Any]
_WHEN: Final = "at"


class OvertakenError(Exception):
    """The record was decided meanwhile, by another window or process."""


class DecisionLog:
    """The decisions of one folder, in memory and in `reviews.jsonl`."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """`clock` gives Unix seconds, which each decision is dated with.

        Raises:
            InputError: a line of the file is no review.
        """
        self.path = folder / FILE
        self._clock = clock
        self._forget()
        self.follow()

    def _forget(self) -> None:
        self._history: dict[str, list[Review]] = {}
        self._order: list[str] = []
        self._inode = self._end = self._lines = 0

    @property
    def version(self) -> int:
        """How many decisions there are in all."""
        return len(self._order)

    def list_since(self, version: int) -> Sequence[str]:
        """The ids that were decided about after the version, each once."""
        if version > len(self._order):  # the file was replaced by a shorter one
            version = 0
        return list(dict.fromkeys(self._order[version:]))

    def history(self, id: str) -> Sequence[Review]:
        """All decisions about a record, the last one last."""
        return self._history.get(id, ())

    def current(self, id: str) -> Review | None:
        """The decision that stands; `None` where there is none, or it was taken back."""
        past = self.history(id)
        return past[-1] if past and past[-1]["verdict"] != OPEN else None

    def follow(self) -> None:
        """Read what was appended since the last look; a file that was replaced is read anew.

        Raises:
            InputError: a line is no review.
        """
        try:
            with self.path.open("rb") as file:
                self._read(file.fileno())
        except FileNotFoundError:
            if self._end:
                self._forget()
        except OSError as fault:
            raise InputError(f"{self.path} can't be read: {fault.strerror}") from fault

    def append(self, review: Review, seen: int) -> Review:
        """Keep a decision; it is on the disk when this returns. `seen` is how many about the record its person knew.

        The same decision once more, from a window that never heard that it was kept, changes nothing.

        Raises:
            OvertakenError: there are others by now.
            AideError: the disk is full or failed; nothing was kept.
        """
        id = str(review["id"])
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise make_disk_error(self.path, fault) from fault
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read(descriptor)
            past = self.history(id)
            if len(past) != seen:
                if len(past) == seen + 1 and _without_time(past[-1]) == _without_time(review):
                    return past[-1]
                raise OvertakenError
            line = encode_line({**review, _WHEN: round(self._clock(), 3)})
            self._write(descriptor, line)
            self._read(descriptor)
            return self.history(id)[-1]
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, line: bytes) -> None:
        """Append a line and bring it to the disk, or leave the file as it was."""
        size = os.fstat(descriptor).st_size
        torn = os.pread(descriptor, size - self._end, self._end)
        hit("before_decision")
        try:
            if torn and is_whole(torn):
                line = b"\n" + line  # a person wrote it, without an end
            elif torn:
                os.ftruncate(descriptor, self._end)
            if os.write(descriptor, line) != len(line):
                raise OSError(None, "no space left for a whole line")
            os.fsync(descriptor)
            if not size:
                sync_folder(self.path.parent)
        except OSError as fault:
            os.ftruncate(descriptor, self._end if not is_whole(torn) else size)
            raise make_disk_error(self.path, fault) from fault
        hit("after_decision")

    def _read(self, descriptor: int) -> None:
        facts = os.fstat(descriptor)
        if facts.st_ino != self._inode or facts.st_size < self._end:
            self._forget()
            self._inode = facts.st_ino
        fresh = os.pread(descriptor, facts.st_size - self._end, self._end)
        for line in fresh.split(b"\n")[:-1]:
            self._lines += 1
            self._end += len(line) + 1
            if line.strip():
                review = parse_review(self.path, self._lines, line)
                self._history.setdefault(review["id"], []).append(review)
                self._order.append(review["id"])


def _without_time(review: Review) -> bytes:
    return orjson.dumps(
        {name: value for name, value in review.items() if name != _WHEN}, option=orjson.OPT_SORT_KEYS
    )
