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
    """Duplicates, as a recipe sees them. Its decisions are journaled, so that a resume repeats them."""

    def check_wording(self, id: str, text: str) -> str:
        """Reserve `text` for the candidate `id`, or say in a sentence what it repeats."""
        ...

    async def check_meaning(self, id: str, text: str) -> str:
        """Say in a sentence what means nearly the same; always empty where there are no embeddings."""
        ...


@dataclass(frozen=True)
class RecipeContext:
    """Everything that is fixed before the first record."""

    spec: RunSpec
    task: str
    """The task's name, which stands in each record."""
    card: TaskCard
    format: Format
    gate: FormGate
    checks: AnswerChecks
    thresholds: Thresholds
    prompts: Prompts
    deduplicator: Deduplicator
    graph_triples: int
    """Triples that graph expansion adds to those of extraction; 0 without it."""
    bank: PersonaBank | None
    """Where personas come from; `None` where the model names them."""
    demonstrations: Callable[[Seed], tuple[Demonstration, ...]]
    """D_T of a seed's whole tree."""
    near_labels: Mapping[str, Sequence[str]]
    """For each label the others, the most easily confused first."""

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

    Both raise `errors.NodeError` where this point or hop comes to nothing. Neither catches an error of scope run.
    """

    name: str

    async def plant(self, seed: Seed, point: Point, ask: Ask) -> Attributes:
        """What the children of this point are grown along."""
        ...

    async def grow(self, hop: Hop, ask: Ask) -> Record:
        """One accepted record."""
        ...

    async def rehearse(self, seed: Seed, ask: Ask, *, anchored: bool) -> None:
        """Make each kind of call once, as if `seed` were a parent, with an `ask` that answers nothing.

        The plan measures prompts with it. What a step would go on with is made up.
        """
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
    """Both results. Where either fails the other is awaited before the fault is raised.

    A call that was cancelled would be paid for without its answer, and would take along all who share it.
    """
    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(_catch(one)), group.create_task(_catch(other))
    for end in (first.result(), second.result()):
        if isinstance(end, AideError):
            raise end
    return cast("tuple[A, B]", (first.result(), second.result()))


async def _catch(work: Coroutine[Any, Any, A]) -> A | AideError:
    """The result, or the fault that `errors` foresees as a value."""
    try:
        return await work
    except AideError as fault:
        return fault


RECIPES: Registry[Callable[[RecipeContext], Recipe]] = Registry("recipe")
