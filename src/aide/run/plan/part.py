"""The composition that is walked: that of the run or its part; where it is large, a piece that stands for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from aide.config.partition import Partition
from aide.config.spec import RunSpec
from aide.frontier import Frontier, PlainShare, TreeShape
from aide.recipes import Roots
from aide.records import Seed
from aide.run.composition import Composition, Held, SeedBatch, compose
from aide.run.plan.walk import Level, LevelCounts
from aide.run.shares import take_share
from aide.run.task_card import HopLabels

# Candidates of a level beyond which a part is walked. Ten thousand take half a second, and by then the shares of
# groups, parents and calls no longer change.
ENOUGH: Final = 10_000
POOL: Final = "1"


@dataclass(frozen=True, slots=True)
class CompositionPart:
    """What is walked of a composition."""

    composition: Composition
    seeds: tuple[Seed, ...]
    shape: TreeShape
    part: Partition | None = None
    """Of which part of a run in parts it is."""
    plain: float = 1.0
    """How many records each plain one of the part stands for."""
    guided: float = 1.0
    """The same for guided ones of the first hop."""
    keep: Mapping[int, float] = field(default_factory=dict)
    """By hop, the share of its records that may become parents, where not all do."""

    def sow(self, groups: tuple[int, int]) -> Frontier:
        """The frontier at its beginning; `groups` are the most slots of a guided and of a plain group."""
        share = PlainShare(self.part.index, self.part.count, groups[1]) if self.part else None
        frontier = Frontier(self.shape, group=groups[0], plain_group=groups[1], share=share)
        for (pool, label), quota in self.composition.plain.items():
            frontier.add_plain(pool, label, quota)
        for each in self.composition.strata:
            frontier.add_stratum(each.name, each.label, each.roots, each.quotas)
        return frontier

    def weigh(self, level: Level) -> float:
        """How many records each one of a level stands for."""
        hop, plain = level
        weight = self.plain if plain else self.guided
        for above in range(1, hop):
            weight /= self.keep.get(above, 1.0)
        return weight


def compose_whole(
    spec: RunSpec, shape: TreeShape, seeds: Sequence[Seed], labels: HopLabels, roots: Roots | None = None
) -> Composition:
    """What a run that begins is made of; of a run in parts, what the part of these settings is dealt."""
    batch = SeedBatch(POOL, tuple(seeds), spec.compute_target(len(seeds)))
    whole = compose(spec, shape, [batch], labels.names, labels.near, Held(), labels.weights, roots)
    return take_share(whole, shape, spec.part, [seed.id for seed in seeds], Held()) if spec.part else whole


def compose_part(
    spec: RunSpec,
    shape: TreeShape,
    seeds: Sequence[Seed],
    labels: HopLabels,
    share: float,
    roots: Roots | None = None,
) -> CompositionPart:
    """The run's composition or a part of it; `share` of the candidates are accepted, `roots` are the first parents."""
    whole = compose_whole(spec, shape, seeds, labels, roots)
    here = {root.seed for stratum in whole.strata for root in stratum.roots}
    bearing = [seed for seed in seeds if seed.id in here]
    if spec.compute_target(len(seeds)) is None:
        return _compose_tree(spec, shape, seeds, bearing, whole, share)
    if whole.total <= ENOUGH:
        return CompositionPart(whole, tuple(seeds), shape, spec.part)
    few, weight = _pick(bearing or seeds, len(bearing) * ENOUGH // whole.total), whole.total / ENOUGH
    batch = SeedBatch(POOL, few, ENOUGH)
    fewer = compose(spec, shape, [batch], labels.names, labels.near, Held(), labels.weights, roots)
    return CompositionPart(fewer, few, shape, spec.part, weight, weight)


def _compose_tree(
    spec: RunSpec,
    shape: TreeShape,
    seeds: Sequence[Seed],
    bearing: Sequence[Seed],
    whole: Composition,
    share: float,
) -> CompositionPart:
    """The whole tree of all `seeds`, of which those `bearing` are first parents, or of a few that stand for them."""
    most = ENOUGH // shape.hops // max(1, shape.children)  # parents of a hop
    few = _pick(bearing or seeds, most)
    kept = {seed.id for seed in few}
    strata = tuple(
        replace(stratum, roots=tuple(root for root in stratum.roots if root.seed in kept))
        for stratum in whole.strata
    )
    guided = len(bearing) / len(few)
    keep, parents = {}, float(len(few))
    for hop in range(1, shape.hops):
        bearing_now = parents * shape.children * share
        parents = min(bearing_now, float(max(1, most)))
        keep[hop] = parents / bearing_now if bearing_now else 1.0
    wanted = sum(whole.plain.values())
    part = min(1.0, ENOUGH / wanted) if wanted else 1.0
    plain = {key: max(1, round(count * part)) for key, count in whole.plain.items() if count}
    weight = wanted / sum(plain.values()) if plain else 1.0
    walked = few if len(few) < len(bearing) else tuple(seeds)
    return CompositionPart(Composition(plain, strata), walked, shape, spec.part, weight, guided, keep)


def _pick(seeds: Sequence[Seed], most: int) -> tuple[Seed, ...]:
    """At most so many seeds, evenly spread over outputs; at least one."""
    count = min(len(seeds), max(1, most))
    if count == len(seeds):
        return tuple(seeds)
    ordered = sorted(range(len(seeds)), key=lambda at: (seeds[at].draft.output, at))
    return tuple(seeds[at] for at in sorted(ordered[n * len(seeds) // count] for n in range(count)))


__all__ = ["ENOUGH", "CompositionPart", "LevelCounts", "compose_part", "compose_whole"]
