"""The tree that grows from a seed: seeds, parents, hops. Words are those of Li et al., AIDE, ACL 2025 (2412.06136)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aide.records.content import WHOLE, Draft, Parts
from aide.records.ids import digest
from aide.records.turns import render_turns

OPERATIONS: Final = ("constraint", "reasoning", "concretize")
DOMAIN: Final = "domain"
"""The operation that leaves the domains of the seeds, while task or label stay: only where it is asked for."""
PERSONA: Final = "persona"
PLAIN: Final = "plain"
"""The operation without a parent: one of the usual things, as most real examples are."""

DOCUMENT: Final = "document"
"""The key under which a record's `meta` says where its document stands."""


@dataclass(frozen=True, slots=True)
class Triple:
    """(t, r, a): a topic, the relation that ties an attribute to it, the attribute."""

    topic: str
    relation: str
    attribute: str

    def as_dict(self) -> dict[str, str]:
        """The triple as it stands in a record's lineage."""
        return {"topic": self.topic, "relation": self.relation, "attribute": self.attribute}


@dataclass(frozen=True, slots=True)
class Seed:
    """X_i^(0), Y_i: one example that a person gave."""

    id: str
    """The hash of its content, so that an edited seed is a new seed."""
    draft: Draft
    parts: Parts = WHOLE
    name: str = ""
    """The person's own id for it."""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Fields of the seed's row that have no other place and hold for whatever grows from it."""
    own: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Fields that tell of this seed alone, such as the number of its tokens: no record gets them."""

    @staticmethod
    def identify(draft: Draft, parts: Parts) -> str:
        """The content hash: input, output, choices, fixed parts and turns; never the person's id or meta."""
        chat = [render_turns(draft.turns), draft.system, *draft.tools] if draft.turns else []
        return digest("seed", parts.whole(draft.input), draft.output, *draft.choices, *chat)

    def as_dict(self) -> dict[str, Any]:
        """The seed as the journal keeps it, under its id.

        `meta` and `own` are left out: they may hold cells of a table that JSON can't, and no call needs them.
        """
        return {"name": self.name, **self.draft.as_dict(), **self.parts.as_dict()}

    @classmethod
    def from_dict(cls, id: str, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`, but for `meta`."""
        return cls(id, Draft.from_dict(data), Parts.from_dict(data), data["name"])


@dataclass(frozen=True, slots=True)
class Point:
    """X^(k-1): a seed or an accepted record seen as the parent of the next hop."""

    id: str
    draft: Draft
    parts: Parts
    depth: int
    source: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """Where its document stands, where one was put beside the seed: file, heading, offset."""
    way: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """What a recipe grew it along, where it is a record; see `Hop.way`."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One unit of work: grow one record from `parent` along one of its matters, or a plain one."""

    seed: Seed
    parent: Point
    """Of a plain record its seed: a plain record has no parent that its text comes from."""
    depth: int
    operation: str
    """The kind of the record: the name of an operation, `persona`, `plain`, or a recipe's own."""
    triple: Triple | None = None
    persona: str | None = None
    way: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What a recipe grows it along, where that is neither a triple nor a persona: plain JSON."""
    topic: str = ""
    label: str | None = None
    """The intended label, for formats with a fixed set of labels."""
    draw: int = 0
    """Counts further tries along the same matter, 0 for the first; of a plain record its ordinal."""
    anchored: bool = False
    """Whether the prompt shows the seed beside the parent."""
    others: tuple[str, ...] = ()
    """What its siblings take up, where each is written alone and told of the rest."""
    pool: str = ""
    """Of a plain record, the seeds that came together, among which its own was drawn."""
    ordinal: int = 0
    """Of a plain record, which one of its pool and label."""
    traits: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """The traits that were drawn for it, by name; the length by its unit, `words` or `characters`."""
    manner: str = field(default="", hash=False, compare=False)
    """The traits in the words of a prompt."""
    group: str = field(default="", hash=False, compare=False)
    """The id of the group that it is written in."""

    id: str = field(init=False)
    """The id of the record that comes of it."""

    @property
    def starts_anew(self) -> bool:
        """Whether its text starts from no other: that of a plain record, and the first about a document, where a seed
        lends its manner alone.
        """
        return self.operation == PLAIN or bool(self.parent.source and not self.parent.depth)

    def __post_init__(self) -> None:
        """Derive the id from what the record grows from and along, so that a resume finds the same one."""
        if self.operation == PLAIN:
            id = digest(PLAIN, self.pool, self.label or self.topic, str(self.ordinal))
        else:
            along = "\x1f".join(self.triple.as_dict().values()) if self.triple else (self.persona or "")
            if self.way:
                along = json.dumps(self.way, sort_keys=True)
            id = digest("record", self.parent.id, self.operation, along, self.label or "", str(self.draw))
        object.__setattr__(self, "id", id)


@dataclass(frozen=True, slots=True)
class Group:
    """Hops that are written together: children of one parent, or plain records of one label."""

    hops: tuple[Hop, ...]
    settled: frozenset[int] = frozenset()
    """Places of the hops that are settled: they belong to the group, for its call is known by all of them."""
    there: tuple[str, ...] = field(default=(), compare=False)
    """Texts that are there already, and are not to be said again."""

    @property
    def id(self) -> str:
        """Derived from its hops, so that a resume finds the same one."""
        return name_group([hop.id for hop in self.hops])


def name_group(ids: Sequence[str]) -> str:
    """The id of the group of these records."""
    return digest("group", *ids)
