"""What is there already: plain records of one label or topic, which the next call about it must not say again."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Final

from aide.llm.usage import estimate_tokens
from aide.records import PLAIN, Hop, Record

# A dozen short texts show what has been said; of long ones fewer, for they are paid for with each call.
MOST: Final = 12
TOKENS: Final = 400

Known = tuple[str, str]
"""A record by its seed and its id."""


class KnownTexts:
    """The latest plain records by label or, where there are no labels, by topic."""

    def __init__(self) -> None:
        self._latest: dict[str, deque[tuple[Known, int]]] = defaultdict(lambda: deque(maxlen=MOST))

    def note(self, record: Record) -> None:
        """A record was accepted."""
        lineage = record.lineage
        if lineage.operation == PLAIN:
            size = estimate_tokens(record.draft.input)
            self._latest[lineage.label or lineage.topic].append(((lineage.seed_id, record.id), size))

    def choose(self, hops: Sequence[Hop]) -> list[Known]:
        """What a call for these plain records is shown: the latest of their labels or topics, in turn."""
        keys = dict.fromkeys(hop.label or hop.topic for hop in hops if hop.operation == PLAIN)
        chosen: list[Known] = []
        left = TOKENS
        for known, size in _take_turns([list(reversed(self._latest.get(key, ()))) for key in keys]):
            if len(chosen) < MOST and size <= left:
                chosen.append(known)
                left -= size
        return chosen


def _take_turns(lists: Sequence[Sequence[tuple[Known, int]]]) -> Iterable[tuple[Known, int]]:
    for turn in range(max(map(len, lists), default=0)):
        yield from (each[turn] for each in lists if turn < len(each))
