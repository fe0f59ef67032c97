"""The code of a run over a few seeds, with a typical answer for a model's: which calls it makes, and how long they are.

Nothing of the method is repeated here. Records are grown by the recipe, judged through the run's own judge, and what
is noted is what these asked for. So a step that the recipe gains, or a prompt that changes, is in the next plan.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Self

from aide.card import describe_card
from aide.config import resources
from aide.config.spec import EMBED, RunSpec
from aide.errors import NodeError
from aide.formats import TaskCard
from aide.frontier import GroupWork, PlantWork, Slot
from aide.journal import Journal
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes import Found, find_recipe
from aide.recipes.collection import TOGETHER
from aide.records import PLAIN, Group, Record, Seed
from aide.run.context import build_recipe_context, make_shape
from aide.run.group_sizes import GUIDED, JUDGED, GroupSizes
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.handed_card import is_card_handed, is_precheck_handed
from aide.run.hops import HopBuilder
from aide.run.inputs import PreparedInputs
from aide.run.judge_groups import GroupedJudge
from aide.run.missing_answers import answer_seeds
from aide.run.plan.fates import ACCEPTED, CORRECTED, DISPUTED, LOST, REVISED
from aide.run.plan.kinds import ANCHORED, list_kinds
from aide.run.plan.measuring import NOTHING, CallSize, MeasuringAsk, SizeTable
from aide.run.plan.once import rehearse_precheck, rehearse_realism
from aide.run.plan.script import WORST, OpenCollection, OpenGate, Script, Trace, measure_text
from aide.run.plan.typical import TypicalWriter
from aide.run.seed_pool import SeedPool
from aide.stop import StopSwitch
from aide.verify.answers import AnswerChecks

# Seeds that stand for all: by length from the shortest to the longest, so that their mean is that of all. Only some of
# them go through every fate.
TYPICAL: Final = 10
FULLY: Final = 3


class Rehearsal:
    """A run's code, its card as a model would describe it, and some of its seeds."""

    def __init__(
        self,
        spec: RunSpec,
        inputs: PreparedInputs,
        counted: TaskCard,
        sizes: GroupSizes,
        prompts: Prompts,
        seeds: Sequence[Seed],
        texts: Sequence[Seed] = (),
    ) -> None:
        """`counted` is the card without its description; `prompts` are given the described one.

        `seeds` stand for all as examples, and so do `texts`, unless they are the same, as what is planted and written.
        """
        self.table = SizeTable()
        """Sizes of calls: `write KIND`, `read`, `compare KIND`, and steps of a trace as `STEP KIND`."""
        self.traces: dict[tuple[str, str], Trace] = {}
        """By kind and fate."""
        self.kept: set[str] = set()
        """The fates of which a record comes."""
        self.once: list[tuple[str, CallSize]] = []
        """Calls that are made once, before the first record: card, precheck, embeddings of seeds and bank."""
        self._shared: set[str] = set()
        self._spec = spec
        self._kind = find_recipe(spec.recipe)
        self._inputs = inputs
        self.matters = len(make_shape(spec, inputs).matters)
        self._few = replace(inputs, seeds=tuple(seeds))
        self._texts = tuple(texts or seeds)
        self._sizes = sizes
        self._card = counted
        self._writer = TypicalWriter(self._texts, inputs.format, counted, self._kind.typical)
        self._ask = MeasuringAsk(prompts, self._writer)
        self._script = Script(embeds=bool(spec.embeddings) and spec.duplicates != "off")

    async def run(self) -> Self:
        """Rehearse all but planting, which depends on how many triples and personas are asked for."""
        self._script.ask = self._ask
        if self._inputs.supposed:
            self._ask.prompts.constants["card"] = self._card
            await answer_seeds(
                self._inputs.supposed, lambda _: self._ask, self._inputs.format, self._card, ()
            )
        await self._describe()
        self._ask.prompts.constants["card"] = self._card
        with Journal.in_memory() as journal:
            self._open(journal)
            for kind in list_kinds(self._spec):
                await self._grow(kind)
            if self._spec.reflection:
                await self._judge(journal)
            if self._spec.prechecked and not is_precheck_handed(self._spec):
                checks = AnswerChecks(
                    self._inputs.format,
                    self._card,
                    run=self._context.checks.run,
                    query=self._context.checks.query,
                )
                judge = self._make_judge(journal, self._sizes.most(JUDGED), self._inputs.seeds)
                await rehearse_precheck(self._context, checks, judge, self._inputs, self._ask)
                self.once += self._ask.take()
            if self._spec.measures_realism and len(self._inputs.seeds) > 1:
                await rehearse_realism(self._inputs, self._ask, self.table)
        if self._script.embeds:
            self.once += [(EMBED, measure_text(seed.draft.input)) for seed in self._inputs.seeds]
        if self._spec.embeddings and not self._inputs.frames_documents:
            self.once += list(self._embed_passages())
        return self

    def _embed_passages(self) -> Iterator[tuple[str, CallSize]]:
        texts = [measure_text(chunk.text) for chunk in self._inputs.documents]
        for start in range(0, len(texts), TOGETHER):
            yield EMBED, sum(texts[start : start + TOGETHER], NOTHING)

    def list_fates(self) -> set[str]:
        """Being accepted at once, and the fates that differ from it: in their calls, or in that no record comes."""
        differ = {
            fate
            for (kind, fate), trace in self.traces.items()
            if fate not in self.kept or trace != self.traces[kind, ACCEPTED]
        }
        return {ACCEPTED, *differ} - {WORST}

    async def _describe(self) -> None:
        """The card, as long as a model would make it."""
        instructions = resources.read_file("prompts", "card.md", self._spec.prompts)
        drafts = [seed.draft for seed in self._inputs.seeds]
        card = await describe_card(
            self._ask, drafts, self._card, instructions, topics=self._kind.deals_topics
        )
        self._card = self._inputs.frame_card(card)
        taken = self._ask.take()
        self.once += [] if is_card_handed(self._spec) else taken

    def _open(self, journal: Journal) -> None:
        spec, script = self._spec, self._script
        pool = SeedPool(spec, self._few, journal)
        self._pool = next(iter(pool.pools.values()))
        self._roots = self._kind.roots(spec, self._few)
        self._hops = HopBuilder(spec, self._few, self._card, journal, pool, roots=self._roots)
        embed = script.embed if spec.embeddings else None
        context = build_recipe_context(
            spec, self._few, self._card, self._ask.prompts, deduplicator=script, judge=script, thresholds=Thresholds(),
            pool=pool, run=script.run_tests if spec.run_code else None,
            query=script.run_query if spec.run_code else None,
            embed=embed, wants=script.wants,
        )  # fmt: skip
        # A query that is looked for among others has its vector then; that of a search is the same.
        collection = OpenCollection(self._few.documents, None if script.embeds else embed)
        self._context = script.context = replace(context, gate=OpenGate(), collection=collection)
        self._recipe = self._kind(self._context)

    # --- records --------------------------------------------------------------------------------------

    async def _grow(self, kind: str) -> None:
        """Groups of one, of two and of as many as share a call; those of one with every fate."""
        most = self._sizes.most(PLAIN_SIZE if kind == PLAIN else GUIDED)
        for place in range(len(self._texts)):
            for count in sorted({1, min(2, most), most} if place < FULLY else {1, most}):
                await self._perform(kind, ACCEPTED, place, count)
            for fate in (REVISED, DISPUTED, CORRECTED, LOST, WORST) if place < FULLY else ():
                await self._perform(kind, fate, place, 1)

    async def _perform(self, kind: str, fate: str, place: int, count: int) -> None:
        """One group of records, all of them with one fate."""
        group = self._compose(kind, place, count)
        self._script.begin(kind, fate)
        self._writer.slips = int(fate == CORRECTED)
        self._writer.fails = fate == LOST
        self._writer.label = group.hops[0].label or ""
        grown = [each async for each in self._recipe.grow(group, self._ask)]
        self._writer.label, self._writer.fails = "", False
        (_, written), *calls = self._ask.take()
        self.table.note(f"write {kind}", count, written)
        if count > 1:
            return
        trace = tuple(event for event, _ in calls)
        if len(trace) > len(self.traces.get((kind, fate), ())):
            self.traces[kind, fate] = trace
        for step, size in calls:
            self.table.note(f"{step} {kind}", 1, size)
        if isinstance(grown[0].outcome, Record):
            self.kept.add(fate)

    def _compose(self, kind: str, place: int, count: int) -> Group:
        """A group of the kind, by the run's own rules."""
        seed = self._texts[place]
        label = self._find_label(seed)
        if kind == PLAIN:
            slots = [Slot(self._pool, PLAIN, place * count + n, 0, label) for n in range(count)]
            return self._hops.compose(GroupWork(tuple(slots), "", 1))
        shape = make_shape(self._spec, self._inputs)
        matters = {
            name: [self._kind.make_typical(name, n) for n in range(most)]
            for name, most in shape.matters.items()
        }
        roots = self._choose_roots(seed, place)
        root = roots[0 if self._inputs.documents else place % len(roots)]
        self._hops.keep(seed.id, root, 0, Found("a common matter", matters), "")
        ways = [
            (name, n) for n in range(max(shape.most)) for name in shape.kinds
            if n < shape.matters[shape.kind_matters[name]]
        ]  # fmt: skip
        chosen = [ways[(place + n) % len(ways)] for n in range(count)]
        slots = [Slot(root, name, index, n // len(ways), label) for n, (name, index) in enumerate(chosen)]
        depth = self._spec.residual_after + 1 if kind == ANCHORED else 1
        return self._hops.compose(GroupWork(tuple(slots), seed.id, depth))

    # --- the judge ------------------------------------------------------------------------------------

    async def _judge(self, journal: Journal) -> None:
        """The texts that were grown, through the run's own judge: one, two, and as many as share a call."""
        most = self._sizes.most(JUDGED)
        for count in sorted({1, min(2, most), most}):
            judge = self._make_judge(journal, count)
            for kind, judged in self._script.judged.items():
                for first in range(0, min(len(judged), FULLY * count), count):
                    texts = [judged[(first + n) % len(judged)] for n in range(count)]
                    document = texts[0][0].parent.parts
                    # Only texts about one document share a call.
                    texts = [
                        (replace(hop, parent=replace(hop.parent, parts=document)), draft)
                        for hop, draft in texts
                    ]
                    for name, ask in (("read", judge.read), (f"compare {kind}", judge.compare)):
                        async with asyncio.TaskGroup() as group:
                            for hop, draft in texts:
                                group.create_task(ask(hop, draft))
                        [(_, size)] = self._ask.take()
                        self.table.note(name, count, size)

    def _make_judge(self, journal: Journal, count: int, seeds: Sequence[Seed] = ()) -> GroupedJudge:
        return GroupedJudge(
            journal, StopSwitch(), self._card, self._inputs.format, seeds or self._few.seeds, lambda node: self._ask,
            size=lambda: count, note_size=lambda asked, got: None, count_open=lambda: count, whole=False,
        )  # fmt: skip

    # --- planting -------------------------------------------------------------------------------------

    def _choose_roots(self, seed: Seed, place: int) -> list[str]:
        """Roots of the seed. With documents, which differ in length, they begin at another one for each text; for a
        single text, which stands for the longest, with the longest.
        """
        roots = [root.id for root in self._roots.list_roots([seed])]
        if not self._inputs.documents:
            return roots
        if len(self._texts) > 1:
            return roots[place * len(roots) // len(self._texts) :]
        return sorted(roots, key=lambda root: -len(self._roots.make_point(root, seed).parts.fixed_text))

    def _find_label(self, seed: Seed) -> str:
        """The label that a record of this seed is written for, if any is."""
        return seed.draft.output if self._inputs.format.labelled and self._kind.deals_labels else ""

    async def plant(self, wanted: tuple[int, ...]) -> list[tuple[str, CallSize]]:
        """The calls of one parent that is planted for so many of each matter, each of mean size."""
        planted: list[list[tuple[tuple[str, CallSize], str]]] = []
        for place, seed in enumerate(self._texts):
            label = self._find_label(seed)
            # Of a lone seed two roots show which calls they have in common.
            for root in self._choose_roots(seed, place)[: 1 if len(self._texts) > 1 else 2]:
                work = PlantWork(root, seed.id, 0, wanted, label)
                with suppress(NodeError):
                    await self._recipe.plant(seed, self._roots.make_point(root, seed), work, self._ask)
                planted.append(self._ask.take_with_words())
        found = self._set_apart_shared(planted)
        if self._context.bank is not None and len(found[0]) > len(found[-1]):  # the first embeds the bank
            extra = len(found[0]) - len(found[-1])
            self.once += found[0][1 : 1 + extra]
            del found[0][1 : 1 + extra]
        steps = [step for step, _ in found[-1]]
        return [
            (step, sum((calls[at][1] for calls in found), NOTHING) * (1 / len(found)))
            for at, step in enumerate(steps)
        ]

    def _set_apart_shared(
        self, planted: Sequence[Sequence[tuple[tuple[str, CallSize], str]]]
    ) -> list[list[tuple[str, CallSize]]]:
        """The calls that each parent makes for itself; one that all of them share is made once in a run."""
        times = Counter(words for calls in planted for words in {words for _, words in calls if words})
        shared = {words for words, count in times.items() if count == len(planted) > 1}
        for call, words in planted[0]:
            if words in shared and words not in self._shared:
                self._shared.add(words)
                self.once.append(call)
        return [[call for call, words in calls if words not in shared] for calls in planted]


def choose_typical(seeds: Sequence[Seed]) -> list[Seed]:
    """A few seeds that stand for all, of every length, in their own order."""
    ordered = sorted(range(len(seeds)), key=lambda at: len(seeds[at].parts.whole(seeds[at].draft.input)))
    places = {round((len(ordered) - 1) * n / max(1, TYPICAL - 1)) for n in range(TYPICAL)}
    return [seeds[at] for at in sorted(ordered[place] for place in places)]


def choose_longest(seeds: Sequence[Seed]) -> list[Seed]:
    """As many seeds, with which prompts are longest."""
    return sorted(seeds, key=lambda seed: -len(seed.draft.input) - len(seed.draft.output))[:TYPICAL]
