"""What parts of a run share: seeds, quotas that add up to the whole, blocks of plain records."""

from collections import Counter
from collections.abc import Sequence

import pytest

from aide.config.partition import Partition
from aide.frontier import PlainShare, TreeShape
from aide.records import OPERATIONS
from aide.run.composition import Composition, Held, SeedBatch, compose
from aide.run.shares import take_share
from unit.frontier.shapes import make_tree_shape
from unit.run.prepared import make_seeds, make_spec

ROWS = [(f"text {n}", "abc"[n % 3]) for n in range(10)]
SEEDS = make_seeds(ROWS)
NOTHING = Held()


def make_whole(target: int, labels: Sequence[str] = ("a", "b", "c", "d")) -> tuple[Composition, TreeShape]:
    """Ten seeds of three labels; of a fourth there is none."""
    shape = make_tree_shape(OPERATIONS, 3, 2, 3)
    batches = [SeedBatch("1", SEEDS, target)]
    return compose(make_spec(target=target), shape, batches, labels, {"d": ["a"]}, NOTHING), shape


def divide(whole: Composition, shape: TreeShape, count: int, held: Held = NOTHING) -> list[Composition]:
    ids = [seed.id for seed in SEEDS]
    return [take_share(whole, shape, Partition(index, count), ids, held) for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 4, 7, 16])
@pytest.mark.parametrize("target", [3, 60, 1000])
@pytest.mark.parametrize("labels", [(), ("a", "b", "c", "d")])
def test_quotas_of_all_parts_add_up_to_those_of_one_process(
    count: int, target: int, labels: Sequence[str]
) -> None:
    whole, shape = make_whole(target, labels)
    parts = divide(whole, shape, count)
    for key, quota in whole.plain.items():
        assert sum(part.plain[key] for part in parts) == quota
    for at, stratum in enumerate(whole.strata):
        shares = [part.strata[at].quotas for part in parts]
        assert [sum(hop) for hop in zip(*shares, strict=True)] == list(stratum.quotas)
    assert sum(part.total for part in parts) == whole.total


@pytest.mark.parametrize("count", [2, 4])
def test_a_first_parent_belongs_to_one_part(count: int) -> None:
    whole, shape = make_whole(1000)
    parts = divide(whole, shape, count)
    owners = [[root for stratum in part.strata for root in stratum.roots] for part in parts]
    roots = [root for stratum in whole.strata for root in stratum.roots]
    assert Counter(root.id for each in owners for root in each) == Counter(root.id for root in roots)
    seeds = [sum(root.id == root.seed for root in each) for each in owners]
    assert sum(seeds) == len(SEEDS) and max(seeds) - min(seeds) <= 1


def test_a_part_without_first_parents_has_no_quota_for_their_children() -> None:
    whole, shape = make_whole(1000)
    for part in divide(whole, shape, 16):
        for stratum in part.strata:
            assert stratum.roots or stratum.quotas[0] == 0


def test_what_a_part_holds_beyond_a_quota_the_rest_has_less() -> None:
    whole, shape = make_whole(1000)
    (usual, *_) = divide(whole, shape, 4)
    hop = usual.strata[0].quotas[0]
    (part, *_) = divide(whole, shape, 4, Held(Counter(), Counter({("a", 1): hop + 9})))
    assert part.strata[0].quotas[0] == hop + 9
    assert part.total == usual.total


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("last", [0, 5, 40, 101])
def test_blocks_of_plain_records_belong_to_one_part_each(count: int, last: int) -> None:
    shares = [PlainShare(index, count, 7).turn("1", "a") for index in range(count)]
    owned = [[n for n in range(last) if share.skip(n) == n] for share in shares]
    assert sorted(n for each in owned for n in each) == list(range(last))
    assert [share.count_below(last) for share in shares] == [len(each) for each in owned]
    for share, each in zip(shares, owned, strict=True):
        for n in each:
            assert all(share.skip(m) == m for m in range(n, n + share.count_left_in_block(n)))
