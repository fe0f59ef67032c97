"""What a target is made of, fixed before the first call: records by label or pool, plain and guided ones, hops."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aide.config.spec import RunSpec
from aide.frontier import ENDLESS, Root, TreeShape, split_evenly, split_over_hops
from aide.recipes import Roots
from aide.records import Seed

# Under a label (without labels: in a pool) the first so many records are plain. Most of what people write is one of a
# few usual things; until these are there, the tail that guided records make would be taken for the whole.
PLAIN_LEAST: Final = 20


@dataclass(frozen=True, slots=True)
class SeedBatch:
    """Seeds that came together: a pool of their own, with a share of the target of their own."""

    name: str
    seeds: tuple[Seed, ...]
    total: int | None
    """Records that these seeds are to have; `None` for the whole tree."""


@dataclass(frozen=True, slots=True)
class Held:
    """Accepted records of earlier invocations: a quota is never below what is there."""

    plain: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By pool and label."""
    guided: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By stratum and hop."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """A label or, where there are no labels, a pool: its seeds as first parents, and its quota for each hop."""

    name: str
    label: str
    roots: tuple[Root, ...]
    quotas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """The quotas of all levels."""

    plain: Mapping[tuple[str, str], int]
    """By pool and label; with the whole tree, how many there are."""
    strata: tuple[Stratum, ...]

    @property
    def total(self) -> int:
        """All records of the composition; with the whole tree only the plain ones are counted."""
        guided = sum(quota for each in self.strata for quota in each.quotas if quota < ENDLESS)
        return sum(self.plain.values()) + guided


def compose(
    spec: RunSpec,
    shape: TreeShape,
    batches: Sequence[SeedBatch],
    labels: Sequence[str],
    near: Mapping[str, Sequence[str]],
    held: Held,
    weights: Mapping[str, int] | None = None,
    roots: Roots | None = None,
) -> Composition:
    """Quotas for a target or, where the batches have no totals, for the whole tree.

    `near` gives for each label the others, the nearest first: a label that no seed has grows from seeds of the nearest.
    `weights` are the shares of labels, where neither `--balance` nor the seeds alone say them. `roots` says which first
    parents seeds have; by default these are the seeds themselves.
    """
    roots = roots or Roots()
    if labels:
        return _compose_labels(spec, shape, batches, labels, near, held, weights or {}, roots)
    plain: dict[tuple[str, str], int] = {}
    strata = []
    for batch in batches:
        first = roots.list_roots(batch.seeds)
        key, hops = (batch.name, ""), range(1, shape.hops + 1)
        plain[key], quotas = _split(
            spec,
            shape,
            len(first),
            batch.total,
            held.plain[key],
            [held.guided[batch.name, hop] for hop in hops],
        )
        strata.append(Stratum(batch.name, "", first, tuple(quotas)))
    return Composition(plain, tuple(strata))


def _compose_labels(
    spec: RunSpec,
    shape: TreeShape,
    batches: Sequence[SeedBatch],
    labels: Sequence[str],
    near: Mapping[str, Sequence[str]],
    held: Held,
    weights: Mapping[str, int],
    roots: Roots,
) -> Composition:
    seeds = [seed for batch in batches for seed in batch.seeds]
    totals = [batch.total for batch in batches if batch.total is not None]
    there = Counter(
        {name: sum(n for (_, label), n in held.plain.items() if label == name) for name in labels}
    )
    there.update({name: sum(held.guided[name, hop] for hop in range(1, shape.hops + 1)) for name in labels})
    if weights:
        parts = share_out(sum(totals), [weights[name] for name in labels], [there[name] for name in labels])
        shares = dict(zip(labels, parts, strict=True))
    else:
        shares = split_labels(spec, labels, [seed.draft.output for seed in seeds], sum(totals), there)
    plain: dict[tuple[str, str], int] = {}
    strata = []
    for name in labels:
        first = find_roots(name, seeds, near, roots)
        keys = [(batch.name, name) for batch in batches]
        of_label = Counter(seed.draft.output for seed in seeds)[name] or 1
        count, quotas = _split(
            spec, shape, len(first) if totals else of_label, shares[name] if totals else None,
            sum(held.plain[key] for key in keys), [held.guided[name, hop] for hop in range(1, shape.hops + 1)],
        )  # fmt: skip
        parts = share_out(
            count,
            [len(batch.seeds) if batch.total is None else batch.total for batch in batches],
            [held.plain[key] for key in keys],
        )
        plain.update(zip(keys, parts, strict=True))
        strata.append(Stratum(name, name, first, tuple(quotas)))
    return Composition(plain, tuple(strata))


def find_roots(
    label: str, seeds: Sequence[Seed], near: Mapping[str, Sequence[str]], roots: Roots
) -> tuple[Root, ...]:
    """The first parents of a label: its seeds or, where there are none, those of the nearest label that has some."""
    if own := roots.list_roots([seed for seed in seeds if seed.draft.output == label]):
        return own
    for name in near.get(label, ()):
        if found := [seed for seed in seeds if seed.draft.output == name]:
            break
    else:
        found = list(seeds)
    return roots.list_roots(found, label)


def _split(
    spec: RunSpec, shape: TreeShape, roots: int, total: int | None, plain_held: int, held: Sequence[int]
) -> tuple[int, list[int]]:
    """Plain records, and guided ones by hop."""
    nominal = shape.caps(roots)
    if total is None:
        return count_plain_of_tree(spec, sum(nominal)), [ENDLESS] * shape.hops if spec.plain_share < 1 else []
    plain = max(plain_held, min(total - sum(held), count_plain(spec, total)))
    below = [
        0,
        *(plain * shape.children**hop for hop in range(1, shape.hops)),
    ]  # children of plain records, and theirs
    caps = [cap + more for cap, more in zip(nominal, below, strict=True)]
    quotas = split_over_hops(max(total - plain, sum(held)), caps, held) if any(caps) else list(held)
    return max(plain, total - sum(quotas)) if spec.plain_share else plain, quotas


def count_plain(spec: RunSpec, total: int) -> int:
    """Plain records among `total` of one label or pool: their share, and at least the first few."""
    if not spec.plain_share:
        return 0
    return min(total, max(round(spec.plain_share * total), PLAIN_LEAST))


def count_plain_of_tree(spec: RunSpec, guided: int) -> int:
    """Plain records beside a whole tree of so many guided ones, in proportion."""
    return guided if spec.plain_share == 1 else round(spec.plain_share / (1 - spec.plain_share) * guided)


def share_out(total: int, weights: Sequence[int], held: Sequence[int]) -> list[int]:
    """`total` in proportion to `weights`, largest remainders first, never below what is held.

    What one holds beyond its share the others have less, so that the sum is `total` unless more than that is held.
    """
    parts, sharing = list(held), list(range(len(held)))
    while sharing:
        left = total - sum(parts[at] for at in range(len(parts)) if at not in sharing)
        weight = sum(weights[at] for at in sharing)
        exact = {at: left * weights[at] / weight if weight else left / len(sharing) for at in sharing}
        if any(exact[at] < held[at] for at in sharing):
            sharing = [at for at in sharing if exact[at] >= held[at]]
            continue
        parts = [int(exact.get(at, part)) for at, part in enumerate(parts)]
        for at in sorted(sharing, key=lambda at: parts[at] - exact[at])[: total - sum(parts)]:
            parts[at] += 1
        break
    return parts


def split_labels(
    spec: RunSpec, labels: Sequence[str], drawn: Sequence[str], total: int, held: Counter[str]
) -> dict[str, int]:
    """How many records each label is to have: in equal shares, or as the seeds have them; never below what is there."""
    if spec.balance == "uniform":
        caps = [max(total, held[name]) for name in labels]
        return dict(zip(labels, split_over_hops(total, caps, [held[name] for name in labels]), strict=True))
    counts = Counter(drawn)
    parts = share_out(total, [counts[name] for name in labels], [held[name] for name in labels])
    return dict(zip(labels, parts, strict=True))


def split_batches(
    spec: RunSpec, batches: Sequence[tuple[str, Sequence[Seed]]], first: Mapping[str, int]
) -> list[SeedBatch]:
    """The share of each batch of seeds.

    `first` is the share of each seed that was there when the target was first asked for: it is split evenly over these;
    a seed that comes later gets the same share on top.
    """
    later = next(iter(sorted(first.values())), 0)
    totals: list[int | None] = []
    for _, seeds in batches:
        if spec.per_seed is not None:
            totals.append(spec.per_seed * len(seeds))
        elif spec.target == "all":
            totals.append(None)
        else:
            totals.append(sum(first.get(seed.id, later) for seed in seeds))
    return [
        SeedBatch(name, tuple(seeds), total) for (name, seeds), total in zip(batches, totals, strict=True)
    ]


def share_target(target: int, seeds: Sequence[str]) -> dict[str, int]:
    """The share of each seed of a target."""
    return dict(zip(seeds, split_evenly(target, len(seeds)), strict=True))
