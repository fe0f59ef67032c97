"""The recipe `self-guide`: one model, no judge, filters by length, temperatures by rounds."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.documents import Chunk
from aide.errors import InputError, Rejection
from aide.formats import FORMATS
from aide.recipes.contract import Grown
from aide.recipes.self_guide import WARMTH, LengthBand, SelfGuide
from aide.records import PLAIN, Record, Seed
from aide.text.length import WORDS
from unit.recipes.scene import FRESH, Asked, make_context, make_group, make_hop, make_seed

ANSWER = "18 * 7 is 126 cars.\n#### 126"
SHORT = "Eighteen cars on seven trips: how many?"


def grow(*said: str, seeds: tuple[Seed, ...] = (), ordinal: int = 0, **how: Any) -> tuple[list[Grown], Asked]:
    label = how.pop("label", None)
    context = make_context(recipe="self-guide", reflection=False, answer="separate", **how)
    recipe = SelfGuide(replace(context, seeds=seeds or tuple(map(make_seed, range(3)))))
    ask = Asked(*said)

    async def scene() -> list[Grown]:
        group = make_group(make_hop(ordinal, operation=PLAIN, label=label))
        return [each async for each in recipe.grow(group, ask)]

    return asyncio.run(scene()), ask


def test_the_input_is_written_first_and_then_answered() -> None:
    [grown], ask = grow(FRESH, ANSWER, agreement="off")
    assert isinstance(grown.outcome, Record)
    assert (grown.outcome.draft.input, grown.outcome.draft.output) == (FRESH, ANSWER)
    assert ask.steps == ["synthesize", "answer"]


def test_a_label_comes_first_and_no_answer_is_asked_for() -> None:
    labels = ("late", "lost")
    [grown], ask = grow(FRESH, format="classification", labels=labels, label="lost")
    assert isinstance(grown.outcome, Record)
    assert grown.outcome.draft.output == "lost"
    assert ask.steps == ["synthesize"]
    shown = ask.asked[0]
    assert (shown["label"].name, [other.name for other in shown["other_labels"]]) == ("lost", ["late"])


def test_an_input_of_no_usual_length_is_dropped_before_it_is_answered() -> None:
    [grown], ask = grow(SHORT)
    assert isinstance(grown.outcome, Rejection)
    assert (grown.outcome.step, grown.outcome.reason) == ("synthesize", "too_short")
    assert grown.outcome.input == SHORT
    assert ask.steps == ["synthesize"]


def test_an_output_of_no_usual_length_is_dropped() -> None:
    endless = "First eighteen, then more. " * 20
    [grown], _ = grow(FRESH, f"{endless}\n#### 126", agreement="off")
    assert isinstance(grown.outcome, Rejection)
    assert (grown.outcome.step, grown.outcome.reason) == ("answer", "too_long")


def test_the_band_is_two_deviations_wide_and_at_least_half_of_the_mean() -> None:
    equal = LengthBand.of(["word " * 8] * 5, WORDS)
    assert (equal.low, equal.high) == (4.0, 12.0)
    spread = LengthBand.of(["word " * 2, "word " * 10], WORDS)
    assert (spread.low, spread.high) == (-2.0, 14.0)
    for count, reason in ((3, "too_short"), (13, "too_long")):
        with pytest.raises(Rejection) as dropped:
            equal.check("synthesize", "word " * count)
        assert dropped.value.reason == reason
    equal.check("synthesize", "word " * 4)


def test_texts_of_a_word_or_two_may_be_a_few_longer() -> None:
    assert LengthBand.of(["40", "41"], WORDS).high == 4.0


@pytest.mark.parametrize(
    ("ordinal", "round"), [(0, 0), (9, 0), (10, 1), (29, 1), (30, 2), (69, 2), (70, 3), (150, 4), (10_000, 4)]
)
def test_later_rounds_are_twice_as_long_and_warmer(ordinal: int, round: int) -> None:
    _, ask = grow(FRESH, ANSWER, agreement="off", ordinal=ordinal)
    assert ask.asked[0]["warmth"] == WARMTH[round]
    assert "warmth" not in ask.asked[1], "answers are as cold as ever"


def test_a_whole_tree_and_chats_are_refused() -> None:
    class Inputs:
        contexts: tuple[str, ...] = ()
        documents: tuple[Chunk, ...] = ()
        fixed_parts = False
        seeds = (make_seed(),)
        format = FORMATS["open"]

    with pytest.raises(InputError, match="no whole tree"):
        SelfGuide.check(RunSpec(recipe="self-guide", target="all"), Inputs())
    Inputs.format = FORMATS["chat"]
    with pytest.raises(InputError, match="makes no chats"):
        SelfGuide.check(RunSpec(recipe="self-guide"), Inputs())
