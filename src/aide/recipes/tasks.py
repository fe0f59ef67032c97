"""Sub-tasks of a domain: they are named first, and each is grown along a grid of topics and levels of thought.

AnyTaskTune (Cui et al., 2024, arXiv 2407.07094) takes a domain apart into sub-tasks and makes a data set for each.
CORGI (Lee et al., 2024, arXiv 2310.09518) writes questions for every topic of a catalogue at rising levels of Bloom's
taxonomy, and trains on them level by level, all topics in turn.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final, TypeVar

from pydantic import Field

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.frontier import PlantWork, Root, TreeShape
from aide.parsing import ModelPayload, ReplyModel
from aide.recipes.base import charge_to
from aide.recipes.contract import Found, RecipeInputs, Roots
from aide.recipes.extraction import normalise_name
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Hop, Point, Seed, digest, rng
from aide.text.length import measure_length

M = TypeVar("M", bound=ReplyModel)
T = TypeVar("T")

LEVELS: Final = ("remember", "understand", "apply")
"""The first three levels of Bloom's taxonomy, from the lowest: those whose answers can be held to be right or wrong."""
TOPICS: Final = "topics"
_NAME_WORDS: Final = 8
_ASKS_LETTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Subtask:
    """One kind of task that people have in a domain."""

    name: str
    asks: str
    """What is given in it and what is asked for."""


class _Subtask(ReplyModel):
    subtask: str
    asks: str = ""


class _Subtasks(ReplyModel):
    subtasks: list[_Subtask] = Field(min_length=1)


class _Topics(ReplyModel):
    topics: list[str] = Field(min_length=1)


class ExactPayload(ModelPayload[M, T]):
    """A list by its one field: its schema wants exactly `count` items, reading forgives more or fewer."""

    __slots__ = ()

    def __init__(self, name: str, model: type[M], convert: Callable[[M], T], count: int) -> None:
        super().__init__(name, model, convert)
        schema = deepcopy(dict(self.schema or {}))
        schema["properties"][name] |= {"minItems": count, "maxItems": count}
        self.schema = schema


@cache
def make_subtasks_payload(count: int) -> ModelPayload[_Subtasks, tuple[Subtask, ...]]:
    """So many sub-tasks at most, no two of one name."""

    def convert(said: _Subtasks) -> tuple[Subtask, ...]:
        found: dict[str, Subtask] = {}
        for each in said.subtasks:
            name, asks = normalise_name(each.subtask, _NAME_WORDS), " ".join(each.asks.split())
            if name:
                found.setdefault(name.casefold(), Subtask(name, asks.rstrip(".")[:_ASKS_LETTERS]))
        if not found:
            raise ValueError("Every `subtask` must be a name of two to five words.")
        return tuple(found.values())[:count]

    return ExactPayload("subtasks", _Subtasks, convert, count)


@cache
def make_topics_payload(count: int) -> ModelPayload[_Topics, tuple[str, ...]]:
    """So many topics at most, no two alike."""

    def convert(said: _Topics) -> tuple[str, ...]:
        named = (normalise_name(each, _NAME_WORDS) for each in said.topics)
        found: dict[str, str] = {}
        for name in filter(None, named):
            found.setdefault(name.casefold(), name)
        if not found:
            raise ValueError("Every topic must be a matter in one to four words.")
        return tuple(found.values())[:count]

    return ExactPayload("topics", _Topics, convert, count)


class SubtaskRoots(Roots):
    """A seed and the number of a sub-task: every sub-task and every seed is there, and none more often than need be."""

    def __init__(self, count: int) -> None:
        self._count = count

    def list_roots(self, seeds: Sequence[Seed], label: str = "") -> tuple[Root, ...]:
        """See `Roots`: as many as there are seeds or sub-tasks, whichever are more.

        Which go together follows from the two, so that a seed that comes or goes leaves most others as they are.
        """
        pairs = sorted(
            (_name_root(seed, number), seed.id, number) for seed in seeds for number in range(self._count)
        )
        ids, numbers = {seed.id for seed in seeds}, set(range(self._count))
        free_seeds, free_numbers = set(ids), set(numbers)
        roots: list[Root] = []
        while pairs and len(roots) < max(len(ids), self._count):
            for name, seed, number in pairs:
                if seed in free_seeds and number in free_numbers:
                    roots.append(Root(name, seed))
                    free_seeds.remove(seed)
                    free_numbers.remove(number)
            # Those of which there are fewer go round once more.
            free_seeds, free_numbers = free_seeds or set(ids), free_numbers or set(numbers)
        return tuple(roots)

    def make_point(self, root: str, seed: Seed) -> Point:
        """See `Roots`: the root's own id, since a seed may stand in several."""
        return Point(root, seed.draft, seed.parts, 0)

    def find_number(self, root: str, seed: Seed) -> int:
        """The sub-task of a root."""
        return next(number for number in range(self._count) if _name_root(seed, number) == root)


class Tasks(WrittenRecipe):
    """The sub-tasks of a domain, each on a grid of topics and levels."""

    name = "tasks"
    summary = "Names the sub-tasks of a domain, and grows each of them over topics and levels of thought."
    source = "Cui et al., AnyTaskTune, 2024 (arXiv 2407.07094); Lee et al., CORGI, 2024 (arXiv 2310.09518)"
    needs = "a few seeds of a domain whose answers have no fixed labels"
    settings = frozenset({"hops", "attributes", "subtasks", "residual", "residual_after", "min_diversity"})
    defaults: ClassVar[Mapping[str, Any]] = {"plain_share": 0.0, "attributes": 4}
    # The form of a seed, such as its number of steps, would contradict a level.
    draws_traits = False
    typical: ClassVar[Mapping[str, str]] = {
        "subtask": "a usual sub-task {}",
        "asks": "some facts are given and one more is asked for",
    }

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """A child of each topic at each level."""
        return cls.make_shape(spec, {TOPICS: spec.attributes}, dict.fromkeys(LEVELS, TOPICS))

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """There are topics, and the outputs are not tied to one task by labels, a schema or turns."""
        if not spec.attributes:
            raise InputError(
                "--attributes 0 leaves no topics", hint="--attributes 4 is usual with this recipe"
            )
        if inputs.format.labelled or inputs.format.structured or inputs.format.chats:
            raise InputError(
                f"the recipe {cls.name} needs answers of no fixed kind; these are of the format {inputs.format.name}",
                hint="leave --recipe out: labels, JSON and chats grow by the default recipe",
            )

    @classmethod
    def roots(cls, spec: RunSpec, inputs: RecipeInputs) -> SubtaskRoots:
        """A first parent for each sub-task."""
        return SubtaskRoots(spec.subtasks)

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A topic of the usual length."""
        return {**_write_way(Subtask("a usual sub-task", cls.typical["asks"])), "topic": f"a matter {number}"}

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """Sub-task and topic with the number of the level, by which records can be ordered."""
        return {"way": {**matter, "level": LEVELS.index(kind) + 1}}

    @classmethod
    def describe_matter(cls, matter: Any) -> str:
        """The topic."""
        return str(matter["topic"])

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """Topics of the sub-task of a root, or of the one that a record was grown for."""
        (count,) = work.wanted
        subtask = await self._find_subtask(seed, point, ask)
        topics = await ask(
            "extract", make_topics_payload(count), template="recipes/tasks/topics", max_output=60 + 25 * count,
            text=point.draft.input, subtask=subtask.name, asks=subtask.asks, count=count, parts=point.parts,
        )  # fmt: skip
        return Found(subtask.name, {TOPICS: [{**_write_way(subtask), "topic": topic} for topic in topics]})

    async def _find_subtask(self, seed: Seed, point: Point, ask: Ask) -> Subtask:
        if point.depth:
            return Subtask(point.way["subtask"], point.way["asks"])
        named = await self._name_subtasks(ask)
        roots = SubtaskRoots(self.context.spec.subtasks)
        return named[roots.find_number(point.id, seed) % len(named)]

    async def _name_subtasks(self, ask: Ask) -> tuple[Subtask, ...]:
        """The sub-tasks of the domain. All roots ask in the same words, so that one call answers them all."""
        context, count = self.context, self.context.spec.subtasks
        return await charge_to(digest("subtasks"), ask)(
            "extract", make_subtasks_payload(count), template="recipes/tasks/subtasks", max_output=100 + 60 * count,
            count=count, demos=context.demonstrations(context.seeds[0]),
        )  # fmt: skip

    def find_template(self, hop: Hop) -> str:
        """One prompt for all levels, which can share a call."""
        return "recipes/tasks/write"

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """Sub-task, topic, what the level asks for, and the length of an example that is drawn for the record."""
        way, unit = hop.way, self.context.card.unit
        change = self.context.prompts.render_instruction(f"recipes/tasks/{hop.operation}")
        asks = f" ({way['asks']})" if way["asks"] else ""
        # Those of its tree, since seeds that come later must change no prompt.
        texts = [hop.seed.draft.input, *(demo.input for demo in self.context.demonstrations(hop.seed))]
        length = measure_length(rng("length", hop.id).choice(texts), unit)
        return f"{way['subtask']}{asks} – {way['topic']}; {change}. About {length} {unit}."


def _name_root(seed: Seed, number: int) -> str:
    return digest("root", "subtask", seed.id, str(number))


def _write_way(subtask: Subtask) -> dict[str, Any]:
    return {"subtask": subtask.name, "asks": subtask.asks}
