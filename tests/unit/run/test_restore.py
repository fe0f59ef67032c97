"""How a target is shared out, and what a resume puts back."""

from collections import Counter
from pathlib import Path

import pytest

from aide.config.spec import RunSpec
from aide.frontier import Slot
from aide.journal import Journal
from aide.records import Draft, Seed
from aide.run.restore import make_label_chooser, pack_slot, split_labels, split_target, unpack_slot


def seeds(count: int) -> list[Seed]:
    return [Seed(f"seed{n}", Draft(f"input {n}", "output")) for n in range(count)]


def test_a_target_is_even_over_the_seeds_that_were_there_and_later_ones_get_theirs_on_top(
    tmp_path: Path,
) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        first = split_target(RunSpec(target=10), seeds(3), journal)
        assert first == {"seed0": 4, "seed1": 3, "seed2": 3}
        grown = split_target(RunSpec(target=10), seeds(5), journal)
        assert grown == {**first, "seed3": 3, "seed4": 3}


def test_a_higher_target_is_shared_anew_among_all(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        split_target(RunSpec(target=10), seeds(3), journal)
        again = split_target(RunSpec(target=20), seeds(5), journal)
        assert again is not None
        assert set(again.values()) == {4}


def test_the_whole_tree_and_a_number_per_seed_need_no_memory(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        assert split_target(RunSpec(target="all"), seeds(3), journal) is None
        assert split_target(RunSpec(per_seed=7), seeds(2), journal) == {"seed0": 7, "seed1": 7}
        assert journal.get_meta("shares") is None


@pytest.mark.parametrize(
    ("balance", "total", "held", "expected"),
    [
        ("uniform", 10, {}, {"a": 4, "b": 3, "c": 3}),
        ("uniform", 12, {"a": 8}, {"a": 8, "b": 2, "c": 2}),
        ("seeds", 10, {}, {"a": 5, "b": 3, "c": 2}),
        ("seeds", 10, {"c": 4}, {"a": 5, "b": 3, "c": 4}),
        ("none", 10, {}, {}),
    ],
)
def test_labels_are_balanced_as_asked_and_never_below_what_is_there(
    balance: str, total: int, held: dict[str, int], expected: dict[str, int]
) -> None:
    spec = RunSpec.model_validate({"balance": balance})
    assert split_labels(spec, "abc", ["a"] * 5 + ["b"] * 3 + ["c"] * 2, total, Counter(held)) == expected


def test_a_quarter_of_the_children_means_another_label_the_nearest_most_often() -> None:
    flip = make_label_chooser(RunSpec(), {"a": ["b", "c", "d", "e"]})
    meant = Counter(flip(Slot("parent", "reasoning", n), "a") for n in range(4000))
    assert meant["a"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert meant["b"] > meant["c"] > meant["d"] > 0
    assert meant["e"] == 0
    assert [flip(Slot("parent", "reasoning", n), "a") for n in range(50)] == [
        flip(Slot("parent", "reasoning", n), "a") for n in range(50)
    ]


def test_two_small_numbers_fit_into_one() -> None:
    assert [unpack_slot(pack_slot(high, low)) for high, low in ((0, 0), (3, 19), (12, 999))] == [
        (0, 0),
        (3, 19),
        (12, 999),
    ]
