"""What comes of a hop: a record or a reject, each with its lineage; and what the judge said."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, Self, get_args

from aide.records.content import WHOLE, Draft, Parts, find_varying_name, read_varying
from aide.records.tree import Hop, Triple
from aide.text.structure import read_structure

FormatName = Literal[
    "open", "free_text", "multiple_choice", "yes_no", "classification", "code", "json", "multi_label",
    "chat",
]  # fmt: skip
FORMATS: Final[tuple[FormatName, ...]] = get_args(FormatName)
STRUCTURED: Final[frozenset[str]] = frozenset({"json", "multi_label"})
"""Formats whose outputs are JSON values: so they stand in a line, and as text in a draft."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Part one of a verdict: what the judge said of a text without its answer, its label, its parent and its seed."""

    own_answer: str = ""
    """What the judge answered; empty where the format asks for no answer, or none of the options was right."""
    second_answer: str = ""
    """An answer that fits nearly as well; empty where there is none."""
    fault: str = ""
    """What makes it unfit and how to mend it; empty where nothing does."""
    on_task: bool = True
    in_style: bool = True
    plausible: bool = True
    answerable: bool = True
    """Whether it has one right answer and needs nothing that it does not state."""
    gives_away: bool = False
    relevance: int = 10
    """How well it stands beside real examples, 1 to 10."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Part two: the text beside its parent and, where code can't compare answers, beside its answer."""

    correct: bool = True
    residue: bool = False
    """Whether a rest of the parent is left in it that makes no sense there."""
    diversity: int = 10
    """How far it is from its parent, 1 to 10."""
    fault: str = ""
    """What is wrong with its answer; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said of a candidate."""

    reading: Reading
    comparison: Comparison | None = None
    """None where there is nothing to compare: a plain record whose answer code has compared."""

    @property
    def fault(self) -> str:
        """The faults of both parts in the judge's words."""
        return " ".join(filter(None, (self.reading.fault, self.comparison.fault if self.comparison else "")))

    def as_scores(self) -> dict[str, Any]:
        """The grades, and in words what else was noticed, as they stand in a record or a reject."""
        reading, comparison = self.reading, self.comparison
        return {
            "relevance": reading.relevance,
            **({"diversity": comparison.diversity} if comparison else {}),
            **({"second_answer": reading.second_answer} if reading.second_answer else {}),
            **({"fault": self.fault} if self.fault else {}),
        }

    def as_dict(self) -> dict[str, Any]:
        """All that the judge said, as `aide grade` writes it."""
        return {
            **asdict(self.reading),
            **(asdict(self.comparison) if self.comparison else {}),
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a record came from."""

    seed_id: str
    parent_id: str
    """At hop 1 the seed's id."""
    hop: int
    operation: str
    triple: Triple | None
    persona: str | None
    anchored: bool
    label: str | None = None
    """The label that was asked for, for formats with a fixed set of labels."""
    topic: str = ""
    """The parent's topic or, of a plain record, the one of the task's topic map."""
    traits: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The traits that were drawn for it and asked of the writer."""
    group: str = ""
    """The group of records that it was written in."""
    way: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What a recipe grew it along, where that is neither a triple nor a persona."""

    @classmethod
    def of(cls, hop: Hop) -> Self:
        """The lineage of whatever grows from `hop`."""
        parent = hop.seed.id if hop.depth == 1 else hop.parent.id
        return cls(
            hop.seed.id, parent, hop.depth, hop.operation, hop.triple, hop.persona, hop.anchored, hop.label, hop.topic,
            hop.traits, hop.group, hop.way,
        )  # fmt: skip

    @property
    def origin(self) -> str:
        """What the record was grown from, in one line: the triple, the persona, a recipe's own way, or the topic."""
        if self.triple or self.way:
            along = self.triple.as_dict() if self.triple else self.way
            values = (
                "; ".join(map(str, each)) if isinstance(each, list) else str(each) for each in along.values()
            )
            return " / ".join(filter(None, values))
        return self.persona or self.topic

    def describe(self) -> str:
        """Hop, operation and origin, where it has one, in one line."""
        return f"hop {self.hop}, {': '.join(filter(None, (self.operation, self.origin)))}"

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
            **({"label": self.label} if self.label else {}),
            **({"topic": self.topic} if self.topic else {}),
            **({"traits": dict(self.traits)} if self.traits else {}),
            **({"group": self.group} if self.group else {}),
            **({"way": dict(self.way)} if self.way else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`. A field that `data` lacks has its default: older versions did not write it.

        Raises:
            TypeError: `data` is no lineage.
        """
        values = {"triple": None, "persona": None, **data}
        values["triple"] = Triple(**values["triple"]) if values["triple"] else None
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})


@dataclass(frozen=True, slots=True)
class Record:
    """An accepted example at hop k."""

    id: str
    task: str
    format: str
    draft: Draft
    parts: Parts
    lineage: Lineage
    scores: Mapping[str, Any] = field(default_factory=dict, hash=False)
    revisions: int = 0
    model: str = ""
    """The model that wrote the input, by the name it answered with."""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, Any]:
        """One line of a shard, as docs/run-folder.md describes it."""
        draft = self.draft.as_dict()
        if self.format in STRUCTURED and (value := read_structure(self.draft.output)) is not None:
            draft["output"] = value
        # Version 0.1 wrote `parts` behind `choices`, and evidence into `meta`; what reads its lines reads these too.
        before: dict[str, Any] = {
            name: draft.pop(name) for name in ("input", "output", "choices") if name in draft
        }
        parts = {"parts": self.parts.texts(self.draft.input), "varying": self.parts.varying}
        quote = {"evidence": draft.pop("evidence")} if "evidence" in draft else {}
        return {
            "id": self.id,
            "task": self.task,
            "format": self.format,
            **before,
            "input": self.parts.whole(self.draft.input),
            **(parts if self.parts.fixed else {}),
            **draft,
            "lineage": self.lineage.as_dict(),
            "scores": dict(self.scores),
            "revisions": self.revisions,
            "model": self.model,
            "meta": {**self.meta, **quote},
        }

    @classmethod
    def from_dict(cls, line: Mapping[str, Any], frame: Parts | None = None) -> Self:
        """The inverse of `as_dict`.

        A line holds the texts of its parts but not how they stand together. That is taken from `frame`, the parts of
        its seed; without it, from the whole input.
        """
        meta = dict(line["meta"])
        content = {**line, "input": read_varying(line), "evidence": meta.pop("evidence", "")}
        return cls(
            line["id"],
            line["task"],
            line["format"],
            Draft.from_dict(content),
            _read_parts(line, frame),
            Lineage.from_dict(line["lineage"]),
            line["scores"],
            line["revisions"],
            line["model"],
            meta,
        )


def _read_parts(line: Mapping[str, Any], frame: Parts | None) -> Parts:
    name = find_varying_name(line)
    if not name:
        return frame or WHOLE
    if frame is None or not frame.fixed:  # its seed may have none: a document was put beside it
        return Parts.locate(line["input"], line["parts"], name)
    return replace(frame, fixed=tuple((each, line["parts"][each]) for each, _ in frame.fixed))


@dataclass(frozen=True, slots=True)
class Reject:
    """A candidate that did not become a record: at which step, and why."""

    id: str
    step: str
    reason: str
    detail: str
    """A sentence: the length, the id of the duplicate, the judge's critique, the server's words."""
    failed: bool
    """True where the endpoint was at fault, so that another try may succeed."""
    input: str
    """The candidate's text, where it was kept."""
    lineage: Lineage
    scores: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the judge had said of it by then."""

    def as_dict(self) -> dict[str, Any]:
        """One line of `rejects.jsonl`."""
        return {
            "id": self.id,
            "step": self.step,
            "reason": self.reason,
            "detail": self.detail,
            "failed": self.failed,
            "input": self.input,
            **({"scores": dict(self.scores)} if self.scores else {}),
            "lineage": self.lineage.as_dict(),
        }
