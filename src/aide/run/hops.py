"""Hops: a slot of the frontier becomes a unit of work, with the texts of its parent and seed."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import orjson

from aide.config.spec import RunSpec
from aide.errors import AideError, NodeError
from aide.frontier import GrowWork, Slot
from aide.journal import Journal
from aide.metrics.drift import DriftBounds, measure_likeness
from aide.recipes import Attributes
from aide.records import PERSONA, Hop, Parts, Point, Record, Seed, Triple, replace, rng
from aide.run.inputs import PreparedInputs

# Branches whose text and attributes stay in memory. All others are one read of the journal away; the frontier grows few
# branches at a time, so that nearly every hop finds its parent here.
KEPT: Final = 512
# Questions over one document that share a call: the document is paid for once for all of them. More than five begin to
# repeat each other.
BATCH: Final = 5


class HopBuilder:
    """Turns slots into hops.

    With `bounds` the residual is adaptive: a hop is anchored where its parent has begun to drift, whatever its depth,
    and nothing grows from a record that has drifted too far.
    """

    def __init__(
        self,
        spec: RunSpec,
        inputs: PreparedInputs,
        journal: Journal,
        choose_label: Callable[[Slot, str], str] | None,
        bounds: DriftBounds | None = None,
    ) -> None:
        """`choose_label` gives the intended label of a slot's child from its parent's; `None` without labels."""
        self._spec = spec
        self._seeds = {seed.id: seed for seed in inputs.seeds}
        self._contexts = inputs.contexts
        self._journal = journal
        self._choose_label = choose_label
        self._bounds = bounds
        self._branches: OrderedDict[str, tuple[Point, Attributes | None]] = OrderedDict()

    def seed(self, id: str) -> Seed:
        """The seed of that id."""
        return self._seeds[id]

    def point(self, seed_id: str, id: str) -> Point:
        """A seed or an accepted record as a parent."""
        return self._branch(seed_id, id)[0]

    def keep(self, id: str, found: Attributes, reason: str) -> bytes:
        """Remember what a branch is about; returns it as the journal keeps it.

        `reason` says why it has no attributes.
        """
        if id in self._branches:
            self._branches[id] = (self._branches[id][0], found)
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
            others=_list_others(found, kind, index) if self._spec.siblings == "aware" else (),
        )
        return (
            replace(hop, parent=replace(parent, parts=self._choose_document(hop))) if self._contexts else hop
        )

    def _anchored(self, work: GrowWork, parent: Point) -> bool:
        """The residual connection: past a fixed depth, or where the parent has drifted."""
        if self._bounds is None:
            return work.depth > self._spec.residual_after
        return self._drifted(self._seeds[work.seed], parent, self._bounds.usual)

    def check_drift(self, seed: Seed, parent: Point) -> None:
        """End a branch that has drifted too far.

        Raises:
            errors.NodeError: the record is further from its seed than any seed is from the rest.
        """
        if self._bounds is not None and self._drifted(seed, parent, self._bounds.least):
            raise NodeError("drifted", "the record is further from its seed than any seed is from the rest")

    def _drifted(self, seed: Seed, parent: Point, bound: float) -> bool:
        return parent.depth > 0 and measure_likeness(parent.draft.input, seed.draft.input) < bound

    def _choose_document(self, hop: Hop) -> Parts:
        """Over which document a child of the first hop asks: its parent's, or one of those given by --contexts."""
        parts = hop.parent.parts
        choice = rng("context", hop.id).randrange(len(self._contexts) + 1)
        if hop.depth > 1 or choice == len(self._contexts) or not parts.fixed:
            return parts
        (name, _), *others = parts.fixed
        return replace(parts, fixed=((name, self._contexts[choice]), *others))

    def _group(self, work: GrowWork, parent: Point, found: Attributes) -> tuple[Hop, ...]:
        """The siblings that one call serves: five neighbours in the order of the composition, over one document.

        Each has the label that its ancestry gives it; a hop whose label was changed for balance is not among them. So a
        group depends on the parent alone, and a resume composes the same one.
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
        return (
            self._choose_label(Slot(parent.id, kind, index), parent.draft.output)
            if self._choose_label
            else ""
        )

    def _branch(self, seed_id: str, id: str) -> tuple[Point, Attributes | None]:
        point, attributes = self._branches.get(id, (None, None))
        point = point or self._read_point(seed_id, id)
        attributes = attributes or self._read_attributes(id)
        self._branches[id] = (point, attributes)
        self._branches.move_to_end(id)
        if len(self._branches) > KEPT:
            self._branches.popitem(last=False)
        return point, attributes

    def _read_attributes(self, id: str) -> Attributes | None:
        outcome = self._journal.get_outcome(id, planted=True)
        if outcome is None:
            return None
        plain = orjson.loads(outcome.payload)
        triples = tuple(Triple(**triple) for triple in plain["triples"])
        return Attributes(plain["topic"], triples, tuple(plain["personas"]))

    def _read_point(self, seed_id: str, id: str) -> Point:
        seed = self._seeds[seed_id]
        if id == seed_id:
            return Point(id, seed.draft, seed.parts, 0)
        outcome = self._journal.get_outcome(id)
        if outcome is None:
            raise AideError(f"the record {id} is not in the journal")
        record = Record.from_dict(orjson.loads(outcome.payload), seed.parts)
        return Point(id, record.draft, record.parts, outcome.depth)


def _list_others(found: Attributes, kind: str, index: int) -> tuple[str, ...]:
    """What the siblings of a hop are about, by what was planted at their parent and not by what is finished."""
    triples = [
        triple.attribute for place, triple in enumerate(found.triples) if kind == PERSONA or place != index
    ]
    personas = [each for place, each in enumerate(found.personas) if kind != PERSONA or place != index]
    return (*triples, *personas)
