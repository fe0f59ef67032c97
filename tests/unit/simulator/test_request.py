"""What the simulator reads out of a request, whatever its prompt is."""

import json

import pytest

from aide.simulator import step_of
from aide.simulator.request import read_manner, read_request, read_tags
from aide.simulator.texts import Manner
from unit.simulator.prompting import (
    ITEMS,
    PARENT,
    READINGS,
    answer,
    beside,
    blind,
    examples,
    labels,
    listed,
    request,
    shape,
    synthesize,
    text,
)


@pytest.mark.parametrize(
    ("user", "step"),
    [
        (examples(), "card"),
        (f"<text>\n{PARENT}\n</text>", "extract"),
        (f"<text>{PARENT}</text><topic>lamps</topic><triples>needs | light</triples>", "expand_graph"),
        ("<about>lamps</about>", "personas"),
        (synthesize(), "synthesize"),
        (synthesize("lamps.", "stamps.", reply=ITEMS), "synthesize"),
        (synthesize(parent="") + "<draft>A text.</draft><critique>No.</critique>", "revise"),
        (answer("open", PARENT), "answer"),
        (answer("tests", PARENT), "tests"),
        (blind("A text."), "reflect"),
        (beside(("A text.", "An answer.")), "reflect"),
        ("Answer with one word.", ""),
    ],
)
def test_a_step_is_told_by_the_tags_that_a_prompt_shows(user: str, step: str) -> None:
    assert step_of(request(user)) == step


@pytest.mark.parametrize("name", ["texts", "items"])
def test_new_texts_are_told_by_the_schema_where_no_line_is_shown(name: str) -> None:
    body = request(examples(), schema=shape(**{name: listed(text())}))
    assert step_of(body) == "synthesize"
    told = request(f"{examples()}\nJSON Schema: {json.dumps(shape(**{name: listed(text())}))}")
    told["response_format"] = {"type": "json_object"}
    assert step_of(told) == "synthesize"
    assert step_of(request(f"{examples()}<question>{PARENT}</question>{ITEMS}")) == "answer"


def test_a_step_that_no_tag_shows_is_called_as_its_schema() -> None:
    body = request("<claim>The sea is salty.</claim>", schema=shape(claim=text()))
    assert step_of(body) == "given"
    body["response_format"]["json_schema"]["name"] = "realism"
    assert step_of({**body, "messages": request("<text>A text.</text>")["messages"]}) == "realism"


def test_outermost_tags_are_read_with_what_stands_around_them() -> None:
    tags, prose = read_tags('One <a>\n<b>x</b>\n</a> two <c n="1" kind="k">y</c> <number> three')
    assert [(tag.name, dict(tag.attributes), tag.text) for tag in tags] == [
        ("a", {}, "<b>x</b>"),
        ("c", {"n": "1", "kind": "k"}, "y"),
    ]
    assert prose.split() == ["One", "two", "<number>", "three"]


def test_numbered_inputs_bring_the_tags_inside_of_them() -> None:
    read = read_request(
        request('<wanted n="1"><attribute>glue</attribute></wanted><wanted n="2"><label>x</label></wanted>')
    )
    assert [(own.get("attribute"), own.get("label")) for own in read.numbered] == [
        ("glue", None),
        (None, "x"),
    ]
    assert read.count == 2


def test_the_schema_is_found_on_every_rung() -> None:
    schema = labels("a", "b")
    user = answer("label", PARENT)
    told = f"{user}\n\nAnswer with one JSON value. It must fit this JSON Schema:\n{json.dumps(schema)}"
    fields = (
        {"type": "json_schema", "json_schema": {"name": "label", "strict": True, "schema": schema}},
        {"type": "json_schema", "json_schema": {"name": "label", "schema": schema}},
    )
    assert [read_request(request(user, response_format=field)).schema for field in fields] == [schema] * 2
    lower = ({"type": "json_object", "schema": schema}, {"type": "json_object"}, None)
    assert [read_request(request(told, response_format=field)).schema for field in lower] == [schema] * 3
    assert read_request(request(user)).schema is None


def test_a_correction_carries_the_schema_in_the_last_message() -> None:
    told = f"That was wrong. It must fit this JSON Schema:\n{json.dumps(READINGS)}"
    read = read_request(request(blind("A text."), ("assistant", "no"), ("user", told)))
    assert (read.step, read.schema, read.again) == ("reflect", READINGS, ("no", ""))


def test_counts_stand_in_the_prose_and_not_in_inputs() -> None:
    assert read_request(request("<text>exactly 9 of them</text>\nName exactly 4, each short.")).count == 4
    assert read_request(request("<text>x</text>")).count == 3


@pytest.mark.parametrize(
    ("line", "manner"),
    [
        ("lamps. About 12 words, a question.", Manner(12)),
        ("About 40 words, 3 sentences; on 2 lines.", Manner(40, "words", 3, 2)),
        ("About 90 characters.", Manner(90, "characters")),
        ("lamps; a limit is added.", Manner()),
    ],
)
def test_a_line_says_how_long_its_text_is_and_of_how_many_sentences_and_lines(
    line: str, manner: Manner
) -> None:
    assert read_manner(line) == manner
