"""The method with a model that says what is written down here: groups, revisions, the anchor, what is planted."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aide.errors import BudgetSpent, NodeError, Rejection
from aide.formats import Demonstration
from aide.frontier import PlantWork
from aide.recipes.aide import Aide
from aide.recipes.contract import Found, Grown
from aide.recipes.personas import PersonaBank
from aide.records import PLAIN, Comparison, Hop, Parts, Point, Reading, Record, Triple, replace
from unit.recipes.scene import (
    ANSWER,
    FRESH,
    INPUTS,
    OTHER,
    REVISED,
    Asked,
    Judged,
    Taken,
    grow,
    make_context,
    make_group,
    make_hop,
    make_seed,
)


def tags(*pairs: tuple[str, str]) -> str:
    return "".join(
        f'<item n="{n}">{text}<answer>{answer}</answer></item>' for n, (text, answer) in enumerate(pairs, 1)
    )


ONE = tags((FRESH, ANSWER))
TWO = tags((FRESH, ANSWER), (OTHER, "6 walls\n#### 42"))


def texts(*said: str) -> str:
    return json.dumps({"texts": said})


def record_of(grown: Grown) -> Record:
    assert isinstance(grown.outcome, Record), grown.outcome
    return grown.outcome


def reason_of(grown: Grown) -> tuple[str, str]:
    assert isinstance(grown.outcome, Rejection), grown.outcome
    return grown.outcome.step, grown.outcome.reason


def grow_one(
    *said: str | Callable[[dict[str, Any]], str], hop: Hop | None = None, **context: Any
) -> tuple[Grown, Asked]:
    (grown,), ask = grow(Aide(make_context(**context)), make_group(hop or make_hop()), *said)
    assert ask.said == [], "all that was prepared was asked for"
    return grown, ask


# --- one record -----------------------------------------------------------------------------------------------


def test_a_good_record_takes_one_call_and_a_judge_and_keeps_where_it_came_from() -> None:
    grown, ask = grow_one(ONE)
    record = record_of(grown)
    assert ask.steps == ["synthesize"]
    assert (record.draft.input, record.draft.output, record.revisions) == (FRESH, ANSWER, 0)
    assert record.id == make_hop().id
    assert (record.lineage.seed_id, record.lineage.parent_id, record.lineage.hop) == ("seed0", "seed0", 1)
    assert dict(record.scores) == {"relevance": 9, "diversity": 8, "correct": True, "agreement": "2/2"}
    assert grown.model == "the model of synthesize"


def test_answers_may_be_asked_for_apart() -> None:
    grown, ask = grow_one(FRESH, ANSWER, answer="separate")
    assert ask.steps == ["synthesize", "answer"]
    assert record_of(grown).draft.output == ANSWER


def test_without_reflection_nobody_judges() -> None:
    judge = Judged()
    grown, _ = grow_one(ONE, "#### 126", judge=judge, reflection=False)
    assert (judge.read_texts, judge.compared) == ([], [])
    assert dict(record_of(grown).scores) == {"agreement": "2/2"}


@pytest.mark.parametrize(
    ("reading", "comparison", "reason"),
    [
        ({"on_task": False}, {}, "off_task"),
        ({"in_style": False}, {}, "off_style"),
        ({"relevance": 6}, {}, "low_relevance"),
        ({}, {"residue": True}, "residue"),
        ({}, {"diversity": 4}, "low_diversity"),
    ],
)
def test_each_fault_rejects_under_its_own_name(
    reading: dict[str, Any], comparison: dict[str, Any], reason: str
) -> None:
    judge = Judged(
        [replace(Reading("126", relevance=9), **reading)], [replace(Comparison(diversity=8), **comparison)]
    )
    grown, _ = grow_one(ONE, judge=judge, max_revisions=0)
    assert reason_of(grown) == ("reflect", reason)
    assert isinstance(grown.outcome, Rejection)
    assert grown.outcome.input == FRESH, "a reject shows the text it is about"
    assert grown.outcome.scores["relevance"] == reading.get("relevance", 9)


def test_thoughts_before_an_answer_of_its_own_are_the_reasoning_of_the_record() -> None:
    thought = f"<think>Seven trips, eighteen each.</think>{ANSWER}"
    grown, asked = grow_one(FRESH, thought, keeps_thoughts=True)
    record = record_of(grown)
    assert (record.draft.thoughts, record.draft.output) == ("Seven trips, eighteen each.", ANSWER)
    assert asked.steps == ["synthesize", "answer"]  # what a writer thought belongs to all that it wrote
    assert record.as_dict()["reasoning"] == "Seven trips, eighteen each."
    grown, asked = grow_one(FRESH, thought, answer="separate")
    assert record_of(grown).draft.thoughts == ""


def test_a_label_gets_a_call_that_thinks_it_out_and_must_come_to_it() -> None:
    hop = make_hop(label="boat")
    how = {"labels": ("boat", "train"), "keeps_thoughts": True, "reflection": False}
    said = '<think>It sails.</think>{"label": "boat"}'
    grown, _ = grow_one(FRESH, said, format="classification", hop=hop, **how)
    assert (record_of(grown).draft.thoughts, record_of(grown).draft.output) == ("It sails.", "boat")
    train = '<think>It goes by rail.</think>{"label": "train"}'
    again = '<think>It sails.</think>{"label": "boat"}'
    grown, _ = grow_one(FRESH, train, again, format="classification", hop=hop, **how)
    assert reason_of(grown) == ("answer", "label_mismatch")


def test_options_written_along_are_chosen_among_by_a_call_that_thinks() -> None:
    written = json.dumps({"items": [{"text": FRESH, "correct": "126", "wrong": ["25", "136"]}]})
    chosen = '<think>Eighteen times seven.</think>{"label": "126"}'
    how: dict[str, Any] = {"keeps_thoughts": True, "reflection": False, "format": "multiple_choice"}
    grown, asked = grow_one(written, chosen, **how)
    assert (record_of(grown).draft.thoughts, record_of(grown).draft.output) == (
        "Eighteen times seven.",
        "126",
    )
    assert asked.steps == ["synthesize", "answer"]
    grown, _ = grow_one(written, '{"label": "136"}', **how)
    assert reason_of(grown) == ("answer", "no_agreement")


def test_a_text_that_code_refuses_is_not_judged() -> None:
    judge = Judged()
    grown, _ = grow_one(tags((INPUTS[0], ANSWER)), judge=judge)
    assert (reason_of(grown), judge.read_texts) == (("synthesize", "copy"), [])


# --- revisions ------------------------------------------------------------------------------------------------


def test_a_revision_carries_draft_and_critique_and_is_checked_and_judged_anew() -> None:
    judge = Judged([Reading("126", relevance=5, fault="Too far from travel.")])
    revised = tags((REVISED, "9 x 14 = 126\n#### 126"))
    deduplicator = Taken()
    grown, ask = grow_one(ONE, revised, judge=judge, deduplicator=deduplicator)
    assert ask.steps == ["synthesize", "revise"]
    assert ask.asked[1]["draft"] == FRESH
    assert "Too far from travel." in ask.asked[1]["critique"]
    assert "relevance 5 of 10" in ask.asked[1]["critique"]
    assert judge.read_texts == deduplicator.checked == [FRESH, REVISED]
    assert (record_of(grown).draft.input, record_of(grown).revisions) == (REVISED, 1)


def test_a_revision_that_repeats_another_text_is_rejected_before_it_is_judged() -> None:
    judge = Judged([Reading("126", relevance=5)])
    grown, _ = grow_one(ONE, tags((REVISED, ANSWER)), judge=judge, deduplicator=Taken([REVISED]))
    assert reason_of(grown) == ("synthesize", "duplicate")
    assert isinstance(grown.outcome, Rejection)
    assert grown.outcome.input == REVISED


def test_revisions_are_bounded() -> None:
    low = Comparison(diversity=3)
    grown, ask = grow_one(ONE, tags((REVISED, ANSWER)), judge=Judged([], [low, low]))
    assert reason_of(grown) == ("reflect", "low_diversity")
    assert len(ask.asked) == 2
    grown, ask = grow_one(ONE, judge=Judged([], [low]), max_revisions=0)
    assert reason_of(grown) == ("reflect", "low_diversity")


def test_a_wrong_answer_alone_is_only_answered_again_with_what_was_wrong() -> None:
    judge = Judged([], [Comparison(correct=False, fault="Seven trips, not six.", diversity=8)])
    deduplicator = Taken()
    grown, ask = grow_one(
        tags((FRESH, "108 cars.")), "126 cars.", judge=judge, deduplicator=deduplicator, format="free_text"
    )
    assert ask.steps == ["synthesize", "answer"]
    correction = ask.asked[1]["correction"]
    assert (correction.said, "Seven trips, not six." in correction.problem) == ("108 cars.", True)
    record = record_of(grown)
    assert (record.draft.input, record.draft.output, record.revisions) == (FRESH, "126 cars.", 1)
    assert judge.read_texts == deduplicator.checked == [FRESH], "the text is the same"
    assert [output for _, output in judge.compared] == ["108 cars.", "126 cars."]


def test_with_another_fault_beside_it_the_text_is_written_again() -> None:
    judge = Judged([], [Comparison(correct=False, diversity=2)])
    _, ask = grow_one(tags((FRESH, "108 cars.")), tags((REVISED, "126.")), judge=judge, format="free_text")
    assert ask.steps == ["synthesize", "revise"]


# --- groups ---------------------------------------------------------------------------------------------------


def test_siblings_are_written_by_one_call_each_on_a_line_of_its_own() -> None:
    group = make_group(
        make_hop(1, manner="about 18 words, a question"),
        make_hop(2, operation="reasoning", manner="about 9 words"),
    )
    grown, ask = grow(Aide(make_context()), group, TWO)
    assert [record_of(each).draft.input for each in grown] == [FRESH, OTHER]
    (asked,) = ask.asked
    one, other = asked["lines"]
    assert "transport – is measured in: cars 1" in one
    assert one.endswith("About 18 words, a question.")
    assert "cars 2" in other
    assert one.split(";")[1] != other.split(";")[1], "each is changed by its own operation"
    assert asked["max_output"] == 2 * (1024 + 1024)


def test_the_judge_is_told_who_may_come_and_who_has_ended() -> None:
    judge = Judged()
    group = make_group(make_hop(1), make_hop(2))
    grow(Aide(make_context(judge=judge, deduplicator=Taken([OTHER]))), group, TWO)
    assert judge.calls[0] == ("announce", 2)
    assert set(judge.calls[1:]) == {("withdraw", hop.id) for hop in group.hops}
    assert judge.read_texts == [FRESH]


def test_what_was_left_out_is_written_alone() -> None:
    written: list[int] = []
    recipe = Aide(make_context(written=written))
    group = make_group(make_hop(1), make_hop(2), make_hop(3))
    grown, ask = grow(
        recipe, group, tags((FRESH, ANSWER)), tags((OTHER, "#### 42")), tags((REVISED, "#### 126"))
    )
    assert {record_of(each).draft.input for each in grown} == {FRESH, OTHER, REVISED}
    assert [len(each["lines"]) for each in ask.asked] == [3, 1, 1]
    assert ask.nodes[1:] == [group.hops[1].id, group.hops[2].id], "what is paid for one is booked on it"
    assert written == [1]


def test_a_call_that_came_to_nothing_is_made_for_each_alone() -> None:
    written: list[int] = []
    grown, ask = grow(
        Aide(make_context(written=written)),
        make_group(make_hop(1), make_hop(2)),
        "no",
        "no",
        ONE,
        tags((OTHER, "#### 42")),
    )
    assert [record_of(each).draft.input for each in grown] == [FRESH, OTHER]
    assert [len(each["lines"]) for each in ask.asked] == [2, 2, 1, 1]
    assert written == [0]


def test_one_that_cannot_be_written_at_all_is_lost_alone() -> None:
    nothing = ("no", "no", "", "")
    grown, _ = grow(Aide(make_context()), make_group(make_hop(1), make_hop(2)), ONE, *nothing)
    assert record_of(grown[0]).draft.input == FRESH
    assert isinstance(grown[1].outcome, NodeError)
    assert grown[1].outcome.reason == "empty"
    (alone,), ask = grow(Aide(make_context()), make_group(make_hop(1)), *nothing)
    assert isinstance(alone.outcome, NodeError)
    assert len(ask.asked) == 4, "twice with its answer, twice without"


def test_a_model_that_cannot_write_the_answer_along_writes_the_text_alone() -> None:
    (alone,), ask = grow(Aide(make_context()), make_group(make_hop(1)), "no", "no", FRESH, ANSWER)
    record = record_of(alone)
    assert (record.draft.input, record.draft.output) == (FRESH, ANSWER)
    assert [each["reply"] for each in ask.asked[:3]] == ["worked", "worked", ""]


def test_of_a_group_that_was_begun_before_a_stop_only_the_rest_is_grown_with_the_same_call() -> None:
    hops = (make_hop(1), make_hop(2))
    whole, first = grow(Aide(make_context()), make_group(*hops), TWO)
    assert len(whole) == 2
    grown, again = grow(Aide(make_context()), make_group(*hops, settled=[0]), TWO)
    assert [each.hop.id for each in grown] == [hops[1].id]
    told, told_again = ({**each.asked[0], "payload": None} for each in (first, again))
    assert told == told_again


def test_each_is_there_as_soon_as_it_has_ended() -> None:
    """A record must not wait for the slowest of its siblings."""
    slow = asyncio.Event()

    class Waiting(Judged):
        async def read(self, hop: Hop, draft: Any) -> Reading:
            if draft.input == FRESH:
                await slow.wait()
            return await super().read(hop, draft)

    async def run() -> list[str]:
        ended = []
        recipe = Aide(make_context(judge=Waiting()))
        async for each in recipe.grow(make_group(make_hop(1), make_hop(2)), Asked(TWO)):
            ended.append(record_of(each).draft.input)
            slow.set()
        return ended

    assert asyncio.run(run()) == [OTHER, FRESH]


def test_a_fault_of_the_run_is_handed_on_and_costs_no_sibling() -> None:
    class Spent(Judged):
        async def read(self, hop: Hop, draft: Any) -> Reading:
            if draft.input == FRESH:
                raise BudgetSpent("no more calls")
            return await super().read(hop, draft)

    grown, _ = grow(Aide(make_context(judge=Spent())), make_group(make_hop(1), make_hop(2)), TWO)
    assert isinstance(grown[0].outcome, BudgetSpent)
    assert record_of(grown[1]).draft.input == OTHER


def test_a_fault_that_nobody_foresaw_is_told_at_once_and_costs_no_sibling() -> None:
    """Siblings may wait for texts that never come once the run ends of it: it must hear of the fault first."""
    told = asyncio.Event()

    class Broken(Judged):
        async def read(self, hop: Hop, draft: Any) -> Reading:
            if draft.input == FRESH:
                raise ZeroDivisionError
            await told.wait()
            return await super().read(hop, draft)

    async def run() -> list[Record | Exception]:
        ended = []
        recipe = Aide(make_context(judge=Broken()))
        async for each in recipe.grow(make_group(make_hop(1), make_hop(2)), Asked(TWO)):
            ended.append(each.outcome)
            told.set()
        return ended

    first, second = asyncio.run(run())
    assert isinstance(first, ZeroDivisionError)
    assert isinstance(second, Record)


# --- what the writer sees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"persona": "a nurse"}])
def test_past_the_residual_depth_the_seed_stands_beside_the_parent(how: dict[str, Any]) -> None:
    _, ask = grow_one(ONE, hop=make_hop(depth=2, anchored=True, **how))
    assert (ask.asked[0]["seed"], ask.asked[0]["parent"]) == (INPUTS[0], INPUTS[1])
    _, ask = grow_one(ONE, hop=make_hop(depth=2, **how))
    assert (ask.asked[0]["seed"], ask.asked[0]["parent"]) == ("", INPUTS[1])


def test_a_plain_record_is_told_its_topic_and_traits_and_shown_no_parent() -> None:
    group = make_group(*(make_hop(n, operation=PLAIN, topic=topic, manner="about 9 words") for n, topic in
                         enumerate(("ferries", "tents"))))  # fmt: skip
    _, ask = grow(Aide(make_context(format="free_text")), group, tags((FRESH, "x"), (OTHER, "y")))
    (asked,) = ask.asked
    assert asked["template"] == "synthesize/plain"
    assert asked["lines"] == ["ferries. About 9 words.", "tents. About 9 words."]
    assert (asked["parent"], asked["seed"]) == ("", "")


def test_guided_and_plain_records_have_prompts_of_their_own_and_parts_too() -> None:
    cases: list[tuple[dict[str, Any], bool, str]] = [
        ({}, False, "synthesize/_guided"),
        ({"operation": PLAIN}, False, "synthesize/plain"),
        ({"operation": PLAIN}, True, "synthesize/plain.parts"),
    ]
    for how, parts, template in cases:
        recipe = Aide(make_context(format="free_text", parts=parts))
        assert recipe.find_template(make_hop(**how)) == template


def test_a_label_is_told_with_those_it_may_be_taken_for() -> None:
    labels = ("travel", "money", "food", "sport")
    hops = [make_hop(n, label="travel") for n in range(2)]
    grown, ask = grow(
        Aide(make_context(format="classification", labels=labels)), make_group(*hops), texts(FRESH, OTHER)
    )
    asked = ask.asked[0]
    assert asked["label"].name == "travel"
    assert [label.name for label in asked["other_labels"]] == ["money", "food"]
    assert [record_of(each).draft.output for each in grown] == ["travel", "travel"]
    assert asked["reply"] == "", "the label itself is never written along"


def test_what_siblings_take_up_is_told_where_it_is_known() -> None:
    _, ask = grow_one(ONE, hop=make_hop(others=("tickets", "a nurse on night shift")))
    assert "(others take up: tickets; a nurse on night shift)" in ask.asked[0]["lines"][0]


@pytest.mark.parametrize(("words", "changed"), [(6, False), (8, False), (9, True), (20, True)])
def test_a_short_text_has_room_for_its_matter_alone(words: int, changed: bool) -> None:
    recipe = Aide(make_context())
    short = recipe.describe(make_hop(traits={"words": words}, manner=f"about {words} words"))
    assert (short.count(";") > 0) == changed
    assert "is measured in: cars 0" in short
    persona = recipe.describe(make_hop(persona="a nurse", traits={"words": 5}, manner="about 5 words"))
    assert "a nurse" in persona


@pytest.mark.parametrize("words", [5, 20])
def test_another_domain_is_asked_for_however_short_the_text_is(words: int) -> None:
    hop = make_hop(operation="domain", traits={"words": words}, manner=f"about {words} words")
    said = Aide(make_context()).describe(hop)
    assert "is measured in: cars 0; not this itself but its counterpart in a field of life" in said


def test_examples_are_those_of_the_group() -> None:
    demos = (Demonstration("Where?", "There."),)
    _, ask = grow_one(ONE, examples=demos)
    assert ask.asked[0]["demos"] == demos


def test_a_further_draw_along_the_same_way_is_another_question() -> None:
    _, ask = grow_one(ONE, hop=make_hop(draw=2))
    assert ask.asked[0]["draw"] == 2


def test_over_fixed_parts_an_answer_brings_its_evidence() -> None:
    parts = Parts(
        (("contract", "The ferry carries eighteen cars on each trip."),), "question", "{contract}\n{question}"
    )
    said = tags((FRESH, "126 cars.<evidence>eighteen cars on each trip</evidence>"))
    grown, ask = grow_one(said, hop=make_hop(parts=parts), format="free_text", parts=True)
    record = record_of(grown)
    assert (record.draft.output, record.draft.evidence) == ("126 cars.", "eighteen cars on each trip")
    assert (record.parts, ask.asked[0]["parts"]) == (parts, parts)


# --- what a data point is about -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class About:
    """What was found, by its names."""

    topic: str
    triples: tuple[Triple, ...]
    personas: tuple[str, ...]

    @classmethod
    def of(cls, found: Found) -> "About":
        triples = tuple(Triple(**each) for each in found.matters["triples"])
        return cls(found.topic, triples, tuple(found.matters["personas"]))


def plant(
    *said: str,
    triples: int = 3,
    personas: int = 1,
    label: str = "",
    bank: PersonaBank | None = None,
    **spec: Any,
) -> tuple[About, Asked]:
    ask, root = Asked(*said), make_seed()
    recipe = Aide(make_context(bank=bank, **spec))
    work = PlantWork(root.id, root.id, 0, (triples, personas), label)
    found = asyncio.run(recipe.plant(root, Point(root.id, root.draft, root.parts, 0), work, ask))
    return About.of(found), ask


def say(*attributes: str, topic: str = "transport", personas: tuple[str, ...] = ()) -> str:
    ties = [{"relation": "needs", "attribute": each} for each in attributes]
    return json.dumps({"topic": topic, "triples": ties, "personas": personas})


PEOPLE = ("a nurse on nights", "a retired sailor", "a baker at three")


def test_one_call_plants_as_much_as_the_children_take() -> None:
    found, ask = plant(say("cars", "time", "ships", personas=PEOPLE))
    assert ask.steps == ["extract"]
    assert [triple.attribute for triple in found.triples] == ["cars", "time", "ships"]
    assert {triple.topic for triple in found.triples} == {found.topic} == {"transport"}
    assert found.personas == PEOPLE[:1]
    assert (ask.asked[0]["template"], ask.asked[0]["attributes"], ask.asked[0]["personas"]) == ("plant", 3, 1)


def test_the_label_that_children_are_to_have_is_told() -> None:
    _, ask = plant(
        say("cars", personas=PEOPLE), label="money", format="classification", labels=("travel", "money")
    )
    assert ask.asked[0]["label"].name == "money"


def test_triples_beyond_the_attributes_come_from_the_graph() -> None:
    graph = json.dumps(
        {"triples": [{"relation": "costs", "attribute": "fares"}, {"relation": "x", "attribute": "Cars "}]}
    )
    found, ask = plant(say("cars", "time", "ships", personas=PEOPLE), graph, triples=5)
    assert ask.steps == ["extract", "expand_graph"]
    assert [triple.attribute for triple in found.triples] == ["cars", "time", "ships", "fares"]


def test_a_graph_that_cannot_be_had_is_no_reason_to_lose_the_point() -> None:
    found, _ = plant(say("cars", "time", "ships", personas=PEOPLE), "no idea", "no idea", triples=5)
    assert len(found.triples) == 3


def test_a_model_that_cannot_fill_one_answer_is_asked_in_parts() -> None:
    people = json.dumps({"personas": PEOPLE})
    found, ask = plant("no idea", "no idea", say("cars", "time", "ships"), people)
    assert ask.steps == ["extract", "extract", "extract", "personas"]
    assert (len(found.triples), found.personas) == (3, PEOPLE[:1])


def test_where_only_personas_are_wanted_the_topic_is_had_all_the_same() -> None:
    found, _ = plant(
        "no idea", "no idea", say("cars"), json.dumps({"personas": PEOPLE}), triples=0, personas=2
    )
    assert (found.topic, found.triples, found.personas) == ("transport", (), PEOPLE[:2])


def test_personas_of_a_bank_are_not_asked_for() -> None:
    found, ask = plant(say("cars", "time", "ships"), bank=PersonaBank(PEOPLE))
    assert (ask.steps, ask.asked[0]["personas"]) == (["extract"], 0)
    assert len(found.personas) == 1


def test_a_point_of_which_nothing_can_be_said_has_no_attributes() -> None:
    with pytest.raises(NodeError):
        plant("no idea", "no idea", "no idea", "no idea")


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("aide", ("async def plant", "async def expand_graph", "def find_template", "def describe")),
        ("written", ("async def grow", "async def finish", "async def synthesize", "async def revise")),
    ],
)
def test_the_recipe_reads_in_the_order_of_the_method(module: str, names: tuple[str, ...]) -> None:
    source = (Path(__file__).parents[3] / f"src/aide/recipes/{module}.py").read_text(encoding="utf-8")
    places = [
        source.index(f"{name}(self") if f"{name}(self" in source else source.index(f"{name}(\n")
        for name in names
    ]
    assert places == sorted(places)
