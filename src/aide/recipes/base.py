"""What a recipe is given, and how it asks for several things at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from aide.config.spec import RunSpec
from aide.errors import AideError, NodeError
from aide.formats import Demonstration, Format, Question, TaskCard
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes.contract import Grown
from aide.recipes.personas import PersonaBank
from aide.recipes.writing import EVIDENCE
from aide.records import (
    Ask,
    Comparison,
    Draft,
    Group,
    Hop,
    Payload,
    Reading,
    Record,
    Seed,
)
from aide.retrieval import Knowledge
from aide.verify.answers import AnswerChecks

if TYPE_CHECKING:
    from aide.recipes.collection import PassageCollection

A = TypeVar("A")
B = TypeVar("B")


class Deduplicator(Protocol):
    """Duplicates, as a recipe sees them. Its decisions are journaled, so that a resume repeats them."""

    def check_wording(self, id: str, text: str) -> str:
        """Reserve `text` for the candidate `id`, or say in a sentence what it repeats."""
        ...

    async def check_meaning(self, id: str, text: str, *, lenient: bool) -> str:
        """Say in a sentence what means nearly the same; always empty where there are no embeddings.

        A `lenient` text may: others are compared with it all the same.
        """
        ...


class Judge(Protocol):
    """The judge, as a recipe sees it: texts of different records may share a call, and none knows of it."""

    def announce(self, group: str, count: int) -> None:
        """So many candidates of a group may ask for a reading and a comparison; each withdraws once it has ended."""
        ...

    def withdraw(self, hop: Hop) -> None:
        """An announced candidate has ended, and asks for nothing more."""
        ...

    async def read(self, hop: Hop, draft: Draft) -> Reading:
        """Part one, blind; raises `errors.NodeError` where the judge said nothing usable."""
        ...

    async def compare(self, hop: Hop, draft: Draft) -> Comparison:
        """Part two, beside the parent; raises `errors.NodeError` where the judge said nothing usable."""
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
    judge: Judge
    bank: PersonaBank | None
    """Where personas come from; `None` where the model names them."""
    demonstrations: Callable[[Seed], tuple[Demonstration, ...]]
    """D_T of a seed's whole tree, as prompts for answers show it."""
    examples: Callable[[Group], tuple[Demonstration, ...]]
    """The examples that a group's writer sees."""
    near_labels: Mapping[str, Sequence[str]]
    """For each label the others, the most easily confused first."""
    seeds: Sequence[Seed] = ()
    """All seeds that the folder ever knew, those that came first before the others."""
    fixed_parts: bool = False
    """Whether inputs have parts that are never rewritten."""
    keeps_thoughts: bool = False
    """Whether a record holds what the model thought before its answer."""
    knowledge: Knowledge | None = None
    """Passages that stand beside answers and their judge."""
    collection: "PassageCollection | None" = None
    """The passages that a recipe searches."""
    corpus: Sequence[str] = ()
    """The texts of `--corpus`."""
    wants: Callable[[Hop], bool] = lambda hop: True
    """False where a record of this hop would come too late for the target."""
    note_written: Callable[[Group, int], None] = lambda group, count: None
    """Hears of how many records of a group the writer's call brought the texts."""

    @property
    def joint(self) -> bool:
        """Whether inputs are written together with their answers."""
        return bool(self.reply)

    @property
    def reply(self) -> str:
        """How inputs are written together with their answers; empty where they are not. See `Format.reply`."""
        return choose_reply(
            self.spec, self.format, fixed_parts=self.fixed_parts, thoughtful=self.keeps_thoughts
        )

    def question(self, hop: Hop, draft: Draft) -> Question:
        """A new input of a hop as its format takes it."""
        demos, model = self.demonstrations(hop.seed), hop.parent.draft
        parts = self.format.list_fixed(model, hop.parent.parts)
        question = Question(hop.id, draft.input, parts, hop.label, demos, self.card.max_answer_tokens)
        return self.format.ask_about(question, draft, model)

    def confusable(self, label: str | None) -> Sequence[str]:
        """Other labels, the most easily confused first."""
        return self.near_labels.get(label or "", ())


def choose_reply(spec: RunSpec, format: Format, *, fixed_parts: bool, thoughtful: bool = False) -> str:
    """How `--answer joint` takes effect: `Format.reply`, or `evidence` where a label rests on a fixed part.

    The label itself is never written along: the hop brings it. Solutions to tests are found without sight of these.
    Where records are to be `thoughtful`, only options are: what a writer thought belongs to all that it wrote, and to
    the making of questions besides. Which option is right is then thought out by a call of its own. Passages of
    `--knowledge` are found by an input that is there, so its answer is asked for then.
    """
    if spec.answer != "joint" or spec.knowledge or (thoughtful and format.reading != "options"):
        return ""
    return EVIDENCE if format.labelled and fixed_parts and not format.structured else format.reply


async def finish_each(
    hops: Iterable[Hop], finish: Callable[[Hop], Coroutine[Any, Any, Record]], model: Callable[[], str]
) -> AsyncGenerator[Grown, None]:
    """`finish` for all hops at once, each result as soon as it is there.

    None is cancelled where another fails, whatever its fault: what it has on the wire is paid for and must be kept.
    """

    async def run(hop: Hop) -> Grown:
        try:
            return Grown(hop, await finish(hop), model())
        except Exception as fault:  # noqa: BLE001 - told at once: the others may wait until the run has heard of it
            return Grown(hop, fault)

    tasks = [asyncio.create_task(run(hop)) for hop in hops]
    try:
        for ended in asyncio.as_completed(tasks):
            yield await ended
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    finally:
        for task in tasks:
            await asyncio.wait([task])
            task.cancelled() or task.exception()


@dataclass(slots=True)
class Candidate:
    """The candidate under way: what is raised while it is entered knows its input, and what the judge said of it."""

    draft: Draft
    scores: Mapping[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, NodeError):
            fault.input, fault.scores = self.draft.input, self.scores


def charge_to(node: str, ask: Ask) -> Ask:
    """`ask` for the calls that are made for one record of a group alone."""

    async def booked(step: str, payload: Payload[A], /, **how: Any) -> A:
        return await ask(step, payload, node=node, **how)

    return booked


async def run_all(work: Iterable[Coroutine[Any, Any, A]]) -> list[A]:
    """All results, in their order. Where one fails the others are awaited before its fault is raised.

    A call that was cancelled would be paid for without its answer, and would take along all who share it.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_catch(each)) for each in work]
    ends = [task.result() for task in tasks]
    for end in ends:
        if isinstance(end, AideError):
            raise end
    return cast("list[A]", ends)


async def run_side_by_side(one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Both results, as `run_all` gives them."""
    return cast("tuple[A, B]", tuple(await run_all(cast("list[Coroutine[Any, Any, Any]]", [one, other]))))


async def _catch(work: Coroutine[Any, Any, A]) -> A | AideError:
    """The result, or the fault that `errors` foresees as a value."""
    try:
        return await work
    except AideError as fault:
        return fault
