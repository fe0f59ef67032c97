"""Examples about documents: the seeds say of what kind, the documents of what.

A root is a chunk of a document beside a seed that lends its manner. `plant` names what the chunk speaks of; code drops
what does not stand in it. Each of these things is asked about in the way of the seeds, and answered from the chunk,
with a quote where the format has room for one. Documents have even shares, however long they are.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from math import ceil
from typing import Any, ClassVar, Final

from aide.config.spec import RunSpec
from aide.documents import Chunk, frame_document
from aide.documents.chunks import measure_size
from aide.errors import InputError, Unusable
from aide.formats.schema import COPIED
from aide.frontier import CHILDREN, PlantWork, Root, TreeShape
from aide.recipes.contract import Found, RecipeInputs, Roots
from aide.recipes.extraction import Extraction, make_extraction_payload, normalise_triples
from aide.recipes.operations import check_operations, describe_hop, render_operation
from aide.recipes.seed_ring import SeedRing
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Hop, Point, Seed, Triple, digest, rng
from aide.text.words import count_unspaced, fold_words

ASK: Final = "ask"
"""The kind of a record that asks about a thing in the document as the seeds would, without a further operation."""
TRIPLES: Final = "triples"
AGAIN: Final = "again"
"""Key of a source: how often its chunk was a parent before, beside other seeds."""
_SPARE: Final = (
    2  # triples beyond those wanted: some attributes do not stand in the document, some records fail
)
_WORDS_A_TRIPLE: Final = 10  # of a chunk: it has no more to say
_PROMPTS: Final = "recipes/documents"


class DocumentRoots(Roots):
    """Chunks beside seeds: documents take turns, and so do the chunks of each, so that all have even shares."""

    def __init__(self, chunks: Sequence[Chunk], target: int | None) -> None:
        """`target` is how many records are wanted; `None` for the whole tree, in which each chunk is a parent once."""
        self._documents = list_by_document(chunks)
        self._needed = len(chunks) if target is None else len(self._documents) + 2 * ceil(target / CHILDREN)
        self._again = target is not None
        self._known: dict[str, tuple[Chunk, int]] = {}

    def list_roots(self, seeds: Sequence[Seed], label: str = "") -> tuple[Root, ...]:
        """Twice as many roots as the target needs, where there are so many.

        A chunk comes again, beside another seed, once all chunks of its document had their turn. Which seed it is
        beside follows from the two, so that further documents and seeds leave the roots of others as they are.
        """
        roots: list[Root] = []
        ring = SeedRing(seeds)
        for chunk, turn in self._take_turns(seeds):
            seed = next(islice(ring.walk(chunk.id), turn, None))
            root = Root(digest("document", label, seed.id, chunk.id), seed.id, chunk.file)
            self._known[root.id] = chunk, turn
            roots.append(root)
            if len(roots) >= self._needed:
                break
        return tuple(roots)

    def make_point(self, root: str, seed: Seed) -> Point:
        """The seed with the chunk as its fixed part; its source tells how often the chunk came before."""
        chunk, turn = self._known[root]
        source = {**chunk.as_meta(), **({AGAIN: turn} if turn else {})}
        return Point(root, seed.draft, frame_document(seed.parts, chunk.text), 0, source)

    def _take_turns(self, seeds: Sequence[Seed]) -> Iterator[tuple[Chunk, int]]:
        """Chunks in their order, each with how often it came before: at most once for each seed."""
        if not seeds:
            return
        # Labels have seeds of their own: with few records each would else begin at the same document.
        first = rng("documents", seeds[0].id).randrange(len(self._documents))
        documents = [*self._documents[first:], *self._documents[:first]]
        most = len(seeds) if self._again else 1
        for turn in range(most * max(map(len, documents))):
            for chunks in documents:
                if turn < most * len(chunks):
                    yield chunks[turn % len(chunks)], turn // len(chunks)


def count_parents(chunks: Sequence[Chunk], target: int | None, hops: int) -> int:
    """Parents of the first hop: equally many of each document, as far as there are two records for each."""
    first = (target or 0) // hops
    documents = len({chunk.file for chunk in chunks})
    each = ceil(first / (CHILDREN * documents)) if documents else 0
    return max(1, min(each * documents, first // 2))


def list_by_document(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """The chunks of each document."""
    found: dict[str, list[Chunk]] = defaultdict(list)
    for chunk in chunks:
        found[chunk.file].append(chunk)
    return list(found.values())


class DocumentTriples:
    """Triples whose attributes stand in a document; fewer than were asked for are enough."""

    name = "document_triples"

    def __init__(self, count: int, part: str, text: str) -> None:
        """`part` is what prompts call the document."""
        self._inner = make_extraction_payload(count)
        self._text = fold_document(text)
        self.schema: Mapping[str, Any] | None = _describe_attribute(self._inner.schema, f"{COPIED} {part}")

    def read(self, text: str) -> Extraction:
        """Topic and triples; raises `Unusable` where none of the attributes stands in the document."""
        found = self._inner.read(text)
        ties = tuple(
            (relation, name)
            for relation, name in found.ties
            if any(map(str.isalpha, name)) and stands_in_words(name, self._text)
        )
        if not ties:
            raise Unusable(
                "invalid", "No attribute stands in the document; copy each of them word for word.", text
            )
        return Extraction(found.topic, ties)


def fold_document(text: str) -> str:
    """A document as `stands_in_words` takes it: its folded words with a space around each."""
    return f" {' '.join(fold_words(text))} "


def stands_in_words(name: str, folded: str) -> bool:
    """True when the words of `name` stand in a document, in their order and without others between."""
    words = " ".join(fold_words(name))
    # In scripts without spaces the words of a text are clauses.
    return bool(words) and (words in folded if count_unspaced(words) else f" {words} " in folded)


def _describe_attribute(schema: Mapping[str, Any] | None, told: str) -> Mapping[str, Any]:
    described: dict[str, Any] = deepcopy(dict(schema or {}))
    described["properties"]["triples"]["items"]["properties"]["attribute"]["description"] = told
    return described


class Documents(WrittenRecipe):
    """Examples of the seeds' kind about the chunks of documents."""

    name = "documents"
    summary = (
        "Examples of the seeds' kind about documents: topics and triples are found in each chunk, "
        "asked about, and answered from it with quotes."
    )
    source = "after Promptagator (Dai et al. 2022) and InstructLab (Sudalairaj et al. 2024)"
    needs = "some ten seeds, and documents: --contexts"
    settings = frozenset({"hops", "attributes", "operations", "min_diversity", "siblings", "steer"})
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 0.0,
        "hops": 1,
        "attributes": 7,
        "operations": (),
        "residual": "fixed",
    }
    takes_documents = True
    deals_topics = False

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """As many records of a chunk as it has triples, for each operation once more."""
        kinds = dict.fromkeys((ASK, *spec.operations), TRIPLES)
        shape = cls.make_shape(spec, {TRIPLES: spec.attributes}, kinds)
        parents = count_parents(inputs.documents, spec.compute_target(len(inputs.seeds)), spec.hops)
        return replace(shape, first_parents=parents)

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """There are documents, and records that can be about one."""
        if not spec.attributes:
            raise InputError(
                "--attributes 0 leaves nothing to ask about", hint="--attributes 7 is usual with this recipe"
            )
        super().check(spec, inputs)
        if not inputs.documents:
            raise InputError(
                f"the recipe {cls.name} needs documents", hint="name files or folders with --contexts"
            )
        if inputs.format.chats:
            raise InputError(
                f"the recipe {cls.name} makes no conversations",
                hint="seeds of a question and its answer will do, or --format free_text",
            )
        check_operations(spec, inputs)

    @classmethod
    def roots(cls, spec: RunSpec, inputs: RecipeInputs) -> Roots:
        """Each chunk of the documents beside a seed."""
        return DocumentRoots(inputs.documents, spec.compute_target(len(inputs.seeds)))

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """The triple that is asked about."""
        return {"triple": Triple(**matter)}

    @classmethod
    def describe_matter(cls, matter: Any) -> str:
        """The attribute of a triple."""
        return str(matter["attribute"])

    @classmethod
    def expect_found(cls, spec: RunSpec, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """Some more than are wanted, in the places of records that fail."""
        return tuple(max(count, min(count + _SPARE, spec.attributes)) for count in wanted)

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A triple of the usual length."""
        return Triple("a common matter", "depends on", f"aspect {number}").as_dict()

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """What the chunk is about and speaks of: triples whose attributes stand in it, by folded words."""
        context, wanted = self.context, work.wanted[0]
        (part, text), *_ = point.parts.fixed
        offered = max(wanted, context.spec.attributes)
        # Models name what matters most first, whatever seed they see. So a chunk that comes again is asked for more, as
        # far as it has so much to say, and the first ones are those of its other times.
        room = measure_size(text) // _WORDS_A_TRIPLE - wanted - _SPARE
        known = min(int(point.source.get(AGAIN, 0)) * offered, max(0, room))
        count = known + wanted + _SPARE
        found = await ask(
            "extract", DocumentTriples(count, part, text), template=f"{_PROMPTS}/plant", max_output=150 + 40 * count,
            text=point.draft.input, parts=point.parts, attributes=count, document=part,
            heading=str(point.source.get("heading", "")), label=context.format.show_label(context.card, work.label),
        )  # fmt: skip
        triples = normalise_triples(found)
        triples = triples[min(known, max(0, len(triples) - offered)) :][:offered]
        return Found(found.topic, {TRIPLES: [triple.as_dict() for triple in triples]})

    def find_template(self, hop: Hop) -> str:
        """The prompt for this format."""
        names = [f"{_PROMPTS}/write.{name}" for name in self.context.format.prompt_names]
        return self.context.prompts.find_template(*names, f"{_PROMPTS}/write")

    def find_revision(self) -> str:
        """The prompt that rewrites a text, with the rules of those that write one."""
        names = [f"revise.{name}" for name in self.context.format.prompt_names]
        return self.context.prompts.find_template(*names, f"{_PROMPTS}/revise")

    def list_values(self, hops: Sequence[Hop]) -> dict[str, Any]:
        """The headings that the chunk stands under: a chunk need not say what all of its document is about."""
        return {"heading": str(hops[0].parent.source.get("heading", ""))}

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """What the document says that is asked about, how, and in which manner."""
        change = "" if hop.operation == ASK else render_operation(self.context, hop.operation)
        return describe_hop(self.context, hop, change, answered=answered)
