"""Evolved records: what the model is asked for along each way, and which evolutions are dropped."""

import asyncio
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError, Rejection
from aide.frontier import PlantWork
from aide.recipes.contract import Grown
from aide.recipes.evol import BREADTH, DEPTH, EVOLUTIONS, Evol, is_apology, says_nothing
from aide.records import Record
from aide.run.inputs import read_inputs
from runs import SEEDS
from unit.recipes.scene import (
    ANSWER,
    FRESH,
    INPUTS,
    Asked,
    grow,
    make_context,
    make_group,
    make_hop,
    make_seed,
)

DIFFERS, EQUAL = '{"differs": true}', '{"differs": false}'
LONGER = (
    f"{INPUTS[0]} It stops for six minutes on the way, and a second bus that leaves at ten past nine needs "
    "half an hour less; by how many minutes is the first one at the market before the second?"
)


def evolve(*said: str, kind: str = "add_constraints", depth: int = 1, **context: Any) -> tuple[Grown, Asked]:
    """What came of one evolution, and what the model was asked."""
    hop = make_hop(operation=kind, depth=depth)
    grown, ask = grow(Evol(make_context(**context)), make_group(hop), *said)
    return grown[0], ask


def reason_of(grown: Grown) -> tuple[str, str]:
    assert isinstance(grown.outcome, Rejection), grown.outcome
    return grown.outcome.step, grown.outcome.reason


@pytest.mark.parametrize("kind", [*DEPTH, BREADTH])
def test_each_way_has_a_prompt_of_its_own_that_shows_the_parent(kind: str) -> None:
    grown, ask = evolve(FRESH, DIFFERS, ANSWER, kind=kind)
    assert isinstance(grown.outcome, Record)
    assert grown.outcome.lineage.operation == kind
    assert ask.steps == ["synthesize", "reflect", "answer"]
    assert [each["template"] for each in ask.asked[:2]] == [f"recipes/evol/{kind}", "recipes/evol/equal"]
    assert ask.asked[0]["parent"] == INPUTS[0]
    assert (ask.asked[1]["parent"], ask.asked[1]["text"]) == (INPUTS[0], FRESH)


def test_every_parent_offers_each_way_without_a_call() -> None:
    seed, ask = make_seed(), Asked()
    point = make_hop().parent
    recipe = Evol(make_context())
    found = asyncio.run(recipe.plant(seed, point, PlantWork("b", seed.id, 0, (1,)), ask))
    assert found.count([EVOLUTIONS]) == (1,)
    assert ask.asked == []


def test_a_text_that_holds_its_parent_and_more_is_neither_a_copy_nor_too_long() -> None:
    grown, _ = evolve(LONGER, DIFFERS, ANSWER)
    assert isinstance(grown.outcome, Record), grown.outcome
    assert grown.outcome.draft.input == LONGER
    assert len(LONGER.split()) > make_context().card.max_words


def test_the_parent_itself_is_no_evolution() -> None:
    grown, ask = evolve(INPUTS[0].upper())
    assert reason_of(grown) == ("synthesize", "copy")
    assert ask.steps == ["synthesize"], "nothing more is paid for"


def test_what_brings_nothing_new_is_dropped_before_it_is_answered() -> None:
    grown, ask = evolve(FRESH, EQUAL)
    assert reason_of(grown) == ("reflect", "no_gain")
    assert ask.steps == ["synthesize", "reflect"]


def test_without_reflection_nobody_asks_for_the_gain() -> None:
    grown, ask = evolve(FRESH, "A hundred and twenty-six.", format="free_text", reflection=False)
    assert isinstance(grown.outcome, Record)
    assert ask.steps == ["synthesize", "answer"]


@pytest.mark.parametrize(
    "words", ["the given problem", "#Rewritten Prompt#", "Rewritten text", "a created question"]
)
def test_words_of_the_evolving_prompt_give_a_text_away(words: str) -> None:
    grown, _ = evolve(f"{FRESH} As in {words}, mind the trips.")
    assert reason_of(grown) == ("synthesize", "prompt_leftover")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("I apologize, but this has no solution.", "apology"), ("Of the, and…", "no_words")],
)
def test_an_answer_that_apologises_or_says_nothing_is_dropped(answer: str, reason: str) -> None:
    grown, _ = evolve(FRESH, DIFFERS, answer, format="free_text")
    assert reason_of(grown) == ("answer", reason)


def test_only_short_answers_that_apologise_fail() -> None:
    assert is_apology("Sorry, that cannot be said.")
    assert not is_apology("Sorry to be so long about it. " + "One thing follows from another. " * 20)
    assert says_nothing("…")
    assert not says_nothing("12")


def test_a_label_is_asked_for_as_any_answer() -> None:
    grown, _ = evolve(FRESH, DIFFERS, '{"label": "food"}', format="classification", labels=("travel", "food"))
    assert isinstance(grown.outcome, Record)
    assert grown.outcome.draft.output == "food"
    assert grown.outcome.lineage.label is None


def test_conversations_are_refused() -> None:
    with pytest.raises(InputError, match="evolves no chats"):
        read_inputs(RunSpec(recipe="evol"), [str(SEEDS / "library_chats.jsonl")])


def test_records_that_would_share_a_call_are_refused_where_only_the_precheck_has_such() -> None:
    seeds = [str(SEEDS / "word_problems.jsonl")]
    with pytest.raises(InputError, match="--together 4 has no effect"):
        read_inputs(RunSpec(recipe="evol", together=4, exam=False), seeds)
    for heeded in ({"together": 1, "exam": False}, {"together": 4, "exam": True}):
        assert read_inputs(RunSpec.model_validate({"recipe": "evol", **heeded}), seeds).seeds
