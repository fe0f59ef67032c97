"""Instructions taken apart into a query and its constraints, which are added, removed and replaced.

Ma et al., *TCIA: A Task-Centric Instruction Augmentation Method*, 2025 (arXiv 2508.20374): an instruction is a query
with a set of constraints. Breadth-first from the seeds, sets that differ by one constraint are made; constraints come
from a pool of instructions of the task. Each set becomes text again and is held to it, and its answer is graded on
several axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from aide.config.spec import RunSpec
from aide.errors import InputError, NodeError, Rejection
from aide.frontier import PlantWork, TreeShape
from aide.parsing import ModelPayload, ReplyModel, set_counts
from aide.recipes.base import Candidate
from aide.recipes.contract import Found, RecipeInputs
from aide.recipes.extraction import normalise_name
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Draft, Hop, Point, Record, Seed, rng

ADD: Final = "add"
REMOVE: Final = "remove"
REPLACE: Final = "replace"
MATTERS: Final = {ADD: "added", REMOVE: "removed", REPLACE: "replaced"}
"""The matter of each kind."""
AXES: Final = ("quality", "helpfulness", "instruction_following", "certainty", "truthfulness")
POOL: Final = 6
"""Other instructions that one parent may take constraints from."""
_MOST: Final = 8  # constraints of one instruction
_LETTERS: Final = 240
_TASK_WORDS: Final = 6

Grade = Annotated[int, Field(ge=1, le=10)]


class _Replacement(ReplyModel):
    instead_of: int = 0
    constraint: str


class _Decomposition(ReplyModel):
    task: str = ""
    query: str
    constraints: list[str] = Field(default_factory=list)
    additions: list[str] = Field(default_factory=list)
    replacements: list[_Replacement] = Field(default_factory=list)


class Grades(ReplyModel):
    """What is said of a text beside its constraints, and of its answer."""

    fault: str = ""
    consistent: bool
    self_contained: bool
    complete: bool
    obeyed: bool
    quality: Grade
    helpfulness: Grade
    instruction_following: Grade
    certainty: Grade
    truthfulness: Grade

    def find_fault(self, least: int) -> str:
        """The first reason to refuse the record; empty where every axis has at least the grade `least`."""
        checks = {
            "contradiction": self.consistent,
            "not_self_contained": self.self_contained,
            "constraint_lost": self.complete,
            "constraint_broken": self.obeyed,
            **{f"low_{axis}": getattr(self, axis) >= least for axis in AXES},
        }
        return next((reason for reason, passed in checks.items() if not passed), "")


@cache
def make_decomposition_payload(added: int, replaced: int) -> ModelPayload[_Decomposition, _Decomposition]:
    """A query with its constraints, and so many of others to add and to replace with."""

    def convert(said: _Decomposition) -> _Decomposition:
        if not said.query:
            raise ValueError("`query` must say what is asked for.")
        return said

    payload = ModelPayload("decomposition", _Decomposition, convert)
    schema = set_counts(payload.schema, {"additions": added, "replacements": replaced})
    if replaced:  # a text without constraints has none to replace
        del schema["properties"]["replacements"]["minItems"]
    payload.schema = schema
    return payload


@cache
def make_grades_payload() -> ModelPayload[Grades, Grades]:
    """What `Grades` holds."""
    return ModelPayload("constraint_grades", Grades, lambda said: said)


def list_sets(said: _Decomposition, wanted: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """The neighbours of an instruction: sets of constraints that differ from its own by one, as many as are wanted.

    One constraint stays in any case: a bare query is hardly ever a record. What was there first goes first, for the
    last one may be what the parent itself was given. A replacement for a constraint that there is none of takes the
    next one in turn. Where there is nothing that is wanted, a constraint more is offered.
    """
    query = _tidy(said.query)
    own = list(dict.fromkeys(filter(None, map(_tidy, said.constraints))))[:_MOST]
    known = {each.casefold() for each in own}
    new = [each for each in map(_tidy, said.additions) if each and each.casefold() not in known]
    added = [_make_way(query, [*own, each], added=each) for each in dict.fromkeys(new)]
    fewer = own if len(own) > 1 else ()
    removed = [_make_way(query, [other for other in own if other != each], removed=each) for each in fewer]
    swaps: dict[tuple[str, int], None] = {}
    for place, each in enumerate(said.replacements if own else ()):
        constraint, at = _tidy(each.constraint), each.instead_of - 1
        at = at if 0 <= at < len(own) else place % len(own)
        if constraint and constraint.casefold() not in known:
            swaps[constraint, at] = None
    replaced = [
        _make_way(query, [*own[:at], each, *own[at + 1 :]], added=each, removed=own[at]) for each, at in swaps
    ]
    sets = zip(MATTERS.values(), (added, removed, replaced), wanted, strict=True)
    found = {matter: ways[:count] for matter, ways, count in sets}
    return found if any(found.values()) else {**found, MATTERS[ADD]: added[:1]}


def _make_way(query: str, constraints: Sequence[str], **changed: str) -> dict[str, Any]:
    return {**changed, "query": query, "constraints": list(constraints)}


class Tcia(WrittenRecipe):
    """The query of a parent under other constraints."""

    name = "tcia"
    summary = (
        "The query of each parent under one constraint more, one fewer, or another one, taken from a pool."
    )
    source = "Ma et al., TCIA, 2025 (arXiv 2508.20374)"
    needs = "two seeds or more that put conditions on what they ask for"
    settings = frozenset({"hops", "attributes", "min_diversity", "corpus"})
    # A record asks its parent's query.
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 0.0, "residual": "off", "steer": False, "min_diversity": 3,
    }  # fmt: skip
    draws_traits = False
    deals_topics = False
    typical: ClassVar[Mapping[str, str]] = {
        "query": "Say what comes of a common matter of this kind.",
        "constraints": "Only what is left over from before counts {}.",
        "additions": "A tenth of it is taken off at the end {}.",
        "constraint": "Each of them takes a quarter of an hour {}.",
        "fault": "",
    }

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """As many sets of each kind."""
        return cls.make_shape(spec, dict.fromkeys(MATTERS.values(), spec.attributes), MATTERS)

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """There is a pool, and constraints change no label."""
        format = inputs.format
        if format.labelled or format.structured or format.chats:
            raise InputError(
                f"the recipe tcia makes nothing of outputs of the format {format.name}",
                hint="its answers are prose, options or code; --recipe aide takes every format",
            )
        if not spec.attributes:
            raise InputError("--attributes 0 leaves no constraints", hint="--attributes 3 is usual")
        if len(inputs.seeds) < 2 and not spec.corpus:
            raise InputError(
                "one seed has no other to take constraints from", hint="give two seeds, or --corpus FILE"
            )
        super().check(spec, inputs)

    @classmethod
    def allow_length(cls, spec: RunSpec) -> float:
        """Half as long again for the constraints that each hop may add."""
        return 1 + spec.hops / 2

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A query under three constraints."""
        three = [cls.typical["constraints"].format(f"{number}{letter}") for letter in "abc"]
        return _make_way(cls.typical["query"], three, added=three[-1])

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """The parent taken apart, and constraints of others that it might have, by one call."""
        added, replaced = max(1, work.wanted[0]), work.wanted[2]
        said = await ask(
            "extract", make_decomposition_payload(added, replaced), template="recipes/tcia/decompose", demos=(),
            max_output=300 + 60 * (added + replaced), text=point.draft.input, parts=point.parts,
            others=self._draw_others(point), additions=added, replacements=replaced,
        )  # fmt: skip
        sets = list_sets(said, work.wanted)
        if not any(sets.values()):
            raise NodeError(
                "no_constraints", "none of its own can be changed, and none of the pool was new to it"
            )
        return Found(normalise_name(said.task, _TASK_WORDS), sets)

    def _draw_others(self, point: Point) -> list[str]:
        """Instructions of the pool: of seeds and corpus as many, as far as they go."""
        dice = rng("pool", point.id)
        seeds = [seed.draft.input for seed in self.context.seeds if seed.draft.input != point.draft.input]
        corpus = [text for text in self.context.corpus if text != point.draft.input]
        half = max(POOL - len(seeds), POOL // 2) if seeds else POOL
        borrowed = dice.sample(corpus, min(half, len(corpus)))
        return [*dice.sample(seeds, min(POOL - len(borrowed), len(seeds))), *borrowed]

    def find_template(self, hop: Hop) -> str:
        """One prompt for all kinds."""
        return "recipes/tcia/write"

    def find_revision(self) -> str:
        """What is rewritten keeps its constraints."""
        return "recipes/tcia/revise"

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """The query, and what is put on it."""
        told = "; ".join(each.rstrip(".") for each in hop.way["constraints"])
        return f"Query: {hop.way['query']} Constraints: {told or 'none'}."

    async def finish(self, hop: Hop, draft: Draft, ask: Ask) -> Record:
        """As any written record; with reflection its constraints are held against text and answer."""
        record = await super().finish(hop, draft, ask)
        if not self.context.spec.reflection:
            return record
        context = self.context
        with Candidate(record.draft, record.scores):
            grades = await ask(
                "reflect", make_grades_payload(), template="recipes/tcia/grade", max_output=400, demos=(),
                text=context.format.show_input(record.draft), answer=context.format.render(record.draft),
                query=hop.way["query"], constraints=hop.way["constraints"], parts=record.parts,
            )  # fmt: skip
            if reason := grades.find_fault(context.spec.min_relevance):
                raise Rejection("reflect", reason, grades.fault)
        return replace(record, scores={**record.scores, **{axis: getattr(grades, axis) for axis in AXES}})


def _tidy(text: str) -> str:
    return " ".join(text.split())[:_LETTERS]
