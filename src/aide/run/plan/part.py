"""The composition that is walked: the run's own or, where it is large, a part of it that stands for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from aide.config.spec import RunSpec
from aide.frontier import Frontier, TreeShape
from aide.recipes import Roots
from aide.records import Seed
from aide.run.composition import Composition, Held, SeedBatch, compose
from aide.run.plan.walk import Level, LevelCounts
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
    plain: float = 1.0
    """How many records each plain one of the part stands for."""
    guided: float = 1.0
    """The same for guided ones of the first hop."""
    keep: Mapping[int, float] = field(default_factory=dict)
    """By hop, the share of its records that may become parents, where not all do."""

    def sow(self, groups: tuple[int, int]) -> Frontier:
        """The frontier at its beginning; `groups` are the most slots of a guided and of a plain group."""
        frontier = Frontier(self.shape, group=groups[0], plain_group=groups[1])
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


def compose_part(
    spec: RunSpec,
    shape: TreeShape,
    seeds: Sequence[Seed],
    labels: HopLabels,
    share: float,
    roots: Roots | None = None,
) -> CompositionPart:
    """The run's composition or a part of it; `share` of the candidates are accepted, `roots` are the first parents."""
    total = spec.compute_target(len(seeds))

    def compose_for(few: Sequence[Seed], records: int | None) -> Composition:
        batch = SeedBatch(POOL, tuple(few), records)
        return compose(spec, shape, [batch], labels.names, labels.near, Held(), labels.weights, roots)

    if total is not None:
        if total <= ENOUGH:
            return CompositionPart(compose_for(seeds, total), tuple(seeds), shape)
        few, weight = _pick(seeds, len(seeds) * ENOUGH // total), total / ENOUGH
        return CompositionPart(compose_for(few, ENOUGH), few, shape, weight, weight)
    most = ENOUGH // shape.hops // max(1, shape.children)  # parents of a hop
    few = _pick(seeds, most)
    guided = len(seeds) / len(few)
    keep, parents = {}, float(len(few))
    for hop in range(1, shape.hops):
        bearing = parents * shape.children * share
        parents = min(bearing, float(max(1, most)))
        keep[hop] = parents / bearing if bearing else 1.0
    whole = compose_for(few, None)
    wanted = sum(compose_for(seeds, None).plain.values())
    part = min(1.0, ENOUGH / wanted) if wanted else 1.0
    plain = {
        key: max(1, round(count * len(seeds) / len(few) * part))
        for key, count in whole.plain.items()
        if count
    }
    weight = wanted / sum(plain.values()) if plain else 1.0
    return CompositionPart(replace(whole, plain=plain), few, shape, weight, guided, keep)


def _pick(seeds: Sequence[Seed], most: int) -> tuple[Seed, ...]:
    """At most so many seeds, evenly spread over outputs; at least one."""
    count = min(len(seeds), max(1, most))
    if count == len(seeds):
        return tuple(seeds)
    ordered = sorted(range(len(seeds)), key=lambda at: (seeds[at].draft.output, at))
    return tuple(seeds[at] for at in sorted(ordered[n * len(seeds) // count] for n in range(count)))


__all__ = ["ENOUGH", "POOL", "CompositionPart", "LevelCounts", "compose_part"]
