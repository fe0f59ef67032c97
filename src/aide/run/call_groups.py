"""Calls that carry items of several records, composed and journaled before they are sent: a resume asks the same.

An item waits until its call is full, or until nothing else that is open could join it. What comes back is told to each
item alone; an item that was left out is asked again in a call of its own.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from aide.errors import AideError, NodeError
from aide.journal import Journal
from aide.records import digest
from aide.run.stop import StopSwitch

R = TypeVar("R")

DECISION: Final = "call group"
Item = Mapping[str, Any]
"""What a call is told of one record, as JSON values; `id` is the record's. Items of one `document` may share a call."""
# The answers to some items, in their order; none where the model left one out.
AskTogether = Callable[[str, Sequence[Item]], Awaitable[Sequence[R | None]]]


@dataclass(slots=True)
class _Waiting(Generic[R]):
    item: Item
    key: str
    kind: str
    answer: "asyncio.Future[R]"


@dataclass(slots=True)
class _Static:
    """A group whose members are known beforehand: how many may still come."""

    expected: int
    waiting: list[_Waiting[Any]] = field(default_factory=list)


class CallGroups(Generic[R]):
    """One kind of call that several records may share."""

    def __init__(
        self,
        name: str,
        journal: Journal,
        stop: StopSwitch,
        ask: "AskTogether[R]",
        *,
        size: Callable[[], int],
        is_last: Callable[[], bool],
        mix: bool = False,
    ) -> None:
        """`size` is the most items of a call now; `is_last` is true when nothing that is open could join those waiting.
        With `mix` a call takes items of as many kinds as it can, and waits until there is a choice.
        """
        self.waiting = 0
        """Items that wait for company."""
        self.left_out = 0
        """Items that a shared call left out."""
        self._name = name
        self._journal = journal
        self._stop = stop
        self._ask = ask
        self._size = size
        self._is_last = is_last
        self._mix = mix
        self._queues: dict[str, list[_Waiting[R]]] = {}  # by document
        self._static: dict[str, _Static] = {}
        self._member_of: dict[str, str] = {}
        self._answers: dict[str, asyncio.Task[Sequence[R | None]]] = {}
        stop.on_request(self._fail_waiting)

    def restore(self, settled: Collection[str]) -> None:
        """Groups that were composed before a stop, but for those of which every record is settled."""
        for id, value in self._journal.read_decisions(DECISION):
            if value["name"] == self._name and any(item["id"] not in settled for item in value["items"]):
                self._member_of.update(dict.fromkeys(map(_key, value["items"]), id))

    # --- asking ---------------------------------------------------------------------------------------

    async def ask(self, item: Item, *, kind: str = "", group: str = "") -> R:
        """The answer to one item. `kind` is what a call mixes; `group` an announced group, whose items go together.

        Raises:
            errors.NodeError: the model said nothing usable of it, alone or in company.
            errors.AideError: of scope run.
        """
        key = _key(item)
        if id := self._member_of.get(key):
            return await self._recall(id, key, item)
        waiting = _Waiting(item, key, kind, asyncio.get_running_loop().create_future())
        if static := self._static.get(group):
            static.waiting.append(waiting)
            static.expected -= 1
            self._send_static(group)
        elif self._size() <= 1:
            return await self._ask_alone(item)
        else:
            self._queues.setdefault(item.get("document", ""), []).append(waiting)
            self.waiting += 1
            self.send_full()
        answer: R = await waiting.answer
        return answer

    def announce(self, group: str, count: int) -> None:
        """So many items of a group may come, and go together; each that won't is to be withdrawn."""
        self._static[group] = _Static(count)

    def withdraw(self, group: str) -> None:
        """One item less will come for a group that was announced."""
        if static := self._static.get(group):
            static.expected -= 1
            self._send_static(group)

    def _send_static(self, group: str) -> None:
        static = self._static[group]
        if static.expected <= 0:
            del self._static[group]
            size = max(1, self._size())
            for first in range(0, len(static.waiting), size):
                self._send(static.waiting[first : first + size])

    def send_full(self) -> None:
        """Send what is full; and all that waits, where no open candidate could still join it."""
        size = max(1, self._size())
        least = 1 if self.waiting and self._is_last() else 2 * size if self._mix else size
        for document, queue in list(self._queues.items()):
            while len(queue) >= least:
                self._send(self._take(queue, size))
            if not queue:
                del self._queues[document]

    def _take(self, queue: list[_Waiting[R]], size: int) -> list[_Waiting[R]]:
        """The next items, in the order in which they came; with `mix` those whose kind is rarest among them first."""
        taken: list[_Waiting[R]] = []
        kinds: Counter[str] = Counter()
        while queue and len(taken) < size:
            place = min(range(len(queue)), key=lambda at: kinds[queue[at].kind]) if self._mix else 0
            each = queue.pop(place)
            kinds[each.kind] += 1
            taken.append(each)
        self.waiting -= len(taken)
        return taken

    def _send(self, members: Sequence[_Waiting[R]]) -> None:
        asyncio.get_running_loop().create_task(self._serve(members))

    async def _serve(self, members: Sequence[_Waiting[R]]) -> None:
        try:
            if len(members) == 1:
                members[0].answer.set_result(await self._ask_alone(members[0].item))
                return
            items = [each.item for each in members]
            id = digest(DECISION, self._name, *(each.key for each in members))
            self._journal.decide(DECISION, id, {"name": self._name, "items": items})
            found = await self._ask(id, items)
        except NodeError:
            found = [None] * len(members)
        except BaseException as fault:
            for each in members:
                if not each.answer.done():
                    each.answer.set_exception(
                        fault if isinstance(fault, AideError) else AideError(repr(fault))
                    )
                    each.answer.exception()
            if not isinstance(fault, AideError):
                raise
            return
        for each, answer in zip(members, found, strict=True):
            if answer is not None:
                each.answer.set_result(answer)
        await self._ask_rest([each for each in members if not each.answer.done()])

    async def _ask_rest(self, members: Sequence[_Waiting[R]]) -> None:
        """Those that a shared call left out, each alone."""
        self.left_out += len(members)

        async def ask(each: _Waiting[R]) -> None:
            try:
                each.answer.set_result(await self._ask_alone(each.item))
            except AideError as fault:
                each.answer.set_exception(fault)
                each.answer.exception()

        async with asyncio.TaskGroup() as group:
            for each in members:
                group.create_task(ask(each))

    async def _ask_alone(self, item: Item) -> R:
        [answer] = await self._ask(item["id"], [item])
        if answer is None:
            raise NodeError("unreadable", "the judge's answer could not be read")
        return answer

    async def _recall(self, id: str, key: str, item: Item) -> R:
        """The answer to an item of a group that was composed before a stop."""
        if id not in self._answers:
            value = self._journal.get_decision(DECISION, id)
            assert value is not None
            self._answers[id] = asyncio.create_task(self._ask_all(id, value["items"]))
        found = await asyncio.shield(self._answers[id])
        value = self._journal.get_decision(DECISION, id)
        assert value is not None
        answer = found[[_key(each) for each in value["items"]].index(key)]
        return await self._ask_alone(item) if answer is None else answer

    async def _ask_all(self, id: str, items: Sequence[Item]) -> Sequence[R | None]:
        try:
            return await self._ask(id, items)
        except NodeError:
            return [None] * len(items)

    def _fail_waiting(self) -> None:
        """After a stop nothing is sent: whoever waits for company hears the reason at once."""
        reason = self._stop.reason
        waiting = [each for queue in self._queues.values() for each in queue]
        waiting += [each for static in self._static.values() for each in static.waiting]
        self._queues.clear()
        self._static.clear()
        self.waiting = 0
        for each in waiting:
            if reason is not None and not each.answer.done():
                each.answer.set_exception(reason)


def _key(item: Item) -> str:
    """An item by its content: after a revision the same record asks again with another text."""
    return digest("item", *(str(item[name]) for name in sorted(item)))
