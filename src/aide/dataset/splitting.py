"""Training, validation and test data cut so that what is held out stays unseen.

A record resembles its seed, its parent and its siblings. So whole families are cut, never single records: all
descendants of a seed (`seed`), or all that grew from one record of the first hop (`branch`).
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from aide.dataset.duplicates import SeenTexts
from aide.dataset.lines import RecordLine, make_folder, open_output, parse_line
from aide.dataset.record_content import is_labelled, name_record, read_lineage
from aide.errors import InputError
from aide.jsonl import encode_line
from aide.records import digest

Family = Literal["seed", "branch", "record"]

TRAIN, VALIDATION, TEST = range(3)
NAMES: Final = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class SplitMember:
    """What has to be known of a record to place it: about 400 bytes of memory each."""

    id: str
    seed: str
    parent: str
    hop: int
    label: str


@dataclass(slots=True)
class SplitPlan:
    """Where each record goes, and what has to be said about it.

    Attributes:
        by: the families that were cut.
        places: 0 for training, 1 for validation, 2 for test, in the order of the records.
        remarks: sentences for a person.
        moved: how many were taken back into training as near-duplicates of something there.
    """

    by: Family
    places: bytearray
    remarks: list[str] = field(default_factory=list)
    moved: int = 0

    def count(self, place: int) -> int:
        """How many records go there."""
        return self.places.count(place)


class SplitPool:
    """All records to be cut: their lines in a temporary file, what places them in memory."""

    def __init__(self, lines: Iterable[RecordLine]) -> None:
        self._kept: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `with` around the pool
        self.members: list[SplitMember] = []
        self.labelled = True
        self.grown = False
        for line in lines:
            self._kept.write(line.raw + b"\n")
            self.members.append(self._member(line))

    def __enter__(self) -> "SplitPool":
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def lines(self) -> Iterator[tuple[int, RecordLine]]:
        """The records once more, each with its number."""
        self._kept.seek(0)
        for number, raw in enumerate(self._kept):
            body = raw.rstrip(b"\n")
            yield number, RecordLine(parse_line("the pool", number + 1, body), body, "the pool", number + 1)

    def _member(self, line: RecordLine) -> SplitMember:
        record = line.record
        labelled = is_labelled(record)
        self.labelled = self.labelled and labelled
        label = str(record.get("output", "")) if labelled else ""
        if not isinstance(record.get("lineage"), Mapping):
            return SplitMember(name_record(line), "", "", 0, label)
        self.grown = True
        lineage = read_lineage(line)
        return SplitMember(name_record(line), lineage.seed_id, lineage.parent_id, lineage.hop, label)


def plan_split(
    pool: SplitPool, by: Family | Literal["auto"], *, validation: float, test: float, seed: int
) -> SplitPlan:
    """Choose the families that are held out: `validation` and `test` are shares of all records, about kept.

    `auto` cuts by seed; where a label would then be missing from training, or there is one seed alone, by
    branch; where that does not help either, and for records without lineage, by record. It says so.

    Raises:
        InputError: there is nothing to cut, or only one family.
    """
    if not pool.members:
        raise InputError("there is not one record to split")
    shares = {TEST: test, VALIDATION: validation}
    if by != "auto":
        if by != "record" and not pool.grown:
            raise InputError(f"--by {by}: the records have no lineage", hint="split them with --by record")
        made = _assigned(pool, by, shares, seed)
        if problem := _problem(pool, made):
            if made.count(TRAIN) == 0:
                raise InputError(f"--by {by}: {problem}", hint="--by auto takes smaller families")
            made.remarks.append(problem)
        return made
    remarks: list[str] = []
    for family in ("seed", "branch", "record") if pool.grown else ("record",):
        made = _assigned(pool, family, shares, seed)
        problem = _problem(pool, made)
        if not problem:
            break
        remarks.append(f"not by {family}: {problem}")
    made.remarks = remarks
    return made


def separate_near_duplicates(pool: SplitPool, made: SplitPlan, known: SeenTexts) -> None:
    """Take into training whatever was held out and resembles something there, until nothing does.

    `known` holds the seeds where they are trained on.
    """
    for number, line in pool.lines():
        if made.places[number] == TRAIN:
            known.enter(line)
    found = True
    while found:
        found = False
        for number, line in pool.lines():
            if made.places[number] != TRAIN and known.find(line) is not None:
                made.places[number] = TRAIN
                made.moved += 1
                known.enter(line)
                found = True


def write_splits(
    pool: SplitPool, made: SplitPlan, folder: Path, seeds: Iterable[Mapping[str, Any]]
) -> dict[str, int]:
    """Write `train.jsonl`, the seeds first, `validation.jsonl` and maybe `test.jsonl`; returns their counts.

    Raises:
        InputError: the folder can't be written.
    """
    wanted = [TRAIN, VALIDATION, *([TEST] if made.count(TEST) else [])]
    counts = {NAMES[place]: made.count(place) for place in wanted}
    there = {member.id for member in pool.members if member.hop == 0}
    make_folder(folder)
    with ExitStack() as stack:
        files = {
            place: stack.enter_context(open_output(str(folder / f"{NAMES[place]}.jsonl"))) for place in wanted
        }
        for record in seeds:
            if record["id"] not in there:
                files[TRAIN].write(encode_line(record))
                counts["train"] += 1
        for number, line in pool.lines():
            files[made.places[number]].write(line.raw + b"\n")
    return counts


# --- families -----------------------------------------------------------------------------------


def _assigned(pool: SplitPool, by: Family, shares: Mapping[int, float], seed: int) -> SplitPlan:
    families = _families(pool, by)
    made = SplitPlan(by, bytearray(len(pool.members)))
    left = sorted(families, key=lambda name: (_label(pool, families[name]), digest("split", str(seed), name)))
    for place, share in shares.items():
        taken = _carved(left, families, share * len(pool.members))
        for name in taken:
            for number in families[name]:
                made.places[number] = place
        left = [name for name in left if name not in taken]
    return made


def _families(pool: SplitPool, by: Family) -> dict[str, list[int]]:
    """Numbers of records by family. Seeds among the records belong to none: they stay in training."""
    branches = {member.id: member for member in pool.members} if by == "branch" else {}
    families: dict[str, list[int]] = {}
    for number, member in enumerate(pool.members):
        if by != "record" and member.hop == 0 and member.seed:
            continue
        name = member.seed if by == "seed" else _branch(member, branches) if by == "branch" else str(number)
        families.setdefault(name, []).append(number)
    return families


def _branch(member: SplitMember, members: Mapping[str, SplitMember]) -> str:
    """The ancestor at the first hop, as far up as the records lead."""
    while member.hop > 1 and member.parent in members:
        member = members[member.parent]
    return member.id if member.hop <= 1 else member.parent


def _label(pool: SplitPool, numbers: list[int]) -> str:
    """The label that most of a family have."""
    labels = [pool.members[number].label for number in numbers]
    return max(sorted(set(labels)), key=labels.count)


def _carved(order: list[str], families: Mapping[str, list[int]], wanted: float) -> set[str]:
    """Families at even distances in an order by label: every label gives its part of `wanted` records."""
    total = sum(len(families[name]) for name in order)
    taken: set[str] = set()
    if not wanted or not total:
        return taken
    passed = held = 0
    for name in order:
        size = len(families[name])
        passed += size
        if passed * wanted / total - held >= size / 2:
            taken.add(name)
            held += size
    if not taken and len(order) > 1:
        taken.add(min(order, key=lambda name: len(families[name])))
    return taken


def _problem(pool: SplitPool, made: SplitPlan) -> str:
    """What training would lack; empty where it lacks nothing."""
    if made.count(TRAIN) == 0:
        return "nothing would be left to train on"
    if made.count(VALIDATION) + made.count(TEST) == 0:
        return "nothing could be held out"
    if not pool.labelled:
        return ""
    everywhere = {member.label for member in pool.members}
    trained = {
        member.label for member, place in zip(pool.members, made.places, strict=True) if place == TRAIN
    }
    missing = sorted(everywhere - trained)
    return f"{', '.join(missing)} would be missing from training" if missing else ""


__all__ = ["Family", "SplitPlan", "SplitPool", "plan_split", "separate_near_duplicates", "write_splits"]
