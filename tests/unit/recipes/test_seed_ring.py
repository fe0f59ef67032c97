"""Documents beside seeds: even shares, and a seed that comes or goes moves no document of another."""

from collections import Counter
from dataclasses import replace

import pytest

from aide.recipes.seed_ring import SeedRing
from unit.recipes.scene import make_seed

SEEDS = tuple(replace(make_seed(0), id=f"seed{n}") for n in range(30))
DOCUMENTS = tuple(f"document {n}" for n in range(6000))


def deal(*seeds: int) -> dict[str, str]:
    ring = SeedRing([SEEDS[n] for n in seeds])
    return {document: next(ring.walk(document)).id for document in DOCUMENTS}


@pytest.mark.parametrize("count", [2, 10, 30])
def test_seeds_have_about_even_shares(count: int) -> None:
    shares = Counter(deal(*range(count)).values())
    even = len(DOCUMENTS) / count
    assert len(shares) == count
    assert all(even / 1.6 < share < even * 1.6 for share in shares.values())


def test_a_seed_that_is_gone_moves_its_own_documents_alone_and_spreads_them() -> None:
    before, after = deal(*range(10)), deal(*range(4), *range(5, 10))
    moved = [document for document in DOCUMENTS if before[document] != after[document]]
    assert {before[document] for document in moved} == {SEEDS[4].id}
    assert len({after[document] for document in moved}) == 9


def test_the_order_of_the_seeds_in_their_files_says_nothing() -> None:
    assert deal(3, 1, 2) == deal(1, 2, 3)


def test_each_seed_has_its_turn_once() -> None:
    ring = SeedRing(SEEDS)
    orders = [[seed.id for seed in ring.walk(document)] for document in DOCUMENTS[:5]]
    assert all(sorted(order) == sorted(seed.id for seed in SEEDS) for order in orders)
    assert len(set(map(tuple, orders))) == 5
