"""Zip archives: the files of data inside, or what else such an archive is."""

import io
import zipfile
from collections.abc import Callable, Iterator

from aide.errors import InputError
from aide.seeds.kinds import name_office_kind

MAGIC = b"PK\x03\x04"
WORKBOOK = "xl/workbook.xml"


def is_workbook(name: str, data: bytes) -> bool:
    """True when an archive is an Excel workbook; `name` is for the message where it is broken."""
    return WORKBOOK in _list_members(name, data)


def read_members(name: str, data: bytes, is_data: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file inside for which `is_data` is true; of a data set with splits the training one.

    Raises:
        InputError: it is broken, encrypted, an office document, or holds no data.
    """
    members = _list_members(name, data)
    if kind := name_office_kind(members):
        raise InputError(f"{name} is {kind}", hint="write its examples as JSON lines or as a table")
    found = [each for each in members if is_data(each) and not each.startswith("__MACOSX/")]
    if not found:
        raise InputError(f"{name} holds no data", hint="it should have files such as .jsonl or .csv")
    training = [each for each in found if each.rpartition("/")[2].startswith("train")]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for each in training or found:
            try:
                yield f"{name}/{each}", archive.read(each)
            except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError) as fault:
                raise InputError(f"{name}: {each} can't be read: {fault}", hint="unpack it") from fault


def _list_members(name: str, data: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sorted(archive.namelist())
    except zipfile.BadZipFile as fault:
        told = f"{name} is a broken zip archive or workbook: {fault}"
        raise InputError(told, hint="fetch or save the file again") from fault
