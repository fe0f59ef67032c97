"""A run in several parts below one root: the folder of each, its settings, and what makes them one run."""

from pathlib import Path
from typing import Final

from aide.config.partition import Partition, Spent, divide_caps, list_part_folders
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.run.folder import RunFolder
from aide.shards import FolderLock, is_locked
from aide.text.figures import format_plural

CARD_SPENT: Final = "card_spent"
"""Under which the manifest of the root keeps what its card and precheck took."""
MERGED: Final = "merged"
"""Under which the manifest of the root keeps the folder names of the parts that were merged."""


def list_parts(root: Path) -> dict[Partition, RunFolder]:
    """The parts below a root, in order; empty where there are none. Raises as `list_part_folders`."""
    return {part: RunFolder(path) for part, path in list_part_folders(root).items()}


def is_unmerged(root: Path) -> bool:
    """True for the root of parts of which none is merged yet."""
    return bool(list_parts(root)) and not RunFolder(root).read_manifest().get(MERGED)


def require_merged(root: Path) -> None:
    """Refuse the root of parts that are not merged.

    Raises:
        InputError: what is asked for needs the records of all parts in one folder.
        FolderHeld: they are being merged.
    """
    if is_unmerged(root) and is_locked(root):
        with FolderLock(root):  # which says who merges
            pass
    if is_unmerged(root):
        count = len(list_parts(root))
        raise InputError(
            f"{root} holds {format_plural(count, 'part')} that {'is' if count == 1 else 'are'} not merged",
            hint=f"aide merge {root} (with --partial while some are missing), or name one part",
        )


def enter_part(spec: RunSpec, folder: RunFolder) -> RunSpec:
    """The settings of a part, whose `folder` lies below the root: its share of the caps, and the card of the root.

    Settings of a whole run are returned as they are.

    Raises:
        InputError: the root has no card, or other parts; or a whole run would grow beside parts.
    """
    entered = foresee_part(spec, folder)
    _refuse_needless(entered, folder)
    if entered.part is None or entered.card is not None or folder.card.exists():
        return entered
    root = RunFolder(folder.path.parent)
    raise InputError(
        f"there is no task card for the parts: {root.card} is missing",
        hint=f"make it once by the same command with --card-only in place of --partition {entered.part}, "
        "or name one with --card",
    )


def _refuse_needless(spec: RunSpec, folder: RunFolder) -> None:
    """Refuse a part whose records the root has grown without it: what it makes would come on top of the target."""
    root = RunFolder(folder.path.parent)
    merged = root.read_manifest().get(MERGED) if spec.part else None
    told = root.read_progress() if merged else {}
    # A part of a whole tree, and one that is to make more than the root was asked for, has work.
    asked = spec.target if isinstance(spec.target, int) and spec.per_seed is None else None
    if asked and merged and folder.path.name not in merged and told.get("accepted", 0) >= asked:
        raise InputError(
            f"{root.path} was merged without this part and has {told['accepted']:,} of {asked:,} records: "
            "it is not needed",
            hint=f"for more records raise --target, with -o {root.path} and without --partition",
        )


def foresee_part(spec: RunSpec, folder: RunFolder) -> RunSpec:
    """As `enter_part`, also where the root has no card yet.

    Raises:
        InputError: the root has other parts, or a whole run would grow beside parts.
    """
    part = spec.part
    if part is None:
        require_merged(folder.path)
        return spec
    root = RunFolder(folder.path.parent)
    if spec.card_only:
        raise InputError(
            "--card-only makes the card of all parts",
            hint="leave --partition out: the parts take the card over",
        )
    others = {each.count for each in list_parts(root.path)}
    if others - {part.count}:
        raise InputError(
            f"{root.path} has {min(others)} parts, and --partition {part} is one of {part.count}",
            hint="name another folder with -o DIR, or go on with as many parts",
        )
    spent = root.read_manifest().get(CARD_SPENT) or {}
    spec = divide_caps(spec, part, Spent(**spent))
    if spec.card is not None or folder.card.exists() or not root.card.is_file():
        return spec
    return spec.model_copy(update={"card": root.card})
