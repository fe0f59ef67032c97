"""A recipe's surroundings, written down: a model that says what a test says, a judge that grades as a test says."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aide.config.spec import RunSpec
from aide.formats import FORMATS, Demonstration, Label, TaskCard
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes.base import RecipeContext
from aide.recipes.contract import Grown, Recipe
from aide.recipes.personas import PersonaBank
from aide.records import PLAIN, Comparison, Draft, Group, Hop, Parts, Point, Reading, Seed, Triple
from aide.verify.agreement import choose_quorum
from aide.verify.answers import AnswerChecks
from unit.formats.scripted import Scripted

INPUTS = (
    "A bus leaves the harbour at nine and needs forty minutes to the market; when does it arrive?",
    "Three friends share a tent that costs ninety euros for two nights; what does each of them pay?",
    "A baker sells twelve dozen rolls before noon and half as many after; how many rolls in all?",
)
FRESH = "A ferry carries eighteen cars on each trip and sails seven times a day; how many cars cross?"
OTHER = "A painter mixes five litres of white with two of blue for each wall; how much for six walls?"
REVISED = "A gardener plants nine rows of tulips with fourteen bulbs in each; how many bulbs does she need?"
ANSWER = "18 cars times 7 trips is 126 cars.\n#### 126"


class Asked(Scripted):
    """A scripted model that says who it is, and forgets for whom it was asked."""

    def __init__(self, *said: str | Callable[[dict[str, Any]], str]) -> None:
        super().__init__(*said)
        self.models: dict[str, str] = {}
        self.nodes: list[str] = []

    async def __call__(self, step: str, payload: Any, /, *, node: str = "", **how: Any) -> Any:
        self.models[step] = f"the model of {step}"
        self.nodes.append(node)
        return await super().__call__(step, payload, **how)

    @property
    def steps(self) -> list[str]:
        return [each["step"] for each in self.asked]


class Taken:
    """A deduplicator for which some texts are taken."""

    def __init__(self, wording: Sequence[str] = (), meaning: Sequence[str] = ()) -> None:
        self.wording, self.meaning = wording, meaning
        self.checked: list[str] = []

    def check_wording(self, id: str, text: str) -> str:
        self.checked.append(text)
        return "near duplicate of another (0.90)" if text in self.wording else ""

    async def check_meaning(self, id: str, text: str, *, lenient: bool) -> str:
        return "means the same as another (0.99)" if text in self.meaning and not lenient else ""


class Judged:
    """A judge that says what was written down for it, else that all is well."""

    def __init__(self, readings: Sequence[Reading] = (), comparisons: Sequence[Comparison] = ()) -> None:
        self.readings, self.comparisons = list(readings), list(comparisons)
        self.read_texts: list[str] = []
        self.compared: list[tuple[str, str]] = []
        self.calls: list[tuple[str, Any]] = []
        self.answers = {OTHER: "42"}
        """Its own answer to a text, where nothing else was written down."""

    def announce(self, group: str, count: int) -> None:
        self.calls.append(("announce", count))

    def withdraw(self, hop: Hop) -> None:
        self.calls.append(("withdraw", hop.id))

    async def read(self, hop: Hop, draft: Draft) -> Reading:
        self.read_texts.append(draft.input)
        own = hop.label or self.answers.get(draft.input, "126")
        return self.readings.pop(0) if self.readings else Reading(own, relevance=9)

    async def compare(self, hop: Hop, draft: Draft) -> Comparison:
        self.compared.append((draft.input, draft.output))
        return self.comparisons.pop(0) if self.comparisons else Comparison(diversity=8)


def make_seed(number: int = 0, parts: Parts | None = None) -> Seed:
    draft = Draft(INPUTS[number], f"It takes some steps.\n#### {number + 40}")
    return Seed(f"seed{number}", draft, parts or Parts(), meta={"level": 3})


def make_context(
    format: str = "open",
    *,
    judge: Judged | None = None,
    deduplicator: Taken | None = None,
    labels: Sequence[str] = (),
    parts: bool = False,
    bank: PersonaBank | None = None,
    examples: Sequence[Demonstration] = (),
    wants: Callable[[Hop], bool] = lambda hop: True,
    written: list[int] | None = None,
    keeps_thoughts: bool = False,
    code: str = "",
    **spec: Any,
) -> RecipeContext:
    """Everything that a recipe is given, with defaults that let a good record pass."""
    card = TaskCard(
        task="Solve it.", language="English", language_code="en", format=format, min_words=5, max_words=40,
        labels=tuple(Label(name, f"about {name}") for name in labels), options=3 if format == "multiple_choice" else 0,
        convention="#### <number>" if format == "open" else "", fixed=("contract",) if parts else (),
        varying="question" if parts else "input", code=code,
    )  # fmt: skip
    run = RunSpec.model_validate({"base_url": ["sim:"], "model": "m", **spec})
    checks = AnswerChecks(
        FORMATS[format], card, choose_quorum(run.agreement, card),
        eager=run.agreement != "auto" or not run.reflection,
    )  # fmt: skip
    return RecipeContext(
        spec=run, task="sums", card=card, format=FORMATS[format], gate=FormGate(card, INPUTS, ["40", "41", "42"]),
        checks=checks, thresholds=Thresholds(run.min_relevance, run.min_diversity, run.keep_ambiguous),
        prompts=Prompts(None, card=card), deduplicator=deduplicator or Taken(), judge=judge or Judged(), bank=bank,
        demonstrations=lambda seed: (), examples=lambda group: tuple(examples),
        near_labels={label: [other for other in labels if other != label] for label in labels}, fixed_parts=parts,
        keeps_thoughts=keeps_thoughts, wants=wants,
        note_written=lambda group, count: written.append(count) if written is not None else None,
    )  # fmt: skip


def make_hop(number: int = 0, **how: Any) -> Hop:
    """A guided hop below a parent, or with `operation="plain"` one without."""
    seed = make_seed(parts=how.pop("parts", None))
    depth = how.pop("depth", 1)
    if how.get("operation") == PLAIN:
        parent = Point(seed.id, seed.draft, seed.parts, 0)
        return Hop(seed, parent, 1, **{"pool": "1", "ordinal": number, **how})
    parent = Point("parent", Draft(INPUTS[1] if depth > 1 else INPUTS[0], "30"), seed.parts, depth - 1)
    triple = None if how.get("persona") else Triple("transport", "is measured in", f"cars {number}")
    operation = "persona" if how.get("persona") else how.pop("operation", "constraint")
    return Hop(seed, parent, depth, operation, triple, **{"topic": "transport", **how})


def make_group(*hops: Hop, settled: Sequence[int] = ()) -> Group:
    group = Group(hops)
    return Group(tuple(replace(hop, group=group.id) for hop in hops), frozenset(settled))


def grow(
    recipe: Recipe, group: Group, *said: str | Callable[[dict[str, Any]], str]
) -> tuple[list[Grown], Asked]:
    """What came of each hop in the order of the group, and what the model was asked."""
    ask = Asked(*said)

    async def run() -> list[Grown]:
        return [each async for each in recipe.grow(group, ask)]

    grown = asyncio.run(run())
    order = [hop.id for hop in group.hops]
    return sorted(grown, key=lambda each: order.index(each.hop.id)), ask
