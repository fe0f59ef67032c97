"""What an export or a split leaves in a folder: the files that it wrote, and none of an earlier one.

A student that trains on all records and is judged by the held-out ones of an earlier export knows its questions, and
nobody would notice. So each notes what it wrote, and the next one removes what it does not write itself. A file
that has been changed since is a person's, and stays.
"""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aide.atomic import write_atomic

NOTE: Final = ".aide-export.json"
"""By group and file of the last export: the SHA-256 of what it wrote."""

_HELD_OUT: Final = ("validation", "test", "dev")
_TRAIN: Final = re.compile(r"(?<![\w-])train(?=[.-])")


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """What the last export into a folder wrote there, by paths in it."""

    folder: Path
    group: str = ""
    """Which of several data sets of one folder they belong to."""
    _noted: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, group: str = "") -> "WrittenFiles":
        """What a folder notes; nothing where no note can be read, so that nothing there counts as written by us."""
        try:
            noted: Any = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            noted = {}
        well_formed = isinstance(noted, dict) and all(isinstance(each, dict) for each in noted.values())
        return cls(folder, group, noted if well_formed else {})

    def is_unchanged(self, name: str) -> bool:
        """True for a file that the last export wrote and nobody has changed since."""
        digest = self._noted.get(self.group, {}).get(name)
        return digest is not None and digest == _measure_digest(self.folder / name)

    def settle(
        self, written: Sequence[str], edited: Collection[str] = (), sources: Sequence[str] = ()
    ) -> "SettledFolder":
        """Remove what the last export wrote and this one did not, and note what this one has `written`.

        Those of `written` that a person has `edited` count as theirs. What the records come from (`sources`) stays.

        Raises:
            AideError: the note can't be written.
        """
        last = [name for name in self._noted.get(self.group, {}) if name not in written and _is_inside(name)]
        removed = [
            name for name in last if self.is_unchanged(name) and not _is_among(self.folder / name, sources)
        ]
        for name in removed:
            (self.folder / name).unlink()
        held_out = [_TRAIN.sub(part, name) for name in written for part in _HELD_OUT if _TRAIN.search(name)]
        others = [name for name in dict.fromkeys((*last, *held_out)) if name not in written]
        left = [name for name in others if (self.folder / name).is_file()]
        noted = {name: _measure_digest(self.folder / name) for name in written if name not in edited}
        text = json.dumps({**self._noted, self.group: noted}, ensure_ascii=False, indent=2)
        write_atomic(self.folder / NOTE, text + "\n")
        return SettledFolder(self.folder, tuple(removed), tuple(left))


@dataclass(frozen=True, slots=True)
class SettledFolder:
    """What was there before an export and is none of its files."""

    folder: Path
    removed: tuple[str, ...]
    left: tuple[str, ...]
    """What a person made or changed, or an export that left no note."""

    def describe(self, command: str = "export") -> list[str]:
        """Sentences for a person; `command` is what has written."""
        return [
            *(f"removed {self.folder / name}, which an earlier {command} wrote" for name in self.removed),
            *(
                f"{self.folder / name} is not of this {command} and was left; its records may be in training now"
                for name in self.left
            ),
        ]


def describe_kept(path: Path, written: Collection[str]) -> str:
    """That a configuration was edited and is kept, and which of the parts it misses or names in vain."""
    text = path.read_text(encoding="utf-8", errors="replace")
    parts = [f"{part}.jsonl" for part in ("train", "validation", "test")]
    named = [name for name in parts if name in text]
    gone = [name for name in named if name not in written]
    # What a trainer has no use for is no fault: test data are for later.
    unnamed = [name for name in parts[:2] if name in written and name not in named]
    faults = [f"{name}, which this export did not write" for name in gone]
    faults += [f"no {name}, which this export wrote" for name in unnamed]
    told = f"; it names {' and '.join(faults)}" if faults else ""
    return f"{path} has been edited and is kept{told}"


def _is_inside(name: str) -> bool:
    """False for a path that leads out of the folder, which no export writes."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _is_among(path: Path, sources: Sequence[str]) -> bool:
    """True for a source, and for a file of a folder that is read as a whole."""
    places = [Path(source).resolve() for source in sources if not (Path(source) / "run.json").exists()]
    return path.resolve() in places or path.resolve().parent in places


def _measure_digest(path: Path) -> str:
    """The SHA-256 of a file; empty where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


__all__ = ["NOTE", "SettledFolder", "WrittenFiles", "describe_kept"]
