"""The contract of a recipe: what the core asks of a way to expand. docs/design/recipes.md tells it as a story."""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from aide.config.spec import RunSpec
from aide.documents import Chunk
from aide.errors import InputError
from aide.formats import Format
from aide.frontier import PlantWork, Root, TreeShape
from aide.records import Ask, Group, Hop, Point, Record, Seed, TracedAsk, digest

if TYPE_CHECKING:
    from aide.recipes.base import RecipeContext


@dataclass(frozen=True, slots=True)
class Found:
    """What a data point is about: all that its children are grown along. It is plain JSON, journaled as it is."""

    topic: str = ""
    matters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """By its name in the shape of the tree, each matter: a text or an object for each way."""

    def count(self, matters: Iterable[str]) -> tuple[int, ...]:
        """How many there are of each of these."""
        return tuple(len(self.matters.get(name, ())) for name in matters)

    def drop_repeats(self) -> Self:
        """The same with each matter once: two children along equal matters would be one record."""
        kept = {name: _list_distinct(values) for name, values in self.matters.items()}
        return replace(self, matters=kept)

    def as_dict(self) -> dict[str, Any]:
        """What was found, as the journal keeps it."""
        return {"topic": self.topic, **{name: list(values) for name, values in self.matters.items()}}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        matters = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
        return cls(plain["topic"], matters)


def _list_distinct(values: Sequence[Any]) -> tuple[Any, ...]:
    distinct: dict[str, Any] = {}
    for value in values:
        distinct.setdefault(json.dumps(value, sort_keys=True, default=str), value)
    return tuple(distinct.values())


@dataclass(frozen=True, slots=True)
class Grown:
    """How a hop ended: a record, or why there is none. A fault of any scope but node says nothing of the hop: it stays
    open.
    """

    hop: Hop
    outcome: Record | Exception
    model: str = ""
    """The model that wrote the input."""


class RecipeInputs(Protocol):
    """What is read before the first call, as a recipe sees it."""

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """The seeds, without doubles."""
        ...

    @property
    def format(self) -> Format:
        """The format of the task."""
        ...

    @property
    def fixed_parts(self) -> bool:
        """Whether inputs have parts that are never rewritten."""
        ...

    @property
    def contexts(self) -> tuple[str, ...]:
        """The texts of `--contexts` that stand in for fixed parts of the seeds."""
        ...

    @property
    def documents(self) -> tuple[Chunk, ...]:
        """The chunks of `--contexts`, for a recipe that takes documents."""
        ...


class Roots:
    """The first parents of a tree: here the seeds themselves."""

    def list_roots(self, seeds: Sequence[Seed], label: str = "") -> tuple[Root, ...]:
        """The roots of these seeds, in the order in which they are to be parents.

        `label` is given where they stand in for a label that no seed has: their ids must then differ by it.
        """
        return tuple(Root(digest("root", label, seed.id) if label else seed.id, seed.id) for seed in seeds)

    def make_point(self, root: str, seed: Seed) -> Point:
        """The data point of a root of that id. Its own id is part of the ids of all that grows from it."""
        return Point(seed.id, seed.draft, seed.parts, 0)


class Recipe:
    """A way to expand: `plant` finds what a point is about, `grow` makes the records of a group.

    What a class says of itself holds for every run; an instance knows the run's `RecipeContext`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """One sentence: what it computes."""
    source: ClassVar[str]
    """The paper or custom that it implements."""
    needs: ClassVar[str] = "seeds"
    """What it takes, in a few words."""
    settings: ClassVar[frozenset[str]] = frozenset()
    """Of `config.settings.RECIPE_SETTINGS`, those that it heeds; any other that a person gives is refused."""
    unheeded: ClassVar[frozenset[str]] = frozenset()
    """Settings of runs in general of which it makes nothing, such as those of a judge that it does not ask; a given one
    is refused, too.
    """
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings that nobody gave are these, in place of the usual defaults."""
    prompts: ClassVar[Path | None] = None
    """The folder of its prompts, which are named `recipes/NAME/…`; `None` where they are among the packaged ones."""
    draws_traits: ClassVar[bool] = True
    """Whether each record takes its length and manner from a seed, and is held to them."""
    deals_topics: ClassVar[bool] = True
    """Whether plain records without labels take a topic from the map of the task card."""
    takes_documents: ClassVar[bool] = False
    """Whether it makes something of the chunks of `--contexts` beside seeds; other recipes put whole documents in the
    place of the seeds' fixed parts.
    """
    frames_documents: ClassVar[bool] = True
    """Whether a document that it takes stands in the inputs as their fixed part."""
    deals_labels: ClassVar[bool] = True
    """Whether records are written for a label, where there are labels; else the label is asked for, as any answer."""
    shares_calls: ClassVar[bool] = True
    """Whether several records are written by one call."""
    plain_together: ClassVar[int] = 0
    """So many plain records share a call at first, and refused ones are made up for together instead of one by one; 0
    for as many as texts of the seeds' length do well.
    """
    typical: ClassVar[Mapping[str, str]] = {}
    """For a plan: what a model typically writes under a key of this recipe's payloads; `{}` is a running number."""

    def __init__(self, context: "RecipeContext") -> None:
        self.context = context

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """What a tree may hold: kinds of guided records, each with its matter, and the most of each matter, which may
        be 0 by the settings.

        A recipe that makes plain records alone keeps this one, which has none.
        """
        return cls.make_shape(spec, {}, {})

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """Refuse settings and seeds that the recipe can make nothing of, before anything is spent.

        Raises:
            errors.InputError: with a hint.
        """
        if spec.compute_target(len(inputs.seeds)) is None and not cls.shape(spec, inputs).children:
            raise InputError(
                f"there is no whole tree where the recipe {cls.name} grows nothing from seeds",
                hint="--target takes a number, such as 1000",
            )

    @classmethod
    def roots(cls, spec: RunSpec, inputs: RecipeInputs) -> Roots:
        """The first parents."""
        return Roots()

    @classmethod
    def allow_length(cls, spec: RunSpec) -> float:
        """How many times as long as the seeds allow its texts and their answers may be."""
        return 1

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """For a plan: a matter as a model typically finds it, no two numbers alike."""
        return f"aspect {number} of a common matter"

    @classmethod
    def expect_found(cls, spec: RunSpec, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """For a plan: how much of each matter a model typically finds where so much is wanted."""
        return wanted

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """The fields of a `Hop` that say what it is grown along."""
        return {"way": matter if isinstance(matter, Mapping) else {"about": matter}}

    @classmethod
    def describe_matter(cls, matter: Any) -> str:
        """A matter in a few words, as siblings are told of it."""
        return " – ".join(map(str, matter.values())) if isinstance(matter, Mapping) else str(matter)

    @classmethod
    def make_shape(cls, spec: RunSpec, matters: Mapping[str, int], kinds: Mapping[str, str]) -> TreeShape:
        """A shape with the hops, the target and the balance of the run."""
        whole = spec.target == "all" and spec.per_seed is None
        balanced, patient = spec.balance != "none", bool(cls.plain_together)
        return TreeShape(matters, kinds, hops=spec.hops, whole=whole, balanced=balanced, patient=patient)

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """What the children of this point are grown along, as much of each matter as `work` wants.

        It must be the same for the same answers: no clock, no chance but `records.rng`. Its calls go under the step
        `extract`.

        Raises:
            errors.NodeError: where nothing can be found.
        """
        raise NotImplementedError(f"the recipe {self.name} plants nothing")

    def grow(self, group: Group, ask: TracedAsk) -> AsyncGenerator[Grown, None]:
        """The records of the group's open hops, each as soon as it has ended. What stands in their prompts is composed
        before any is asked. The first call writes the texts, under the step `synthesize`.

        It catches no error of scope run, but for handing it on in `Grown`.
        """
        raise NotImplementedError(f"the recipe {self.name} grows nothing")
