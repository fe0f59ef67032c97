"""One run in several parts, each a process with a run folder of its own: which part, and its share of the caps."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aide.errors import InputError

if TYPE_CHECKING:
    from aide.config.spec import RunSpec

_FOLDER: Final = re.compile(r"part-(\d{5,})-of-(\d{5,})")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """Part `index` (from 0) of `count`."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Partition":
        """The part that `I/N` names.

        Raises:
            ValueError: it names none.
        """
        index, slash, count = text.partition("/")
        if slash and index.isdecimal() and count.isdecimal() and int(index) < int(count):
            return cls(int(index), int(count))
        raise ValueError("is I/N with I from 0 to N-1, such as 0/4")

    @classmethod
    def parse_folder(cls, name: str) -> "Partition | None":
        """The part that a folder of this name holds; `None` where it is no such name."""
        found = _FOLDER.fullmatch(name)
        part = cls(int(found[1]), int(found[2])) if found else None
        return part if part is not None and part.index < part.count else None

    @property
    def folder_name(self) -> str:
        """The name of its folder."""
        return f"part-{self.index:05d}-of-{self.count:05d}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def list_part_folders(root: Path) -> dict[Partition, Path]:
    """The folders of parts below a root, in order; empty where there are none.

    Raises:
        InputError: they are of runs that were divided differently.
    """
    if not root.is_dir():
        return {}
    found = {part: each for each in root.iterdir() if (part := Partition.parse_folder(each.name)) is not None}
    if len(counts := sorted({part.count for part in found})) > 1:
        raise InputError(
            f"{root} has parts of {' and of '.join(map(str, counts))}",
            hint="keep those of one number in a root",
        )
    return {part: found[part] for part in sorted(found)}


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run had cost before it was divided: answered calls, tokens, and US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


def divide_caps(spec: "RunSpec", part: Partition, spent: Spent) -> "RunSpec":
    """The settings of a part: its share of the budgets and of the paces, so that all parts keep the caps together.

    What was `spent` before comes off first. Minutes and calls in flight are of each process.

    Raises:
        InputError: a pace leaves some part nothing.
    """
    caps: dict[str, Any] = {
        "max_calls": _share_count(spec.max_calls, spent.calls, part),
        "max_total_tokens": _share_count(spec.max_total_tokens, spent.tokens, part),
        "max_cost": None if spec.max_cost is None else max(0.0, spec.max_cost - spent.cost) / part.count,
        "max_cost_per_run": None if spec.max_cost_per_run is None else spec.max_cost_per_run / part.count,
        "rpm": _share_pace("--rpm", spec.rpm, part),
        "tpm": _share_pace("--tpm", spec.tpm, part),
    }
    endpoints = tuple(
        each.model_copy(
            update={"rpm": _share_pace("rpm", each.rpm, part), "tpm": _share_pace("tpm", each.tpm, part)}
        )
        for each in spec.endpoints
    )
    return spec.take_shares({**caps, "endpoints": endpoints})


def _share_count(cap: int | None, spent: int, part: Partition) -> int | None:
    if cap is None:
        return None
    share, over = divmod(max(0, cap - spent), part.count)
    return share + (part.index < over)


def _share_pace(name: str, pace: int | None, part: Partition) -> int | None:
    if pace is not None and pace < part.count:
        raise InputError(
            f"{name} {pace} can't be divided by {part.count} parts", hint="a higher one, or fewer parts"
        )
    return _share_count(pace, 0, part)
