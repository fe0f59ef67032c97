"""The growth loop over a journal and shards, with a recipe that says how each hop ends."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aide.errors import AideError, BudgetSpent, HopelessRun, Interrupted, NodeError, Rejection
from aide.frontier import PlantWork
from aide.journal import Journal
from aide.recipes import NOT_NEEDED, Found, Grown
from aide.records import PLAIN, Draft, Group, Hop, Lineage, Record, Triple
from aide.run import restore
from aide.run.context import make_shape
from aide.run.deduplication import NoDeduplication
from aide.run.group_sizes import GUIDED, GroupSizes
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.guard import PATIENCE, has_given_up
from aide.run.hops import HopBuilder
from aide.run.loop import GrowthLoop, RunOutput
from aide.run.progress import Progress
from aide.run.pruning import read_standing
from aide.run.restore import GROUP
from aide.run.seed_pool import SeedPool
from aide.run.steering import LengthSteering
from aide.shards import AppendOnlyLines, Shards
from models import SilentModels
from unit.run.prepared import make_card, make_inputs, make_seed, make_spec

SEEDS = tuple(make_seed(f"What does it cost to send parcel {n} to my aunt?", f"{n} euros") for n in range(4))
Fate = Callable[[Hop], Exception | None]
"""Why a hop becomes no record; `None` where it does."""


def write(hop: Hop) -> Record:
    text = f"A question of {hop.operation} about {hop.topic or 'parcels'}, which is the one called {hop.id}?"
    return Record(hop.id, "post", "free_text", Draft(text, "An answer."), hop.parent.parts, Lineage.of(hop))


def accept(hop: Hop) -> None:
    return None


class Script:
    """A recipe: every branch has attributes, and a hop ends as `fate` says, siblings in the order of their group."""

    name = "script"

    def __init__(self, fate: Fate, barren: frozenset[str] = frozenset()) -> None:
        self.fate, self.barren = fate, barren
        self.groups: list[Group] = []
        self.planted: list[str] = []
        self.wanted: list[bool] = []
        """What the loop said of each hop when it had been written."""
        self.wants: Callable[[Hop], bool] = lambda hop: True
        self.pause: asyncio.Event | None = None
        self.open = self.most_open = 0

    async def plant(self, seed: Any, point: Any, work: PlantWork, ask: Any) -> Found:
        self.planted.append(work.branch)
        if work.branch in self.barren:
            raise NodeError("truncated", "the answer was cut off")
        triples, personas = work.wanted
        things = [Triple("post", "has", f"thing {n} of {work.branch}").as_dict() for n in range(triples)]
        return Found("post", {"triples": things, "personas": [f"person {n}" for n in range(personas)]})

    async def grow(self, group: Group, ask: Any) -> AsyncGenerator[Grown, None]:
        self.groups.append(group)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            for place, hop in enumerate(group.hops):
                if place in group.settled:
                    continue
                await (self.pause.wait() if self.pause else asyncio.sleep(0))
                fault = self.fate(hop)
                if fault is None and not self.wants(hop):
                    fault = Rejection("synthesize", NOT_NEEDED, "too late")
                yield Grown(hop, fault or write(hop), "a model")
        finally:
            self.open -= 1


class Bench:
    """A run folder without an endpoint: what a session, a frontier and a loop need of one another."""

    def __init__(self, folder: Path, journal: Journal, script: Script, **spec: Any) -> None:
        self.folder, self.journal, self.script = folder, journal, script
        spec = {"target": 40, "plain_share": 0.5, "attributes": 3, "graph_triples": 0, **spec}
        self.spec = make_spec(**spec)
        self.inputs = make_inputs(SEEDS, "free_text")
        self.card = make_card(SEEDS, "free_text")
        self.pool = SeedPool(self.spec, self.inputs, journal)
        self.hops = HopBuilder(self.spec, self.inputs, self.card, journal, self.pool)
        self.sizes = GroupSizes(self.spec, median_length=30, worked=False, kept=None)
        self.shape = make_shape(self.spec, self.inputs)
        self.composition = restore.plan_levels(
            self.spec, self.shape, SEEDS, self.pool.pools, journal, (), {}, ()
        )
        self.frontier = restore.build_frontier(
            self.shape, self.composition, journal, self.pool.pools,
            groups=(self.sizes.most(GUIDED), self.sizes.most(PLAIN_SIZE)), choose=lambda candidates, chosen: 0,
            patience=PATIENCE if self.spec.guard else 0,
        )  # fmt: skip
        self.progress = Progress()
        self.models = SilentModels()
        self.stop = self.models.stop
        self.sent = 0
        manifest = {"plan": {"asked": "this"}}
        self.session: Any = SimpleNamespace(
            spec=self.spec, journal=journal, stop=self.stop, models=self.models, calls=SimpleNamespace(ending=False),
            folder=SimpleNamespace(read_manifest=lambda: manifest),
        )  # fmt: skip
        context: Any = SimpleNamespace(session=self.session, recipe=script, ask_for=lambda node: node)
        self.emitted: list[str] = []
        self.shards, self.rejects = Shards(folder / "shards"), AppendOnlyLines(folder / "rejects.jsonl")
        judge: Any = SimpleNamespace(send_full=self._send)
        self.loop = GrowthLoop(
            context, self.frontier, self.hops, NoDeduplication(), judge, self.sizes,
            LengthSteering("words", on=self.spec.steer), RunOutput(self.shards, self.rejects, self._emit),
            self.progress, capacity=6,
        )  # fmt: skip
        script.wants = self._ask_first

    def _send(self) -> None:
        self.sent += 1

    def _ask_first(self, hop: Hop) -> bool:
        self.script.wanted.append(self.loop.wants(hop))
        return self.script.wanted[-1]

    async def _emit(self, line: dict[str, Any]) -> None:
        on_disk = (self.folder / "shards" / "part-00000.jsonl").read_text(encoding="utf-8")
        assert line["id"] in on_disk, "a record is emitted once it is safe"
        self.emitted.append(line["id"])

    async def run(self) -> None:
        try:
            await self.loop.run()
        finally:
            await self.journal.flush()
            self.shards.close()
            self.rejects.close()

    @property
    def records(self) -> list[dict[str, Any]]:
        return read_lines(self.folder / "shards" / "part-00000.jsonl")

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(outcome.kind for outcome in self.journal.read_outcomes())

    @property
    def groups(self) -> dict[str, Any]:
        return dict(self.journal.read_decisions(GROUP))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def run(
    folder: Path, fate: Fate = accept, *, barren: frozenset[str] = frozenset(), kind: type[Script] = Script,
    code: type[Exception] | None = None, prepare: Callable[[Bench], None] = lambda bench: None, **spec: Any,
) -> Bench:  # fmt: skip
    """One invocation over the folder; it ends of a `code` where one is named."""

    folder.mkdir(exist_ok=True)

    async def play() -> Bench:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            bench = Bench(folder, journal, kind(fate, barren), **spec)
            prepare(bench)
            if code is None:
                await bench.run()
            else:
                with pytest.raises(code):
                    await bench.run()
            return bench

    bench = asyncio.run(play())
    bench.journal = Journal.open(folder / "journal.sqlite", readonly=True)
    return bench


def refuse(share: int) -> Fate:
    """Every so many-th hop is rejected."""
    seen = iter(range(10**6))
    return lambda hop: Rejection("reflect", "off_task", "no") if next(seen) % share == share - 1 else None


# --- to the target ------------------------------------------------------------------------------------------


def test_it_ends_at_the_target_with_every_record_in_journal_shard_and_stream(tmp_path: Path) -> None:
    bench = run(tmp_path)
    ids = [line["id"] for line in bench.records]
    assert len(set(ids)) == len(ids) == bench.progress.accepted == bench.outcomes["accepted"] == 40
    assert bench.emitted == ids
    assert {line["model"] for line in bench.records} == {"a model"}
    assert Counter(line["lineage"]["operation"] == PLAIN for line in bench.records) == {True: 20, False: 20}
    assert bench.frontier.open == 0
    assert bench.sent > 0, "full calls of the judge are sent when nothing more is handed out"


def test_a_reject_is_written_with_its_reason_and_its_place_is_filled(tmp_path: Path) -> None:
    bench = run(tmp_path, refuse(4))
    lines = read_lines(tmp_path / "rejects.jsonl")
    assert len(bench.records) == 40
    assert bench.progress.rejected == len(lines) == bench.outcomes["rejected"] > 8
    assert {(line["step"], line["reason"], line["failed"]) for line in lines} == {
        ("reflect", "off_task", False)
    }
    assert bench.progress.reasons == {"off_task": len(lines)}
    assert not {line["id"] for line in lines} & {line["id"] for line in bench.records}


def test_a_model_that_gave_nothing_usable_and_an_endpoint_at_fault_are_told_apart(tmp_path: Path) -> None:
    faults = iter([NodeError("empty", "nothing"), NodeError("server_fault", "500", failed=True)])
    run(tmp_path, lambda hop: next(faults, None))
    told = [(line["step"], line["reason"], line["failed"]) for line in read_lines(tmp_path / "rejects.jsonl")]
    assert told[:2] == [("call", "empty", False), ("call", "server_fault", True)]


def test_what_comes_too_late_is_surplus_or_not_needed_and_in_no_shard(tmp_path: Path) -> None:
    """Where half is refused more is opened than is missing. What comes too late is up to the order of answers, so
    several targets are tried.
    """
    refused = 0
    for target in range(36, 44):
        late = run(tmp_path / f"late-{target}", refuse(2), target=target)
        assert len(late.records) == target
        rejected = {line["reason"] for line in read_lines(tmp_path / f"late-{target}" / "rejects.jsonl")}
        assert rejected <= {"off_task", NOT_NEEDED}
        assert (NOT_NEEDED in rejected) == (False in late.script.wanted)
        refused += NOT_NEEDED in rejected
    assert refused
    surplus = 0
    for target in range(36, 44):
        written = run(
            tmp_path / f"written-{target}",
            refuse(2),
            target=target,
            prepare=lambda bench: setattr(bench.script, "wants", lambda hop: True),
        )
        assert len(written.records) == target
        assert written.outcomes["surplus"] == written.progress.surplus
        assert not {each.node for each in written.journal.read_outcomes("surplus")} & set(written.emitted)
        surplus += written.progress.surplus
    assert surplus


def test_a_seed_without_attributes_is_counted_with_its_reason_and_others_take_its_place(
    tmp_path: Path,
) -> None:
    bench = run(tmp_path, barren=frozenset({SEEDS[0].id}), plain_share=0, hops=1, target=12)
    assert len(bench.records) == 12
    assert bench.progress.without_attributes == 1
    assert bench.progress.reasons_without_attributes == {"truncated": 1}
    assert SEEDS[0].id not in {line["lineage"]["seed_id"] for line in bench.records}
    assert list(restore.read_reasons_without_attributes(bench.journal)) == ["truncated"]


def test_never_more_is_open_than_there_is_capacity_for(tmp_path: Path) -> None:
    bench = run(tmp_path, plain_share=1, target=200)
    assert bench.script.most_open == 6


def test_the_whole_tree_is_grown_once_and_rejects_leave_their_places(tmp_path: Path) -> None:
    bench = run(tmp_path, refuse(5), target="all", hops=1, attributes=1, personas=1)
    assert bench.progress.accepted + bench.progress.rejected == bench.frontier.count_possible()
    assert bench.progress.rejected > 0


# --- groups ---------------------------------------------------------------------------------------------------


def test_a_group_is_a_decision_and_later_ones_are_shown_what_is_there(tmp_path: Path) -> None:
    bench = run(tmp_path, plain_share=1, target=60)
    assert len(bench.groups) == len(bench.script.groups)
    there = [group.there for group in bench.script.groups]
    assert there[0] == ()
    assert there[-1], "the last plain records are shown some that are there"
    texts = {line["input"] for line in bench.records}
    assert all(text in texts for shown in there for text in shown)


def read_standing_lines(bench: Bench) -> None:
    bench.loop.note_standing(read_standing(bench.journal, {}))


def test_a_larger_target_goes_on_with_what_is_shown_and_with_the_lengths_that_are_asked_for(
    tmp_path: Path,
) -> None:
    first = run(tmp_path, plain_share=1, target=60)
    earlier = first.groups
    last = list(earlier.values())[-1]
    assert last["correction"] != 1.0
    assert last["there"]
    again = run(tmp_path, plain_share=1, target=120, prepare=read_standing_lines)
    later = [kept for id, kept in again.groups.items() if id not in earlier]
    assert later
    assert all(kept["there"] for kept in later)
    assert later[0]["correction"] == pytest.approx(first.loop._steering.correction)
    assert {id: again.groups[id] for id in earlier} == earlier


def test_of_the_whole_tree_no_group_is_shown_what_happened_to_be_there(tmp_path: Path) -> None:
    bench = run(tmp_path, target="all", hops=1, attributes=1, personas=1)
    assert {group.there for group in bench.script.groups} == {()}


class Repeating(Script):
    """A recipe that finds the same twice at each parent."""

    async def plant(self, seed: Any, point: Any, work: PlantWork, ask: Any) -> Found:
        found = await super().plant(seed, point, work, ask)
        triples, personas = ([*values[:1], *values] for values in found.matters.values())
        return Found(found.topic, {"triples": triples, "personas": personas})


@pytest.mark.parametrize("target", [40, "all"])
def test_equal_matters_of_a_parent_are_one(tmp_path: Path, target: Any) -> None:
    bench = run(tmp_path, kind=Repeating, plain_share=0, target=target, hops=2)
    ids = [hop.id for group in bench.script.groups for hop in group.hops]
    assert len(ids) == len(set(ids)) == len(bench.records) == bench.progress.accepted
    assert target == "all" or len(ids) == target


@pytest.mark.parametrize("target", [40, "all"])
def test_equal_matters_that_a_journal_holds_are_grown_once(
    tmp_path: Path, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Found, "drop_repeats", lambda found: found)
    bench = run(tmp_path, kind=Repeating, plain_share=0, target=target, hops=2)
    ids = [line["id"] for line in bench.records]
    assert len(ids) == len(set(ids)) == bench.progress.accepted == bench.frontier.planned
    assert target == "all" or len(ids) == target
    assert bench.frontier.open == 0
    again = run(tmp_path, kind=Repeating, plain_share=0, target=target, hops=2)
    assert again.script.groups == []


# --- stops and faults ---------------------------------------------------------------------------------------------


def stop_after(count: int, fault: AideError) -> Callable[[Bench], None]:
    def prepare(bench: Bench) -> None:
        seen = iter(range(10**6))

        def fate(hop: Hop) -> None:
            if next(seen) == count:
                bench.stop.request(fault)

        bench.script.fate = fate

    return prepare


def test_after_a_stop_nothing_is_begun_and_what_is_open_is_written(tmp_path: Path) -> None:
    bench = run(tmp_path, prepare=stop_after(3, Interrupted("enough")), code=Interrupted)
    begun = sum(len(group.hops) for group in bench.script.groups)
    assert len(bench.script.groups) <= 6
    assert len(bench.records) == begun < 40


def test_a_run_that_goes_on_after_a_stop_keeps_what_is_there_and_ends_at_the_target(tmp_path: Path) -> None:
    first = run(tmp_path, prepare=stop_after(9, Interrupted("enough")), code=Interrupted)
    kept = first.records
    again = run(tmp_path)
    assert again.records[: len(kept)] == kept
    assert len(again.records) == 40 == len({line["id"] for line in again.records})
    assert not {group.id for group in first.script.groups} & {group.id for group in again.script.groups}


def test_a_fault_of_the_run_in_one_hop_leaves_it_open_in_the_company_it_was_in(tmp_path: Path) -> None:
    spent: list[str] = []

    def spend(hop: Hop) -> Exception | None:
        if hop.operation == PLAIN and hop.ordinal == 2:
            spent.append(hop.id)
            return BudgetSpent("no more calls")
        return None

    first = run(tmp_path, spend, code=BudgetSpent)
    [group] = [group for group in first.script.groups if spent[0] in {hop.id for hop in group.hops}]
    assert len(group.hops) > 3
    ids = {line["id"] for line in first.records}
    assert {hop.id for hop in group.hops} - ids == set(spent), "its siblings are written"
    assert first.journal.get_outcome(spent[0]) is None
    again = run(tmp_path)
    opened = again.script.groups[0]
    assert (opened.id, [hop.id for hop in opened.hops]) == (group.id, [hop.id for hop in group.hops])
    assert [hop.id for place, hop in enumerate(opened.hops) if place not in opened.settled] == spent
    assert opened.there == group.there, "the call is recalled as it was asked"
    assert len(again.records) == 40


def test_a_fault_that_nobody_foresaw_ends_the_run_once_the_rest_is_written(tmp_path: Path) -> None:
    seen = iter(range(10**6))
    bench = run(
        tmp_path, lambda hop: ZeroDivisionError() if next(seen) == 4 else None, code=ZeroDivisionError
    )
    begun = sum(len(group.hops) for group in bench.script.groups)
    assert len(bench.records) == begun - 1
    assert isinstance(bench.stop.reason, AideError)
    assert "a fault of ours" in str(bench.stop.reason)


def test_a_fault_in_planting_ends_the_run_too(tmp_path: Path) -> None:
    class Broken(Script):
        async def plant(self, seed: Any, point: Any, work: PlantWork, ask: Any) -> Found:
            raise KeyError("what")

    run(tmp_path, kind=Broken, code=KeyError)


def test_who_cancels_the_run_cancels_all_that_is_open(tmp_path: Path) -> None:
    async def play() -> None:
        with Journal.open(tmp_path / "journal.sqlite", pace=0.0) as journal:
            script = Script(accept)
            script.pause = asyncio.Event()
            bench = Bench(tmp_path, journal, script, plain_share=1, target=200)
            running = asyncio.create_task(bench.run())
            for _ in range(50):
                await asyncio.sleep(0)
            assert script.open == 6
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert script.open == 0

    asyncio.run(play())


# --- the guard ------------------------------------------------------------------------------------------------------


def test_a_run_of_which_nothing_comes_ends_with_what_leads_and_a_text_of_it(tmp_path: Path) -> None:
    def refuse_all(hop: Hop) -> Exception:
        fault = Rejection("reflect", "low_relevance", "It could not stand among the examples.")
        fault.input = "A text of nobody."
        return fault

    async def play() -> HopelessRun:
        with Journal.open(tmp_path / "journal.sqlite", pace=0.0) as journal:
            bench = Bench(tmp_path, journal, Script(refuse_all))
            with pytest.raises(HopelessRun) as caught:
                await bench.run()
            assert has_given_up(bench.session), "the same command knows that it gave up before"
            assert PATIENCE <= bench.progress.rejected < 2 * PATIENCE
            return caught.value

    error = asyncio.run(play())
    told = f"none of the last {PATIENCE} candidates was accepted: {PATIENCE} of them refused at reflect as"
    assert str(error).startswith(f"{told} low_relevance")
    assert "A text of nobody." in str(error)
    assert "--min-relevance" in error.hint
    assert "--no-guard" in error.hint


def test_half_of_the_seeds_without_attributes_end_it_too(tmp_path: Path) -> None:
    barren = frozenset(seed.id for seed in SEEDS[:3])
    bench = run(tmp_path, barren=barren, plain_share=0, hops=1, target=30, code=HopelessRun)
    assert bench.progress.reasons_without_attributes == {"truncated": 3}


def test_without_the_guard_a_run_goes_on_to_its_end(tmp_path: Path) -> None:
    bench = run(tmp_path, refuse(1), target=4, hops=1, guard=False)
    assert bench.records == []
    assert bench.progress.rejected > 2 * PATIENCE
