"""Whether a journal is whole, told from its first bytes and its size: nothing heavy is loaded for it."""

from pathlib import Path
from typing import Final

from aide.config.partition import Partition
from aide.errors import InputError

_HEADER: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"


def is_cut(journal: Path) -> bool:
    """True where a journal is there and is empty, or shorter than its header says.

    The header is that of https://www.sqlite.org/fileformat.html: the size of a page at 16, how many there are at 28.
    While a log stands beside it, the file alone says nothing.
    """
    try:
        size = journal.stat().st_size
        with journal.open("rb") as stream:
            head = stream.read(_HEADER)
    except OSError:
        return False
    if len(head) < _HEADER or not head.startswith(_MAGIC):
        return True
    if any(_holds_anything(journal.with_name(journal.name + end)) for end in ("-wal", "-journal")):
        return False
    page = int.from_bytes(head[16:18], "big")
    return size < int.from_bytes(head[28:32], "big") * (65_536 if page == 1 else page)


def refuse_cut(journal: Path) -> None:
    """Refuse a journal that is not whole.

    Raises:
        InputError: with what a person can do; a part can be made again.
    """
    if is_cut(journal):
        raise InputError(f"{journal} is damaged: a piece of it is missing", hint=advise(journal.parent))


def advise(folder: Path) -> str:
    """What helps where a file of a run folder is damaged."""
    if Partition.parse_folder(folder.name) is not None:
        return f"restore it from a copy, or remove it and run this part again: {folder}"
    return "restore the folder from a copy, or start a new one with -o"


def _holds_anything(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0
