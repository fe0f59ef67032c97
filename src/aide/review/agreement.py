"""How often the person decides as the run did: it keeps a record as it is, or leaves a reject refused."""

from collections import Counter
from typing import Any

from aide.review.catalogue import RECORD, CatalogueEntry


class Agreement:
    """Counts of decisions, as they are noted."""

    def __init__(self) -> None:
        self._states: Counter[str] = Counter()
        self._same = self._decided = self._added = 0
        self._grades: dict[int, list[int]] = {}

    def note(self, entry: CatalogueEntry, state: str) -> None:
        """Count an entry that is in this state; one that is still to do counts for nothing."""
        if state == "to do":
            return
        record = entry.kind == RECORD
        same = state == ("accepted" if record else "refused")
        self._decided += 1
        self._same += same
        self._states[state] += record
        self._added += not record and state != "refused"
        grade = entry.scores.get("relevance")
        if record and isinstance(grade, int):
            kept, changed = self._grades.setdefault(grade, [0, 0])
            self._grades[grade] = [kept + same, changed + (not same)]

    def as_dict(self) -> dict[str, Any]:
        """Records by state, rejects accepted anyway, decisions like the run's of all, and the same by grade.

        `grades` has for each grade of relevance how many records were kept as they are, and how many were not.
        """
        return {
            "accepted": self._states["accepted"],
            "edited": self._states["edited"],
            "refused": self._states["refused"],
            "added": self._added,
            "same": self._same,
            "of": self._decided,
            "grades": [[grade, *counts] for grade, counts in sorted(self._grades.items(), reverse=True)],
        }
