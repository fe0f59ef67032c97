"""Chains: what may be added to a parent, how the whole is answered on from its answer, what is refused."""

import asyncio
import json
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError, NodeError
from aide.frontier import PlantWork
from aide.prompts import Prompts
from aide.recipes import RECIPES, RecipeInputs
from aide.recipes.chain import ANSWERS, DEPTH, QUESTIONS, STEPS, WIDTH, Chain, describe_way
from aide.recipes.contract import Found
from aide.records import WHOLE, Comparison, Draft, Hop, Point, Reading, Record
from aide.run.context import lengthen_card
from unit.recipes.scene import (
    ANSWER,
    FRESH,
    REVISED,
    Asked,
    Judged,
    grow,
    make_context,
    make_group,
    make_seed,
)

STEP = {"step": "Each ferry ticket costs 12 euros. How many euros do all cars pay?"}
JOINED = {
    "question": "How many cars cross on a Sunday, with nine trips?",
    "join": "On which day are there more?",
}
PARENT = Point(
    "parent",
    Draft("How many cars does a ferry carry in 3 trips of 18?", "3 * 18 = 54\n#### 54"),
    make_seed().parts,
    0,
)


def make_chain_hop(way: dict[str, str], **how: Any) -> Hop:
    return Hop(make_seed(), PARENT, 1, DEPTH if "step" in way else WIDTH, way=way, **how)


def plant(*said: str, wanted: tuple[int, int] = (2, 1)) -> tuple[Found, Asked]:
    ask = Asked(*said)
    recipe = Chain(make_context(plain_share=0.0, answer="separate"))
    return asyncio.run(recipe.plant(make_seed(), PARENT, PlantWork("parent", "seed0", 0, wanted), ask)), ask


def propose(*steps: str, questions: tuple[dict[str, str], ...] = ()) -> str:
    return json.dumps({"steps": steps, "questions": questions})


def judge(*fits: bool) -> str:
    return json.dumps({"checks": [{"n": n, "problem": "", "fits": each} for n, each in enumerate(fits, 1)]})


def test_what_is_proposed_and_can_be_composed_is_planted() -> None:
    found, ask = plant(propose("Double  it.", "Name\nit.", questions=(JOINED,)), judge(True, False, True))
    assert found.matters == {STEPS: [{"step": "Double it."}], QUESTIONS: [JOINED]}
    assert ask.steps == ["extract", "extract"]
    assert ask.asked[0]["said"] == "3 * 18 = 54\n#### 54"
    assert (ask.asked[0]["steps"], ask.asked[0]["questions"]) == (3, 2), "one to spare of each"
    assert len(ask.asked[1]["ways"]) == 3
    assert Found.from_dict(json.loads(json.dumps(found.as_dict()))).count((STEPS, QUESTIONS)) == (1, 1)


def test_no_more_is_planted_than_is_wanted_and_only_that_is_asked_for() -> None:
    found, ask = plant(
        propose("Double it.", "Double it.", "Halve it.", "Square it."), judge(True, True), wanted=(2, 0)
    )
    assert found.matters == {STEPS: [{"step": "Double it."}, {"step": "Halve it."}], QUESTIONS: []}
    assert set(ask.asked[0]["payload"].schema["properties"]) == {"steps"}


def test_equal_questions_are_one() -> None:
    other = {**JOINED, "join": "How many are there on both days?"}
    found, ask = plant(
        propose(questions=(JOINED, {**JOINED, "join": f" {JOINED['join']}"}, other)),
        judge(True, True),
        wanted=(0, 2),
    )
    assert found.matters[QUESTIONS] == [JOINED, other]
    assert len(ask.asked[1]["ways"]) == 2


def test_a_parent_of_whose_answer_nothing_can_be_made_is_a_dead_end() -> None:
    with pytest.raises(NodeError) as fault:
        plant(propose("Say it again."), judge(False), wanted=(1, 0))
    assert fault.value.reason == "not_composable"


def test_proposals_of_the_wrong_kind_are_asked_for_again() -> None:
    _, ask = plant(json.dumps({"steps": "Double it."}), propose("Double it."), judge(True))
    assert ask.steps == ["extract", "extract", "extract"]


@pytest.mark.parametrize("way", [STEP, JOINED])
def test_a_chain_is_answered_on_from_its_parents_answer(way: dict[str, str]) -> None:
    hop = make_chain_hop(way)
    (grown,), ask = grow(
        Chain(make_context(answer="separate", min_diversity=1)), make_group(hop), FRESH, ANSWER
    )
    record = grown.outcome
    assert isinstance(record, Record), record
    assert (record.draft.input, record.draft.output) == (FRESH, ANSWER)
    assert (record.lineage.operation, record.lineage.way) == (hop.operation, way)
    written, answered = ask.asked
    assert (written["step"], written["lines"], written["said"]) == (
        "synthesize",
        [describe_way(way)],
        "3 * 18 = 54\n#### 54",
    )
    assert answered["template"] == "recipes/chain/answer/open"
    assert (answered["first"], answered["said"], answered["added"]) == (
        PARENT.draft.input, "3 * 18 = 54\n#### 54", describe_way(way),
    )  # fmt: skip


def test_further_answers_of_a_vote_go_on_from_the_parents_answer_too() -> None:
    hop = make_chain_hop(STEP)
    recipe = Chain(make_context(answer="separate", agreement="2/3", min_diversity=1))
    (grown,), ask = grow(recipe, make_group(hop), FRESH, ANSWER, ANSWER)
    assert isinstance(grown.outcome, Record)
    assert [each["template"] for each in ask.asked[1:]] == ["recipes/chain/answer/open"] * 2
    assert ask.steps[1:] == ["answer", "check"]


def test_a_chain_may_be_near_its_parent_and_is_rewritten_as_a_chain() -> None:
    readings = [Reading("126", answerable=False, fault="Say which day."), Reading("126", relevance=9)]
    recipe = Chain(
        make_context(answer="separate", min_diversity=1, judge=Judged(readings, [Comparison(diversity=1)]))
    )
    (grown,), ask = grow(recipe, make_group(make_chain_hop(STEP)), FRESH, ANSWER, REVISED, ANSWER)
    assert isinstance(grown.outcome, Record)
    assert grown.outcome.draft.input == REVISED
    assert [each["template"] for each in ask.asked] == [
        "recipes/chain/write", "recipes/chain/answer/open", "recipes/chain/revise", "recipes/chain/answer/open",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "template", "said"),
    [("sql", "sql", "SELECT COUNT(*) FROM car"), ("javascript", "program", "const sum = (a, b) => a + b;")],
)
def test_a_program_of_a_known_language_goes_on_from_its_parents_program(
    code: str, template: str, said: str
) -> None:
    context = make_context("code", code=code, answer="separate", judge=Judged([Reading(said, relevance=9)]))
    (grown,), ask = grow(Chain(context), make_group(make_chain_hop(STEP)), FRESH, f"```\n{said}\n```")
    assert ask.asked[-1]["template"] == f"recipes/chain/answer/{template}", grown.outcome
    assert PARENT.draft.output in ask.asked[-1]["said"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_prompt_of_an_answer_shows_the_answered_part_between_question_and_form(answer: str) -> None:
    prompts = Prompts(None, card=make_context("code" if answer in ("sql", "program") else answer).card)
    shown = {"first": "How many?", "said": "It is 54.", "added": "A further step: double it."}
    values: dict[str, Any] = {"question": FRESH, "labels": (), "evidence": False, "demos": (), **shown}
    user = prompts.render(f"recipes/chain/answer/{answer}", WHOLE, **values)[-1].content
    places = [user.index(each) for each in (FRESH, *shown.values(), "Go on from the first answer")]
    assert places == sorted(places)


def test_passages_of_knowledge_stand_beside_the_answer_of_a_chain() -> None:
    card = make_context("free_text").card
    prompts = Prompts(None, card=card, find_passages=lambda asked: [f"A passage about: {asked[0]}"])
    values: dict[str, Any] = {"question": FRESH, "labels": (), "evidence": False, "demos": ()}
    shown: dict[str, Any] = {"first": "How many?", "said": "It is 54.", "added": "A further step: double it."}
    user = prompts.render("recipes/chain/answer/free_text", WHOLE, **values, **shown)[-1].content
    assert f"A passage about: {FRESH}" in user


def test_texts_may_be_as_long_as_their_chain() -> None:
    spec = RunSpec(base_url=("sim:",), model="m", hops=2, recipe="chain")
    card = make_context().card
    longer = lengthen_card(card, Chain.allow_length(spec))
    assert (longer.max_words, longer.min_words) == (3 * card.max_words, card.min_words)
    assert longer.max_answer_tokens == 3 * card.max_answer_tokens
    assert lengthen_card(card, RECIPES["aide"].allow_length(spec)) is card


@pytest.mark.parametrize(
    ("format", "settings"), [("classification", {}), ("chat", {}), ("open", {"attributes": 0})]
)
def test_what_cannot_be_chained_is_refused(format: str, settings: dict[str, Any]) -> None:
    class Inputs:
        def __init__(self) -> None:
            self.seeds, self.fixed_parts = (make_seed(),), False
            self.contexts, self.documents = (), ()
            self.format = make_context(format).format

    inputs: RecipeInputs = Inputs()
    with pytest.raises(InputError) as fault:
        Chain.check(RunSpec(base_url=("sim:",), model="m", recipe="chain", **settings), inputs)
    assert fault.value.hint
