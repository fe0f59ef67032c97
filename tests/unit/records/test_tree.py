"""Hops and groups: ids that follow from what a record grows from, and the lineage that comes of them."""

from dataclasses import replace

import pytest

from aide.records import (
    PERSONA,
    PLAIN,
    Comparison,
    Draft,
    Group,
    Hop,
    Lineage,
    Parts,
    Point,
    Reading,
    Reject,
    Seed,
    Triple,
    Verdict,
    name_group,
)

SEED = Seed("seed", Draft("Where is my card?", "card"))
PARENT = Point("record", Draft("My card is late.", "card"), Parts(), 1)
GUIDED = Hop(SEED, PARENT, 2, "reasoning", Triple("cards", "has", "PIN"), topic="cards", label="card")
PERSON = Hop(SEED, PARENT, 2, PERSONA, persona="a student abroad", topic="cards", label="card")
USUAL = Hop(SEED, Point("seed", SEED.draft, Parts(), 0), 1, PLAIN, label="card", pool="1", ordinal=7)


@pytest.mark.parametrize(
    "change",
    [{"operation": "constraint"}, {"triple": Triple("cards", "has", "chip")}, {"label": "cash"}, {"draw": 1},
     {"parent": replace(PARENT, id="another")}],
)  # fmt: skip
def test_whatever_makes_another_record_makes_another_id(change: dict[str, object]) -> None:
    assert replace(GUIDED, **change).id != GUIDED.id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"anchored": True}, {"topic": "money"}, {"others": ("chip",)}, {"traits": {"words": 8}}, {"manner": "short"},
     {"group": "g"}, {"depth": 3}],
)  # fmt: skip
def test_how_it_is_asked_for_makes_no_other_id(change: dict[str, object]) -> None:
    assert replace(GUIDED, **change).id == GUIDED.id  # type: ignore[arg-type]


def test_the_id_of_a_plain_record_is_its_pool_its_label_and_its_ordinal() -> None:
    other_seed = replace(USUAL, seed=Seed("other", Draft("x")), parent=replace(USUAL.parent, id="other"))
    assert other_seed.id == USUAL.id
    topics = [replace(USUAL, label=None, topic=topic) for topic in ("cards", "fees")]
    others = [replace(USUAL, pool="2"), replace(USUAL, label="cash"), replace(USUAL, ordinal=8), *topics]
    assert len({USUAL.id, *(hop.id for hop in others)}) == 1 + len(others)


def test_a_group_is_named_by_its_hops_in_their_order() -> None:
    assert Group((GUIDED, PERSON)).id == name_group([GUIDED.id, PERSON.id])
    assert Group((GUIDED, PERSON)).id == Group((GUIDED, PERSON), frozenset({0})).id
    assert Group((PERSON, GUIDED)).id != Group((GUIDED, PERSON)).id != Group((GUIDED,)).id


# --- lineage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hop", [GUIDED, PERSON, replace(USUAL, traits={"words": 8}, group="g", topic="cards")]
)
def test_a_lineage_comes_back_as_it_was(hop: Hop) -> None:
    lineage = Lineage.of(hop)
    assert Lineage.from_dict(lineage.as_dict()) == lineage
    assert Lineage.from_dict(lineage.as_dict()).traits == lineage.traits


def test_at_the_first_hop_the_parent_is_the_seed_under_its_own_id() -> None:
    stand_in = replace(GUIDED, depth=1, parent=replace(PARENT, id="root of a label without seeds"))
    assert (Lineage.of(stand_in).parent_id, Lineage.of(stand_in).seed_id) == ("seed", "seed")
    assert Lineage.of(GUIDED).parent_id == "record"


def test_a_lineage_of_version_0_1_is_read() -> None:
    old = {
        "seed_id": "s", "parent_id": "p", "hop": 1, "operation": "reasoning",
        "triple": {"topic": "t", "relation": "r", "attribute": "a"}, "persona": None, "anchored": False,
    }  # fmt: skip
    assert Lineage.from_dict(old) == Lineage("s", "p", 1, "reasoning", Triple("t", "r", "a"), None, False)
    assert Lineage.from_dict(old).as_dict() == old


def test_a_lineage_is_told_in_one_line() -> None:
    assert Lineage.of(GUIDED).describe() == "hop 2, reasoning: cards / has / PIN"
    assert Lineage.of(PERSON).describe() == "hop 2, persona: a student abroad"
    assert Lineage.of(replace(USUAL, topic="cards")).describe() == "hop 1, plain: cards"
    assert Lineage.of(USUAL).describe() == "hop 1, plain"


# --- what the judge said ------------------------------------------------------------------------------------


def test_faults_of_both_parts_are_told() -> None:
    verdict = Verdict(Reading("a", fault="Too long."), Comparison(False, fault="It is 3."))
    assert verdict.fault == "Too long. It is 3."
    assert verdict.as_scores() == {"relevance": 10, "diversity": 10, "fault": "Too long. It is 3."}
    said = verdict.as_dict()
    assert (said["own_answer"], said["correct"], said["fault"]) == ("a", False, "Too long. It is 3.")
    assert "correct" not in Verdict(Reading("a")).as_dict()


def test_a_reject_holds_what_the_judge_had_said_by_then() -> None:
    reject = Reject(
        "id", "reflect", "off_style", "too long", False, "text", Lineage.of(USUAL), {"relevance": 3}
    )
    line = reject.as_dict()
    assert (line["reason"], line["scores"], line["lineage"]["operation"]) == (
        "off_style",
        {"relevance": 3},
        PLAIN,
    )
    assert "scores" not in replace(reject, scores={}).as_dict()
