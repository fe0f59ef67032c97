"""Files that are there as a whole or not at all, whatever ends the process or fills the disk."""

import os
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from aide.crash_points import hit
from aide.errors import AideError


def write_atomic(path: Path, content: str | Iterable[bytes], *, private: bool = False) -> None:
    """Put `content` in place of a file: after a crash at any moment it is the old one or the new one, whole.

    Pieces of bytes are written as they come, so that a file can be made anew from itself. A `private` file can be read
    by its owner alone.

    Raises:
        AideError: the disk is full or failed; the old file is untouched.
    """
    data = [content.encode("utf-8", "replace")] if isinstance(content, str) else content
    if is_passage(path):
        try:
            with path.open("wb") as passage:
                passage.writelines(data)
        except OSError as error:
            raise make_disk_error(path, error) from error
        return
    # A name for each thread: the last `progress.json` is written while a thread may still be at the one before it.
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        try:
            with open(scratch, "wb", opener=partial(os.open, mode=0o600 if private else 0o666)) as file:
                file.writelines(data)
                file.flush()
                os.fsync(file.fileno())
            hit("before_replace")
            put_in_place(scratch, path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise make_disk_error(path, error) from error


def is_passage(path: Path) -> bool:
    """True for a pipe or a device such as `/dev/null`: it is written to, and no file may take its place."""
    return path.exists() and not path.is_file() and not path.is_dir()


def put_in_place(scratch: Path, path: Path) -> None:
    """Give a file its name for good. Its content must be on the disk: else a crash leaves the name with nothing."""
    scratch.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_disk_error(path: Path, error: OSError) -> AideError:
    """What it means to a person that a file can't be written."""
    return AideError(
        f"writing {path} failed: {error.strerror}",
        hint="free some space or mend the disk, and run the same command again",
    )
