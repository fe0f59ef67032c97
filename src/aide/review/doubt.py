"""How doubtful a record is: what the judge and the votes left open, and what stands apart from the rest.

The order only says what a person should see first. Each reason for doubt has words that the page shows.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aide.review.catalogue import RECORD, CatalogueEntry

_LOW: Final = 7
"""A grade up to this one is shown as a doubt."""
_FAR: Final = 0.1
"""The share of records that count as far from the seeds."""
_RARE: Final = 0.5
"""A label is rare that has less than this share of what labels have on average."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """How doubtful an entry is, and why."""

    weight: float
    reasons: tuple[str, ...]


class DoubtScale:
    """Weighs entries beside all entries that were there when it was made."""

    def __init__(self, entries: Sequence[CatalogueEntry]) -> None:
        records = [entry for entry in entries if entry.kind == RECORD]
        self._nearness = sorted(entry.nearness for entry in records)
        self._labels = Counter(label for entry in records for label in entry.labels)
        self._mean = self._labels.total() / len(self._labels) if self._labels else 0.0

    def weigh(self, entry: CatalogueEntry) -> Doubt:
        """The doubts about a record. Of a reject: how far it came, since late refusals are the closest calls."""
        if entry.kind != RECORD:
            grade = _read_grade(entry, "relevance") or 0
            late = 0.5 if entry.scores else 0.0
            return Doubt(late + grade / 20, (entry.reason.replace("_", " "),))
        found = [
            *self._weigh_grades(entry),
            *_weigh_votes(entry),
            *self._weigh_place(entry),
            *_weigh_remarks(entry),
        ]
        return Doubt(sum(weight for weight, _ in found), tuple(words for _, words in found if words))

    def _weigh_grades(self, entry: CatalogueEntry) -> list[tuple[float, str]]:
        grades = [(name, _read_grade(entry, name)) for name in ("relevance", "diversity")]
        return [
            ((10 - grade) / 10, f"{name} {grade}" if grade <= _LOW else "")
            for name, grade in grades
            if grade is not None
        ]

    def _weigh_place(self, entry: CatalogueEntry) -> list[tuple[float, str]]:
        found = []
        place = bisect_left(self._nearness, entry.nearness) / (len(self._nearness) or 1)
        if place < _FAR and len(self._nearness) > 1 / _FAR:
            found.append((0.6 * (1 - place / _FAR), "far from the seeds"))
        if any(self._labels[label] < _RARE * self._mean for label in entry.labels):
            found.append((0.4, "rare label"))
        return found


def _weigh_votes(entry: CatalogueEntry) -> list[tuple[float, str]]:
    """Split votes: `2/3` of the answers agreed."""
    same, _, of = str(entry.scores.get("agreement", "")).partition("/")
    if not (same.isdigit() and of.isdigit() and int(same) < int(of)):
        return []
    return [(1.5 * (1 - int(same) / int(of)), f"votes {same}/{of}")]


def _weigh_remarks(entry: CatalogueEntry) -> list[tuple[float, str]]:
    found = []
    if entry.scores.get("second_answer"):
        found.append((0.5, "a second answer fits"))
    if entry.scores.get("fault"):
        found.append((0.3, "the judge named a fault"))
    if entry.scores.get("tests") == "unverified":
        found.append((0.3, "tests were not run"))
    if entry.revisions:
        found.append((0.1 * entry.revisions, f"revised {entry.revisions}×"))
    return found


def _read_grade(entry: CatalogueEntry, name: str) -> int | None:
    value: Any = entry.scores.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
