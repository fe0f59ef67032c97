"""The method with a model that says what is written down here: every reject reason, revision, the anchor."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import NodeError, Rejection
from aide.formats import FORMATS, TaskCard
from aide.formats.base import Label
from aide.gates.form import FormGate
from aide.judging.verdict import Thresholds
from aide.prompts import Prompts
from aide.recipes.aide import Aide
from aide.recipes.base import RecipeContext
from aide.records import Draft, Hop, Parts, Point, Record, Seed, Triple, replace
from aide.verify.answers import AnswerChecks
from unit.formats.scripted import Scripted

INPUTS = (
    "A bus leaves the harbour at nine and needs forty minutes to the market; when does it arrive?",
    "Three friends share a tent that costs ninety euros for two nights; what does each of them pay?",
    "A baker sells twelve dozen rolls before noon and half as many after; how many rolls in all?",
)
FRESH = "A ferry carries eighteen cars on each trip and sails seven times a day; how many cars cross?"
REVISED = "A gardener plants nine rows of tulips with fourteen bulbs in each; how many bulbs does she need?"
ANSWER = "18 cars times 7 trips is 126 cars.\n126"


class Taken:
    """A deduplicator for which some texts are taken."""

    def __init__(self, *taken: str) -> None:
        self.taken = taken

    def check_wording(self, id: str, text: str) -> str:
        return "near duplicate of another (0.90)" if text in self.taken else ""

    async def check_meaning(self, id: str, text: str) -> str:
        return ""


def seed(number: int = 0, parts: Parts | None = None) -> Seed:
    draft = Draft(INPUTS[number], f"It takes some steps.\n{number + 40}")
    return Seed(f"seed{number}", draft, parts or Parts(), meta={"level": 3})


def recipe(
    format: str = "open", *, taken: tuple[str, ...] = (), labels: tuple[str, ...] = (), **spec: Any
) -> Aide:
    card = TaskCard(
        task="Solve it.", language="English", language_code="en", format=format, min_words=5, max_words=40,
        labels=tuple(Label(name) for name in labels),
    )  # fmt: skip
    run = RunSpec(base_url=("sim:",), model="m", **spec)
    prompts = Prompts(None, card=card)
    return Aide(
        RecipeContext(
            spec=run, task="sums", card=card, format=FORMATS[format],
            gate=FormGate(card, INPUTS, ["40", "41", "42"]),
            thresholds=Thresholds(run.min_relevance, run.min_diversity),
            checks=AnswerChecks(FORMATS[format], card), prompts=prompts, deduplicator=Taken(*taken),
            graph_triples=run.count_graph_triples(fixed=False), bank=None, demonstrations=lambda seed: (),
            near_labels={label: [o for o in labels if o != label] for label in labels},
        )
    )  # fmt: skip


def hop(
    depth: int = 1, *, anchored: bool = False, label: str | None = None, persona: str | None = None
) -> Hop:
    root = seed()
    parent = Point("parent", Draft(INPUTS[1] if depth > 1 else INPUTS[0], "30"), Parts(), depth - 1)
    triple = None if persona else Triple("transport", "is measured in", "cars")
    return Hop(
        root,
        parent,
        depth,
        "persona" if persona else "constraint",
        triple,
        persona,
        "transport",
        label,
        anchored=anchored,
    )


def verdict(**changes: Any) -> str:
    good = {
        "own_answer": "126", "critique": "none", "on_task": True, "answerable": True, "gives_away": False,
        "correct": True, "relevance": 9, "diversity": 8,
    }  # fmt: skip
    return json.dumps({**good, **changes})


def grow(said: list[str], work: Hop | None = None, **options: Any) -> tuple[Record, Scripted]:
    ask = Scripted(*said)
    record = asyncio.run(recipe(**options).grow(work or hop(), ask))
    assert ask.said == [], "all that was prepared was asked for"
    return record, ask


def steps(ask: Scripted) -> list[str]:
    return [each["step"] for each in ask.asked]


def test_a_good_record_takes_three_calls_and_keeps_where_it_came_from() -> None:
    record, ask = grow([FRESH, ANSWER, verdict()])
    assert steps(ask) == ["synthesize", "answer", "reflect"]
    assert (record.draft.input, record.draft.output, record.revisions) == (FRESH, ANSWER, 0)
    assert record.id == hop().id
    assert (record.lineage.seed_id, record.lineage.parent_id, record.lineage.hop) == ("seed0", "parent", 1)
    assert dict(record.scores) == {"relevance": 9, "diversity": 8, "correct": True}
    assert dict(record.meta) == {"level": 3}


def test_without_reflection_two_calls_are_enough() -> None:
    record, ask = grow([FRESH, ANSWER], reflection=False)
    assert steps(ask) == ["synthesize", "answer"]
    assert dict(record.scores) == {}


def both(text: str, answer: str) -> str:
    return f"<new>{text}</new>\n<answer>{answer}</answer>"


def test_jointly_input_and_answer_come_from_one_call() -> None:
    record, ask = grow([both(FRESH, ANSWER), verdict()], answer="joint")
    assert steps(ask) == ["synthesize", "reflect"]
    assert (record.draft.input, record.draft.output) == (FRESH, ANSWER)
    assert '<answer_as kind="open">' in ask.asked[0]["form"]


def test_jointly_a_revision_brings_its_answer_along_and_a_wrong_answer_is_answered_alone() -> None:
    first, mended = both(FRESH, ANSWER), both(REVISED, "9 times 14 is 126.\n126")
    record, ask = grow([first, verdict(relevance=2), mended, verdict()], answer="joint")
    assert steps(ask) == ["synthesize", "reflect", "revise", "reflect"]
    assert record.draft.input == REVISED
    record, ask = grow([first, verdict(correct=False), ANSWER, verdict()], answer="joint")
    assert steps(ask) == ["synthesize", "reflect", "answer", "reflect"]
    assert record.draft.input == FRESH


def test_jointly_a_copy_is_still_rejected_before_the_judge() -> None:
    with pytest.raises(Rejection) as caught:
        grow([both(FRESH, ANSWER)], answer="joint", taken=(FRESH,))
    assert caught.value.reason == "duplicate"


def test_a_label_is_found_blindly_whatever_was_asked_for() -> None:
    _, ask = grow(
        [FRESH, '{"label": "no"}', verdict()],
        hop(label="no"),
        format="yes_no",
        labels=("yes", "no"),
        answer="joint",
    )
    assert steps(ask) == ["synthesize", "answer", "reflect"]


def test_the_judge_sees_the_seed_for_relevance_and_the_parent_for_diversity() -> None:
    _, ask = grow([FRESH, ANSWER, verdict()], hop(2))
    told = ask.asked[2]
    assert (told["seed"], told["parent"], told["candidate"]) == (INPUTS[0], INPUTS[1], FRESH)
    assert told["answer"] == ANSWER


@pytest.mark.parametrize("work", [hop(2, anchored=True), hop(2, anchored=True, persona="a nurse")])
def test_past_the_residual_depth_the_seed_stands_beside_the_parent(work: Hop) -> None:
    _, ask = grow([FRESH, ANSWER, verdict()], work)
    assert (ask.asked[0]["seed"], ask.asked[0]["parent"]) == (INPUTS[0], INPUTS[1])
    _, ask = grow([FRESH, ANSWER, verdict()], hop(1))
    assert ask.asked[0]["seed"] == ""


def test_what_siblings_take_up_is_told_where_it_is_known() -> None:
    _, ask = grow([FRESH, ANSWER, verdict()], replace(hop(), others=("tickets", "a nurse on night shift")))
    assert ask.asked[0]["others"] == ("tickets", "a nurse on night shift")
    assert "others" not in {name for name in ask.asked[1] if ask.asked[1][name]}


def test_a_triple_is_told_with_its_relation_and_a_persona_with_none() -> None:
    _, ask = grow([FRESH, ANSWER, verdict()])
    told = ask.asked[0]
    assert (told["topic"], told["relation"], told["attribute"]) == ("transport", "is measured in", "cars")
    _, ask = grow([FRESH, ANSWER, verdict()], hop(persona="a nurse"))
    assert (ask.asked[0]["persona"], ask.asked[0]["attribute"]) == ("a nurse", "")
    assert ask.asked[0]["template"] == "synthesize/persona"


@pytest.mark.parametrize(
    ("said", "step", "reason", "options"),
    [
        (["Too short, this."], "synthesize", "too_short", {}),
        (["many words " * 30], "synthesize", "too_long", {}),
        ([INPUTS[0]], "synthesize", "copy", {}),
        (["Wie viele Autos setzt die Fähre über, wenn sie achtzehn Wagen je Fahrt trägt und siebenmal am Tag ablegt, "
          "im Winter aber nur an drei Tagen der Woche?"], "synthesize", "wrong_language", {}),
        ([FRESH], "synthesize", "duplicate", {"taken": (FRESH,)}),
        ([FRESH, ANSWER, verdict(on_task=False)], "reflect", "off_task", {"max_revisions": 0}),
        ([FRESH, ANSWER, verdict(answerable=False)], "reflect", "unanswerable", {"max_revisions": 0}),
        ([FRESH, ANSWER, verdict(gives_away=True)], "reflect", "gives_away", {"max_revisions": 0}),
        ([FRESH, ANSWER, verdict(correct=False)], "reflect", "wrong_answer", {"max_revisions": 0}),
        ([FRESH, ANSWER, verdict(relevance=6)], "reflect", "low_relevance", {"max_revisions": 0}),
        ([FRESH, ANSWER, verdict(diversity=4)], "reflect", "low_diversity", {"max_revisions": 0}),
    ],
)  # fmt: skip
def test_each_fault_rejects_under_its_own_name_and_is_paid_no_further(
    said: list[str], step: str, reason: str, options: dict[str, Any]
) -> None:
    with pytest.raises(Rejection) as caught:
        grow(said, **options)
    assert (caught.value.step, caught.value.reason) == (step, reason)
    assert caught.value.input == said[0].strip(), "a reject shows the text it is about"


def test_a_revision_carries_draft_and_critique_and_is_checked_answered_and_judged_anew() -> None:
    low = verdict(relevance=5, critique="Too far from travel.")
    record, ask = grow([FRESH, ANSWER, low, REVISED, "9 x 14\n126", verdict()])
    assert steps(ask) == ["synthesize", "answer", "reflect", "revise", "answer", "reflect"]
    assert ask.asked[3]["draft"] == FRESH
    assert "Too far from travel." in ask.asked[3]["critique"]
    assert ask.asked[4]["question"] == REVISED
    assert (record.draft.input, record.revisions) == (REVISED, 1)


def test_a_revision_that_repeats_another_text_is_rejected_before_its_answer() -> None:
    with pytest.raises(Rejection) as caught:
        grow([FRESH, ANSWER, verdict(relevance=5), REVISED], taken=(REVISED,))
    assert (caught.value.reason, caught.value.input) == ("duplicate", REVISED)


def test_a_wrong_answer_alone_is_answered_again_with_what_was_wrong() -> None:
    wrong = verdict(correct=False, own_answer="126", critique="Seven trips, not six.")
    record, ask = grow([FRESH, "18 x 6\n108", wrong, ANSWER, verdict()])
    assert steps(ask) == ["synthesize", "answer", "reflect", "answer", "reflect"]
    correction = ask.asked[3]["correction"]
    assert "108" in correction.said
    assert "Seven trips, not six." in correction.problem
    assert (record.draft.input, record.draft.output, record.revisions) == (FRESH, ANSWER, 1)


def test_revisions_are_bounded() -> None:
    low = verdict(diversity=3)
    with pytest.raises(Rejection, match="diversity"):
        grow([FRESH, ANSWER, low, REVISED, ANSWER, low])


def test_labels_are_meant_first_and_found_blindly() -> None:
    labels = {"format": "classification", "labels": ("travel", "money")}
    said = [FRESH, json.dumps({"label": "travel"}), verdict()]
    record, ask = grow(said, hop(label="travel"), **labels)
    assert record.draft.output == "travel"
    assert ask.asked[0]["label"].name == "travel"
    assert [label.name for label in ask.asked[0]["other_labels"]] == ["money"]
    blind = {name for name in ask.asked[1] if ask.asked[1][name] not in ((), None, "", 0, False)}
    assert not blind & {"seed", "parent", "topic", "label", "persona"}


def test_three_equal_blind_answers_relabel_and_anything_else_is_a_mismatch() -> None:
    labels = {"format": "classification", "labels": ("travel", "money")}
    money, travel = (json.dumps({"label": name}) for name in ("money", "travel"))
    record, _ = grow([FRESH, money, money, money, verdict()], hop(label="travel"), **labels)
    assert record.draft.output == "money"
    with pytest.raises(Rejection) as caught:
        grow([FRESH, money, travel], hop(label="travel"), **labels)
    assert caught.value.reason == "label_mismatch"


# --- what a data point is about -------------------------------------------------------------------


def plant(answers: dict[str, str], **spec: Any) -> tuple[Any, Scripted]:
    ask = Scripted(*[lambda told: answers[told["step"]]] * 4)
    root = seed()
    found = asyncio.run(recipe(**spec).plant(root, Point(root.id, root.draft, root.parts, 0), ask))
    return found, ask


def ties(*attributes: str, topic: str = "transport") -> str:
    triples = [{"relation": "needs", "attribute": each} for each in attributes]
    return json.dumps({"topic": topic, "triples": triples})


PEOPLE = json.dumps({"personas": [f"a person {n}" for n in range(5)]})


def test_planting_names_a_topic_its_triples_a_few_more_and_personas() -> None:
    found, ask = plant(
        {"extract": ties("cars", "time", "ships"), "expand_graph": ties("fares", "Cars "), "personas": PEOPLE}
    )
    assert sorted(steps(ask)) == ["expand_graph", "extract", "personas"]
    assert [triple.attribute for triple in found.triples] == ["cars", "time", "ships", "fares"]
    assert {triple.topic for triple in found.triples} == {found.topic} == {"transport"}
    assert {triple.relation for triple in found.triples} == {"needs"}
    assert len(found.personas) == 5


def test_no_graph_and_no_personas_cost_no_call() -> None:
    found, ask = plant({"extract": ties("cars", "time", "ships")}, graph_triples=0, personas=0)
    assert steps(ask) == ["extract"]
    assert found.personas == ()


def test_a_graph_that_can_not_be_had_is_no_reason_to_lose_the_point() -> None:
    found, _ = plant({"extract": ties("cars", "time", "ships"), "expand_graph": "no idea"}, personas=0)
    assert len(found.triples) == 3


def test_an_extraction_that_can_not_be_had_makes_the_point_barren() -> None:
    with pytest.raises(NodeError):
        plant({"extract": "no idea"})


def test_the_recipe_fits_on_one_screen_and_reads_in_the_order_of_the_method() -> None:
    source = (Path(__file__).parents[3] / "src" / "aide" / "recipes" / "aide.py").read_text(encoding="utf-8")
    places = [
        source.index(f"async def {name}(")
        for name in ("plant", "expand_graph", "grow", "synthesize", "revise")
    ]
    assert places == sorted(places)
    assert len(source.splitlines()) <= 200
