"""Extraction: what is asked for, what is forgiven, what is cleaned."""

import json

import pytest
from aide.recipes.operations import OPERATIONS

from aide.errors import InputError, Unusable
from aide.formats import FORMATS
from aide.recipes.extraction import make_extraction_payload, make_graph_payload, normalise_triples
from aide.records import Triple


def said(topic: str, *ties: tuple[str, str]) -> str:
    return json.dumps({"topic": topic, "triples": [{"relation": r, "attribute": a} for r, a in ties]})


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
        said(' "Bread." ', (" needs\n", " **Yeast** "), ("has", "yeast"), ("is", "bread"))
    )
    assert normalise_triples(found) == (Triple("Bread", "needs", "Yeast"),)


def test_more_than_asked_are_cut_and_a_missing_relation_is_made_up() -> None:
    found = make_extraction_payload(2).read(said("bread", ("", "flour"), ("has", "crust"), ("needs", "oven")))
    assert normalise_triples(found) == (Triple("bread", "involves", "flour"), Triple("bread", "has", "crust"))


@pytest.mark.parametrize(
    "text",
    [
        said("bread"),
        said("", ("has", "crust")),
        said("bread", ("is", "Bread!"), ("is", "")),
        said("bread", ("has", "a long sentence that tells about the crust of bread")),
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


def test_operations_are_found_by_name() -> None:
    assert list(OPERATIONS) == ["constraint", "reasoning", "concretize"]
    templates = OPERATIONS["reasoning"].templates(FORMATS["yes_no"], has_parts=True)
    assert templates[0] == "synthesize/reasoning.parts"
    assert templates[-1] == "synthesize/reasoning"
    with pytest.raises(InputError, match="reasonin"):
        OPERATIONS["reasonin"]
