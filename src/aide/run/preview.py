"""A preview: the first calls of a run, made in a folder of its own, so that nothing is fixed before the run.

A run takes over the answers to its own calls from all previews of the same seeds. What was changed meanwhile, such as
the task, makes other calls, which are asked anew.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aide.config.spec import RunSpec
from aide.errors import AideError
from aide.frontier import GroupWork, PlantWork
from aide.journal import Journal
from aide.records import PLAIN, digest
from aide.run.folder import RunFolder, compute_identity
from aide.run.inputs import PreparedInputs

SHOWN: Final = 5
"""Records of a preview."""
KEPT_DAYS: Final = 30
# Pieces of work: a group of plain records, three parents, and of each a group of children, so that no two of these
# groups stand beside the same seed.
_PLAIN_GROUPS: Final = 1
_PARENTS: Final = 3
_GUIDED_GROUPS: Final = 3
# A cap for whatever these should take, besides the card and the precheck: some formats ask many times for a record.
_MOST_CALLS: Final = 80
_CONCURRENCY: Final = 4


class PreviewLimit:
    """Lets the first pieces of work of each kind begin, and no others: a `run.loop.WorkLimit`."""

    def __init__(self) -> None:
        self.set_aside = 0
        self._left = Counter({"plain": _PLAIN_GROUPS, "parent": _PARENTS, "guided": _GUIDED_GROUPS})
        self._grown: set[str] = set()
        """Seeds of the guided groups that have begun."""

    def admits(self, work: PlantWork | GroupWork) -> bool:
        """True where this piece may begin."""
        group = work if isinstance(work, GroupWork) else None
        kind = "parent" if group is None else "plain" if group.slots[0].kind == PLAIN else "guided"
        again = kind == "guided" and work.seed in self._grown
        if self._left[kind] > 0 and not again:
            self._left[kind] -= 1
            if kind == "guided":
                self._grown.add(work.seed)
            return True
        self.set_aside += 1 if group is None else len(list(group.open))
        return False


def preview_root() -> Path:
    """Where previews are kept: in the user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_path("aide")) / "previews"


def make_preview_spec(spec: RunSpec, planned: Mapping[str, Any]) -> RunSpec:
    """The settings of the run, held to a few calls; `planned` are the calls of its plan by step."""
    before = (
        sum(int(planned.get(step, {}).get("calls", 0)) for step in ("card", "reflect", "answer"))
        if spec.prechecked
        else 0
    )
    most = min(before, 100) + _MOST_CALLS
    return spec.model_copy(
        update={
            "max_calls": most if spec.max_calls is None else min(most, spec.max_calls),
            "concurrency": min(_CONCURRENCY, spec.concurrency or _CONCURRENCY),
            "batch": "",
            "card_only": False,
        }
    )


def find_preview_folder(root: Path, spec: RunSpec, inputs: PreparedInputs) -> RunFolder:
    """Where the preview of these seeds with these settings is, below `root`."""
    settings = [f"{name}={value}" for name, value in sorted(compute_identity(spec).items())]
    size = [str(each) for each in (spec.target, spec.per_seed, spec.hops)]
    return RunFolder(_find_seeds_folder(root, inputs) / digest("preview", *settings, *size))


def list_previews(root: Path, inputs: PreparedInputs) -> tuple[Path, ...]:
    """The journals of all previews of these seeds."""
    return tuple(sorted(_find_seeds_folder(root, inputs).glob("*/journal.sqlite")))


def forget_old_previews(root: Path, now: float) -> None:
    """Remove what nobody has looked at for a month: previews hold prompts and answers."""
    for folder in root.glob("*/"):
        newest = max((file.stat().st_mtime for file in folder.rglob("*")), default=0.0)
        if now - newest > KEPT_DAYS * 86_400:
            shutil.rmtree(folder, ignore_errors=True)


def open_previews(paths: tuple[Path, ...]) -> list[Journal]:
    """The journals that can be read; a preview that can't be is none, since its answers can be asked for again."""
    opened = []
    for path in paths:
        try:
            opened.append(Journal.open(path, readonly=True))
        except (AideError, OSError):
            continue
    return opened


def _find_seeds_folder(root: Path, inputs: PreparedInputs) -> Path:
    return root / digest("seeds", *sorted(seed.id for seed in inputs.seeds))
