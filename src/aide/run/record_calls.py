"""Which calls were made for a record: those for it alone, and those that it shared with others."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from aide.journal import AnsweredCall, Journal
from aide.run.call_groups import DECISION as CALL_GROUP
from aide.run.restore import GROUP


@dataclass(frozen=True, slots=True)
class RecordCall:
    """A call that was made for a record."""

    call: AnsweredCall
    shared_by: int = 1
    """How many records it was made for."""


class RecordCalls:
    """The calls of some records of a journal, or of all."""

    def __init__(self, journal: Journal, ids: Collection[str] | None = None) -> None:
        """`ids` are the records that will be asked about, where not all are."""
        self._journal = journal
        self._groups: dict[str, dict[str, int]] = defaultdict(dict)
        for group, members in self._read_groups():
            for id in members if ids is None else [id for id in members if id in ids]:
                self._groups[id][group] = len(members)

    def _read_groups(self) -> Iterator[tuple[str, list[str]]]:
        for id, value in self._journal.read_decisions(GROUP):
            if len(value["ids"]) > 1:  # the call for a single one is its own
                yield id, value["ids"]
        for id, value in self._journal.read_decisions(CALL_GROUP):
            yield id, [item["id"] for item in value["items"]]

    def groups_of(self, id: str) -> Mapping[str, int]:
        """The groups whose calls a record shared, and how many records each was for."""
        return self._groups.get(id, {})

    def read(self, id: str) -> Iterator[RecordCall]:
        """The calls of one record, in the order of their answers."""
        nodes = {**self.groups_of(id), id: 1}
        calls = (
            RecordCall(call, shared)
            for node, shared in nodes.items()
            for call in self._journal.read_calls(node=node)
        )
        yield from sorted(calls, key=lambda each: each.call.at)
