"""Two questions side by side: a fault of one never costs the answer of the other."""

import asyncio

import pytest

from aide.errors import NodeError
from aide.recipes.base import run_side_by_side


def test_a_fault_waits_until_the_other_has_its_answer() -> None:
    heard: list[str] = []

    async def fails() -> None:
        raise NodeError("too_long", "the context is too long")

    async def answers() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        heard.append("answer")

    for pair in ((fails, answers), (answers, fails)):
        heard.clear()
        with pytest.raises(NodeError, match="too long"):
            asyncio.run(run_side_by_side(pair[0](), pair[1]()))
        assert heard == ["answer"]


def test_both_results_come_in_their_order() -> None:
    async def say(word: str) -> str:
        return word

    assert asyncio.run(run_side_by_side(say("a"), say("b"))) == ("a", "b")
