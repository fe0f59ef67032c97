"""The realism meter: groups, what is asked, what is answered, and the scores."""

import asyncio
import json

import pytest

from aide.errors import Unusable
from aide.formats import TaskCard
from aide.metrics.realism import (
    RealismAnswer,
    RealismGroup,
    RealismGuess,
    ask_which_are_made,
    compose_calls,
    compose_group,
    make_prompt_values,
    make_realism_payload,
    score_realism,
)
from aide.prompts import Prompts
from aide.records import WHOLE, rng
from unit.formats.scripted import Scripted

REALS = [f"real text {n}" for n in range(8)]


def test_a_group_holds_one_record_at_any_place() -> None:
    places = set()
    for n in range(60):
        group = compose_group(REALS, "made", rng("group", str(n)))
        assert len(set(group.texts)) == 4
        assert group.texts[group.made - 1] == "made"
        places.add(group.made)
    assert places == {1, 2, 3, 4}
    assert group.chance == 0.25


def test_a_group_is_the_same_for_the_same_name() -> None:
    assert compose_group(REALS, "made", rng("a")) == compose_group(REALS, "made", rng("a"))


def test_a_real_text_that_equals_the_record_is_left_out() -> None:
    group = compose_group(["made", "real", "real"], "made", rng("a"))
    assert sorted(group.texts) == ["made", "real"]
    with pytest.raises(ValueError, match="a real text beside"):
        compose_group(["made"], "made", rng("a"))


def test_no_real_text_comes_twice_in_a_call() -> None:
    records = [f"made {n}" for n in range(7)]
    calls = compose_calls(REALS, records, rng("calls"), k=3)
    assert [len(call) for call in calls] == [2, 2, 2, 1]
    assert [group.texts[group.made - 1] for call in calls for group in call] == records
    for call in calls:
        texts = [text for group in call for text in group.texts]
        assert len(set(texts)) == len(texts) == 4 * len(call)


def test_few_real_texts_are_enough_for_a_group_a_call() -> None:
    calls = compose_calls(["one", "two"], ["made", "two"], rng("few"), k=3)
    assert [[sorted(group.texts) for group in call] for call in calls] == [
        [["made", "one", "two"]],
        [["one", "two"]],
    ]


GROUPS = [RealismGroup(("a", "b", "c", "d"), 2), RealismGroup(("e", "f"), 1)]


def guess(group: int, number: int, certainty: int = 1) -> dict[str, object]:
    return {"group": group, "sign": "too neat", "number": number, "certainty": certainty}


def test_guesses_come_back_in_the_order_of_the_groups() -> None:
    payload = make_realism_payload(GROUPS)
    said = json.dumps({"guesses": [guess(2, 1, 3), guess(1, 4)]})
    assert payload.read(said) == (RealismGuess(4, 1, "too neat"), RealismGuess(1, 3, "too neat"))
    assert payload.read(json.dumps([guess(1, 1), guess(2, 2)]))[0].number == 1, "a bare list will do"


@pytest.mark.parametrize(
    ("guesses", "problem"),
    [
        ([guess(1, 1), guess(1, 2)], "Group 2 has no guess"),
        ([guess(1, 1), guess(2, 3)], "Group 2 has only 2 texts"),
        ([guess(1, 1)], "guesses"),
        ([guess(1, 5), guess(2, 1)], "number"),
        ([guess(1, 1, 4), guess(2, 1)], "certainty"),
    ],
)
def test_what_cannot_be_meant_is_asked_again(guesses: list[dict[str, object]], problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        make_realism_payload(GROUPS).read(json.dumps({"guesses": guesses}))


def test_one_call_asks_about_all_groups() -> None:
    ask = Scripted(json.dumps({"guesses": [guess(1, 2, 3), guess(2, 1)]}))
    found = asyncio.run(ask_which_are_made(ask, GROUPS))
    assert [each.number for each in found] == [2, 1]
    [asked] = ask.asked
    assert (asked["step"], asked["template"]) == ("realism", "realism")
    assert asked["groups"] == [("a", "b", "c", "d"), ("e", "f")]


def test_the_prompt_shows_every_text_by_its_number() -> None:
    card = TaskCard(format="classification", task="Sort a customer's message.")
    system, user = Prompts(card=card).render("realism", parts=WHOLE, demos=(), **make_prompt_values(GROUPS))
    assert "Sort a customer's message." in system.content
    assert "Group 1\n1. <text>a</text>\n2. <text>b</text>" in user.content
    assert "Group 2\n1. <text>e</text>\n2. <text>f</text>\n\nFor each group" in user.content


def test_scores_stand_beside_chance_by_operation_and_hop() -> None:
    answers = [
        RealismAnswer.of(GROUPS[0], RealismGuess(2, 3, "stock phrase"), "plain", 1),
        RealismAnswer.of(GROUPS[0], RealismGuess(1, 1, "none"), "plain", 2),
        RealismAnswer.of(GROUPS[1], RealismGuess(1, 2, "stock phrase"), "persona", 2),
        RealismAnswer.of(GROUPS[1], RealismGuess(2, 1, "none"), "persona", 2),
    ]
    told = score_realism(answers)
    assert (told["groups"], told["found"], told["chance"]) == (4, 0.5, 0.375)
    assert (told["certainty"], told["certainty_found"]) == (1.75, 2.5)
    assert told["by_operation"]["plain"]["found"] == 0.5
    assert {hop: each["groups"] for hop, each in told["by_hop"].items()} == {"1": 1, "2": 3}
    assert told["signs"] == ["stock phrase"]
    assert told["verdict"] == (
        "2 of 4 records were told from real texts (50%, chance 38%); certainty 1.8 of 3"
    )
    assert score_realism([]) == {}
