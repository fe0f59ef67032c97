"""What a recipe is given, and what it gives back."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar, cast

from aide.config.spec import RunSpec
from aide.errors import AideError, NodeError
from aide.formats import Demonstration, Format, Question, TaskCard
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes.personas import PersonaBank
from aide.records import Ask, Draft, Hop, Point, Record, Seed, Triple
from aide.registry import Registry
from aide.verify.answers import AnswerChecks

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a data point is about: all that its children are grown along."""

    topic: str
    triples: tuple[Triple, ...]
    personas: tuple[str, ...]


class Deduplicator(Protocol):
    """Duplicates, seen from a recipe: its decisions are journaled, so that a resume repeats them."""

    def claim(self, id: str, text: str) -> str:
        """Take `text` for the candidate `id`, or say in a sentence which twin has it already."""
        ...

    async def meant(self, id: str, text: str) -> str:
        """The same for what means nearly the same; always new where there are no embeddings."""
        ...


@dataclass(frozen=True)
class RecipeContext:
    """Everything fixed before the first record: spec, card, format, gates, prompts.

    `demonstrations` gives D_T for a seed, `confusable` the labels nearest to one, nearest first.
    """

    spec: RunSpec
    task: str
    card: TaskCard
    format: Format
    gate: FormGate
    checks: AnswerChecks
    standard: Thresholds
    prompts: Prompts
    novelty: Deduplicator
    graph_triples: int
    bank: PersonaBank | None
    demonstrations: Callable[[Seed], tuple[Demonstration, ...]]
    near_labels: Mapping[str, Sequence[str]]

    @property
    def joint(self) -> bool:
        """Whether input and output come from one call."""
        return is_joint(self.spec, self.format)

    def question(self, hop: Hop, text: str) -> Question:
        """A new input of a hop as its format takes it."""
        demos = self.demonstrations(hop.seed)
        return Question(hop.id, text, hop.parent.parts, hop.label, demos, self.card.max_answer_tokens)

    def confusable(self, label: str | None) -> Sequence[str]:
        """Other labels, the most easily confused first."""
        return self.near_labels.get(label or "", ())


def is_joint(spec: RunSpec, format: Format) -> bool:
    """Whether `--answer joint` takes effect: labels, and solutions to tests, are found without sight of the other."""
    return spec.answer == "joint" and not format.labelled and not format.runs_tests


class Recipe(Protocol):
    """A way to expand: `plant` finds what a point is about, `grow` makes one record.

    Both raise `errors.NodeError` where this point or hop comes to nothing.
    """

    name: str

    async def plant(self, seed: Seed, point: Point, ask: Ask) -> Attributes:
        """What the children of this point are grown along."""
        ...

    async def grow(self, hop: Hop, ask: Ask) -> Record:
        """One accepted record."""
        ...


@dataclass(slots=True)
class Candidate:
    """The candidate under way: whatever is raised while it is entered knows the input it was about."""

    draft: Draft

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, NodeError):
            fault.input = self.draft.input


async def run_side_by_side(one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Both results. Where either fails the other is heard out before the fault is raised.

    A call that was stopped would be paid for without its answer, and would take along all who share it.
    """
    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(_heard_out(one)), group.create_task(_heard_out(other))
    for end in (first.result(), second.result()):
        if isinstance(end, AideError):
            raise end
    return cast("tuple[A, B]", (first.result(), second.result()))


async def _heard_out(work: Coroutine[Any, Any, A]) -> A | AideError:
    """The result, or the fault that `errors` foresees as a value."""
    try:
        return await work
    except AideError as fault:
        return fault


RECIPES: Registry[Callable[[RecipeContext], Recipe]] = Registry("recipe")
