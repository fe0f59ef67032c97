"""Items that wait for company in a call: which of them go together, and when."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Static(Generic[T]):
    """A group whose members are known beforehand: how many may still come, and those that did."""

    expected: int
    waiting: list[T] = field(default_factory=list)


class CallQueue(Generic[T]):
    """What waits for one kind of call. Each method returns the calls that are to be sent now, as lists of their items.

    An announced group goes together, once each of its items has come or was withdrawn. All others wait until a call is
    full, or until nothing else could join it; only items about one document share a call.
    """

    def __init__(
        self,
        *,
        size: Callable[[], int],
        is_last: Callable[[], bool],
        order: Callable[[T], str],
        mix: bool = False,
    ) -> None:
        """`size` is the most items of a call now; `is_last` is true when nothing that is open could join those waiting.
        With `mix` a call takes items of as many kinds as it can, and waits until there is a choice. An announced group
        stands in the `order` of its items: in which order they come is chance.
        """
        self._size = size
        self._is_last = is_last
        self._order = order
        self._mix = mix
        self._queues: dict[str, list[tuple[T, str]]] = {}  # by document
        self._static: dict[str, _Static[T]] = {}

    @property
    def waiting(self) -> int:
        """Items that wait for company, those of announced groups apart."""
        return sum(map(len, self._queues.values()))

    def put(self, item: T, *, kind: str = "", group: str = "", document: str = "") -> list[list[T]]:
        """One more item. `kind` is what a call mixes; `group` an announced group that it belongs to."""
        if static := self._static.get(group):
            static.waiting.append(item)
            return self._count_one(group, static)
        self._queues.setdefault(document, []).append((item, kind))
        return self.take_ready()

    def announce(self, group: str, count: int) -> None:
        """So many items of a group may come, and go together; each that won't is to be withdrawn."""
        self._static[group] = _Static(count)

    def withdraw(self, group: str) -> list[list[T]]:
        """One item less will come for a group that was announced."""
        static = self._static.get(group)
        return self._count_one(group, static) if static else []

    def _count_one(self, group: str, static: _Static[T]) -> list[list[T]]:
        static.expected -= 1
        if static.expected > 0:
            return []
        del self._static[group]
        size, waiting = max(1, self._size()), sorted(static.waiting, key=self._order)
        return [waiting[first : first + size] for first in range(0, len(waiting), size)]

    def take_ready(self) -> list[list[T]]:
        """What is full; and all that waits, where nothing that is open could still join it."""
        if not self._queues:
            return []
        size, ready = max(1, self._size()), []
        least = 1 if self._is_last() else 2 * size if self._mix else size
        for document, queue in list(self._queues.items()):
            while len(queue) >= least:
                ready.append(self._take(queue, size))
            if not queue:
                del self._queues[document]
        return ready

    def _take(self, queue: list[tuple[T, str]], size: int) -> list[T]:
        """The next items, in the order in which they came; with `mix` those whose kind is rarest among them first."""
        taken: list[T] = []
        kinds: Counter[str] = Counter()
        while queue and len(taken) < size:
            place = min(range(len(queue)), key=lambda at: kinds[queue[at][1]]) if self._mix else 0
            item, kind = queue.pop(place)
            kinds[kind] += 1
            taken.append(item)
        return taken

    def clear(self) -> list[T]:
        """Everything that waits; nothing does afterwards."""
        waiting = [item for queue in self._queues.values() for item, _ in queue]
        waiting += [item for static in self._static.values() for item in static.waiting]
        self._queues.clear()
        self._static.clear()
        return waiting
