"""The recorded runs that come with aide, and the folder into which the demo unpacks them."""

import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

from aide.config.resources import find_file, list_names
from aide.demo.story import Mending, TreeIds
from aide.errors import InputError
from aide.run.folder import RunFolder

FACTS: Final = "recording.json"
"""In the run folder: what was recorded, when, and from what kind of model."""

ENDING: Final = ".tar.xz"
SHIPPED: Final = Path(__file__).parent / "recordings"
"""Where the recordings are that come with aide."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded run."""

    name: str
    """The name of its sample seeds."""
    date: str
    """The day on which the run ended, in UTC."""
    model: str
    """What answered, in a person's words."""
    aide: str
    """The version of aide that made the run."""
    tree: TreeIds | None
    """What the demo shows of the tree, chosen when the run was recorded; `None` if nothing has grown two hops deep."""
    mended: Mending | None
    """A text that was refused or written again, chosen likewise."""

    @property
    def day(self) -> str:
        """The date as a person writes it: `27 November 2026`."""
        day = date.fromisoformat(self.date)
        return f"{day.day} {day:%B %Y}"

    def as_dict(self) -> dict[str, Any]:
        """The facts as they stand in `recording.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`.

        Raises:
            TypeError: these are no facts of a recording.
        """
        tree, mended = data.get("tree"), data.get("mended")
        return cls(
            **{
                **data,
                "tree": TreeIds(tree["seed"], tuple(tree["children"]), tree["grandchild"]) if tree else None,
                "mended": Mending(**mended) if mended else None,
            }
        )


def read_recordings(folder: Path = SHIPPED) -> dict[Path, Recording]:
    """The packed recordings by path, in the order of their names.

    Raises:
        InputError: there are none.
    """
    paths = sorted(folder.glob(f"*{ENDING}"))
    if not paths:
        raise InputError(f"there is no recording in {folder}", hint="install aide again")
    return {path: _read_facts(path) for path in paths}


def open_demo(out: Path, recordings: Mapping[Path, Recording]) -> dict[str, RunFolder]:
    """The run folders of the recordings by name, unpacked into `out`; those that are there already stay as they are.

    Raises:
        InputError: `out` or a folder in it is of something else, or can't be written.
    """
    try:
        _check_free(out, [each.name for each in recordings.values()])
        out.mkdir(parents=True, exist_ok=True)
        for path, recording in recordings.items():
            folder = out / recording.name
            if folder.exists():
                _check_same(folder, recording)
            else:
                _unpack(path, folder)
    except OSError as fault:
        raise InputError(
            f"{out} can't be written: {fault.strerror}", hint="name another folder with -o DIR"
        ) from fault
    return {each.name: RunFolder(out / each.name) for each in recordings.values()}


def _check_free(out: Path, names: Sequence[str]) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file", hint="name a folder with -o DIR")
    found = [each.name for each in out.iterdir()]
    ours = (*names, *map(_name_scratch, names))
    if found and not any(name in ours for name in found):
        raise InputError(
            f"{out} is not empty and holds no demo (it has {min(found)})",
            hint="name a new folder with -o DIR",
        )


def _check_same(folder: Path, recording: Recording) -> None:
    facts = folder / FACTS
    try:
        found = Recording.from_dict(json.loads(facts.read_bytes())) if facts.is_file() else None
    except (ValueError, TypeError, KeyError):
        found = None
    if found != recording:
        what = "another recording" if found else "something else"
        raise InputError(f"{folder} holds {what}", hint="remove it, or name a new folder with -o DIR")


def _unpack(path: Path, folder: Path) -> None:
    """Unpack a recording as a run folder: there is a whole one under that name, or none."""
    scratch = folder.with_name(_name_scratch(folder.name))
    if scratch.exists():
        shutil.rmtree(scratch)
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                target = scratch / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    run = RunFolder(scratch)
    run.lock.touch()
    run.journal.chmod(0o600)
    manifest = run.read_manifest()
    run.write_manifest({**manifest, "seeds": [_find_seeds(each) for each in manifest["seeds"]]})
    scratch.rename(folder)


def _find_seeds(seeds: Mapping[str, Any]) -> dict[str, Any]:
    """The seed file of a manifest where this installation has it: other commands read it again."""
    name = str(seeds["path"])
    known = name in list_names("sample_seeds")
    return {**seeds, "path": str(find_file("sample_seeds", name)) if known else name}


def _name_scratch(name: str) -> str:
    return f".{name}.unpacking"


def _read_facts(path: Path) -> Recording:
    with tarfile.open(path) as archive:
        facts = archive.extractfile(FACTS)
        assert facts is not None
        return Recording.from_dict(json.loads(facts.read()))
