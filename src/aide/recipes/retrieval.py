"""Queries for passages: training data for embedding models and rerankers.

Promptagator (Dai et al. 2022, arXiv 2209.11755): a model that is shown a few queries with their passages writes some
for each passage of a collection, and keeps those by which a search finds the passage again. Hard negatives and the
variants of passages are those of QZhou-Embedding (Yu et al. 2025, arXiv 2508.21632).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from math import ceil
from statistics import median
from typing import Any, ClassVar, Final

from aide.config.settings import JUDGE_SETTINGS
from aide.config.spec import RunSpec
from aide.documents import Chunk
from aide.documents.chunks import measure_size
from aide.errors import InputError, Rejection
from aide.frontier import PlantWork, Root, TreeShape
from aide.parsing import TextPayload
from aide.recipes import steps
from aide.recipes.base import Candidate
from aide.recipes.collection import PassageCollection
from aide.recipes.contract import Found, RecipeInputs, Roots
from aide.recipes.seed_ring import SeedRing
from aide.recipes.writing import Drafts, TextsPayload
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Draft, Group, Hop, Point, Record, Seed, digest
from aide.vectors import Vector
from aide.verify.answers import CheckedAnswer

QUERY: Final = "query"
"""The kind of a record whose passage is as it stands in the collection; the others are named by their variant."""
QUERIES: Final = "queries"
MODEL: Final = "model"
BOTH: Final = "both"
_PROMPTS: Final = "recipes/retrieval"
_YIELD: Final = 0.5  # of queries by a strong model, those by which BM25 finds their passage first
_SPARE: Final = 4  # times as many passages as a target is expected to take are there for it
_LEAST: Final = 5  # words of an output that may be a passage; labels and bare results have fewer
_TOKENS: Final = 2  # for a word, in any language


class PassageRoots(Roots):
    """Each passage once, beside a seed that lends its manner; files take turns."""

    def __init__(self, passages: Sequence[Chunk], most: int | None = None) -> None:
        """With `most` there are no more than so many: of a large collection a small run needs few."""
        files: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in passages:
            files[chunk.file].append(chunk)
        turns = chain.from_iterable(zip_longest(*files.values()))
        distinct = ((chunk.id, chunk) for chunk in turns if chunk is not None)
        # Identical passages have one id; the first stands for all.
        self._passages: dict[str, Chunk] = {}
        for id, chunk in distinct:
            if len(self._passages) == most:
                break
            self._passages.setdefault(id, chunk)
        self._known: dict[str, Chunk] = {}

    def list_roots(self, seeds: Sequence[Seed], label: str = "") -> tuple[Root, ...]:
        """Which seed a passage is beside follows from the two, so that more of either leave the roots of others."""
        roots = []
        ring = SeedRing(seeds)
        for id, chunk in self._passages.items():
            seed = next(ring.walk(id))
            root = Root(digest("passage", seed.id, id), seed.id, chunk.file)
            self._known[root.id] = chunk
            roots.append(root)
        return tuple(roots)

    def make_point(self, root: str, seed: Seed) -> Point:
        """The passage in place of the seed."""
        chunk = self._known[root]
        return Point(root, Draft(chunk.text), seed.parts, 0, chunk.as_meta())


class Retrieval(WrittenRecipe):
    """Records whose input is a query and whose output is the passage that answers it."""

    name = "retrieval"
    summary = (
        "Queries of the seeds' kind for each passage, kept if a search finds it again; with hard negatives."
    )
    source = (
        "Dai et al., Promptagator, 2022 (arXiv 2209.11755); negatives and variants: QZhou-Embedding, 2025"
    )
    needs = "some eight queries, each with its passage; passages: --contexts"
    settings = frozenset(
        {QUERIES, "round_trip", "round_trip_by", "negatives", "negatives_from", "passage_variants", "steer"}
    )
    # Outputs are passages, which nobody answers, thinks about, runs or labels.
    unheeded = JUDGE_SETTINGS | {"answer", "balance", "reasoning", "run_code"}
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 0.0, "hops": 1, "residual": "off", "target": "all", "format": "free_text", "answer": "separate",
        "reflection": False, "exam": False, "expect_yield": _YIELD,
    }  # fmt: skip
    typical: ClassVar[Mapping[str, str]] = {
        "texts": "Whoever asks for this finds something else here, which is near it and of the same kind. "
        * 3
        + "{}"
    }
    takes_documents = True
    frames_documents = False
    deals_topics = False

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """So many queries a passage, and as many again for each variant."""
        kinds = dict.fromkeys((QUERY, *spec.passage_variants), QUERIES)
        shape = cls.make_shape(spec, {QUERIES: spec.queries}, kinds)
        return replace(shape, first_parents=min(_count_parents(spec, inputs) or 0, len(inputs.documents)))

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """There are passages, and seeds that are queries."""
        super().check(spec, inputs)
        if not inputs.documents:
            raise InputError(
                "the recipe retrieval needs passages", hint="name files or folders with --contexts"
            )
        drafts = [seed.draft for seed in inputs.seeds]
        short = median(measure_size(draft.output) for draft in drafts) < _LEAST
        if inputs.format.name != cls.defaults["format"] or inputs.fixed_parts or short or drafts[0].choices:
            raise InputError(
                "the recipe retrieval takes seeds that are queries, each with the passage that answers it",
                hint='lines such as {"input": "a query", "output": "its passage"}, without --format and --keep',
            )
        for given, flag in ((spec.reflection, "--reflection"), (bool(spec.knowledge), "--knowledge")):
            if given:
                raise InputError(
                    f"{flag} has no effect with the recipe retrieval: a search decides, and answers are passages",
                    hint="leave it out",
                )

    @classmethod
    def roots(cls, spec: RunSpec, inputs: RecipeInputs) -> Roots:
        """Each passage beside a seed."""
        parents = _count_parents(spec, inputs)
        return PassageRoots(inputs.documents, parents and _SPARE * parents)

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """Which of the passage's queries it is."""
        return {"way": {QUERY: matter}}

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A running number."""
        return number + 1

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """Places for queries, without a call: the passage itself says what they are about."""
        return Found("", {QUERIES: list(range(1, work.wanted[0] + 1))})

    def find_template(self, hop: Hop) -> str:
        """One prompt for all kinds: a variant comes after its query."""
        return f"{_PROMPTS}/write"

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """Length and manner, which are a seed's."""
        return f"{hop.manner[:1].upper()}{hop.manner[1:]}." if hop.manner else "As in the examples."

    def list_values(self, hops: Sequence[Hop]) -> dict[str, Any]:
        """The heading that the passage stands under."""
        return {"heading": hops[0].parent.source.get("heading", "")}

    async def _write(
        self, hops: Sequence[Hop], step: str, template: str, ask: Ask, group: Group, **given: Any
    ) -> Drafts:
        return await self._write_as("", hops, step, template, ask, group, **given)

    async def finish(self, hop: Hop, draft: Draft, ask: Ask) -> Record:
        """Check the query, search with it, then find what stands beside it.

        Raises:
            errors.Rejection: step `synthesize`; or `answer`, where other passages are found before its own or a
                variant is no passage.
            errors.NodeError: the model gave nothing usable for a variant or for negatives.
        """
        context, passage = self.context, hop.parent.draft.input
        with Candidate(draft):
            await steps.check_input(context, hop, draft)
            vector = await self._collection.embed_query(draft.input)
            await self._check_place(draft.input, passage, vector)
            output = passage if hop.operation == QUERY else await self._vary(hop, draft.input, ask)
            negatives = await self._find_negatives(passage, draft.input, vector, ask)
            found = CheckedAnswer(Draft(draft.input, output, negatives=tuple(negatives)))
            return steps.make_record(context, hop, found, None, 0)

    @property
    def _collection(self) -> PassageCollection:
        assert self.context.collection is not None, "a run without passages is refused"
        return self.context.collection

    async def _check_place(self, query: str, passage: str, vector: Vector | None) -> None:
        wanted = self.context.spec.round_trip
        if not wanted:
            return
        by_meaning = vector if self.context.spec.round_trip_by == BOTH else None
        place = await self._collection.find_place(query, passage, by_meaning)
        if not 0 < place <= wanted:
            told = (
                f"at place {place} of the passages that a search finds" if place else "not found by a search"
            )
            raise Rejection("answer", "outranked", f"its passage is {told}")

    async def _vary(self, hop: Hop, query: str, ask: Ask) -> str:
        passage = hop.parent.draft.input
        output = await ask(
            "answer", TextPayload("passage"), template=f"{_PROMPTS}/{hop.operation}",
            max_output=200 + 2 * _TOKENS * len(passage.split()), passage=passage, question=query, demos=(),
        )  # fmt: skip
        steps.check_answer(self.context, query, Draft(query, output))
        return output

    async def _find_negatives(self, passage: str, query: str, vector: Vector | None, ask: Ask) -> list[str]:
        count = self.context.spec.negatives
        if not count:
            return []
        if self.context.spec.negatives_from != MODEL:
            return await self._collection.mine_negatives(query, passage, count, vector)
        drafts = await ask(
            "answer", TextsPayload(count), template=f"{_PROMPTS}/negatives",
            max_output=200 + count * (100 + _TOKENS * len(passage.split())),
            passage=passage, question=query, count=count, demos=(),
        )  # fmt: skip
        texts = dict.fromkeys(draft.input for draft in drafts.values() if draft.input != passage)
        gate = self.context.gate
        return [text for text in texts if gate.check_answer(query, Draft(query, text)) is None]


def _count_parents(spec: RunSpec, inputs: RecipeInputs) -> int | None:
    """How many passages a target takes if as many queries are kept as expected; `None` for the whole tree."""
    target = spec.compute_target(len(inputs.seeds))
    if target is None:
        return None
    ways = spec.queries * (1 + len(spec.passage_variants))
    return ceil(target / (ways * (spec.expect_yield or _YIELD)))
