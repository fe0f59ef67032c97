"""The share of a part in a run: its seeds as first parents, and its quotas, which add up to those of the whole."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from aide.config.partition import Partition
from aide.frontier import PlainShare, Root, TreeShape
from aide.journal import Journal
from aide.records import digest
from aide.run.composition import Composition, Held, share_out

BLOCK: Final = "plain_block"
"""Under which the journal of a part keeps how long a block of plain records is."""


def fix_plain_share(part: Partition, journal: Journal, group: int) -> PlainShare:
    """The plain records of a part. Blocks are as long as groups are when the part begins, for good."""
    block = journal.get_meta(BLOCK)
    if block is None:
        journal.set_meta(BLOCK, block := group)
    return PlainShare(part.index, part.count, int(block))


def take_share(
    whole: Composition, shape: TreeShape, part: Partition, seeds: Iterable[str], held: Held
) -> Composition:
    """The composition of a part.

    A first parent belongs to one part, a seed by its place among `seeds`, all that the folder ever knew; whatever grows
    from it does too. Plain records are dealt evenly. A hop has its quota where its parents are, so that each has as
    many children as in one process. A quota is never below what the part holds.
    """
    places = {seed: place for place, seed in enumerate(seeds)}

    def find_owner(root: Root) -> int:
        return (places[root.seed] if root.id == root.seed else int(digest(root.id), 16)) % part.count

    own = [
        tuple(root for root in stratum.roots if find_owner(root) == part.index) for stratum in whole.strata
    ]
    if shape.whole:  # every slot is wanted: the frontier leaves those plain ones out that are not of the part
        strata = [replace(stratum, roots=roots) for stratum, roots in zip(whole.strata, own, strict=True)]
        return Composition(whole.plain, tuple(strata))
    dealt = {
        key: _deal(quota, [1] * part.count, turn) for turn, (key, quota) in enumerate(whole.plain.items())
    }
    plain = {key: shares[part.index] for key, shares in dealt.items()}
    strata = []
    for turn, (stratum, roots) in enumerate(zip(whole.strata, own, strict=True)):
        keys = [key for key in dealt if key[1] == stratum.label and (stratum.label or key[0] == stratum.name)]
        beside = [sum(dealt[key][at] for key in keys) for at in range(part.count)]
        owners = Counter(map(find_owner, stratum.roots))
        parents = [owners[at] for at in range(part.count)]
        quotas = []
        for hop, quota in enumerate(stratum.quotas, start=1):
            shares = _deal(quota, parents, turn + hop)
            quotas.append(shares[part.index])
            # Plain records are parents of the second hop.
            parents = [sum(pair) for pair in zip(shares, beside, strict=True)] if hop == 1 else shares
        there = [
            *(held.plain[key] for key in keys),
            *(held.guided[stratum.label or stratum.name, hop] for hop in range(1, len(quotas) + 1)),
        ]
        fitted = _fit_to_held([*(plain[key] for key in keys), *quotas], there)
        plain.update(zip(keys, fitted, strict=False))
        strata.append(replace(stratum, roots=roots, quotas=tuple(fitted[len(keys) :])))
    return Composition(plain, tuple(strata))


def _fit_to_held(quotas: Sequence[int], held: Sequence[int]) -> list[int]:
    """Quotas raised to what is held, and others lowered by as much, so that their sum stays where it can."""
    fitted = [max(pair) for pair in zip(quotas, held, strict=True)]
    over = sum(fitted) - sum(quotas)
    for at in sorted(range(len(fitted)), key=lambda at: held[at] - fitted[at]):
        less = min(over, fitted[at] - held[at])
        fitted[at] -= less
        over -= less
    return fitted


def _deal(total: int, weights: Sequence[int], turn: int) -> list[int]:
    """`total` in proportion to `weights`; `turn` says which part comes first where something is left over."""
    at = turn % len(weights)
    turned = share_out(total, [*weights[at:], *weights[:at]], [0] * len(weights))
    return [*turned[len(weights) - at :], *turned[: len(weights) - at]]
