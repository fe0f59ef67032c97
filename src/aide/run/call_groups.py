"""Calls that carry items of several records, composed and journaled before they are sent: a resume asks the same.

An item waits until its call is full, or until nothing else that is open could join it. What comes back is told to each
item alone; an item that was left out is asked again in a call of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from aide.errors import NodeError
from aide.journal import Journal
from aide.records import digest
from aide.run.call_queue import CallQueue
from aide.stop import StopSwitch

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
    answer: "asyncio.Future[R]"


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
        """`size`, `is_last` and `mix` are those of `CallQueue`. `ask` is given the id of a call and its items."""
        self.left_out = 0
        """Items that a shared call left out."""
        self._name = name
        self._journal = journal
        self._stop = stop
        self._ask = ask
        self._size = size
        self._queue: CallQueue[_Waiting[R]] = CallQueue(
            size=size, is_last=is_last, mix=mix, order=lambda each: each.key
        )
        self._member_of: dict[str, str] = {}
        self._sent: set[asyncio.Task[None]] = set()
        self._answers: dict[str, asyncio.Task[Sequence[R | None]]] = {}
        stop.on_request(self._fail_waiting)

    def restore(self, settled: Collection[str]) -> None:
        """Groups that were composed before a stop, but for those of which every record is settled."""
        for id, value in self._journal.read_decisions(DECISION):
            if value["name"] == self._name and any(item["id"] not in settled for item in value["items"]):
                self._member_of.update(dict.fromkeys(map(_key, value["items"]), id))

    # --- asking ---------------------------------------------------------------------------------------

    async def ask(self, item: Item, *, kind: str = "", group: str = "", alone: bool = False) -> R:
        """The answer to one item. `kind` is what a call mixes; `group` an announced group, whose items go together.

        Raises:
            errors.NodeError: the model said nothing usable of it, alone or in company.
            errors.AideError: of scope run.
        """
        key = _key(item)
        if id := self._member_of.get(key):
            self.withdraw(group)  # its call is composed: the rest of the group need not wait for it
            return await self._recall(id, key, item)
        if alone or (not group and self._size() <= 1):
            return await self._ask_alone(item)
        self._stop.raise_if_requested()  # nobody would send what waits from here on
        waiting = _Waiting[R](item, key, asyncio.get_running_loop().create_future())
        self._send_all(self._queue.put(waiting, kind=kind, group=group, document=item.get("document", "")))
        return await waiting.answer

    @property
    def waiting(self) -> int:
        """Items that wait for company."""
        return self._queue.waiting

    def announce(self, group: str, count: int) -> None:
        """So many items of a group may come, and go together; each that won't is to be withdrawn."""
        self._queue.announce(group, count)

    def withdraw(self, group: str) -> None:
        """One item less will come for a group that was announced."""
        self._send_all(self._queue.withdraw(group))

    def send_full(self) -> None:
        """Send what is full; and all that waits, where no open candidate could still join it."""
        self._send_all(self._queue.take_ready())

    def _send_all(self, calls: Sequence[Sequence[_Waiting[R]]]) -> None:
        for members in calls:
            self._send(members)

    def _send(self, members: Sequence[_Waiting[R]]) -> None:
        task = asyncio.create_task(self._serve(members))
        self._sent.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._sent.discard)

    async def _serve(self, members: Sequence[_Waiting[R]]) -> None:
        # A call for one is a decision, too: after a stop its item would else find other company, and be paid for again.
        items = [each.item for each in members]
        id = digest(DECISION, self._name, *(each.key for each in members))
        found: Sequence[R | None] = [None] * len(members)
        try:
            self._journal.decide(DECISION, id, {"name": self._name, "items": items})
            if len(members) > 1:
                found = await self._ask_all(id, items)
                self.left_out += found.count(None)
        except BaseException as fault:
            for each in members:
                _fail(each, fault)
            if isinstance(fault, Exception):
                return
            raise
        for each, answer in zip(members, found, strict=True):
            if answer is not None and not each.answer.done():
                each.answer.set_result(answer)
        async with asyncio.TaskGroup() as group:
            for each in members:
                if not each.answer.done():
                    group.create_task(self._serve_alone(each))

    async def _serve_alone(self, waiting: _Waiting[R]) -> None:
        """Ask for one that is alone, or that a shared call left out."""
        try:
            waiting.answer.set_result(await self._ask_alone(waiting.item))
        except Exception as fault:  # noqa: BLE001 - whoever waits for the answer is told
            _fail(waiting, fault)

    async def _ask_alone(self, item: Item) -> R:
        [answer] = await self._ask(item["id"], [item])
        if answer is None:
            raise NodeError("unreadable", "the judge's answer could not be read")
        return answer

    async def _recall(self, id: str, key: str, item: Item) -> R:
        """The answer to an item of a group that was composed before a stop."""
        value = self._journal.get_decision(DECISION, id)
        assert value is not None
        if len(value["items"]) == 1:  # asked on behalf of its record, as it was before
            return await self._ask_alone(item)
        if id not in self._answers:
            self._answers[id] = asyncio.create_task(self._ask_all(id, value["items"]))
        found = await asyncio.shield(self._answers[id])
        answer = found[[_key(each) for each in value["items"]].index(key)]
        return await self._ask_alone(item) if answer is None else answer

    async def _ask_all(self, id: str, items: Sequence[Item]) -> Sequence[R | None]:
        """One call for all; none of the answers where it came to nothing."""
        try:
            return await self._ask(id, items) if len(items) > 1 else [None]
        except NodeError:
            return [None] * len(items)

    def _fail_waiting(self) -> None:
        """After a stop nothing is sent: whoever waits for company hears the reason at once."""
        reason = self._stop.reason
        for each in self._queue.clear():
            if reason is not None:
                _fail(each, reason)


def _fail(waiting: _Waiting[Any], fault: BaseException) -> None:
    if waiting.answer.done():
        return
    if isinstance(fault, asyncio.CancelledError):
        waiting.answer.cancel()
    else:
        waiting.answer.set_exception(fault)
        waiting.answer.exception()  # seen here: whoever waited may be gone


def _key(item: Item) -> str:
    """An item by its content: after a revision the same record asks again with another text."""
    return digest("item", *(str(item[name]) for name in sorted(item)))
