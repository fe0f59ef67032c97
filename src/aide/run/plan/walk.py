"""A run without texts: the real frontier hands out its work, candidates end as their fates say, and calls are counted.

Every call takes one turn, as if all answers took equally long; what shares a call, and what waits for whom, is decided
by the frontier and by the queues of the run itself.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from aide.frontier import Frontier, GroupWork, PlantWork, Slot
from aide.records import PLAIN
from aide.run.call_queue import CallQueue
from aide.run.calls import LAST, RANKS
from aide.run.group_sizes import GUIDED, JUDGED, GroupSizes
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.plan.fates import UNFIT, FateDealer
from aide.run.plan.script import COMPARE, READ, WANTS, Trace

Level = tuple[int, bool]
"""A hop, and whether its plain records are meant."""


@dataclass(slots=True)
class LevelCounts:
    """What one level takes. Of a call that records of several levels share, each has its share."""

    records: float = 0.0
    candidates: float = 0.0
    plants: dict[tuple[int, ...], float] = field(default_factory=lambda: defaultdict(float))
    """Parents that are planted for it, by how many of each matter are asked for."""
    calls: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    """By the name of the call in the table of sizes, and by how many records it carries."""


class _Call(NamedTuple):
    rank: int
    number: int
    end: Callable[..., None]
    given: tuple[object, ...]


@dataclass(slots=True)
class _Group:
    """A group under way."""

    id: str
    kind: str
    level: Level
    seed: str
    document: str
    beside: str
    """The document that was put beside its seed; empty where none was."""
    left: int
    """Candidates that have not ended."""


@dataclass(slots=True)
class _Candidate:
    id: str
    slot: Slot
    group: _Group
    fate: str
    trace: Trace
    at: int = 0
    asked: set[str] = field(default_factory=set)
    """Of a reading and a comparison, what it has asked for."""


class Walk:
    """One run."""

    def __init__(
        self,
        frontier: Frontier,
        sizes: GroupSizes,
        fates: FateDealer,
        traces: Mapping[tuple[str, str], Trace],
        *,
        find_kind: Callable[[int], str],
        expect_found: Callable[[tuple[int, ...]], tuple[int, ...]],
        documents: Mapping[str, str],
        contexts: int,
        roots: Mapping[str, str],
        keep: Mapping[int, float],
        in_flight: int,
        mix: bool,
    ) -> None:
        """`traces` are what candidates of a kind and fate go through; `find_kind` gives the kind of guided records of
        a hop, `expect_found` how much of what is wanted is found; `documents` say what questions are about, by seed,
        and plain records go round these and so many `contexts`; `roots` are the documents that were put beside seeds,
        by root. Of the accepted records of a hop in `keep` only that share may become parents. `in_flight` bounds the
        calls on the wire, and with `mix` a call mixes labels.
        """
        self.levels: dict[Level, LevelCounts] = defaultdict(LevelCounts)
        self._frontier = frontier
        self._sizes = sizes
        self._fates = fates
        self._traces = traces
        self._find_kind = find_kind
        self._documents = documents
        first = next(iter(documents), "")
        self._plain_documents = [*documents.items(), *((first, f"context {n}") for n in range(contexts))]
        self._expect_found = expect_found
        self._beside = dict(roots)
        self._keep = keep
        self._kept: dict[int, float] = defaultdict(float)
        self._in_flight = in_flight
        self._capacity = 2 * in_flight  # as in `run.expansion`
        self._asked = 0
        self._whole = frontier.shape.whole
        self._wire: deque[_Call] = deque()
        self._waiting: list[_Call] = []
        self._open = 0
        self._numbers = 0

        def size() -> int:
            return sizes.most(JUDGED)

        self._queues: dict[str, CallQueue[_Candidate]] = {
            READ: CallQueue(size=size, is_last=self._is_last, order=_order, mix=mix and not self._whole),
            COMPARE: CallQueue(size=size, is_last=self._is_last, order=_order),
        }

    def _is_last(self) -> bool:
        return sum(queue.waiting for queue in self._queues.values()) >= self._frontier.open

    def run(self) -> dict[Level, LevelCounts]:
        """Walk to the end; what each level takes."""
        while True:
            self._hand_out()
            for event, queue in self._queues.items():
                self._send(event, queue.take_ready())
            while self._waiting and len(self._wire) < self._in_flight:
                self._wire.append(heappop(self._waiting))
            if self._wire:
                for _ in range((len(self._wire) + 1) // 2):
                    call = self._wire.popleft()
                    call.end(*call.given)
            elif not self._frontier.redistribute():
                return dict(self.levels)

    def _hand_out(self) -> None:
        self._frontier.group = self._sizes.most(GUIDED)
        self._frontier.plain_group = self._sizes.most(PLAIN_SIZE)
        while self._open < self._capacity and (work := self._frontier.next()) is not None:
            self._open += 1
            if isinstance(work, PlantWork):
                self.levels[work.depth + 1, False].plants[work.wanted] += 1
                self._ask("extract", self._end_planting, work)
            else:
                plain = work.slots[0].kind == PLAIN
                kind = PLAIN if plain else self._find_kind(work.depth)
                self.levels[work.depth, plain].calls[f"write {kind}", len(work.slots)] += 1
                self._ask("synthesize", self._end_writing, work, kind)

    def _ask(self, step: str, end: Callable[..., None], *given: object) -> None:
        """A call that waits for its turn, as calls of a run do."""
        self._asked += 1
        heappush(self._waiting, _Call(RANKS.get(step, LAST), self._asked, end, given))

    def _end_planting(self, work: PlantWork) -> None:
        self._open -= 1
        self._frontier.planted(work.branch, self._expect_found(work.wanted))

    def _end_writing(self, work: GroupWork, kind: str) -> None:
        self._numbers += 1
        plain = kind == PLAIN
        seed, document = (
            self._plain_documents[self._numbers % len(self._plain_documents)]
            if plain
            else (work.seed, self._documents[work.seed])
        )
        level, beside = (work.depth, plain), self._beside.get(work.slots[0].parent, "")
        group = _Group(str(self._numbers), kind, level, seed, beside or document, beside, len(work.slots))
        if self._whole:
            for queue in self._queues.values():
                queue.announce(group.id, len(work.slots))
        self.levels[level].candidates += len(work.slots)
        for number, slot in enumerate(work.slots):
            fate = self._fates.deal(level)
            trace = () if fate == UNFIT else self._traces[kind, fate]
            self._advance(_Candidate(f"{group.id}.{number}", slot, group, fate, trace))

    def _advance(self, candidate: _Candidate) -> None:
        """On to the next call of its trace, or to its end."""
        group = candidate.group
        while candidate.at < len(candidate.trace):
            event = candidate.trace[candidate.at]
            candidate.at += 1
            if event == WANTS:
                if self._frontier.wants(candidate.slot):
                    continue
                return self._end(candidate, kept=False)
            if event in self._queues:
                return self._send(event, self._judge(event, candidate))
            self.levels[group.level].calls[f"{event} {group.kind}", 1] += 1
            self._ask(event, self._advance, candidate)
            return None
        return self._end(candidate, kept=candidate.fate in self._fates.find(group.level).kept)

    def _judge(self, event: str, candidate: _Candidate) -> Sequence[Sequence[_Candidate]]:
        """The calls that may go now that this candidate asks for a reading or a comparison."""
        group, first = candidate.group, event not in candidate.asked
        candidate.asked.add(event)
        if self._whole:  # groups go together, and what is judged again is judged alone
            return self._queues[event].put(candidate, group=group.id) if first else [[candidate]]
        if event == COMPARE:
            return self._queues[event].put(candidate, document=group.beside)
        kind = candidate.slot.label or candidate.slot.parent
        return self._queues[event].put(candidate, kind=kind, document=group.document)

    def _send(self, event: str, calls: Sequence[Sequence[_Candidate]]) -> None:
        for members in calls:
            for each in members:
                name = event if event == READ else f"{event} {each.group.kind}"
                self.levels[each.group.level].calls[name, len(members)] += 1 / len(members)
            self._ask("reflect", self._go_on, members)

    def _go_on(self, members: Sequence[_Candidate]) -> None:
        for each in members:
            self._advance(each)

    def _end(self, candidate: _Candidate, *, kept: bool) -> None:
        group = candidate.group
        for event, queue in self._queues.items() if self._whole else ():
            if event not in candidate.asked:
                self._send(event, queue.withdraw(group.id))
        if kept and self._frontier.admit(candidate.slot):
            self.levels[group.level].records += 1
            if self._may_bear(group.level[0]):
                self._frontier.accept(candidate.slot, candidate.id, group.seed)
                if group.beside:
                    self._beside[candidate.id] = group.beside
            else:
                self._frontier.drop(candidate.slot)
        else:
            self._frontier.drop(candidate.slot)
        group.left -= 1
        self._open -= not group.left

    def _may_bear(self, hop: int) -> bool:
        """Let only a share of the records of a whole tree be parents, where it is too large to be walked."""
        share = self._keep.get(hop, 1.0)
        self._kept[hop] += share
        if self._kept[hop] < 1:
            return share >= 1
        self._kept[hop] -= 1
        return True


def _order(candidate: _Candidate) -> str:
    return candidate.id
