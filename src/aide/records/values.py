"""The values that every part speaks of, and the protocols of the two ways to a model.

Words are those of the AIDE paper (Li et al., ACL 2025, arXiv 2412.06136). Everything here is frozen, slotted
and hashable where it can be; nothing here imports another module of the project.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ID_BYTES: Final = 10
FORMATS: Final = ("open", "free_text", "multiple_choice", "yes_no", "classification", "code")
OPERATIONS: Final = ("constraint", "reasoning", "concretize")
PERSONA: Final = "persona"


def digest(*parts: str) -> str:
    """20 hex digits of blake2b over the parts, each with its length, so that no two lists collide."""
    h = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()


def rng(*parts: str) -> random.Random:
    """The only source of randomness: a generator seeded by names, the same on every machine."""
    return random.Random(int(digest(*parts), 16))


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
class Draft:
    """The content of a data point: what a seed and a record have in common.

    `input` is the varying part V only: for inputs without fixed parts it is the whole input. `choices` hold
    `output` exactly once where there are any. `evidence` is a verbatim quote of a fixed part.
    """

    input: str
    output: str = ""
    choices: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    reasoning: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The frame of an input that has parts: fixed parts F, and where the varying part V stands.

    `frame` is the whole input with `{name}` where each part stands (`{{`, `}}` are literal braces);
    `varying` is the name of V.
    """

    fixed: tuple[tuple[str, str], ...] = ()
    varying: str = "input"
    frame: str = "{input}"

    def whole(self, varying: str) -> str:
        """The complete input for one varying part; fixed parts come out byte-equal."""
        if not self.fixed and self.frame == "{input}":
            return varying
        return self.frame.format_map({**dict(self.fixed), self.varying: varying})

    @property
    def fixed_text(self) -> str:
        """The fixed parts alone, one below the other."""
        return "\n".join(text for _, text in self.fixed)

    def as_dict(self, varying: str) -> dict[str, str]:
        """All parts by name, fixed ones first; empty where the input has no parts."""
        return {**dict(self.fixed), self.varying: varying} if self.fixed else {}


WHOLE: Final = Parts()


@dataclass(frozen=True, slots=True)
class Seed:
    """X_i^(0), Y_i: one example that a person gave. `id` is the hash of its content, `name` the person's own id."""

    id: str
    draft: Draft
    parts: Parts = WHOLE
    name: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @staticmethod
    def identify(draft: Draft, parts: Parts) -> str:
        """The content hash: input, output, choices and fixed parts; never the person's id or meta."""
        return digest("seed", parts.whole(draft.input), draft.output, *draft.choices)


@dataclass(frozen=True, slots=True)
class Point:
    """X^(k-1): a seed or an accepted record seen as the parent of the next hop."""

    id: str
    draft: Draft
    parts: Parts
    depth: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One unit of work: grow one record from `parent` along a triple or a persona.

    `operation` is the name of an operation, or `persona`. `label` is the intended label for formats with a fixed
    label set. `draw` counts further tries along the same triple or persona, 0 for the first. `siblings` are the hops
    that one call serves together (inputs with fixed parts), this one included. `others` names what its siblings
    take up, where each is told of the rest.
    """

    seed: Seed
    parent: Point
    depth: int
    operation: str
    triple: Triple | None = None
    persona: str | None = None
    topic: str = ""
    label: str | None = None
    draw: int = 0
    anchored: bool = False
    siblings: "tuple[Hop, ...]" = ()
    others: tuple[str, ...] = ()

    id: str = field(init=False)

    def __post_init__(self) -> None:
        """`record_id`: blake2b(parent_id, operation, triple | persona, label, draw); the same on every machine."""
        along = "\x1f".join(self.triple.as_dict().values()) if self.triple else (self.persona or "")
        id = digest("record", self.parent.id, self.operation, along, self.label or "", str(self.draw))
        object.__setattr__(self, "id", id)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge wrote, in the order it wrote it: it solves and criticises before it scores."""

    own_answer: str
    critique: str
    on_task: bool
    answerable: bool
    gives_away: bool
    correct: bool
    relevance: int
    diversity: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a record came from."""

    seed_id: str
    parent_id: str
    hop: int
    operation: str
    triple: Triple | None
    persona: str | None
    anchored: bool

    @classmethod
    def of(cls, hop: Hop) -> "Lineage":
        """The lineage of whatever grows from `hop`."""
        return cls(
            hop.seed.id, hop.parent.id, hop.depth, hop.operation, hop.triple, hop.persona, hop.anchored
        )

    def as_dict(self) -> dict[str, Any]:
        """The lineage as it stands on disk."""
        return {
            "seed_id": self.seed_id,
            "parent_id": self.parent_id,
            "hop": self.hop,
            "operation": self.operation,
            "triple": self.triple.as_dict() if self.triple else None,
            "persona": self.persona,
            "anchored": self.anchored,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Lineage":
        """The inverse of `as_dict`."""
        triple = data.get("triple")
        return cls(
            data["seed_id"],
            data["parent_id"],
            data["hop"],
            data["operation"],
            Triple(**triple) if triple else None,
            data.get("persona"),
            data["anchored"],
        )


@dataclass(frozen=True, slots=True)
class Record:
    """An accepted data point at hop k."""

    id: str
    task: str
    format: str
    draft: Draft
    parts: Parts
    lineage: Lineage
    scores: Mapping[str, Any] = field(default_factory=dict, hash=False)
    revisions: int = 0
    model: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, Any]:
        """One line of a shard. `choices, parts, tests, reasoning` stand there only where they exist."""
        draft = self.draft
        out: dict[str, Any] = {
            "id": self.id,
            "task": self.task,
            "format": self.format,
            "input": self.parts.whole(draft.input),
            "output": draft.output,
        }
        optional = {
            "choices": list(draft.choices),
            "parts": self.parts.as_dict(draft.input),
            "tests": list(draft.tests),
            "reasoning": draft.reasoning,
        }
        out.update({name: value for name, value in optional.items() if value})
        meta = {**self.meta, "evidence": draft.evidence} if draft.evidence else dict(self.meta)
        out.update(
            lineage=self.lineage.as_dict(),
            scores=dict(self.scores),
            revisions=self.revisions,
            model=self.model,
            meta=meta,
        )
        return out


@dataclass(frozen=True, slots=True)
class Reject:
    """A candidate that did not become a record: at which step, and why."""

    id: str
    step: str
    reason: str
    detail: str
    lineage: Lineage
    failed: bool = False
    input: str = ""

    def as_dict(self) -> dict[str, Any]:
        """One line of `rejects.jsonl`."""
        return {
            "id": self.id,
            "step": self.step,
            "reason": self.reason,
            "detail": self.detail,
            "failed": self.failed,
            "input": self.input,
            "lineage": self.lineage.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or of many. `estimated` counts the calls whose server told no usage."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    estimated: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Usage of both together."""
        return Usage(
            self.calls + other.calls,
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
            self.estimated + other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: str
    content: str

    def as_dict(self) -> dict[str, str]:
        """The message as it goes over the wire."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Correction:
    """What makes a repeated question differ on the wire: the last answer and what was wrong with it."""

    said: str
    problem: str


class Payload(Protocol[T_co]):
    """What a step's completion must be: how to ask for it, and how to read it.

    `schema` is a closed JSON Schema with a name, or `None` where plain text is wanted. `read` takes the cleaned
    text of the completion and returns the typed value.

    Raises (from `read`): `errors.Unusable`, whose `problem` is shown to the model in the one re-ask.
    """

    @property
    def name(self) -> str:
        """Name of the schema on the wire."""
        ...

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """What the completion must be an instance of; `None` where plain text is wanted."""
        ...

    def read(self, text: str) -> T_co:
        """The typed value of a completion's text."""
        ...


class Ask(Protocol):
    """The one way to a chat model, handed to everything that needs one; durable by construction.

    `template` names the prompt (`synthesize/constraint`), `context` fills it. `draw` above 0 asks for a further
    sample of the same question. `correction` carries what was wrong with the last answer. `max_output` is in tokens.

    Raises: `errors.NodeError` where this question can't be answered; `errors.AideError` of scope `run` where none can.
    """

    async def __call__(
        self,
        step: str,
        payload: Payload[T],
        /,
        *,
        template: str = "",
        max_output: int,
        draw: int = 0,
        correction: Correction | None = None,
        **context: Any,
    ) -> T:
        """The typed answer of the model, from the journal where it is there."""
        ...


class Embed(Protocol):
    """The one way to an embedding model.

    Returns one vector per text, all of the same length, each of unit norm.
    """

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors, in the order of `texts`."""
        ...


__all__ = [
    "FORMATS", "OPERATIONS", "PERSONA", "WHOLE", "Ask", "Correction", "Draft", "Embed", "Hop", "Lineage", "Message",
    "Parts", "Payload", "Point", "Record", "Reject", "Seed", "Triple", "Usage", "Verdict", "digest", "replace", "rng",
]  # fmt: skip
