"""Sources, such as documents: all have even shares, whatever their parents offer and whatever is rejected."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from aide.frontier import CHILDREN, Frontier, PlantWork, Root, TreeShape
from unit.frontier.growing import Growth, accept_all, grow, reject_some

SOURCES = 6


def choose_fewest(candidates: Sequence[Any], chosen: Sequence[Any]) -> int:
    """As `run.parents.ParentChooser` does."""
    counts: Counter[str] = Counter()
    for branch in chosen:
        counts[branch.source] += branch.children if branch.planted else CHILDREN
    least = min(counts[each.source] for each in candidates)
    return next(place for place, each in enumerate(candidates) if counts[each.source] == least)


def build(quotas: Sequence[int], first_parents: int = 0, parents: int = 8) -> Frontier:
    shape = TreeShape({"triples": 6}, {"ask": "triples"}, hops=len(quotas), first_parents=first_parents)
    frontier = Frontier(shape, group=5, choose=choose_fewest)
    roots = [
        Root(f"{place}.{source}", "seed", f"source{source}")
        for place in range(parents)
        for source in range(SOURCES)
    ]
    frontier.add_stratum("1", "", roots, quotas)
    return frontier


def count_sources(growth: Growth) -> list[int]:
    """Accepted records of the first hop by source, the fewest first."""
    found = Counter(each.slot.parent.split(".")[1] for each in growth.accepted if each.depth == 1)
    return sorted(found.values())


def offer_two_of_the_first(work: PlantWork) -> tuple[int, ...]:
    """The first source has less to ask about than the others."""
    return (2,) if work.branch.endswith(".0") else (6,)


@pytest.mark.parametrize("fate", [accept_all, reject_some(0.3)])
@pytest.mark.parametrize("seed", range(4))
def test_sources_have_even_shares(fate: Any, seed: int) -> None:
    growth = grow(build([60], first_parents=18), fate=fate, found=offer_two_of_the_first, seed=seed)
    counts = count_sources(growth)
    assert (len(counts), sum(counts)) == (SOURCES, 60)
    assert counts[-1] - counts[0] <= 4


def test_a_shape_may_say_how_many_parents_the_first_hop_has() -> None:
    growth = grow(build([60, 12], first_parents=12))
    first = [work for work in growth.planted.values() if work.depth == 0]
    assert len(first) == 12


def test_children_of_children_keep_the_source() -> None:
    frontier = build([12, 12], first_parents=6)
    seen: list[str] = []

    def choose(candidates: Sequence[Any], chosen: Sequence[Any]) -> int:
        seen.extend(each.source for each in candidates if each.kind)
        return choose_fewest(candidates, chosen)

    frontier._choose = choose
    grow(frontier)
    assert set(seen) <= {f"source{number}" for number in range(SOURCES)}
    assert seen


def test_a_source_that_has_no_more_leaves_its_places_to_others() -> None:
    growth = grow(
        build([60], first_parents=18), found=lambda work: (0,) if work.branch.endswith(".0") else (6,)
    )
    counts = count_sources(growth)
    assert (len(counts), sum(counts)) == (SOURCES - 1, 60)
