"""Duplicates with a memory: what was decided once is repeated, whatever has happened since."""

from aide.journal import Journal
from aide.quality.duplicates import Duplicates

DUPLICATE = "duplicate"


class JournaledNovelty:
    """`recipes.Novelty` over the signatures of seeds, accepted records and candidates under way.

    Order decides who is the twin of whom, so each decision is journaled under the candidate and how many times it asked.
    """

    def __init__(self, journal: Journal, duplicates: Duplicates) -> None:
        self._journal = journal
        self._duplicates = duplicates
        self._asked: dict[str, int] = {}

    def claim(self, id: str, text: str) -> str:
        """Empty where the text is new, and then taken; else a sentence naming the twin."""
        turn = self._asked.get(id, 0)
        self._asked[id] = turn + 1
        if turn:
            self._duplicates.release(id)
        key = f"{id}:{turn}"
        decided = self._journal.decided(DUPLICATE, key)
        if decided is None:
            twin = self._duplicates.claim(id, text)
            decided = f"{twin.how} duplicate of {twin.id} ({twin.similarity:.2f})" if twin else ""
            self._journal.decide(DUPLICATE, key, decided)
        elif not decided:
            self._duplicates.restore(id, text)
        return str(decided)

    def settle(self, id: str, *, kept: bool) -> None:
        """The candidate is done: its text stays taken only where a record came of it."""
        if self._asked.pop(id, 0) and not kept:
            self._duplicates.release(id)

    def restore(self, id: str, text: str) -> None:
        """A record accepted in an earlier run."""
        self._duplicates.restore(id, text)


class Anything:
    """`--duplicates off`: every text is new."""

    def claim(self, id: str, text: str) -> str:
        """Never a twin."""
        return ""

    def settle(self, id: str, *, kept: bool) -> None:
        """Nothing to forget."""

    def restore(self, id: str, text: str) -> None:
        """Nothing to remember."""
