"""The outcomes of a run as pruning and a person's reviews have left them."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from aide.dataset.reviews import Reviews
from aide.journal import Journal, Outcome
from aide.run.folder import RunFolder
from aide.run.pruning import read_pruned

REFUSED: Final = "refused"
"""Kind of a record that a person refused; the journal has it as accepted."""
_REVIEW: Final = "review"


class StandingOutcome(NamedTuple):
    """An outcome of the journal, what it counts as now, and its record or reject."""

    outcome: Outcome
    kind: str
    line: dict[str, Any]


class ReviewedOutcomes:
    """Records and rejects of a journal: edited records have their new text, a reject accepted anyway is a record."""

    def __init__(self, journal: Journal, folder: RunFolder) -> None:
        """Read the reviews.

        Raises:
            InputError: a line of the reviews is none.
        """
        self._journal = journal
        self.reviews = Reviews.read(folder.path)
        self.pruned = read_pruned(journal)
        self.left_out = {*self.pruned, *self.reviews.list_refused()}
        """The ids of what is no record any longer."""
        self._added = {record["id"]: record for record in self.reviews.read_added()}

    @property
    def added(self) -> set[str]:
        """The ids of rejects that a person accepted anyway."""
        return set(self._added)

    def read_records(self) -> Iterator[StandingOutcome]:
        """All records, pruned ones as such, with rejects that were accepted anyway at the end.

        Raises:
            InputError: an edit contradicts the record.
        """
        for outcome in self._journal.read_outcomes("accepted"):
            line = orjson.loads(outcome.payload)
            if outcome.node in self.pruned:
                yield StandingOutcome(outcome, "pruned", line)
            elif (left := self.reviews.apply(line)) is not None:
                yield StandingOutcome(outcome, outcome.kind, left)
        for id, record in self._added.items():
            found = self._journal.get_outcome(id)
            if found:
                yield StandingOutcome(found, "accepted", self.reviews.apply(record) or record)

    def read_rejects(self) -> Iterator[StandingOutcome]:
        """What became no record, records beyond the target among it; what a person refused at the end."""
        for outcome in self._journal.read_outcomes("rejected", "failed", "surplus"):
            if outcome.node not in self._added:
                yield StandingOutcome(outcome, outcome.kind, orjson.loads(outcome.payload))
        for id in self.reviews.list_refused():
            found = self._journal.get_outcome(id)
            if found and found.kind == "accepted" and id not in self.pruned:
                line = orjson.loads(found.payload)
                reason = str(self.reviews.decided[id].get("reason") or "refused by a person")
                told = {"step": _REVIEW, "reason": reason, "detail": "", "failed": False}
                kept = {name: line[name] for name in ("id", "input", "lineage")}
                yield StandingOutcome(found, REFUSED, {**kept, **told})
