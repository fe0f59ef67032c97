"""How many records share a call, and what a model teaches about it."""

from typing import Any

import pytest

from aide.run.group_sizes import GUIDED, JUDGED, PLAIN, ROW, START, GroupSizes
from unit.run.prepared import make_spec


def make_sizes(
    *, words: float = 40, worked: bool = False, kept: dict[str, int] | None = None, **spec: Any
) -> GroupSizes:
    return GroupSizes(make_spec(**spec), median_length=words, worked=worked, kept=kept)


def test_a_run_begins_with_as_many_as_strong_models_do_well() -> None:
    assert make_sizes().as_dict() == START


def test_more_short_texts_share_a_call_and_fewer_worked_answers_a_judge() -> None:
    assert make_sizes(words=8).most(PLAIN) > make_sizes(words=30).most(PLAIN)
    assert make_sizes(worked=True).most(JUDGED) < make_sizes().most(JUDGED)


@pytest.mark.parametrize("together", [1, 3, 20])
def test_a_number_that_was_asked_for_holds_whatever_comes_back(together: int) -> None:
    sizes = make_sizes(together=together, kept={GUIDED: 2})
    for _ in range(10):
        sizes.note(GUIDED, together, 0)
    assert set(sizes.as_dict().values()) == {together}


def test_groups_of_the_whole_tree_stay_as_they_are() -> None:
    """They are known beforehand; were they learned, two runs would differ."""
    sizes = make_sizes(target="all", kept={GUIDED: 1})
    sizes.note(GUIDED, 5, 0)
    assert sizes.as_dict() == START


def test_a_model_that_leaves_much_out_gets_half_as_many() -> None:
    sizes = make_sizes()
    sizes.note(PLAIN, 7, 6)
    assert sizes.most(PLAIN) == 7, "one of seven may be missing"
    sizes.note(PLAIN, 7, 5)
    assert sizes.most(PLAIN) == 3
    sizes.note(PLAIN, 3, 1)
    sizes.note(PLAIN, 2, 0)
    assert sizes.most(PLAIN) == 1
    assert sizes.most(GUIDED) == START[GUIDED], "it says nothing of other calls"


def test_a_small_group_that_failed_says_more_than_the_size_allowed() -> None:
    sizes = make_sizes()
    sizes.note(JUDGED, 4, 1)
    assert sizes.most(JUDGED) == 2


def test_after_some_whole_ones_one_more_is_tried_and_never_more_than_at_first() -> None:
    sizes = make_sizes(kept={GUIDED: 3})
    assert sizes.most(GUIDED) == 3
    for _ in range(ROW):
        sizes.note(GUIDED, 3, 3)
    assert sizes.most(GUIDED) == 4
    for _ in range(10 * ROW):
        sizes.note(GUIDED, sizes.most(GUIDED), sizes.most(GUIDED))
    assert sizes.most(GUIDED) == START[GUIDED]


def test_smaller_groups_do_not_prove_larger_ones() -> None:
    sizes = make_sizes(kept={GUIDED: 4})
    for _ in range(10):
        sizes.note(GUIDED, 2, 2)
    assert sizes.most(GUIDED) == 4


def test_a_bad_one_ends_a_row() -> None:
    sizes = make_sizes(kept={GUIDED: 4})
    for _ in range(ROW - 1):
        sizes.note(GUIDED, 4, 4)
    sizes.note(GUIDED, 4, 2)
    sizes.note(GUIDED, 2, 2)
    assert sizes.most(GUIDED) == 2


def test_a_call_for_one_teaches_nothing() -> None:
    sizes = make_sizes(kept={JUDGED: 1})
    for _ in range(10):
        sizes.note(JUDGED, 1, 0)
    assert sizes.most(JUDGED) == 1


def test_what_was_learned_is_kept() -> None:
    sizes = make_sizes()
    sizes.note(GUIDED, 5, 1)
    assert make_sizes(kept=sizes.as_dict()).as_dict() == {**START, GUIDED: 2}
