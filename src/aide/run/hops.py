"""Hops: the slots of a group become units of work, each with its parent's text, its topic and its drawn traits."""

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import Final

import orjson

from aide.card import TraitPool, deal_topic
from aide.config.spec import RunSpec
from aide.errors import AideError, NodeError
from aide.formats import TaskCard
from aide.frontier import GroupWork, Slot
from aide.journal import Journal
from aide.jsonl import encode_json
from aide.metrics.drift import DriftBounds, measure_likeness
from aide.recipes import Found, Roots, find_recipe
from aide.records import (
    DOCUMENT,
    PLAIN,
    Draft,
    Group,
    Hop,
    Parts,
    Point,
    Record,
    Seed,
    list_kinds,
    name_group,
    rng,
)
from aide.run.inputs import PreparedInputs
from aide.run.seed_pool import SeedPool

# Branches whose text and attributes stay in memory. All others are one read of the journal away; the frontier grows few
# branches at a time, so that nearly every hop finds its parent here.
KEPT: Final = 512
# Documents are dealt by a sequence of low discrepancy (the fractional parts of the multiples of the golden ratio): any
# run of calls has each of them about as often as any other.
_GOLDEN: Final = 0.618033988749895


class HopBuilder:
    """Turns groups of slots into groups of hops.

    With `bounds` the residual is adaptive: a hop is anchored where its parent has begun to drift, whatever its depth,
    and nothing grows from a record that has drifted too far.
    """

    def __init__(
        self,
        spec: RunSpec,
        inputs: PreparedInputs,
        card: TaskCard,
        journal: Journal,
        pool: SeedPool,
        bounds: DriftBounds | None = None,
        roots: Roots | None = None,
    ) -> None:
        """`pool` knows the seeds of all invocations: one that is gone from the files stays a model of traits."""
        self._spec = spec
        # What the files have now knows its meta fields, which the journal doesn't keep.
        self._seeds = {**pool.seeds, **{seed.id: seed for seed in inputs.seeds}}
        self._contexts = inputs.contexts
        self._deals = inputs.fixed_parts or inputs.differing_frames
        self._journal = journal
        self._pools = pool.pools
        self._traits = {
            name: TraitPool(pool.list_seeds(name), card.unit, inputs.format, name=name)
            for name in dict.fromkeys(self._pools.values())
        }
        self._chats = inputs.format.chats
        self._by_turns: dict[tuple[str, tuple[str, ...]], TraitPool] = {}
        self._make_pool = partial(TraitPool, unit=card.unit, format=inputs.format)
        self._list_seeds = pool.list_seeds
        self._bounds = bounds
        self._recipe = find_recipe(spec.recipe)
        self._roots = roots or Roots()
        self._matters = self._recipe.shape(spec, inputs).kind_matters
        self._topics = card.topics if self._recipe.deals_topics else ()
        self._branches: OrderedDict[str, tuple[Point, Found | None]] = OrderedDict()

    def seed(self, id: str) -> Seed:
        """The seed of that id."""
        return self._seeds[id]

    def point(self, seed_id: str, branch: str, depth: int) -> Point:
        """A branch as a parent: at depth 0 its seed, else an accepted record."""
        return self._branch(seed_id, branch, depth)[0]

    def read_text(self, seed_id: str, branch: str) -> str:
        """The input of a seed or of an accepted record."""
        known = self._branches.get(branch)
        if known is not None:
            return known[0].draft.input
        outcome = self._journal.get_outcome(branch)
        return self.point(seed_id, branch, outcome.depth if outcome else 0).draft.input

    def keep(self, seed_id: str, branch: str, depth: int, found: Found, reason: str) -> bytes:
        """Remember what a branch is about; returns it as the journal keeps it.

        `reason` says why it has no attributes.
        """
        self._remember(branch, self._branch(seed_id, branch, depth)[0], found)
        plain = found.as_dict()
        return encode_json({**plain, "reason": reason} if reason else plain)

    # --- composing ------------------------------------------------------------------------------------

    def compose(self, work: GroupWork, correction: float = 1.0) -> Group:
        """The hops of a group. `correction` is what the lengths that are asked for are multiplied by."""
        document = self._deal_document(work.slots[0]) if self._deals else None
        hops = [self._compose_hop(slot, work, document) for slot in work.slots]
        id = name_group([hop.id for hop in hops])
        return Group(
            tuple(self._draw_traits(replace(hop, group=id), correction) for hop in hops), work.settled
        )

    def _compose_hop(self, slot: Slot, work: GroupWork, document: Point | None) -> Hop:
        if slot.kind == PLAIN:
            return self._compose_plain(slot, document)
        parent, found = self._branch(work.seed, slot.parent, work.depth - 1)
        if found is None:
            raise AideError(f"the branch {slot.parent} has no attributes")
        matter = self._matters[slot.kind]
        alone = self._spec.siblings == "aware" and len(work.slots) == 1
        hop = Hop(
            seed=self._seeds[work.seed],
            parent=parent,
            depth=work.depth,
            operation=slot.kind,
            topic=found.topic,
            label=slot.label or None,
            draw=slot.draw,
            anchored=self._is_anchored(work, parent),
            others=self._list_others(found, matter, slot.index) if alone else (),
            **self._recipe.read_way(slot.kind, found.matters[matter][slot.index]),
        )
        return (
            replace(hop, parent=replace(parent, parts=self._choose_document(hop))) if self._contexts else hop
        )

    def _compose_plain(self, slot: Slot, document: Point | None) -> Hop:
        _, seed = self._traits[slot.parent].deal(slot.index, slot.label or None)
        seed = self._seeds[document.id if document else seed.id]
        return Hop(
            seed=seed,
            parent=document or Point(seed.id, seed.draft, seed.parts, 0),
            depth=1,
            operation=PLAIN,
            topic=self._deal_topic(slot),
            label=slot.label or None,
            pool=slot.parent,
            ordinal=slot.index,
            draw=slot.index,  # two may be asked for in the same words, and are two all the same
        )

    def _deal_document(self, first: Slot) -> Point | None:
        """What all plain records of a call are about: a seed, whose fixed parts they share, or one of --contexts.

        A call shows one document, so that it is paid for once; calls go round the documents.
        """
        seeds = [seed for seed in self._seeds.values() if self._pools[seed.id] == first.parent]
        if first.kind != PLAIN or not seeds:
            return None
        start = rng("documents", first.parent, first.label).random()
        place = int((start + first.index * _GOLDEN) % 1.0 * (len(seeds) + len(self._contexts)))
        seed = seeds[place % len(seeds)]
        parts = seed.parts
        if place >= len(seeds):
            (name, _), *others = parts.fixed
            parts = replace(parts, fixed=((name, self._contexts[place - len(seeds)]), *others))
        return Point(seed.id, seed.draft, parts, 0)

    def _deal_topic(self, slot: Slot) -> str:
        """The topic of a plain record, by the shares of the card's map; empty with labels, or without a map."""
        if not self._topics or slot.label:
            return ""
        return deal_topic(self._topics, slot.index, slot.parent).name

    def _list_others(self, found: Found, matter: str, index: int) -> tuple[str, ...]:
        """What the siblings of a hop are about, by what was planted at their parent and not by what is finished."""
        return tuple(
            self._recipe.describe_matter(each)
            for name, values in found.matters.items()
            for place, each in enumerate(values)
            if (name, place) != (matter, index)
        )

    def _draw_traits(self, hop: Hop, correction: float) -> Hop:
        if not self._recipe.draws_traits:
            return hop
        name = hop.pool or self._pools[hop.seed.id]
        pool = self._traits[name]
        if self._chats and (hop.operation != PLAIN or self._deals):
            pool = self._find_pool(name, hop.parent.draft)
        if hop.operation == PLAIN and not (self._chats and self._deals):
            drawn, _ = pool.deal(hop.ordinal, hop.label, correction)
        else:
            drawn, _ = pool.draw(rng("traits", hop.id), hop.label, correction)
        return replace(hop, traits=drawn.as_dict(), manner=pool.describe(drawn))

    def _find_pool(self, name: str, model: Draft) -> TraitPool:
        """The traits of the seeds with the turns of `model`: how much a user says depends on how often."""
        kinds = list_kinds(model.turns)
        if (name, kinds) not in self._by_turns:
            seeds = [seed for seed in self._list_seeds(name) if list_kinds(seed.draft.turns) == kinds]
            self._by_turns[name, kinds] = self._make_pool(seeds, name=name) if seeds else self._traits[name]
        return self._by_turns[name, kinds]

    def _is_anchored(self, work: GroupWork, parent: Point) -> bool:
        """The residual connection: past a fixed depth, or where the parent has drifted."""
        if self._spec.residual == "off":
            return False
        if self._bounds is None:
            return work.depth > self._spec.residual_after
        return self._has_drifted(self._seeds[work.seed], parent, self._bounds.usual)

    def check_drift(self, seed: Seed, parent: Point) -> None:
        """End a branch that has drifted too far.

        Raises:
            errors.NodeError: the record is further from its seed than any seed is from the rest.
        """
        if self._bounds is not None and self._has_drifted(seed, parent, self._bounds.least):
            raise NodeError("drifted", "the record is further from its seed than any seed is from the rest")

    def _has_drifted(self, seed: Seed, parent: Point, bound: float) -> bool:
        return parent.depth > 0 and measure_likeness(parent.draft.input, seed.draft.input) < bound

    def _choose_document(self, hop: Hop) -> Parts:
        """Over which document a child of the first hop asks: its parent's, or one of those given by --contexts."""
        parts = hop.parent.parts
        choice = rng("context", hop.parent.id).randrange(len(self._contexts) + 1)
        if hop.depth > 1 or choice == len(self._contexts) or not parts.fixed:
            return parts
        (name, _), *others = parts.fixed
        return replace(parts, fixed=((name, self._contexts[choice]), *others))

    # --- branches -------------------------------------------------------------------------------------

    def _branch(self, seed_id: str, id: str, depth: int) -> tuple[Point, Found | None]:
        point, attributes = self._branches.get(id, (None, None))
        point = point or self._read_point(seed_id, id, depth)
        attributes = attributes or self._read_attributes(id)
        self._remember(id, point, attributes)
        return point, attributes

    def _remember(self, id: str, point: Point, attributes: Found | None) -> None:
        self._branches[id] = (point, attributes)
        self._branches.move_to_end(id)
        if len(self._branches) > KEPT:
            self._branches.popitem(last=False)

    def _read_attributes(self, id: str) -> Found | None:
        outcome = self._journal.get_outcome(id, planted=True)
        return Found.from_dict(orjson.loads(outcome.payload)) if outcome else None

    def _read_point(self, seed_id: str, id: str, depth: int) -> Point:
        seed = self._seeds[seed_id]
        if depth == 0:
            return self._roots.make_point(id, seed)
        outcome = self._journal.get_outcome(id)
        if outcome is None:
            raise AideError(f"the record {id} is not in the journal")
        record = Record.from_dict(orjson.loads(outcome.payload), seed.parts)
        source = record.meta.get(DOCUMENT)
        return Point(
            id, record.draft, record.parts, outcome.depth, source if isinstance(source, dict) else {},
            record.lineage.way,
        )  # fmt: skip
