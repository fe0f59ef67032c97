"""Files and folders that a person named and that are not there, or not yet."""

from pathlib import Path

from aide.errors import InputError
from aide.text.suggestions import suggest_name


def suggest_place(path: Path) -> str:
    """`; did you mean 'x'?` with a file or folder beside the missing one; empty where none is near."""
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return "" if path.parent == path else f" (there is no folder {path.parent})"
    return suggest_name(path.name, names, 0.75)  # names of files have their endings in common


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
