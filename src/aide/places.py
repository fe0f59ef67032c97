"""Files and folders that a person named: how their names are written, and what to do where they are not there yet."""

import os
from pathlib import Path

from aide.errors import InputError
from aide.text.suggestions import suggest_name


def spell_name(name: str) -> str:
    r"""The name of a file as text that can be written anywhere: bytes that are not UTF-8 as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def suggest_place(path: Path) -> str:
    """`; did you mean 'x'?` with a file or folder beside the missing one, or where a broken link leads; empty where
    neither helps.
    """
    if path.is_symlink():
        return name_lost_target(path)
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return "" if path.parent == path else f" (there is no folder {path.parent})"
    return suggest_name(path.name, names, 0.75)  # names of files have their endings in common


def name_lost_target(path: Path) -> str:
    """` (it is a link to x)` of a link to what is not there; else empty."""
    return f" (it is a link to {path.readlink()})" if path.is_symlink() and not path.exists() else ""


def make_parent(path: Path) -> None:
    """Make the folder that a file is to be written to.

    Raises:
        InputError: it can't be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise InputError(
            f"{path} can't be written: {fault.strerror or fault} ({path.parent})", hint="name another file"
        ) from fault
