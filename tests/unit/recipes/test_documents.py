"""Records about documents: roots that share them evenly, triples that stand in them, records that say where from."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.documents import Chunk, frame_card
from aide.errors import InputError, Unusable
from aide.formats import FORMATS, Format
from aide.frontier import CHILDREN, PlantWork
from aide.recipes.documents import (
    ASK,
    DocumentRoots,
    Documents,
    DocumentTriples,
    count_parents,
    fold_document,
    stands_in_words,
)
from aide.records import Group, Hop, Point, Seed, Triple
from unit.recipes.scene import Asked, Judged, make_context, make_seed

LEASE = (
    "1. The rent is due on the first day of each month. A late payment costs ten euros. The deposit of two months' "
    "rent comes back within eight weeks after the keys were handed in at the office."
)
QUESTION = "When does a tenant get the deposit back after she has left the flat for good?"
SAID = {
    "topic": "lease", "triples": [
        {"relation": "is paid as", "attribute": "Deposit"}, {"relation": "costs", "attribute": "late   payment"},
        {"relation": "allows", "attribute": "dogs"}, {"relation": "is due on day", "attribute": "1."},
        {"relation": "ends at", "attribute": "the office"},
    ],
}  # fmt: skip


def make_chunks(**counts: int) -> tuple[Chunk, ...]:
    return tuple(
        Chunk(f"Rule {n} of {name}.", f"{name}.md", name, 100 * n)
        for name, count in counts.items()
        for n in range(count)
    )


SEEDS = tuple(map(make_seed, range(3)))


class Inputs:
    """What is read before the first call."""

    contexts: tuple[str, ...] = ()
    fixed_parts = True
    seeds = SEEDS

    def __init__(self, documents: Sequence[Chunk] = (), format: str = "free_text") -> None:
        self.documents = tuple(documents)
        self.format: Format = FORMATS[format]


# --- roots ------------------------------------------------------------------------------------------------


def list_sources(roots: DocumentRoots, seeds: Sequence[Seed] = SEEDS) -> list[str]:
    return [root.source for root in roots.list_roots(seeds)]


def test_documents_take_turns_however_long_they_are() -> None:
    roots = DocumentRoots(make_chunks(short=1, middle=3, long=40), target=24)
    first = list_sources(roots)[:9]
    assert Counter(first) == {"short.md": 3, "middle.md": 3, "long.md": 3}
    assert len(set(first[:3])) == 3


def test_a_chunk_comes_again_beside_another_seed_and_never_twice_beside_one() -> None:
    roots = DocumentRoots(make_chunks(short=1, long=40), target=400)
    listed = roots.list_roots(SEEDS)
    short = [root for root in listed if root.source == "short.md"]
    assert sorted(root.seed for root in short) == sorted(seed.id for seed in SEEDS)
    assert len({root.id for root in listed}) == len(listed)


def test_a_larger_target_and_further_documents_leave_the_roots_that_there_are() -> None:
    chunks = make_chunks(one=2, two=2)
    few = DocumentRoots(chunks, target=8).list_roots(SEEDS)
    more = DocumentRoots(chunks, target=80).list_roots(SEEDS)
    assert more[: len(few)] == few
    wider = DocumentRoots((*chunks, *make_chunks(three=2)), target=80).list_roots(SEEDS)
    assert {root.id for root in few} <= {root.id for root in wider}


def test_a_seed_that_is_gone_takes_no_roots_of_others_along() -> None:
    seeds = [replace(SEEDS[0], id=f"seed{n}") for n in range(6)]
    chunks = make_chunks(one=40, two=40)
    before = DocumentRoots(chunks, target=None).list_roots(seeds)
    after = DocumentRoots(chunks, target=None).list_roots([*seeds[:2], *seeds[3:]])
    assert {root.id for root in before if root.seed != "seed2"} <= {root.id for root in after}
    assert {root.seed for root in before} == {seed.id for seed in seeds}


def test_of_a_whole_tree_each_chunk_is_a_parent_once() -> None:
    roots = DocumentRoots(make_chunks(short=1, long=5), target=None)
    assert Counter(list_sources(roots)) == {"short.md": 1, "long.md": 5}


def test_a_root_has_the_chunk_as_its_part_and_its_place() -> None:
    chunk = Chunk(LEASE, "lease.md", "Lease > Money", 310)
    roots = DocumentRoots([chunk], target=4)
    (root, *_) = roots.list_roots(SEEDS[:1])
    point = roots.make_point(root.id, SEEDS[0])
    assert point.parts.whole("Why?") == f"{LEASE}\n\nWhy?"
    assert point.source == {"file": "lease.md", "heading": "Lease > Money", "offset": 310}
    assert point.id == root.id != SEEDS[0].id


def test_parents_are_equally_many_for_each_document() -> None:
    chunks = make_chunks(**{f"d{n}": 3 for n in range(12)})
    assert count_parents(chunks, 120, hops=1) == 36
    assert count_parents(chunks, 48, hops=1) == 12
    assert count_parents(chunks, 12, hops=1) == 6, "two records of each parent, and not one"
    assert count_parents(chunks, 12 * CHILDREN * 2, hops=2) == 12


# --- triples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "stands"), [
    ("late payment", True), ("Late  Payment", True), ("two months' rent", True), ("rent comes back", True),
    ("ent", False), ("payment late", False), ("dogs", False), ("", False), ("...", False),
])  # fmt: skip
def test_an_attribute_stands_in_a_document_by_its_words(name: str, stands: bool) -> None:
    assert stands_in_words(name, fold_document(LEASE)) == stands


def test_in_a_script_without_spaces_it_stands_inside_a_clause() -> None:
    assert stands_in_words("押金", fold_document("房东应在八周内退还押金。"))


def test_what_does_not_stand_in_the_document_is_dropped() -> None:
    found = DocumentTriples(5, "document", LEASE).read(json.dumps(SAID))
    assert [name for _, name in found.ties] == ["Deposit", "late payment", "the office"]


def test_where_nothing_stands_in_it_the_model_is_told() -> None:
    with pytest.raises(Unusable, match="copy each of them word for word"):
        DocumentTriples(2, "document", "Something else.").read(json.dumps(SAID))


def test_the_schema_says_where_attributes_are_copied_from() -> None:
    schema: Any = DocumentTriples(2, "contract", LEASE).schema
    attribute = schema["properties"]["triples"]["items"]["properties"]["attribute"]
    assert attribute["description"] == "copied word for word from the contract"


# --- the recipe -------------------------------------------------------------------------------------------


def make_recipe(judge: Judged | None = None, **spec: Any) -> Documents:
    context = make_context("free_text", judge=judge, **{**Documents.defaults, "recipe": "documents", **spec})
    card = frame_card(context.card)
    context.prompts.constants["card"] = card
    return Documents(replace(context, card=card, fixed_parts=True))


def make_point() -> Point:
    roots = DocumentRoots([Chunk(LEASE, "lease.md", "Lease", 7)], target=4)
    (root, *_) = roots.list_roots(SEEDS[:1])
    return roots.make_point(root.id, SEEDS[0])


def test_planting_shows_the_chunk_and_keeps_what_stands_there() -> None:
    ask = Asked(json.dumps(SAID))
    work = PlantWork("root", SEEDS[0].id, 0, (3,))
    found = asyncio.run(make_recipe().plant(SEEDS[0], make_point(), work, ask))
    assert found.topic == "lease"
    assert [each["attribute"] for each in found.matters["triples"]] == [
        "Deposit",
        "late payment",
        "the office",
    ]
    (call,) = ask.asked
    assert (call["step"], call["template"]) == ("extract", "recipes/documents/plant")
    assert call["parts"].fixed == (("document", LEASE),)
    assert call["heading"] == "Lease"


def test_a_chunk_that_comes_again_is_asked_for_what_its_first_time_left() -> None:
    words = [f"thing{n}" for n in range(60)]
    chunk = Chunk(
        " ".join(f"The {word} is kept for {n} years." for n, word in enumerate(words)), "a.md", "", 0
    )
    roots = DocumentRoots([chunk], target=40)
    first, second, *_ = roots.list_roots(SEEDS)
    ties = [{"relation": "keeps", "attribute": word} for word in words]
    found, asked = [], []
    for root in (first, second):
        point = roots.make_point(root.id, SEEDS[0])
        ask = Asked(json.dumps({"topic": "archive", "triples": ties[:18]}))
        planted = asyncio.run(make_recipe().plant(SEEDS[0], point, PlantWork(root.id, "s", 0, (4,)), ask))
        found.append({each["attribute"] for each in planted.matters["triples"]})
        asked.append(ask.asked[0]["attributes"])
    assert asked == [6, 13]
    assert not found[0] & found[1]
    assert roots.make_point(second.id, SEEDS[0]).source["again"] == 1


def test_a_record_is_asked_in_the_way_of_the_seed_and_answered_with_a_quote() -> None:
    triple = Triple("lease", "is paid back as", "deposit")
    hop = Hop(SEEDS[0], make_point(), 1, ASK, triple, topic="lease", manner="about 12 words")
    quote = "comes back within eight weeks"
    ask = Asked(
        f'<item n="1">{QUESTION}<answer>Within eight weeks.</answer><evidence>{quote}</evidence></item>',
    )
    judge = Judged()
    recipe = make_recipe(judge)

    async def grow() -> list[Any]:
        return [each async for each in recipe.grow(Group((hop,)), ask)]

    (grown,) = asyncio.run(grow())
    record = grown.outcome
    assert record.as_dict()["parts"] == {"document": LEASE, "question": QUESTION}
    assert record.draft.output == "Within eight weeks."
    assert record.meta["document"] == {"file": "lease.md", "heading": "Lease", "offset": 7}
    assert record.as_dict()["meta"]["evidence"] == quote
    assert ask.asked[0]["lines"] == ["lease – is paid back as: deposit. About 12 words."]
    assert ask.asked[0]["template"] == "recipes/documents/write"
    assert hop.starts_anew, "the judge compares it with no parent: the seed lent its manner alone"


def test_operations_are_further_kinds() -> None:
    spec = RunSpec(recipe="documents", operations=("reasoning",), attributes=3, target=40)
    shape = Documents.shape(spec, Inputs(make_chunks(one=2)))
    assert shape.kinds == (ASK, "reasoning")
    hop = Hop(SEEDS[0], make_point(), 1, "reasoning", Triple("lease", "costs", "late payment"), topic="lease")
    assert "two places of the text" in make_recipe().describe(hop)


def test_what_the_recipe_can_make_nothing_of_is_refused() -> None:
    spec = RunSpec(recipe="documents", operations=())
    with pytest.raises(InputError, match="needs documents"):
        Documents.check(spec, Inputs())
    with pytest.raises(InputError, match="makes no conversations"):
        Documents.check(spec, Inputs(make_chunks(one=1), "chat"))
    with pytest.raises(InputError, match="--attributes 0 leaves nothing to ask about"):
        Documents.check(RunSpec(recipe="documents", attributes=0, target="all"), Inputs(make_chunks(one=1)))
    Documents.check(spec, Inputs(make_chunks(one=1)))
