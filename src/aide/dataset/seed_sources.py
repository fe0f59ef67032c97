"""The seeds and the task card behind records: named by a person, or found through their run folder.

Run folders are a layer below. They are read here, once, so that no other command has to know what is in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aide.card import card_from_toml, read_labels
from aide.errors import InputError
from aide.formats import TaskCard
from aide.run.folder import RunFolder
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds


@dataclass(frozen=True, slots=True)
class NamedSeeds:
    """A seed file and how its columns are to be read."""

    paths: tuple[str, ...]
    mapping: SeedMapping


def find_run_folders(sources: Sequence[str]) -> list[RunFolder]:
    """The sources that are run folders."""
    return [RunFolder(Path(each)) for each in sources if (Path(each) / "run.json").is_file()]


def find_seed_files(sources: Sequence[str], given: Sequence[str]) -> NamedSeeds | None:
    """The seed files: those `given`, or else those that a run folder among the sources was grown from.

    `None` if there are neither, or if they are gone.
    """
    if given:
        return NamedSeeds(tuple(given), SeedMapping(labels=None))
    for folder in find_run_folders(sources):
        manifest = folder.read_manifest()
        paths = tuple(str(each["path"]) for each in manifest.get("seeds", ()))
        # Seeds that came from standard input are gone; some of several files would be a different set.
        if paths and all(path != "-" and Path(path).exists() for path in paths):
            return NamedSeeds(paths, make_mapping(manifest.get("spec", {})))
    return None


def load_seeds_of(
    sources: Sequence[str], given: Sequence[str] = (), columns: SeedMapping | None = None
) -> LoadedSeeds | None:
    """The seeds, read again; `None` if `find_seed_files` finds none.

    `columns` are those that a person named for all that was given, seeds among them; `None` where the command has no
    options for columns.

    Raises:
        InputError: a file can't be read as seeds.
    """
    named = find_seed_files(sources, given)
    if named and given and columns and (columns.input_fields or columns.output_field):
        try:
            return load_seeds(named.paths, replace(columns, labels=None))
        except InputError:
            return load_seeds(named.paths, named.mapping)  # the columns were meant for other files
    try:
        return load_seeds(named.paths, named.mapping) if named else None
    except InputError as fault:
        if not fault.remedy or columns is not None:
            raise
        # Its options belong to commands that grow; those that read what was grown have none for columns.
        raise InputError(str(fault), hint="rename the columns, such as to input and output") from fault


def load_card_of(sources: Sequence[str], given: str = "") -> TaskCard | None:
    """The task card in the folder or file `given`, or else in the first run folder among the sources.

    Raises:
        InputError: the given one does not exist, or a card can't be read.
    """
    if given:
        path = Path(given) / "task.toml" if Path(given).is_dir() else Path(given)
        if not path.is_file():
            raise InputError(f"there is no task card {path}", hint="name a run folder or a task.toml")
        return _read_card(path)
    for folder in find_run_folders(sources):
        if folder.card.is_file():
            return _read_card(folder.card)
    return None


def _read_card(path: Path) -> TaskCard:
    try:
        return card_from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} can't be read: {fault}") from fault


def _read_label_names(given: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(label.name for label in read_labels(given))
    except InputError:  # the file is gone; what the run has taken for labels it has taken
        return ()


def make_mapping(spec: dict[str, Any]) -> SeedMapping:
    """How a run with these settings has read its seeds."""
    return SeedMapping(
        input_fields=tuple(spec.get("input_field") or ()),
        output_field=spec.get("output_field") or "",
        choices_field=spec.get("choices_field") or "",
        keep=tuple(spec.get("keep") or ()),
        meta=tuple(spec.get("meta") or ()),
        input_pattern=spec.get("input_pattern") or "",
        encoding=spec.get("encoding") or "",
        header=spec.get("header"),
        sheet=spec.get("sheet") or "",
        skip_bad=bool(spec.get("skip_bad")),
        label_names=_read_label_names(spec.get("labels") or ()),
        label_separator=spec.get("label_separator") or "",
        labels=None,  # the run has taken these outputs for what they are
    )
