"""A run of which nothing comes is not paid for to the end; what works beside it goes on."""

import pytest

from aide.frontier import Frontier, GroupWork, Slot
from aide.frontier.patience import Patience
from aide.records import PLAIN
from unit.frontier.growing import build, drain, grow, make_shape


def spend(patience: Patience, label: str, count: int, *, accepted: bool = False) -> None:
    for _ in range(count):
        (patience.note_accepted if accepted else patience.note_vain)(label)


def test_it_ends_after_so_many_in_a_row_of_which_none_was_accepted() -> None:
    patience = Patience(10)
    spend(patience, "", 9)
    assert not patience.spent
    spend(patience, "", 1, accepted=True)
    spend(patience, "", 9)
    assert not patience.spent
    spend(patience, "", 1)
    assert patience.spent


def test_it_ends_with_one_label_while_others_are_accepted() -> None:
    patience = Patience(10)
    for _ in range(10):
        patience.note_vain("a")
        patience.note_accepted("b")
    assert not patience.spent
    assert patience.is_spent("a")
    assert not patience.is_spent("b")


def test_without_a_limit_there_is_no_end_to_it() -> None:
    patience = Patience(0)
    spend(patience, "a", 1000)
    patience.add_seeds(1)
    patience.note_seed_without_attributes()
    assert not patience.spent
    assert not patience.is_spent("a")


@pytest.mark.parametrize(
    ("seeds", "barren", "spent"), [(1, 1, True), (10, 4, False), (10, 5, True), (4, 2, False), (4, 3, True)]
)
def test_it_ends_where_half_of_the_seeds_have_no_attributes(seeds: int, barren: int, spent: bool) -> None:
    patience = Patience(10)
    patience.add_seeds(seeds)
    for _ in range(barren):
        patience.note_seed_without_attributes()
    assert patience.spent == spent


def test_what_is_renewed_begins_anew() -> None:
    patience = Patience(5)
    patience.add_seeds(1)
    patience.note_seed_without_attributes()
    spend(patience, "a", 5)
    patience.renew()
    assert not patience.is_spent("a")
    spend(patience, "a", 5)
    assert patience.spent


# --- in a frontier --------------------------------------------------------------------------------------


def build_patient(patience: int) -> Frontier:
    frontier = build(
        plain={("1", "a"): 30, ("1", "b"): 30},
        guided={"a": [10, 10], "b": [10, 10]},
        labels=True,
        roots=8,
        shape=make_shape(balanced=False),
    )
    frontier.patience = Patience(patience)
    frontier.patience.add_seeds(16)
    return frontier


def test_a_label_that_cannot_be_met_is_given_up_and_its_places_move_nowhere() -> None:
    frontier = build_patient(20)
    growth = grow(frontier, fate=lambda slot, dice: "rejected" if slot.label == "a" else "accepted")
    assert growth.count(lambda each: each.slot.label) == {"b": 50}
    assert frontier.given_up == ["a"]
    assert sum(slot.label == "a" for slot in growth.slots) < 100
    assert not frontier.patience.spent


def test_a_run_of_which_nothing_comes_ends_early() -> None:
    frontier = build_patient(20)
    growth = grow(frontier, fate=lambda slot, dice: "rejected")
    assert frontier.patience.spent
    assert len(growth.ended) < 200
    assert frontier.given_up == ["a", "b"]


def test_a_run_whose_seeds_have_no_attributes_ends_early() -> None:
    frontier = build(guided={"1": [60, 60]}, roots=10)
    frontier.patience = Patience(20)
    frontier.patience.add_seeds(10)
    growth = grow(frontier, found=lambda work: (0, 0), room=1)
    assert len(growth.planted) == 5
    assert frontier.patience.spent


def test_records_without_attributes_say_nothing_of_the_seeds() -> None:
    frontier = build(guided={"1": [8, 8]}, roots=2)
    frontier.patience = Patience(20)
    frontier.patience.add_seeds(2)
    grow(frontier, found=lambda work: (0, 0) if work.depth else work.wanted)
    assert frontier.without_attributes >= 2
    assert not frontier.patience.spent


def test_surplus_is_no_failure() -> None:
    frontier = build(plain={("1", ""): 40}, guided={"1": [0]}, shape=make_shape(1))
    frontier.patience = Patience(5)
    drain(frontier)
    for index in range(5):
        frontier.drop(Slot("1", PLAIN, index), surplus=True)
    assert not frontier.patience.spent
    for index in range(5, 10):
        frontier.drop(Slot("1", PLAIN, index))
    assert frontier.patience.spent
    assert drain(frontier) == []


def test_what_was_settled_before_counts_in_its_order() -> None:
    frontier = build(plain={("1", ""): 40})
    frontier.patience = Patience(5)
    for index in range(5):
        frontier.restore(Slot("1", PLAIN, index), "seed")
    frontier.patience.renew()
    assert drain(frontier) != []


def test_a_late_success_brings_back_what_was_given_up() -> None:
    frontier = build(plain={("1", "a"): 6, ("1", "b"): 6})
    frontier.patience = Patience(5)
    first = frontier.next()
    assert isinstance(first, GroupWork)
    for slot in first.slots[:5]:
        frontier.drop(slot)
    assert drain(frontier) == [], "of the other label nothing was tried, but all that was has failed"
    assert frontier.admit(first.slots[5])
    frontier.accept(first.slots[5], "record", "seed")
    assert {work.slots[0].label for work in drain(frontier) if isinstance(work, GroupWork)} == {"a", "b"}
