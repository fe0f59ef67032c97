"""Training, validation and test data, cut so that what is held out stays unseen.

A record resembles its seed, its parent and its siblings: held out beside them, it would be known in training.
So whole families are held out, never single records: all descendants of a seed (`seed`), or everything that
grew from one record of the first hop (`branch`).
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from aide.dataset.duplicates import SeenTexts, index_seeds
from aide.dataset.lines import RecordLine, make_folder, open_output, parse_line, write_line
from aide.dataset.record_content import is_labelled, name_record, read_lineage, seed_as_record
from aide.dataset.sampling import draw_lot
from aide.errors import InputError
from aide.records import read_output
from aide.seeds import LoadedSeeds

Family = Literal["seed", "branch", "record"]

TRAIN, VALIDATION, TEST = range(3)
_FACTOR: Final = 2  # a share that is missed by more asks for smaller families
_ENOUGH: Final = 3  # families of a label, of which one may be held out: two are left to learn from
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
    """Where each record goes, and what a person should know about it."""

    by: Family
    """The families that were kept together."""
    places: bytearray
    """`TRAIN`, `VALIDATION` or `TEST` for each record, in the order of the records."""
    remarks: list[str] = field(default_factory=list)
    """Sentences for a person."""
    moved: int = 0
    """How many were moved to training because they nearly repeat something there."""

    def count(self, place: int) -> int:
        """How many records go there."""
        return self.places.count(place)

    def count_labels(
        self, pool: "SplitPool", seeds: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, list[int]]:
        """Label to its records in training, validation and test; nothing where outputs are no labels.

        `seeds` are trained on beside the records.
        """
        counts: dict[str, list[int]] = {}
        for member, place in zip(pool.members if pool.labelled else (), self.places, strict=False):
            counts.setdefault(member.label, [0, 0, 0])[place] += 1
        for seed in seeds if pool.labelled else ():
            counts.setdefault(read_output(seed), [0, 0, 0])[TRAIN] += 1
        return dict(sorted(counts.items()))


class SplitPool:
    """All records to be split: their lines in a temporary file, what places them in memory."""

    def __init__(self, lines: Iterable[RecordLine]) -> None:
        self._kept: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `with` around the pool
        self.members: list[SplitMember] = []
        self.labelled = True
        self.grown = False
        for line in lines:
            write_line(self._kept, line)
            self.members.append(self._make_member(line))

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

    def select_missing(self, seeds: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The seeds that are not among the records."""
        known = {member.id for member in self.members if member.hop == 0}
        return [seed for seed in seeds if seed["id"] not in known]

    def _make_member(self, line: RecordLine) -> SplitMember:
        record = line.record
        labelled = is_labelled(record)
        self.labelled = self.labelled and labelled
        label = read_output(record) if labelled else ""
        if not isinstance(record.get("lineage"), Mapping):
            return SplitMember(name_record(line), "", "", 0, label)
        self.grown = True
        lineage = read_lineage(line)
        return SplitMember(name_record(line), lineage.seed_id, lineage.parent_id, lineage.hop, label)


def plan_split(
    pool: SplitPool, by: Family | Literal["auto"], *, validation: float, test: float, seed: int
) -> SplitPlan:
    """Choose the families that are held out; `validation` and `test` are approximate shares of all records.

    `auto` splits by seed. If training then lacks a label, or if there is only one seed, it splits by branch;
    if that does not help, or if the records have no lineage, by record. It also splits by branch if few large seeds
    hold out more than twice a share, or less than half of it, and branches come nearer. The remarks say so.

    Raises:
        InputError: there is nothing to split, or only one family.
    """
    if not pool.members:
        raise InputError("there is not one record to split")
    shares = {TEST: test, VALIDATION: validation}
    if by != "auto":
        if by != "record" and not pool.grown:
            raise InputError(f"--by {by}: the records have no lineage", hint="split them with --by record")
        plan = _assign(pool, by, shares, seed)
        if problem := _find_problem(pool, plan):
            if plan.count(TRAIN) == 0:
                raise InputError(f"--by {by}: {problem}", hint="--by auto takes smaller families")
            plan.remarks.append(problem)
        return plan
    remarks: list[str] = []
    for family in ("seed", "branch", "record") if pool.grown else ("record",):
        plan = _assign(pool, family, shares, seed)
        problem = _find_problem(pool, plan)
        if not problem:
            break
        remarks.append(f"not by {family}: {problem}")
    plan.remarks = remarks
    if plan.by == "seed" and (missed := _find_missed_share(plan, shares)):
        nearer = _assign(pool, "branch", shares, seed)
        if not _find_problem(pool, nearer) and _measure_miss(nearer, shares) < _measure_miss(plan, shares):
            nearer.remarks = [f"not by seed: {missed}"]
            return nearer
        plan.remarks.append(missed)
    return plan


def separate_near_duplicates(pool: SplitPool, plan: SplitPlan, seen: SeenTexts) -> None:
    """Move to training whatever is held out and resembles something there, until nothing does.

    `seen` holds the seeds if they are trained on. A record that is moved may itself resemble others that are
    held out, so the search is repeated.
    """
    for number, line in pool.lines():
        if plan.places[number] == TRAIN:
            seen.enter(line)
    found = True
    while found:
        found = False
        for number, line in pool.lines():
            if plan.places[number] != TRAIN and seen.find(line) is not None:
                plan.places[number] = TRAIN
                plan.moved += 1
                seen.enter(line)
                found = True


def write_splits(
    pool: SplitPool, plan: SplitPlan, folder: Path, seeds: Iterable[Mapping[str, Any]]
) -> dict[str, int]:
    """Write `train.jsonl` (`seeds` first), `validation.jsonl` and, if it has records, `test.jsonl`; returns counts.

    Raises:
        InputError: the folder can't be written.
    """
    written = [TRAIN, VALIDATION, *([TEST] if plan.count(TEST) else [])]
    counts = {NAMES[place]: plan.count(place) for place in written}
    make_folder(folder)
    with ExitStack() as stack:
        files = {
            place: stack.enter_context(open_output(str(folder / f"{NAMES[place]}.jsonl")))
            for place in written
        }
        for record in seeds:
            write_line(files[TRAIN], record)
            counts["train"] += 1
        for number, line in pool.lines():
            write_line(files[plan.places[number]], line)
    return counts


@dataclass(frozen=True, slots=True)
class SplitOutcome:
    """What was written where."""

    plan: SplitPlan
    counts: Mapping[str, int]
    """Records by the name of the part, seeds included."""
    seeds: int
    """Seeds among the training data."""
    labels: Mapping[str, list[int]]
    """As `SplitPlan.count_labels` gives them."""


def split_records(
    lines: Iterable[RecordLine],
    folder: Path,
    loaded: LoadedSeeds | None,
    *,
    by: Family | Literal["auto"],
    validation: float,
    test: float,
    seed: int,
    duplicates: str,
    format: str,
    add_seeds: bool,
) -> SplitOutcome:
    """Plan a split, move near-duplicates to training, and write the parts into `folder`; see `write_splits`.

    Raises:
        InputError: there is nothing to split, or the folder can't be written.
    """
    with SplitPool(lines) as pool:
        plan = plan_split(pool, by, validation=validation, test=test, seed=seed)
        added = loaded if add_seeds else None
        rows = [seed_as_record(each, added.task, format) for each in added.seeds] if added else []
        if duplicates != "off":
            separate_near_duplicates(pool, plan, index_seeds(loaded, duplicates, entered=add_seeds))
        missing = pool.select_missing(rows)
        counts = write_splits(pool, plan, folder, missing)
        return SplitOutcome(plan, counts, len(rows), plan.count_labels(pool, missing))


# --- families -----------------------------------------------------------------------------------


def _assign(pool: SplitPool, by: Family, shares: Mapping[int, float], seed: int) -> SplitPlan:
    families = _group_by_family(pool, by)
    plan = SplitPlan(by, bytearray(len(pool.members)))
    # By label first, then by lot: families at even distances in this order take their share of every label.
    left = sorted(
        families, key=lambda name: (_most_frequent_label(pool, families[name]), draw_lot("split", seed, name))
    )
    for place, share in shares.items():
        taken = _take_evenly(left, families, share * len(pool.members))
        if share and pool.labelled:
            taken |= _take_missing_labels(pool, families, left, taken)
        for name in taken:
            for number in families[name]:
                plan.places[number] = place
        left = [name for name in left if name not in taken]
    return plan


def _take_missing_labels(
    pool: SplitPool, families: Mapping[str, list[int]], left: list[str], taken: set[str]
) -> set[str]:
    """The smallest family of each label that none of those taken has, where two more are left for training."""
    by_label: dict[str, list[str]] = {}
    for name in left:
        by_label.setdefault(_most_frequent_label(pool, families[name]), []).append(name)
    held = {pool.members[number].label for name in taken for number in families[name]}
    return {
        min(names, key=lambda name: len(families[name]))
        for label, names in by_label.items()
        if label not in held and len(names) >= _ENOUGH
    }


def _group_by_family(pool: SplitPool, by: Family) -> dict[str, list[int]]:
    """Numbers of records by family. Seeds among the records belong to none: they stay in training."""
    members = {member.id: member for member in pool.members} if by == "branch" else {}
    families: dict[str, list[int]] = {}
    for number, member in enumerate(pool.members):
        if by != "record" and member.hop == 0 and member.seed:
            continue  # a seed is the model of its family: held out, it would be known through it
        name = str(number) if by == "record" else member.seed
        if by == "branch":
            name = _find_branch(member, members)
        families.setdefault(name, []).append(number)
    return families


def _find_branch(member: SplitMember, members: Mapping[str, SplitMember]) -> str:
    """The ancestor at the first hop, or the earliest that is among the records."""
    while member.hop > 1 and member.parent in members:
        member = members[member.parent]
    return member.id if member.hop <= 1 else member.parent


def _most_frequent_label(pool: SplitPool, numbers: list[int]) -> str:
    labels = [pool.members[number].label for number in numbers]
    return max(sorted(set(labels)), key=labels.count)


def _take_evenly(order: list[str], families: Mapping[str, list[int]], wanted: float) -> set[str]:
    """Families at even distances in `order`, with about `wanted` records together; at least one of several."""
    total = sum(len(families[name]) for name in order)
    taken: set[str] = set()
    if not wanted or not total:
        return taken
    passed = held = 0
    for name in order:
        size = len(families[name])
        passed += size
        # Taken if that comes nearer to the share due so far than leaving it would.
        if passed * wanted / total - held >= size / 2:
            taken.add(name)
            held += size
    # Something was asked to be held out: of few large families the smallest, rather than none.
    if not taken and len(order) > 1:
        taken.add(min(order, key=lambda name: len(families[name])))
    return taken


def _find_missed_share(plan: SplitPlan, shares: Mapping[int, float]) -> str:
    """Which share is missed by more than a factor of two, as a clause; empty if none is."""
    total = len(plan.places)
    for place, share in shares.items():
        held = plan.count(place)
        if share and not 1 / _FACTOR <= held / (share * total) <= _FACTOR:
            return f"{NAMES[place]} would get {held / total:.0%} of the records instead of {share:.0%}"
    return ""


def _measure_miss(plan: SplitPlan, shares: Mapping[int, float]) -> float:
    """How many records the held-out parts have too many or too few."""
    return sum(abs(plan.count(place) - share * len(plan.places)) for place, share in shares.items())


def _find_problem(pool: SplitPool, plan: SplitPlan) -> str:
    """What is wrong with a plan; empty if nothing is."""
    if plan.count(TRAIN) == 0:
        return "nothing would be left to train on"
    if plan.count(VALIDATION) + plan.count(TEST) == 0:
        return "nothing could be held out"
    if not pool.labelled:
        return ""
    trained = {
        member.label for member, place in zip(pool.members, plan.places, strict=True) if place == TRAIN
    }
    missing = sorted({member.label for member in pool.members} - trained)
    return f"{', '.join(missing)} would be missing from training" if missing else ""
