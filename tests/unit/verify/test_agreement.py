import asyncio
import random

import pytest

from aide.formats import TaskCard
from aide.records import Draft, rng
from aide.verify.agreement import (
    Quorum,
    Vote,
    VoteTally,
    choose_quorum,
    collect_votes,
)

OPEN = TaskCard(format="open", convention="#### <number>")


def test_two_of_three_is_usual_only_where_worked_answers_end_in_a_result() -> None:
    assert choose_quorum("auto", OPEN) == Quorum(2, 3)
    assert choose_quorum("auto", TaskCard(format="open")) is None
    assert choose_quorum("auto", TaskCard(format="multiple_choice", options=4)) is None
    assert choose_quorum("3/5", TaskCard(format="multiple_choice", options=4)) == Quorum(3, 5)
    assert choose_quorum("off", OPEN) is None
    assert choose_quorum("2/3", TaskCard(format="free_text")) is None


def drawn(answers: str, quorum: Quorum, there: int = 1) -> tuple[VoteTally, int]:
    """The tally of answers of one letter each (`-` is none), of which some are there, and how many it took."""
    votes = [Vote("" if a == "-" else a, Draft("q", a)) for a in answers]
    asked = [there]

    async def draw(number: int) -> Vote:
        assert number == asked[0]
        asked[0] += 1
        return votes[number]

    return asyncio.run(collect_votes(votes[:there], draw, quorum, str.__eq__)), asked[0]


@pytest.mark.parametrize(
    ("answers", "quorum", "winner", "share", "calls"),
    [
        ("aax", (2, 3), "a", "2/2", 2),
        ("aba", (2, 3), "a", "2/3", 3),
        ("abb", (2, 3), "b", "2/3", 3),
        ("abc", (2, 3), None, "1/3", 3),
        ("a-a", (2, 3), "a", "2/3", 3),
        ("---", (2, 3), None, "1/2", 2),
        ("abxx", (3, 3), None, "1/2", 2),
        ("aabba", (3, 5), "a", "3/5", 5),
        ("aabbc", (3, 5), None, "2/5", 5),
    ],
)
def test_drawing_stops_once_enough_agree_or_none_can(
    answers: str, quorum: tuple[int, int], winner: str | None, share: str, calls: int
) -> None:
    tally, asked = drawn(answers, Quorum(*quorum))
    assert (tally.winner.output if tally.winner else None, tally.share, asked) == (winner, share, calls)


@pytest.mark.parametrize(
    ("answers", "winner", "calls"),
    [("aax", "a", 2), ("aba", "a", 3), ("abb", "b", 3), ("abc", None, 3), ("a-a", "a", 3), ("a--", None, 3)],
)
def test_two_answers_that_are_there_leave_one_draw_where_they_differ(
    answers: str, winner: str | None, calls: int
) -> None:
    tally, asked = drawn(answers, Quorum(2, 3), there=2)
    assert (tally.winner.output if tally.winner else None, asked) == (winner, calls)


def test_a_vote_without_a_draft_of_its_own_carries_another() -> None:
    async def draw(number: int) -> Vote:
        return Vote("b", Draft("q", "the third, worked out"))

    votes = [Vote("a", Draft("q", "the record's")), Vote("b")]
    tally = asyncio.run(collect_votes(votes, draw, Quorum(2, 3), str.__eq__))
    assert tally.winner == Draft("q", "the third, worked out")
    assert tally.share == "2/3"


def accepted(wrong: list[float], check: list[float], *, first_only: bool, seed: str) -> tuple[int, int]:
    """Right and wrong among the accepted of 20,000 records; answer 0 is right, chances are of the wrong ones."""
    dice = rng(seed)
    right = bad = 0

    def answer(chances: list[float], dice: random.Random) -> str:
        return str(dice.choices(range(len(chances) + 1), weights=[1 - sum(chances), *chances])[0])

    async def one() -> VoteTally:
        async def draw(_: int) -> Vote:
            said = answer(check, dice)
            return Vote(said, None if first_only else Draft("q", said))

        first = answer(wrong, dice)
        return await collect_votes([Vote(first, Draft("q", first))], draw, Quorum(2, 3), str.__eq__)

    async def all_of_them() -> list[VoteTally]:
        return [await one() for _ in range(20_000)]

    for tally in asyncio.run(all_of_them()):
        if tally.winner is not None:
            right, bad = right + (tally.winner.output == "0"), bad + (tally.winner.output != "0")
    return right, bad


def test_a_fifth_wrong_at_random_leaves_under_three_percent_of_numbers() -> None:
    each = [0.04] * 5
    right, bad = accepted(each, each, first_only=False, seed="numbers")
    # Two of three: p²(1 + 2(1 - p)) for each answer.
    expected_bad, expected_right = 5 * 0.04**2 * (1 + 2 * 0.96), 0.8**2 * (1 + 2 * 0.2)
    share, expected = bad / (right + bad), expected_bad / (expected_bad + expected_right)
    assert share < 0.03
    assert share == pytest.approx(expected, abs=0.004)


def test_a_fifth_wrong_at_random_leaves_under_three_percent_of_four_options() -> None:
    # The author marks one of three wrong options; who checks may also say that none is right.
    right, bad = accepted([0.2 / 3] * 3, [0.05] * 4, first_only=True, seed="options")
    expected_bad, expected_right = 0.2 * 0.05 * (1 + 0.95), 0.8 * 0.8 * (1 + 0.2)
    share, expected = bad / (right + bad), expected_bad / (expected_bad + expected_right)
    assert share < 0.03
    assert share == pytest.approx(expected, abs=0.004)
