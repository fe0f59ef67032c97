"""The seeds that a run has known, and the demonstrations D_T that are chosen among them."""

from collections.abc import Mapping
from typing import Final

from aide.card import choose_demonstrations, make_demonstration
from aide.card.trait_pool import has_fault
from aide.config.spec import RunSpec
from aide.formats import Demonstration
from aide.journal import Journal
from aide.llm.usage import estimate_tokens
from aide.records import PLAIN, Group, Seed, rng
from aide.run.inputs import PreparedInputs

SEED: Final = "seed"
# Demonstrations are chosen among at most so many seeds: each seed is held against all of them, and the cost of a seed
# has to stay flat while their number grows.
POOL: Final = 100
# Three short examples or one long one: they stand in every prompt, so they are paid for with every call.
DEMONSTRATION_TOKENS: Final = 1500


class SeedPool:
    """All seeds by the batch in which they came: D_T of a seed is chosen among those of its batch and before.

    A seed and its batch are journaled when it is first seen. So seeds that come later change nothing in the prompts of
    one that was there (its answers would have to be paid for again), and the choice itself can wait until it is grown.
    """

    def __init__(self, spec: RunSpec, inputs: PreparedInputs, journal: Journal) -> None:
        self._count, self._format = spec.demonstrations, inputs.format
        rows = dict(journal.read_decisions(SEED))
        self._seeds = {id: Seed.from_dict(id, row) for id, row in rows.items()}
        self._batches = {id: row["batch"] for id, row in rows.items()}
        batch = 1 + max(self._batches.values(), default=0)
        for seed in inputs.seeds:
            if seed.id not in rows:
                journal.decide(SEED, seed.id, {**seed.as_dict(), "batch": batch})
                self._seeds[seed.id], self._batches[seed.id] = seed, batch
        self._pools: dict[int, list[Seed]] = {}
        self._chosen: dict[str, tuple[Demonstration, ...]] = {}
        self._shown: dict[str, tuple[Demonstration, ...]] = {}

    @property
    def seeds(self) -> Mapping[str, Seed]:
        """All seeds that the folder ever knew, by id."""
        return self._seeds

    @property
    def pools(self) -> dict[str, str]:
        """The pool of each seed that the folder ever knew: the number of its batch."""
        return {id: str(batch) for id, batch in self._batches.items()}

    def list_seeds(self, pool: str) -> list[Seed]:
        """The seeds of one pool, those that are gone from the files included: what was drawn from them stays drawn."""
        return [self._seeds[id] for id, batch in self._batches.items() if str(batch) == pool]

    def examples(self, group: Group) -> tuple[Demonstration, ...]:
        """The examples that a group's writer sees: those of its label first, others drawn for this group.

        So calls differ by their examples, though none knows of another.
        """
        if group.id not in self._shown:
            self._shown.clear()  # asked for several times in a row, and never again
            self._shown[group.id] = self._draw_examples(group)
        return self._shown[group.id]

    def _draw_examples(self, group: Group) -> tuple[Demonstration, ...]:
        first = group.hops[0]
        batch = self._batches.get(first.seed.id, 1)
        pool = self._seeds_until(batch)
        rng("examples", group.id).shuffle(pool)
        own = [seed for seed in pool if first.label and seed.draft.output == first.label]
        # A prompt shows the parent itself; of a lone seed plain records have no other example.
        away = {first.parent.id} if first.operation != PLAIN or len(pool) > 1 else set()
        chosen: list[Demonstration] = []
        left = DEMONSTRATION_TOKENS * self._format.room
        for seed in dict.fromkeys([*own, *pool]):
            example = make_demonstration(seed.draft, self._format)
            size = estimate_tokens(example.input) + estimate_tokens(example.answer)
            if seed.id not in away and size <= left and len(chosen) < self._count:
                chosen.append(example)
                left -= size
        if (
            not chosen and self._format.chats and self._count
        ):  # what a long conversation is like, nothing else tells
            shown = (make_demonstration(seed.draft, self._format) for seed in pool if seed.id not in away)
            chosen = sorted(shown, key=lambda each: len(each.input))[:1]
        return tuple(chosen)

    def demonstrations(self, seed: Seed) -> tuple[Demonstration, ...]:
        """D_T of this seed's whole tree."""
        if seed.id not in self._chosen:
            self._chosen[seed.id] = self._choose(seed) if self._count else ()
        return self._chosen[seed.id]

    def _choose(self, seed: Seed) -> tuple[Demonstration, ...]:
        batch = self._batches[seed.id]
        pool = self._seeds_until(batch)
        if len(pool) > POOL:
            pool = rng("demonstrations", seed.id).sample(pool, POOL)
        chosen = choose_demonstrations(
            seed, pool, self._format, k=self._count, max_tokens=DEMONSTRATION_TOKENS * self._format.room
        )
        return tuple(make_demonstration(each.draft, self._format) for each in chosen)

    def _seeds_until(self, batch: int) -> list[Seed]:
        """The seeds of a batch and of those before it; without those that have a fault, where others are left."""
        if batch not in self._pools:
            known = [self._seeds[id] for id, came in self._batches.items() if came <= batch]
            sound = [seed for seed in known if not has_fault(seed.draft, self._format)]
            self._pools[batch] = sound or known
        return list(self._pools[batch])


def find_gone_seeds(inputs: PreparedInputs, journal: Journal) -> list[str]:
    """Names of seeds that the folder knows and the files no longer have: their records stay."""
    here = {seed.id for seed in inputs.seeds}
    return [row["name"] or id for id, row in journal.read_decisions(SEED) if id not in here]
