"""Data points by id: seeds, accepted records and what they are about, read from the journal when they are grown."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import orjson

from aide.config.spec import RunSpec
from aide.errors import AideError, NodeError
from aide.frontier import GrowWork, Slot
from aide.journal import Journal
from aide.metrics.drift import DriftBounds, measure_likeness
from aide.recipes import Attributes
from aide.records import PERSONA, Hop, Parts, Point, Record, Seed, Triple, replace, rng

KEPT = 512  # branches whose text and attributes stay in memory; all others are one read away
BATCH = 5  # questions over one document that share a call


class HopBuilder:
    """Turns ids into data points and slots into hops. Only `KEPT` branches are held in memory.

    With `bounds` the residual is adaptive: a hop is anchored where its parent has begun to drift, whatever its depth,
    and nothing grows from a record that has drifted too far.
    """

    def __init__(
        self,
        spec: RunSpec,
        seeds: Mapping[str, Seed],
        journal: Journal,
        flip: Callable[[Slot, str], str] | None,
        contexts: tuple[str, ...] = (),
        bounds: DriftBounds | None = None,
    ) -> None:
        self._bounds = bounds
        self._spec = spec
        self._seeds = seeds
        self._journal = journal
        self._flip = flip
        self._contexts = contexts
        self._held: OrderedDict[str, tuple[Point, Attributes | None]] = OrderedDict()

    def seed(self, id: str) -> Seed:
        """The seed of that id."""
        return self._seeds[id]

    def point(self, seed_id: str, id: str) -> Point:
        """A seed or an accepted record as a parent."""
        return self._branch(seed_id, id)[0]

    def keep(self, id: str, found: Attributes, reason: str) -> bytes:
        """Remember what a branch is about; returns it as the journal keeps it."""
        if id in self._held:
            self._held[id] = (self._held[id][0], found)
        plain = {
            "topic": found.topic,
            "triples": [triple.as_dict() for triple in found.triples],
            "personas": list(found.personas),
        }
        return orjson.dumps({**plain, "reason": reason} if reason else plain)

    def hop(self, work: GrowWork) -> Hop:
        """The unit of work that a slot stands for."""
        parent, found = self._branch(work.seed, work.slot.parent)
        if found is None:
            raise AideError(f"the branch {work.slot.parent} has no attributes")
        hop = self._hop(work, parent, found, work.slot.kind, work.slot.index, work.slot.label)
        if not parent.parts.fixed or work.slot.draw:
            return hop
        group = self._group(work, parent, found)
        return replace(hop, siblings=group) if any(each.id == hop.id for each in group) else hop

    def _hop(
        self, work: GrowWork, parent: Point, found: Attributes, kind: str, index: int, label: str
    ) -> Hop:
        persona = found.personas[index] if kind == PERSONA else None
        hop = Hop(
            seed=self._seeds[work.seed],
            parent=parent,
            depth=work.depth,
            operation=kind,
            triple=None if kind == PERSONA else found.triples[index],
            persona=persona,
            topic=found.topic,
            label=label or None,
            draw=work.slot.draw,
            anchored=self._anchored(work, parent),
            others=_others(found, kind, index) if self._spec.siblings == "told" else (),
        )
        return replace(hop, parent=replace(parent, parts=self._moved(hop))) if self._contexts else hop

    def _anchored(self, work: GrowWork, parent: Point) -> bool:
        """The residual connection: past a fixed depth, or where the parent has drifted."""
        if self._bounds is None:
            return work.depth > self._spec.residual_after
        return self._drifted(self._seeds[work.seed], parent, self._bounds.usual)

    def check_drift(self, seed: Seed, parent: Point) -> None:
        """Let a branch end; raises `NodeError` where its parent has drifted too far."""
        if self._bounds is not None and self._drifted(seed, parent, self._bounds.least):
            raise NodeError("drifted", "the record is further from its seed than any seed is from the rest")

    def _drifted(self, seed: Seed, parent: Point, bound: float) -> bool:
        return parent.depth > 0 and measure_likeness(parent.draft.input, seed.draft.input) < bound

    def _moved(self, hop: Hop) -> Parts:
        """Over which document a child of the first hop asks: its parent's, or one of those given by --contexts."""
        parts = hop.parent.parts
        choice = rng("context", hop.id).randrange(len(self._contexts) + 1)
        if hop.depth > 1 or choice == len(self._contexts) or not parts.fixed:
            return parts
        (name, _), *others = parts.fixed
        return replace(parts, fixed=((name, self._contexts[choice]), *others))

    def _group(self, work: GrowWork, parent: Point, found: Attributes) -> tuple[Hop, ...]:
        """The siblings that one call serves: runs of five in the order of the composition, over one document.

        Each has the label that its ancestry gives it; a hop whose label was changed for balance is not among them.
        """
        kinds = [*self._spec.operations, *([PERSONA] if found.personas else [])]
        order = [
            (kind, index)
            for index in range(max(len(found.triples), len(found.personas)))
            for kind in kinds
            if index < len(found.personas if kind == PERSONA else found.triples)
        ]
        place = order.index((work.slot.kind, work.slot.index))
        first = place - place % BATCH
        group = [self._hop(work, parent, found, kind, index, self._inherited(parent, kind, index))
                 for kind, index in order[first : first + BATCH]]  # fmt: skip
        mine = group[place - first]
        return tuple(each for each in group if each.parent.parts == mine.parent.parts)

    def _inherited(self, parent: Point, kind: str, index: int) -> str:
        return self._flip(Slot(parent.id, kind, index), parent.draft.output) if self._flip else ""

    def _branch(self, seed_id: str, id: str) -> tuple[Point, Attributes | None]:
        held = self._held.get(id)
        if held is None:
            held = (self._read_point(seed_id, id), None)
        if held[1] is None:
            held = (held[0], self._read_attributes(id))
        self._held[id] = held
        self._held.move_to_end(id)
        if len(self._held) > KEPT:
            self._held.popitem(last=False)
        return held

    def _read_attributes(self, id: str) -> Attributes | None:
        outcome = self._journal.outcome(id, planted=True)
        if outcome is None:
            return None
        plain = orjson.loads(outcome.payload)
        triples = tuple(Triple(**triple) for triple in plain["triples"])
        return Attributes(plain["topic"], triples, tuple(plain["personas"]))

    def _read_point(self, seed_id: str, id: str) -> Point:
        seed = self._seeds[seed_id]
        if id == seed_id:
            return Point(id, seed.draft, seed.parts, 0)
        outcome = self._journal.outcome(id)
        if outcome is None:
            raise AideError(f"the record {id} is not in the journal")
        record = Record.from_dict(orjson.loads(outcome.payload), seed.parts)
        return Point(id, record.draft, record.parts, outcome.depth)


def _others(found: Attributes, kind: str, index: int) -> tuple[str, ...]:
    """What the siblings of a hop take up: told by what was planted at their parent, not by what is finished."""
    triples = [
        triple.attribute for place, triple in enumerate(found.triples) if kind == PERSONA or place != index
    ]
    personas = [each for place, each in enumerate(found.personas) if kind != PERSONA or place != index]
    return (*triples, *personas)
