"""Where the texts that people edit are: prompts, configurations and sample seeds.

They are looked up file by file: first in the folder a person named, then in the copy inside the installed
package, then at the root of a checkout. So a folder with one changed prompt is a complete override.
"""

from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from aide.errors import InputError
from aide.text.suggestions import suggest_name

Kind = Literal["prompts", "configs", "sample_seeds"]

_PACKAGE: Final = Path(__file__).resolve().parents[1]
ROOTS: Final = (_PACKAGE / "_data", _PACKAGE.parents[1])
_ADDED: Final[dict[tuple[Kind, str], Path]] = {}


def add_folder(kind: Kind, inside: str, folder: Path) -> None:
    """Let the files of a folder count as shipped ones under `inside/`: those that an installed package brings."""
    _ADDED[kind, inside] = folder


def find_file(
    kind: Kind, name: str, override: Path | None = None, *, roots: tuple[Path, ...] = ROOTS
) -> Path:
    """The file that counts as `name` (such as `synthesize/constraint.md`) among the files of that kind.

    `override` is a folder laid out like `prompts/` itself; what it lacks comes from the shipped files.

    Raises:
        InputError: there is no such file, the name leads out of its folder, or `override` is no folder.
    """
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise InputError(
            f"{name!r} leads out of the {kind} folder",
            hint=f"name a file inside it, such as {_pick_example(kind, roots)}",
        )
    for folder in _folders(kind, override, roots):
        path = folder / inside
        if path.is_file():
            return path
    for (added, prefix), folder in _ADDED.items():
        if added == kind and inside.is_relative_to(prefix):
            path = folder / inside.relative_to(prefix)
            if path.is_file():
                return path
    known = list_names(kind, override, roots=roots)
    raise InputError(
        f"there is no {name!r} among the {kind}{suggest_name(name, known)}",
        hint=_list_known(kind, known, roots),
    )


def read_file(kind: Kind, name: str, override: Path | None = None, *, roots: tuple[Path, ...] = ROOTS) -> str:
    """The text of that file, without a byte order mark, lines ended by a line feed.

    Raises:
        InputError: as `find_file`, or the file can't be read as UTF-8.
    """
    path = find_file(kind, name, override, roots=roots)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8: byte {error.start} can't be read", hint="save the file as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror}", hint="check the permissions of the file"
        ) from error


def list_names(kind: Kind, override: Path | None = None, *, roots: tuple[Path, ...] = ROOTS) -> list[str]:
    """All names of that kind, shipped and overriding ones together, sorted; hidden files are left out."""
    found: set[str] = set()
    for folder in _folders(kind, override, roots):
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                found.add(inside.as_posix())
    for (added, prefix), folder in _ADDED.items():
        if added == kind:
            found.update(f"{prefix}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.md"))
    return sorted(found)


def _folders(kind: Kind, override: Path | None, roots: tuple[Path, ...]) -> list[Path]:
    """Folders to look in, in this order: the override, then the first root that has this kind."""
    shipped = next((root / kind for root in roots if (root / kind).is_dir()), None)
    if override is not None and not override.is_dir():
        raise InputError(
            f"{override} is no folder",
            hint=f"name a folder that holds your own {kind}, laid out like {kind}/",
        )
    return [folder for folder in (override, shipped) if folder is not None]


def _pick_example(kind: Kind, roots: tuple[Path, ...]) -> str:
    """One name of that kind to show as an example."""
    return next(iter(list_names(kind, roots=roots)), "its bare name")


def _list_known(kind: Kind, known: list[str], roots: tuple[Path, ...]) -> str:
    """The hint of a failed look-up: what there is, or where it was looked for."""
    if known:
        return f"there are: {', '.join(known)}"
    return f"no {kind} were found; looked in {', '.join(str(root / kind) for root in roots)}"


def hash_files(kind: Kind, override: Path | None = None) -> dict[str, str]:
    """Name of every file of that kind to the first 16 hex digits of its SHA-256, in order of the names."""
    return {
        name: sha256(find_file(kind, name, override).read_bytes()).hexdigest()[:16]
        for name in sorted(list_names(kind, override))
    }


__all__ = ["ROOTS", "Kind", "add_folder", "find_file", "hash_files", "list_names", "read_file"]
