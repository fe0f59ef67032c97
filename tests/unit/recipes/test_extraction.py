"""What a data point is about: what is asked for, what is forgiven, what is cleaned."""

import json
from typing import Any

import pytest

from aide.errors import Unusable
from aide.recipes.extraction import (
    clean_personas,
    make_extraction_payload,
    make_graph_payload,
    make_plant_payload,
    normalise_triples,
)
from aide.records import Triple


def say(topic: str, *ties: tuple[str, str], **more: Any) -> str:
    return json.dumps({"topic": topic, "triples": [{"relation": r, "attribute": a} for r, a in ties], **more})


# --- triples --------------------------------------------------------------------------------------------


def test_the_schema_asks_for_exactly_so_many() -> None:
    schema = make_extraction_payload(3).schema
    assert schema is not None
    assert list(schema["properties"]) == ["topic", "triples"]
    assert schema["properties"]["triples"]["minItems"] == schema["properties"]["triples"]["maxItems"] == 3
    assert list(schema["properties"]["triples"]["items"]["properties"]) == ["relation", "attribute"]
    more = make_graph_payload(2).schema
    assert more is not None
    assert list(more["properties"]) == ["triples"]
    assert (make_extraction_payload(3).name, make_graph_payload(2).name) == ("triples", "more_triples")


def test_attributes_are_normalised() -> None:
    found = make_extraction_payload(3).read(
        say(' "Bread." ', (" needs\n", " **Yeast** "), ("has", "yeast"), ("is", "bread"))
    )
    assert normalise_triples(found) == (Triple("Bread", "needs", "Yeast"),)


def test_more_than_asked_are_cut_and_a_missing_relation_is_made_up() -> None:
    found = make_extraction_payload(2).read(say("bread", ("", "flour"), ("has", "crust"), ("needs", "oven")))
    assert normalise_triples(found) == (Triple("bread", "involves", "flour"), Triple("bread", "has", "crust"))


@pytest.mark.parametrize(
    "text",
    [
        say("bread"),
        say("", ("has", "crust")),
        say("bread", ("is", "Bread!"), ("is", "")),
        say("bread", ("has", "a long sentence that tells about the crust of bread")),
        "no idea",
    ],
)
def test_what_is_unusable_is_said_to_the_model(text: str) -> None:
    with pytest.raises(Unusable) as fault:
        make_extraction_payload(3).read(text)
    assert fault.value.problem


def test_graph_expansion_keeps_the_topic_and_repeats_nothing() -> None:
    known = (Triple("bread", "needs", "yeast"),)
    text = json.dumps(
        {"triples": [{"relation": "has", "attribute": "Yeast"}, {"relation": "needs", "attribute": "salt"}]}
    )
    found = make_graph_payload(2).read(text)
    assert normalise_triples(found, topic="bread", known=known) == (Triple("bread", "needs", "salt"),)


# --- all at once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("triples", "personas", "keys"),
    [(3, 1, ["topic", "triples", "personas"]), (3, 0, ["topic", "triples"]), (0, 2, ["topic", "personas"])],
)
def test_one_answer_holds_as_much_as_is_wanted(triples: int, personas: int, keys: list[str]) -> None:
    schema = make_plant_payload(triples, personas).schema
    assert schema is not None
    assert list(schema["properties"]) == schema["required"] == keys
    for name, count in (("triples", triples), ("personas", personas)):
        if count:
            assert (schema["properties"][name]["minItems"], schema["properties"][name]["maxItems"]) == (
                count,
                count,
            )


def test_topic_triples_and_personas_come_together() -> None:
    text = say(
        "bread",
        ("needs", "yeast"),
        ("has", "crust"),
        personas=["a baker at three", "a child with a coin", "x"],
    )
    found, personas = make_plant_payload(2, 1).read(text)
    assert [triple.attribute for triple in normalise_triples(found)] == ["yeast", "crust"]
    assert personas == ("a baker at three",)


def test_triples_are_worth_having_without_personas() -> None:
    found, personas = make_plant_payload(2, 2).read(say("bread", ("needs", "yeast"), personas="nobody"))
    assert (len(found.ties), personas) == (1, ())


def test_where_only_personas_are_wanted_one_must_be_there() -> None:
    found, personas = make_plant_payload(0, 2).read(say("Bread.", personas=["a baker at three"]))
    assert (found.topic, found.ties, personas) == ("Bread", (), ("a baker at three",))
    for bad in (say("bread"), say("bread", personas=["Alice"]), "[]", '"no"'):
        with pytest.raises(Unusable):
            make_plant_payload(0, 2).read(bad)


def test_a_single_word_describes_nobody_where_words_have_spaces() -> None:
    said = [
        "Alice",
        " a  nurse\non nights ",
        7,
        None,
        "",
        "三月に引っ越したばかりの東京の大学生でアルバイトをしている",
    ]
    assert clean_personas(said) == [
        "a nurse on nights", "三月に引っ越したばかりの東京の大学生でアルバイトをしている",
    ]  # fmt: skip
