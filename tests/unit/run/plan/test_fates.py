"""What becomes of candidates: shares that sum up, and are dealt without dice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.run.plan.fates import ACCEPTED, CORRECTED, DISPUTED, LOST, REVISED, UNFIT, FateDealer, FateShares

ALL = {ACCEPTED, REVISED, DISPUTED, CORRECTED, LOST}
LABELS = ({ACCEPTED, REVISED, DISPUTED, LOST}, {ACCEPTED, REVISED})
WORKED = (ALL, {ACCEPTED, REVISED, DISPUTED, CORRECTED})
NOBODY_JUDGES = ({ACCEPTED}, {ACCEPTED})


@given(
    share=st.floats(0.01, 1), task=st.sampled_from([LABELS, WORKED, NOBODY_JUDGES]), labelled=st.booleans()
)
def test_whatever_the_task_the_yield_is_met(
    share: float, task: tuple[set[str], set[str]], labelled: bool
) -> None:
    found = FateShares.assume(share, *task, labelled=labelled)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.accepted == pytest.approx(share)
    assert set(found.shares) <= {UNFIT, *task[0]}
    assert all(each > 0 for each in found.shares.values())


def test_where_nobody_judges_what_fails_is_unfit() -> None:
    assert FateShares.assume(0.75, *NOBODY_JUDGES).shares == {ACCEPTED: 0.75, UNFIT: 0.25}


def test_a_disputed_answer_costs_the_record_only_where_no_vote_settles_it() -> None:
    lost, kept = FateShares.assume(0.8, *LABELS), FateShares.assume(0.8, *WORKED)
    assert DISPUTED not in lost.kept
    assert DISPUTED in kept.kept
    assert lost.shares[LOST] < kept.shares[LOST]


def test_labels_are_seldom_misread() -> None:
    assert (
        FateShares.assume(0.8, *LABELS, labelled=True).shares[DISPUTED]
        < FateShares.assume(0.8, *LABELS).shares[DISPUTED]
    )


@given(accepted=st.integers(1, 99), count=st.integers(1, 300))
def test_any_run_of_candidates_has_each_fate_as_often_as_its_share_says(accepted: int, count: int) -> None:
    shares = FateShares({ACCEPTED: accepted / 100, LOST: 1 - accepted / 100}, frozenset({ACCEPTED}))
    dealer = FateDealer({}, shares)
    dealt = Counter(dealer.deal((1, False)) for _ in range(count))
    assert abs(dealt[ACCEPTED] - count * accepted / 100) <= 1


def test_a_level_that_was_seen_has_shares_of_its_own() -> None:
    all_good, all_lost = FateShares({ACCEPTED: 1.0}, frozenset()), FateShares({LOST: 1.0}, frozenset())
    dealer = FateDealer({(1, True): all_lost}, all_good)
    assert [dealer.deal((1, True)), dealer.deal((1, False))] == [LOST, ACCEPTED]
