"""What each slot of a group comes to be: its parent's text, its topic, its traits, and an id that stays."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from aide.card import Traits, count_traits
from aide.errors import AideError, NodeError
from aide.formats import FORMATS, TaskCard, Topic
from aide.frontier import GroupWork, Slot
from aide.journal import Journal, Outcome
from aide.metrics.drift import DriftBounds
from aide.recipes import Found
from aide.records import PERSONA, PLAIN, Lineage, Parts, Record, Seed, Triple
from aide.run.hops import HopBuilder
from aide.run.inputs import PreparedInputs
from aide.run.restore import pack_offered
from aide.run.seed_pool import SeedPool
from unit.run.prepared import make_card, make_inputs, make_seed, make_seeds, make_spec

TRIPLES = (Triple("bank cards", "has", "PIN"), Triple("bank cards", "comes by", "post"))
PERSONAS = ("a student abroad", "an old man who lost it")
FOUND = Found("bank cards", {"triples": [each.as_dict() for each in TRIPLES], "personas": PERSONAS})


class Bench:
    """A builder over a journal, with seeds in the order of their batches."""

    def __init__(
        self,
        journal: Journal,
        seeds: Sequence[Seed] | None = None,
        *,
        card: TaskCard | None = None,
        format: str = "classification",
        contexts: Sequence[str] = (),
        bounds: DriftBounds | None = None,
        **spec: Any,
    ) -> None:
        self.journal = journal
        self.seeds = make_seeds() if seeds is None else tuple(seeds)
        self.spec = make_spec(**spec)
        self.inputs = make_inputs(self.seeds, format, contexts)
        self.card = card or make_card(self.seeds, format)
        self.bounds = bounds
        self.hops = self.build(self.inputs)

    def build(self, inputs: PreparedInputs) -> HopBuilder:
        """As an invocation with these inputs has it."""
        pool = SeedPool(self.spec, inputs, self.journal)
        return HopBuilder(self.spec, inputs, self.card, self.journal, pool, self.bounds)

    async def plant(self, branch: str, depth: int = 0, found: Found = FOUND, seed: int = 0) -> None:
        payload = self.hops.keep(self.seeds[seed].id, branch, depth, found, "")
        place = pack_offered(found.count(("triples", "personas")))
        await self.journal.settle(
            Outcome(branch, "planted", self.seeds[seed].id, "", depth, place, "", "", payload)
        )

    async def accept(self, id: str, text: str, depth: int = 1, seed: int = 0) -> None:
        origin = self.seeds[seed]
        lineage = Lineage(origin.id, origin.id, depth, "reasoning", None, None, False)
        draft = make_seed(text).draft
        record = Record(id, "bank", "classification", draft, origin.parts, lineage)
        payload = orjson.dumps(record.as_dict())
        await self.journal.settle(
            Outcome(id, "accepted", origin.id, origin.id, depth, 0, "reasoning", "", payload)
        )


def play(folder: Path, scene: Callable[[Bench], Awaitable[None]], **how: Any) -> None:
    async def run() -> None:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            await scene(Bench(journal, **how))

    asyncio.run(run())


def plain(*ordinals: int, label: str = "card_arrival", pool: str = "1") -> GroupWork:
    return GroupWork(tuple(Slot(pool, PLAIN, ordinal, 0, label) for ordinal in ordinals), "", 1)


def guided(
    bench: Bench, *slots: tuple[str, int], branch: str = "", depth: int = 1, seed: int = 0
) -> GroupWork:
    origin = bench.seeds[seed].id
    parent = branch or origin
    return GroupWork(tuple(Slot(parent, kind, index) for kind, index in slots), origin, depth)


# --- guided hops ------------------------------------------------------------------------------------------


def test_a_guided_hop_has_its_parent_its_triple_or_its_persona(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.plant(bench.seeds[0].id)
        group = bench.hops.compose(guided(bench, ("reasoning", 1), (PERSONA, 0)))
        one, other = group.hops
        assert (one.operation, one.triple, one.persona) == ("reasoning", TRIPLES[1], None)
        assert (other.operation, other.triple, other.persona) == (PERSONA, None, "a student abroad")
        for hop in group.hops:
            assert hop.parent.draft == bench.seeds[0].draft
            assert (hop.seed, hop.topic, hop.group) == (bench.seeds[0], "bank cards", group.id)

    play(tmp_path, scene)


def test_a_hop_below_a_record_shows_the_record(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.accept("record", "My new card never came.")
        await bench.plant("record", 1)
        (hop,) = bench.hops.compose(guided(bench, ("reasoning", 0), branch="record", depth=2)).hops
        assert (hop.parent.id, hop.parent.draft.input, hop.parent.depth) == (
            "record",
            "My new card never came.",
            1,
        )
        assert Lineage.of(hop).parent_id == "record"

    play(tmp_path, scene)


def test_attributes_and_records_are_found_in_the_journal_after_a_restart(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.accept("record", "My new card never came.")
        await bench.plant("record", 1)
        work = guided(bench, ("reasoning", 0), (PERSONA, 1), branch="record", depth=2)
        again = bench.build(bench.inputs)
        assert again.compose(work) == bench.hops.compose(work)
        assert again.read_text(bench.seeds[0].id, "record") == "My new card never came."
        assert again.read_text(bench.seeds[0].id, bench.seeds[0].id) == bench.seeds[0].draft.input

    play(tmp_path, scene)


def test_a_hop_of_a_parent_without_attributes_is_a_fault(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        with pytest.raises(AideError, match="no attributes"):
            bench.hops.compose(guided(bench, ("reasoning", 0)))

    play(tmp_path, scene)


def test_a_label_without_seeds_grows_from_a_seed_of_another_under_its_own_name(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.plant("stand-in")
        slot = Slot("stand-in", "reasoning", 0, 0, "lost_card")
        (hop,) = bench.hops.compose(GroupWork((slot,), bench.seeds[0].id, 1)).hops
        assert (hop.label, hop.parent.draft) == ("lost_card", bench.seeds[0].draft)
        assert bench.hops.read_text(bench.seeds[0].id, "stand-in") == bench.seeds[0].draft.input

    play(tmp_path, scene)


@pytest.mark.parametrize(("siblings", "together"), [("aware", False), ("aware", True), ("apart", False)])
def test_only_a_child_that_is_written_alone_is_told_of_its_siblings(
    tmp_path: Path, siblings: str, together: bool
) -> None:
    async def scene(bench: Bench) -> None:
        await bench.plant(bench.seeds[0].id)
        slots = [("reasoning", 0), (PERSONA, 1)] if together else [("reasoning", 0)]
        hop = bench.hops.compose(guided(bench, *slots)).hops[0]
        told = () if together or siblings == "apart" else ("post", *PERSONAS)
        assert hop.others == told

    play(tmp_path, scene, siblings=siblings)


# --- ids --------------------------------------------------------------------------------------------------


def test_ids_follow_from_what_a_record_grows_from_and_along(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.plant(bench.seeds[0].id)
        await bench.plant(bench.seeds[1].id, seed=1)
        works = [
            guided(bench, ("reasoning", 0), ("constraint", 0), ("reasoning", 1), (PERSONA, 0), (PERSONA, 1)),
            guided(bench, ("reasoning", 0), seed=1),
            GroupWork((Slot(bench.seeds[0].id, "reasoning", 0, 1), Slot(bench.seeds[0].id, "reasoning", 0, 0, "x")),
                      bench.seeds[0].id, 1),
            plain(0, 1), plain(0, label="cash_fee"),
        ]  # fmt: skip
        groups = [bench.hops.compose(work) for work in works]
        ids = [hop.id for group in groups for hop in group.hops]
        assert len(set(ids)) == len(ids)
        assert [group.id for group in groups] == [
            bench.build(bench.inputs).compose(work).id for work in works
        ]
        again = [hop.id for work in works for hop in bench.build(bench.inputs).compose(work, 0.5).hops]
        assert again == ids

    play(tmp_path, scene)


def test_which_company_a_record_is_written_in_says_nothing_of_it(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        alone, among = bench.hops.compose(plain(3)).hops[0], bench.hops.compose(plain(2, 3, 4)).hops[1]
        assert alone == among
        assert (alone.traits, alone.manner) == (among.traits, among.manner)
        assert alone.group != among.group

    play(tmp_path, scene)


# --- the residual -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("residual", "after", "depth", "anchored"),
    [
        ("fixed", 1, 1, False),
        ("fixed", 1, 2, True),
        ("fixed", 2, 2, False),
        ("fixed", 0, 1, True),
        ("off", 0, 2, False),
    ],
)
def test_the_seed_stands_beside_the_parent_past_the_residual_depth(
    tmp_path: Path, residual: str, after: int, depth: int, anchored: bool
) -> None:
    async def scene(bench: Bench) -> None:
        await bench.accept("record", "My new card never came.")
        branch = bench.seeds[0].id if depth == 1 else "record"
        await bench.plant(branch, depth - 1)
        (hop,) = bench.hops.compose(guided(bench, ("reasoning", 0), branch=branch, depth=depth)).hops
        assert hop.anchored == anchored

    play(tmp_path, scene, residual=residual, residual_after=after)


@pytest.mark.parametrize(
    ("text", "anchored", "ended"),
    [
        ("My card has not come yet, and I ordered it three weeks ago.", False, False),
        ("My card has not come, what about the fee for it?", True, False),
        ("Whales sing at night.", True, True),
    ],
)
def test_an_adaptive_residual_looks_at_how_far_the_parent_has_drifted(
    tmp_path: Path, text: str, anchored: bool, ended: bool
) -> None:
    async def scene(bench: Bench) -> None:
        await bench.accept("record", text)
        await bench.plant("record", 1)
        (hop,) = bench.hops.compose(guided(bench, ("reasoning", 0), branch="record", depth=2)).hops
        assert hop.anchored == anchored
        if ended:
            with pytest.raises(NodeError) as fault:
                bench.hops.check_drift(hop.seed, hop.parent)
            assert fault.value.reason == "drifted"
        else:
            bench.hops.check_drift(hop.seed, hop.parent)
        bench.hops.check_drift(hop.seed, bench.hops.point(hop.seed.id, hop.seed.id, 0))

    play(tmp_path, scene, residual="adaptive", bounds=DriftBounds(0.6, 0.1))


# --- plain hops -------------------------------------------------------------------------------------------


def test_a_plain_hop_is_a_seed_s_in_traits_and_lineage_and_nobody_s_in_text(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        for hop in bench.hops.compose(plain(*range(6))).hops:
            assert (hop.operation, hop.depth, hop.label, hop.anchored) == (PLAIN, 1, "card_arrival", False)
            assert (hop.triple, hop.persona) == (None, None)
            lineage = Lineage.of(hop)
            assert lineage.parent_id == lineage.seed_id == hop.seed.id

    play(tmp_path, scene, residual_after=0)


def test_every_seed_gives_its_traits_once_a_block(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        block = len(bench.seeds)
        for first in (0, block):
            hops = bench.hops.compose(plain(*range(first, first + block))).hops
            assert {hop.seed.id for hop in hops} == {seed.id for seed in bench.seeds}

    play(tmp_path, scene)


def test_the_traits_of_a_plain_hop_are_those_of_its_seed(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        for hop in bench.hops.compose(plain(*range(12), label="")).hops:
            drawn, seen = (
                Traits.from_dict(hop.traits),
                count_traits(hop.seed.draft, "words", FORMATS["classification"]),
            )
            assert (drawn.form, drawn.lower_case, drawn.punctuation, drawn.figures) == (
                seen.form, seen.lower_case, seen.punctuation, seen.figures,
            )  # fmt: skip

    play(tmp_path, scene)


def test_traits_stand_in_numbers_and_in_words(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.plant(bench.seeds[0].id)
        hops = [
            *bench.hops.compose(plain(*range(12))).hops,
            *bench.hops.compose(guided(bench, (PERSONA, 0))).hops,
        ]
        for hop in hops:
            assert f"about {hop.traits['words']} word" in hop.manner

    play(tmp_path, scene)


def test_a_correction_makes_the_lengths_longer_and_changes_nothing_else(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        as_drawn, longer = (bench.hops.compose(plain(*range(12)), by).hops for by in (1.0, 1.5))
        for one, other in zip(as_drawn, longer, strict=True):
            assert other.traits["words"] == pytest.approx(1.5 * one.traits["words"], abs=1)
            assert one == other

    play(tmp_path, scene)


def test_topics_are_dealt_by_their_shares_to_tasks_without_labels(tmp_path: Path) -> None:
    topics = (Topic("cards", 3), Topic("fees", 1), Topic("transfers", 2))

    async def scene(bench: Bench) -> None:
        hops = bench.hops.compose(plain(*range(60), label="")).hops
        assert Counter(hop.topic for hop in hops) == {"cards": 30, "fees": 10, "transfers": 20}
        first = bench.hops.compose(plain(*range(7), label="")).hops
        assert {hop.topic for hop in first} == {"cards", "fees", "transfers"}
        assert {hop.topic for hop in bench.hops.compose(plain(*range(6))).hops} == {""}, "labels say it"

    play(tmp_path, scene, card=make_card(make_seeds(), topics=topics))


def test_without_a_map_there_is_no_topic(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        assert {hop.topic for hop in bench.hops.compose(plain(0, 1, label="")).hops} == {""}

    play(tmp_path, scene, format="free_text", card=make_card(format="free_text"))


# --- seeds that come later, and seeds that go ---------------------------------------------------------------


def test_later_seeds_change_nothing_of_the_first_pool(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        late = make_seed("How do I close my account for good, please?", "cash_fee")
        before = bench.hops.compose(plain(*range(8)))
        more = bench.build(make_inputs([*bench.seeds, late]))
        after = more.compose(plain(*range(8)))
        assert [(hop, hop.traits) for hop in after.hops] == [(hop, hop.traits) for hop in before.hops]
        assert {hop.seed for hop in more.compose(plain(0, 1, pool="2")).hops} == {late}

    play(tmp_path, scene)


def test_a_seed_that_is_gone_stays_a_model_and_may_be_the_origin_of_a_parent(tmp_path: Path) -> None:
    """Its plain records are there, and grow on when the target is raised."""

    async def scene(bench: Bench) -> None:
        before = bench.hops.compose(plain(*range(6)))
        fewer = bench.build(make_inputs(bench.seeds[1:]))
        assert fewer.compose(plain(*range(6))) == before
        await bench.accept("record", "My new card never came.")
        gone = bench.seeds[0].id
        assert fewer.seed(gone).draft == bench.seeds[0].draft
        assert fewer.point(gone, "record", 1).draft.input == "My new card never came."
        await bench.plant("record", 1)
        (hop,) = fewer.compose(guided(bench, ("reasoning", 0), branch="record", depth=2)).hops
        assert hop.seed.id == gone

    play(tmp_path, scene)


def test_what_the_files_have_now_brings_its_meta_fields(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        known = [Seed(seed.id, seed.draft, seed.parts, seed.name, {"source": "app"}) for seed in bench.seeds]
        hops = bench.build(make_inputs(known)).compose(plain(*range(6))).hops
        assert {hop.seed.meta["source"] for hop in hops} == {"app"}

    play(tmp_path, scene)


# --- fixed parts --------------------------------------------------------------------------------------------


def make_contracts() -> list[Seed]:
    return [
        make_seed(
            f"What is the rent of flat {n}?", "It is paid monthly.",
            Parts((("contract", f"The rent of flat {n} is paid monthly."),), "question", "{contract}\n{question}"),
        )
        for n in range(4)
    ]  # fmt: skip


def test_all_plain_records_of_a_call_are_about_one_document(tmp_path: Path) -> None:
    """The prompt shows one, and each record is told to be about the one that it carries."""

    async def scene(bench: Bench) -> None:
        documents = set()
        for first in range(0, 70, 7):
            group = bench.hops.compose(plain(*range(first, first + 7), label=""))
            assert len({hop.parent.parts for hop in group.hops}) == 1
            assert all(hop.seed.id == hop.parent.id for hop in group.hops)
            documents.add(group.hops[0].parent.parts.fixed)
        assert len(documents) == 4

    play(tmp_path, scene, seeds=make_contracts(), format="free_text")


def test_further_documents_have_their_turns(tmp_path: Path) -> None:
    contexts = [f"Another contract, number {n}." for n in range(4)]

    async def scene(bench: Bench) -> None:
        shown = Counter(
            bench.hops.compose(plain(*range(7 * n, 7 * n + 7), label="")).hops[0].parent.parts.fixed[0][1]
            for n in range(40)
        )
        assert len(shown) == 8
        assert max(shown.values()) <= 2 * min(shown.values())
        await bench.plant(bench.seeds[0].id)
        siblings = bench.hops.compose(guided(bench, ("reasoning", 0), (PERSONA, 0))).hops
        assert len({hop.parent.parts for hop in siblings}) == 1

    play(tmp_path, scene, seeds=make_contracts(), format="free_text", contexts=contexts)


def test_the_document_of_a_call_does_not_change_when_a_seed_goes(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        works = [plain(*range(7 * n, 7 * n + 7), label="") for n in range(8)]
        before = [bench.hops.compose(work) for work in works]
        fewer = bench.build(make_inputs(bench.seeds[1:], "free_text"))
        assert [fewer.compose(work) for work in works] == before

    play(tmp_path, scene, seeds=make_contracts(), format="free_text")


def test_below_the_first_hop_a_record_keeps_its_document(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.accept("record", "When is the rent of flat 0 paid?")
        await bench.plant("record", 1)
        (hop,) = bench.hops.compose(guided(bench, ("reasoning", 0), branch="record", depth=2)).hops
        assert hop.parent.parts.fixed == bench.seeds[0].parts.fixed

    play(tmp_path, scene, seeds=make_contracts(), format="free_text", contexts=["Another contract."] * 9)
