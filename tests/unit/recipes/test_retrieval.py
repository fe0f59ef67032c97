"""Queries for passages: kept where a search finds their passage again, with passages beside them that are none."""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.documents import Chunk
from aide.errors import InputError, Rejection
from aide.formats import FORMATS, Format
from aide.frontier import PlantWork
from aide.recipes.collection import PassageCollection
from aide.recipes.retrieval import PassageRoots, Retrieval
from aide.records import Group, Hop, Record
from unit.recipes.scene import Asked, make_context, make_seed

TEXTS = (
    "The ferry to the island sails at nine and at four; bicycles travel free of charge on it.",
    "The ferry to the mainland sails at ten; bicycles cost three euros on it.",
    "Dogs on the ferry are kept on the lead on deck and stay out of the restaurant.",
    "The museum of the island opens at noon and shows nets, oars and old engines.",
    "The lighthouse may be climbed from May until September, children with adults.",
    "Rooms are let by the tourist office opposite the pier of the village.",
    "The harbour master answers the radio on channel twelve, day and night.",
)
CHUNKS = tuple(Chunk(text, f"guide.md:{at // 3}", "Harbour", 10 * at) for at, text in enumerate(TEXTS))
SEEDS = tuple(map(make_seed, range(3)))
FOUND = "when does the boat to the island sail in the morning, and is my bicycle free of charge there?"
LOST = "at what time of the day does a ferry to the mainland leave, and what do bicycles cost on it then?"


class Inputs:
    """What is read before the first call."""

    contexts: tuple[str, ...] = ()
    fixed_parts = False

    def __init__(
        self, documents: Sequence[Chunk] = CHUNKS, format: str = "free_text", output: str = TEXTS[0]
    ) -> None:
        self.seeds = tuple(replace(seed, draft=replace(seed.draft, output=output)) for seed in SEEDS)
        self.documents = tuple(documents)
        self.format: Format = FORMATS[format]


async def embed(texts: Sequence[str]) -> list[list[float]]:
    """Passages lie in a row, queries beside the second."""
    degrees = (20 * TEXTS.index(text) if text in TEXTS else 20 for text in texts)
    return [[math.cos(math.radians(each)), math.sin(math.radians(each))] for each in degrees]


def make_recipe(*, vectors: bool = False, **spec: Any) -> Retrieval:
    context = make_context(**{**Retrieval.defaults, "recipe": "retrieval", **spec})
    collection = PassageCollection(CHUNKS, embed if vectors else None)
    return Retrieval(replace(context, collection=collection))


def grow(recipe: Retrieval, ask: Asked, *kinds: str) -> list[Record | Exception]:
    roots = PassageRoots(CHUNKS)
    root = next(
        each
        for each in roots.list_roots(SEEDS)
        if roots.make_point(each.id, SEEDS[0]).draft.input == TEXTS[0]
    )
    point = roots.make_point(root.id, SEEDS[0])
    hops = tuple(
        Hop(SEEDS[0], point, 1, kind, manner="about 17 words", **Retrieval.read_way(kind, at + 1))
        for at, kind in enumerate(kinds or ("query",))
    )

    async def run() -> list[Record | Exception]:
        found = [each async for each in recipe.grow(Group(hops), ask)]
        order = [hop.id for hop in hops]
        return [each.outcome for each in sorted(found, key=lambda each: order.index(each.hop.id))]

    return asyncio.run(run())


def test_each_passage_is_a_root_once_and_files_take_turns() -> None:
    roots = PassageRoots([*CHUNKS, CHUNKS[0]])
    listed = roots.list_roots(SEEDS)
    assert len({root.id for root in listed}) == len(listed) == len(CHUNKS)
    assert [root.source for root in listed[:4]] == ["guide.md:0", "guide.md:1", "guide.md:2", "guide.md:0"]
    assert {root.id for root in PassageRoots(CHUNKS[:3]).list_roots(SEEDS)} < {root.id for root in listed}
    point = roots.make_point(listed[0].id, SEEDS[0])
    assert (point.draft.input, point.source["heading"]) == (TEXTS[0], "Harbour")


def test_a_seed_that_is_gone_takes_no_passages_of_others_along() -> None:
    seeds = [replace(SEEDS[0], id=f"seed{n}") for n in range(6)]
    chunks = [replace(CHUNKS[0], text=f"Ferry {n} sails at noon.") for n in range(80)]
    before = PassageRoots(chunks).list_roots(seeds)
    after = PassageRoots(chunks).list_roots([*seeds[:2], *seeds[3:]])
    assert {root.id for root in before if root.seed != "seed2"} <= {root.id for root in after}
    assert {root.seed for root in before} == {seed.id for seed in seeds}


def test_places_for_queries_cost_no_call() -> None:
    ask = Asked()
    work = PlantWork("root", SEEDS[0].id, 0, (3,))
    point = PassageRoots(CHUNKS).list_roots(SEEDS)
    found = asyncio.run(make_recipe().plant(SEEDS[0], object(), work, ask))  # type: ignore[arg-type]
    assert (found.matters, ask.asked, len(point)) == ({"queries": [1, 2, 3]}, [], len(CHUNKS))


def test_a_record_is_a_query_with_its_passage_and_passages_that_are_none() -> None:
    ask = Asked(json.dumps({"texts": [FOUND, LOST]}))
    kept, refused = grow(make_recipe(negatives=2), ask, "query", "query")
    assert isinstance(kept, Record)
    line = kept.as_dict()
    assert (line["input"], line["output"]) == (FOUND, TEXTS[0])
    assert line["negatives"] == [TEXTS[1], TEXTS[3]]
    assert line["meta"]["document"] == {"file": "guide.md:0", "heading": "Harbour", "offset": 0}
    assert line["lineage"]["way"] == {"query": 1}
    assert isinstance(refused, Rejection)
    assert (refused.step, refused.reason) == ("answer", "outranked")
    call, *more = ask.asked
    assert (call["template"], call["parent"], call["heading"], more) == (
        "recipes/retrieval/write",
        TEXTS[0],
        "Harbour",
        [],
    )
    assert call["lines"] == ["About 17 words."] * 2


def test_a_search_that_may_be_less_exact_keeps_more_and_none_keeps_all() -> None:
    said = json.dumps({"texts": [FOUND, LOST]})
    for allowed, kept in ((1, 1), (3, 2), (0, 2)):
        found = grow(make_recipe(round_trip=allowed), Asked(said), "query", "query")
        assert sum(isinstance(each, Record) for each in found) == kept, allowed


def test_with_embeddings_the_passage_has_to_be_found_by_meaning_as_well() -> None:
    (found,) = grow(make_recipe(vectors=True), Asked(FOUND))
    assert isinstance(found, Rejection)
    (found,) = grow(make_recipe(vectors=True, round_trip_by="words", negatives=2), Asked(FOUND))
    assert isinstance(found, Record)
    assert TEXTS[1] not in found.draft.negatives, "nearer to the query than its own passage by meaning"


def test_negatives_may_be_written_and_the_passage_itself_is_none() -> None:
    written = ["The ferry to the island is painted white.", TEXTS[0]]
    ask = Asked(FOUND, json.dumps({"texts": written}))
    (found,) = grow(make_recipe(negatives=2, negatives_from="model"), ask)
    assert isinstance(found, Record)
    assert found.draft.negatives == (written[0],)
    assert ask.asked[1]["template"] == "recipes/retrieval/negatives"


def test_a_variant_that_is_a_refusal_is_no_passage() -> None:
    said = "I'm sorry, but I can't help with that request."
    (found,) = grow(make_recipe(), Asked(FOUND, said), "paraphrase")
    assert isinstance(found, Rejection)
    assert found.step == "answer"


@pytest.mark.parametrize("kind", ["paraphrase", "augmentation"])
def test_a_variant_is_the_passage_in_other_words_for_a_query_that_found_it(kind: str) -> None:
    ask = Asked(FOUND, "At nine and at four a boat leaves for the island; bicycles go free.")
    (found,) = grow(make_recipe(negatives=1), ask, kind)
    assert isinstance(found, Record)
    assert found.draft.output.startswith("At nine")
    assert found.lineage.operation == kind
    assert (ask.asked[1]["template"], ask.asked[1]["passage"]) == (f"recipes/retrieval/{kind}", TEXTS[0])


def test_the_shape_has_queries_for_each_passage_and_each_variant() -> None:
    shape = Retrieval.shape(RunSpec(queries=4, passage_variants=("paraphrase",), target=10), Inputs())
    assert (shape.kinds, shape.children) == (("query", "paraphrase"), 8)


@pytest.mark.parametrize(
    ("inputs", "spec", "said"),
    [
        (Inputs(()), {}, "needs passages"),
        (Inputs(format="classification"), {}, "takes seeds that are queries"),
        (Inputs(output="refund"), {}, "takes seeds that are queries"),
        (Inputs(), {"reflection": True}, "--reflection has no effect"),
        (Inputs(), {"knowledge": ("facts.md",)}, "--knowledge has no effect"),
    ],
)
def test_what_it_can_make_nothing_of_is_refused(inputs: Inputs, spec: dict[str, Any], said: str) -> None:
    given = RunSpec.model_validate({**Retrieval.defaults, **spec})
    with pytest.raises(InputError, match=said) as fault:
        Retrieval.check(given, inputs)
    assert fault.value.hint
