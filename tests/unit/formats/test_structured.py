"""Answers in JSON: the schema that seeds show, what a model says held to it, and answers compared field by field."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from aide.errors import InputError, NodeError, Rejection, Unusable
from aide.formats import FORMATS, Label, Question, TaskCard, detect_format
from aide.formats.quotes import stands_in
from aide.formats.schema import describe_fields, list_fields, make_wire_schema, read_schema
from aide.formats.structured import load_card_schema, make_asked_schema
from aide.records import Correction, Draft, Lineage, Parts, Record, rng
from aide.verify.agreement import USUAL, choose_quorum
from unit.formats.scripted import Scripted

FORMAT = FORMATS["json"]

TRIPS = [
    ("Bus to Graz on Monday, seat by the window", {"to": "Graz", "day": "Monday", "by": "bus", "stars": 3}),
    ("train to Lucca on Friday", {"to": "Lucca", "day": "Friday", "by": "train", "stars": 5}),
    ("I take the bus to Ghent, Sunday", {"to": "Ghent", "day": "Sunday", "by": "bus", "stars": 2}),
    (
        "Bonn by train",
        {"to": "Bonn", "day": None, "by": "train", "stars": 4, "note": "no day was said by this one"},
    ),
]
MARKED = [
    ("Ada met Bo in Rome.", [("Ada", 0, "PERSON"), ("Bo", 8, "PERSON"), ("Rome", 14, "PLACE")]),
    ("Rome is not Ada.", [("Rome", 0, "PLACE"), ("Ada", 12, "PERSON")]),
    ("Nobody came.", []),
]


def draft(text: str, value: Any) -> Draft:
    return Draft(text, json.dumps(value))


def spans(*found: tuple[str, int, str]) -> list[dict[str, Any]]:
    return [
        {"text": quote, "label": label, "start": at, "end": at + len(quote)} for quote, at, label in found
    ]


TRIP_DRAFTS = [draft(text, value) for text, value in TRIPS]
TRIP_CARD = FORMAT.start_card(TRIP_DRAFTS)
SPAN_DRAFTS = [draft(text, spans(*found)) for text, found in MARKED]
SPAN_CARD = FORMAT.start_card(SPAN_DRAFTS)


def answer(said: list[str], card: TaskCard, text: str, parts: Parts | None = None) -> Any:
    question = Question("id", text, parts or Parts())
    return json.loads(asyncio.run(FORMAT.answer(Scripted(*said), card, question)).output)


# --- the schema -----------------------------------------------------------------------------------------------


def test_the_schema_is_what_the_seeds_have_in_common() -> None:
    schema = load_card_schema(TRIP_CARD.schema)
    fields = schema["properties"]
    assert schema["required"] == ["to", "day", "by", "stars"]
    assert fields["to"] == {"type": "string", "minLength": 1, "x-quote": True, "x-agree": True}
    assert fields["day"]["type"] == ["string", "null"]
    assert fields["by"] == {"type": "string", "enum": ["bus", "train"], "x-agree": True}
    assert (fields["stars"]["minimum"], fields["stars"]["maximum"]) == (1, 5)
    assert "x-agree" not in fields["note"], "nobody says a sentence twice in the same words"
    assert list(list_fields(schema)) == ["to", "day", "by", "stars", "note"]


def test_the_schema_stands_on_the_card_a_line_a_key() -> None:
    assert '      "enum": ["bus", "train"],\n' in TRIP_CARD.schema
    assert FORMAT.check_card(replace(TRIP_CARD, schema="{")) == ("schema", "the schema is no JSON")
    assert FORMAT.check_card(replace(TRIP_CARD, schema='{"type": 3}')) is not None
    assert FORMAT.check_card(TRIP_CARD) is None


def test_numbers_that_are_no_ratings_have_no_upper_bound() -> None:
    seen = [draft(f"{n} men", {"men": n, "share": n / 10}) for n in (1, 9, 4, 7)]
    fields = load_card_schema(FORMAT.start_card(seen).schema)["properties"]
    assert fields["men"] == {"type": "integer", "x-agree": True, "minimum": 0}
    assert (fields["share"]["minimum"], fields["share"]["maximum"]) == (0, 1)


def test_objects_in_arrays_and_arrays_in_objects_have_schemas_too() -> None:
    value = {"lines": [{"item": "a chair", "price": 4}], "paid": True}
    schema = load_card_schema(FORMAT.start_card([draft("x", value), draft("y", value)]).schema)
    inner = schema["properties"]["lines"]
    assert (inner["type"], inner["minItems"], inner["items"]["required"]) == ("array", 1, ["item", "price"])
    assert schema["properties"]["paid"]["type"] == "boolean"


def test_every_seed_in_json_is_the_format_and_one_in_prose_is_none() -> None:
    assert detect_format(TRIP_DRAFTS).name == "json"
    assert detect_format([Draft("a", "[]"), Draft("b", '{"k": 1}')]).name == "json"
    with pytest.raises(InputError, match="every output is an empty list"):
        FORMAT.start_card([Draft("a", "[]"), Draft("b", "{}")])
    prose = [Draft(f"And you, {n}?", "I walk, as a rule, when it is dry.") for n in range(3)]
    assert detect_format([*TRIP_DRAFTS[:2], *prose]).name == "free_text"


def test_labels_of_passages_are_a_closed_set_however_few() -> None:
    seen = [draft("Ada met Bo.", spans(("Ada", 0, "PERSON"))), draft("To Rome", spans(("Rome", 3, "PLACE")))]
    few = load_card_schema(FORMAT.start_card(seen).schema)["items"]["properties"]["label"]
    assert few["enum"] == ["PERSON", "PLACE"]
    tags = [Label(name) for name in ("O", "B-PERSON", "I-PERSON", "B-ORG")]
    more = load_card_schema(FORMAT.start_card(seen, tags).schema)["items"]["properties"]["label"]
    assert more["enum"] == ["PERSON", "PLACE", "ORG"]


def test_over_the_wire_all_keys_are_required_and_none_is_a_mark_of_ours() -> None:
    wire = make_wire_schema(load_card_schema(TRIP_CARD.schema))
    assert wire["required"] == ["to", "day", "by", "stars", "note"]
    assert wire["properties"]["note"]["type"] == ["string", "null"]
    assert "x-" not in json.dumps(wire)
    items = make_asked_schema(SPAN_CARD.schema)["properties"]["items"]["items"]  # type: ignore[index]
    assert items["required"] == ["text", "occurrence", "label"], "no model is asked to count characters"


# --- what a model says ----------------------------------------------------------------------------------------

SAID = {"to": "Lyon", "day": None, "by": "bus", "stars": 1, "note": None}


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Here it is:\n{}", '{{"answer": {}}}', "[{}]"])
def test_a_value_is_read_whatever_stands_around_it(around: str) -> None:
    found = answer([around.format(json.dumps(SAID))], TRIP_CARD, "bus to Lyon")
    assert found == {"to": "Lyon", "day": None, "by": "bus", "stars": 1}, (
        "what may be missing is left out where null"
    )


def test_an_object_with_one_key_stays_one() -> None:
    card = FORMAT.start_card([draft("a", {"reply": "Yes, of course we can."}), draft("b", {"reply": "No."})])
    assert answer(['{"reply": "Soon, I think."}'], card, "When?") == {"reply": "Soon, I think."}


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        (json.dumps({**SAID, "stars": 6}), "broken_format", "`stars`: 6 is greater than the maximum of 5."),
        (json.dumps({**SAID, "by": "boat"}), "broken_format", "`by`: 'boat' is not one of ['bus', 'train']."),
        (json.dumps({**SAID, "fare": 3}), "broken_format", "fare"),
        (json.dumps({**SAID, "to": "Nice"}), "quote_missing", '"Nice" does not stand in the text'),
        ('"Lyon"', "broken_format", "one JSON object or array"),
        ("You go to Lyon by bus.", "not_json", "JSON"),
    ],
)
def test_what_breaks_the_schema_is_asked_for_again_and_then_refused(
    said: str, reason: str, told: str
) -> None:
    ask = Scripted(said, said)
    with pytest.raises((Rejection, Unusable)) as refused:
        asyncio.run(FORMAT.answer(ask, TRIP_CARD, Question("id", "bus to Lyon")))
    assert refused.value.reason == reason
    correction: Correction = ask.asked[1]["correction"]
    assert told in correction.problem


def test_places_are_found_by_code_for_the_occurrence_that_is_meant() -> None:
    text = "Ada told Ada’s  friend that Ada left."
    said = [
        {"text": "Ada", "occurrence": 3, "label": "PERSON"},
        {"text": "Ada's friend", "occurrence": 1, "label": "PERSON"},
    ]
    found = answer([json.dumps({"items": said})], SPAN_CARD, text)
    assert [text[each["start"] : each["end"]] for each in found] == ["Ada’s  friend", "Ada"]
    assert [(each["text"], each["start"]) for each in found] == [("Ada’s  friend", 9), ("Ada", 28)]


def test_an_occurrence_that_is_not_there_is_told() -> None:
    said = json.dumps([{"text": "Ada", "occurrence": 2, "label": "PERSON"}])
    with pytest.raises(Rejection, match="stands in the text 1 times"):
        answer([said, said], SPAN_CARD, "Ada sat down.")


def test_a_word_within_another_word_is_not_meant() -> None:
    said = json.dumps([{"text": "Bo", "occurrence": 1, "label": "PERSON"}])
    assert answer([said], SPAN_CARD, "Bonn and Bo")[0]["start"] == 9


def test_an_empty_list_is_an_answer() -> None:
    assert answer(["[]"], SPAN_CARD, "Nobody came at all.") == []
    assert FORMAT.check(Draft("Nobody.", "[]"), SPAN_CARD) == ""
    assert FORMAT.check(Draft("Nobody.", ""), SPAN_CARD) != ""


def test_a_place_that_is_wrong_breaks_the_format() -> None:
    right, wrong = spans(("Ada", 0, "PERSON")), [{**spans(("Ada", 0, "PERSON"))[0], "start": 1, "end": 4}]
    assert FORMAT.check(draft("Ada sat.", right), SPAN_CARD) == ""
    assert FORMAT.check(draft("Ada sat.", wrong), SPAN_CARD) != ""


def test_examples_show_occurrences_and_no_places() -> None:
    shown = json.loads(FORMAT.render(draft("Rome or Rome", spans(("Rome", 8, "PLACE")))))
    assert shown == [{"text": "Rome", "occurrence": 2, "label": "PLACE"}]
    assert FORMAT.render(TRIP_DRAFTS[0]) == TRIP_DRAFTS[0].output


def test_a_quote_of_a_fixed_part_is_looked_for_there_alone() -> None:
    parts = [
        Parts((("context", text),), "question", "{context}\n\n{question}")
        for text in ("Tar is black.", "Ice melts.")
    ]
    drafts = [draft("What is tar?", {"answer": "black"}), draft("Does ice?", {"answer": "melts"})]
    card = replace(FORMAT.adopt_parts(FORMAT.start_card(drafts), drafts, parts), fixed=("context",))
    assert load_card_schema(card.schema)["properties"]["answer"]["x-quote"] == "context"
    assert answer(['{"answer": "Ice"}'], card, "What melts?", parts[1]) == {"answer": "Ice"}
    with pytest.raises(Rejection):
        answer(['{"answer": "What"}'] * 2, card, "What melts?", parts[1])
    numbered = [
        draft("What is tar?", {"answer": "black", "occurrence": 1}),
        draft("Does it?", {"answer": None}),
    ]
    assert not FORMAT.shows_answer(FORMAT.start_card(numbered)), "which occurrence is no prose"


# --- right or wrong -------------------------------------------------------------------------------------------


def final(value: Any, card: TaskCard = TRIP_CARD) -> str:
    return FORMAT.extract_final_answer(draft("", value), card)


def test_answers_are_compared_field_by_field() -> None:
    one = {"to": "Graz", "day": "Monday", "by": "bus", "stars": 3, "note": "said in some words"}
    other = {"stars": 3, "by": "bus", "day": "monday,", "to": "Graz", "note": "said in others"}
    assert FORMAT.compare(final(one), final(other))
    assert not FORMAT.compare(final(one), final({**other, "by": "train"}))
    assert not FORMAT.compare(final(one), final({**other, "day": None}))


def test_items_are_compared_in_any_order_and_places_are_not() -> None:
    one, other = (
        spans(("Ada", 0, "PERSON"), ("Bo", 8, "PERSON")),
        spans(("Bo", 0, "PERSON"), ("Ada", 4, "PERSON")),
    )
    assert FORMAT.compare(final(one, SPAN_CARD), final(other, SPAN_CARD))
    assert not FORMAT.compare(final(one, SPAN_CARD), final(other[:1], SPAN_CARD))
    assert not FORMAT.compare(final(one, SPAN_CARD), final([one[0], one[0]], SPAN_CARD))


def test_scores_agree_to_a_tenth_of_their_scale_and_amounts_to_the_last_digit() -> None:
    seen = [draft(f"{n} men", {"score": n / 10, "price": n + 20.5}) for n in (1, 9, 4, 7)]
    card = FORMAT.start_card(seen)
    assert FORMAT.compare(
        final({"score": 0.8, "price": 3.5}, card), final({"score": 0.83, "price": 3.50}, card)
    )
    assert not FORMAT.compare(
        final({"score": 0.2, "price": 3.5}, card), final({"score": 0.8, "price": 3.5}, card)
    )
    assert not FORMAT.compare(
        final({"score": 0.8, "price": 3.5}, card), final({"score": 0.8, "price": 3.6}, card)
    )
    assert not FORMAT.compare('{"stars": 4}', '{"stars": 5}')


@pytest.mark.parametrize(("one", "other", "same"), [
    ("7 pm", "7 am", False), ("Gate 5", "Room 5", False), ("1,200", "1200", True), ("Graz.", "graz", True),
    ("?", "!", False),
])  # fmt: skip
def test_texts_are_the_same_but_for_case_and_edges(one: str, other: str, same: bool) -> None:
    assert FORMAT.compare(json.dumps({"a": one}), json.dumps({"a": other})) is same


def test_a_label_that_stands_in_its_texts_is_a_label_and_no_quote() -> None:
    seen = [draft(f"The {kind} of day {n}", {"kind": kind}) for n, kind in enumerate(["bill", "visit"] * 4)]
    assert load_card_schema(FORMAT.start_card(seen).schema)["properties"]["kind"]["enum"] == ["bill", "visit"]


def test_a_judges_own_answer_is_compared_without_its_occurrences() -> None:
    said = '{"items": [{"text": "Ada", "occurrence": 1, "label": "PERSON"}]}'
    own = FORMAT.read_own_answer(said, Draft(""), SPAN_CARD)
    assert FORMAT.compare(own, final(spans(("Ada", 0, "PERSON")), SPAN_CARD))
    assert FORMAT.read_own_answer("I can't tell.", Draft(""), SPAN_CARD) == ""


def test_prose_is_shown_to_the_judge_because_code_cannot_compare_it() -> None:
    assert (FORMAT.is_comparable(TRIP_CARD), FORMAT.shows_answer(TRIP_CARD)) == (True, True)
    assert (FORMAT.is_comparable(SPAN_CARD), FORMAT.shows_answer(SPAN_CARD)) == (True, False)
    prose = FORMAT.start_card([draft("a", {"reply": "We can do that by noon, I am sure."})] * 2)
    assert (FORMAT.is_comparable(prose), FORMAT.shows_answer(prose)) == (False, True)
    assert (choose_quorum("auto", SPAN_CARD), choose_quorum("auto", prose)) == (USUAL, None)


def test_only_words_of_its_own_are_looked_at_as_text() -> None:
    value = {"to": "Bonn", "day": None, "by": "train", "stars": 4, "note": "As an AI I can't travel."}
    assert FORMAT.read_prose(draft("Bonn by train", value), TRIP_CARD) == "As an AI I can't travel."


@pytest.mark.parametrize("place", range(3))
def test_a_wrong_answer_differs_in_one_field_and_keeps_the_form(place: int) -> None:
    for card, drafts in ((TRIP_CARD, TRIP_DRAFTS), (SPAN_CARD, SPAN_DRAFTS[:2])):
        right = drafts[place % len(drafts)]
        wrong = FORMAT.make_wrong(right, card, [], rng("wrong", str(place)))
        assert wrong is not None
        assert FORMAT.check(wrong, card) == ""
        pair = (FORMAT.extract_final_answer(each, card) for each in (right, wrong))
        assert not FORMAT.compare(*pair)


# --- a person's own schema ------------------------------------------------------------------------------------


def test_a_schema_of_a_person_gets_the_marks_that_the_seeds_show() -> None:
    given = read_schema(
        json.dumps({
            "$defs": {"Day": {"type": ["string", "null"], "maxLength": 9}},
            "type": "object",
            "properties": {"to": {"type": "string"}, "day": {"$ref": "#/$defs/Day"},
                           "by": {"enum": ["bus", "train", "car"]},
                           "stars": {"type": "integer", "maximum": 9}, "note": {"type": "string"}},
        }),
        "trip.json",
    )  # fmt: skip
    card = FORMAT.adopt_schema(TRIP_CARD, TRIP_DRAFTS, given, ())
    fields = load_card_schema(card.schema)["properties"]
    assert fields["to"] == {"type": "string", "x-quote": True, "x-agree": True}
    assert fields["day"] == {"type": ["string", "null"], "maxLength": 9, "x-quote": True, "x-agree": True}
    assert fields["by"]["enum"] == ["bus", "train", "car"]
    assert answer([json.dumps({**SAID, "by": "car", "stars": 8})], card, "Lyon by car")["stars"] == 8


def test_a_seed_that_breaks_the_schema_is_named() -> None:
    given = {"type": "object", "properties": {"stars": {"type": "integer", "maximum": 4}}}
    with pytest.raises(
        InputError, match=r"'train to Lucca on Friday' breaks --schema: `stars`: 5 is greater"
    ):
        FORMAT.adopt_schema(TRIP_CARD, TRIP_DRAFTS, given, ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ('{"type": "objekt"}', "is no JSON Schema"),
        ('{"type": "string"}', "neither an object nor an array"),
        (
            '{"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}}',
            "there is no #/\\$defs/Gone in it",
        ),
        (
            '{"$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"}',
            "refers to itself",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_schema(text, "s.json")


def test_fields_that_must_agree_are_named() -> None:
    card = FORMAT.adopt_schema(TRIP_CARD, TRIP_DRAFTS, None, ("by",))
    assert final(TRIPS[0][1], card) == '{"by": "bus"}'
    with pytest.raises(InputError, match="--agree-on fare"):
        FORMAT.adopt_schema(TRIP_CARD, TRIP_DRAFTS, None, ("fare",))
    nested = FORMAT.adopt_schema(SPAN_CARD, SPAN_DRAFTS, None, ("label",))
    assert final(spans(("Ada", 0, "PERSON")), nested) == '[{"label": "PERSON"}]'
    with pytest.raises(InputError, match="no effect on the format open"):
        FORMATS["open"].adopt_schema(TaskCard(format="open"), [], None, ("by",))


# --- on disk --------------------------------------------------------------------------------------------------


def test_a_record_holds_the_value_and_reads_back_as_text() -> None:
    lineage = Lineage("s", "s", 1, "plain", None, None, False)
    record = Record("id", "trips", "json", TRIP_DRAFTS[0], Parts(), lineage)
    line = record.as_dict()
    assert line["output"] == TRIPS[0][1]
    assert Record.from_dict(line).draft == TRIP_DRAFTS[0]


# --- whatever a model says ------------------------------------------------------------------------------------

DEEP = "[" * 900 + "]" * 900


@pytest.mark.parametrize(
    "said", [DEEP, f'{{"to": {DEEP}}}', '{"to": "' + "x" * 100_000 + '"}', "[NaN]", "\ud800"]
)
@pytest.mark.parametrize("name", ["json", "multi_label"])
def test_nonsense_is_refused_and_nothing_breaks(name: str, said: str) -> None:
    card = TRIP_CARD if name == "json" else TaskCard(format=name, labels=(Label("hot"), Label("loud")))
    with pytest.raises(NodeError):
        asyncio.run(FORMATS[name].answer(Scripted(said, said), card, Question("id", "bus to Lyon")))
    own = FORMATS[name].read_own_answer(said, Draft(""), card)
    assert not FORMATS[name].compare(own, final(TRIPS[0][1]))


@pytest.mark.parametrize("number", [10**400, -(10**20), 1e308, 2**53 + 1])
def test_numbers_of_any_size_are_compared(number: float) -> None:
    card = FORMAT.start_card([draft(f"{n}", {"score": n / 10}) for n in (1, 4)])
    said = FORMAT.read_own_answer(json.dumps({"score": number}), Draft(""), card)
    assert FORMAT.compare(said, said)
    assert not FORMAT.compare(said, '{"score": 0.5}')


def test_texts_inside_are_cleaned() -> None:
    card = FORMAT.start_card([draft("a", {"reply": "Yes, of course we can."}), draft("b", {"reply": "No."})])
    assert answer(['{"reply": "So\\u0007on\\ud800, \\u001b[31mred"}'], card, "When?") == {
        "reply": "Soon\ufffd, red"
    }


def test_the_fields_are_told_in_a_line() -> None:
    told = list(describe_fields(load_card_schema(TRIP_CARD.schema)))
    assert told == ["to (quote)", "day (quote)", "by (bus, train)", "stars (1 to 5)", "note (string)"]


def test_json_in_a_fence_is_json() -> None:
    fenced = [Draft(each.input, f"```json\n{each.output}\n```") for each in TRIP_DRAFTS]
    assert detect_format(fenced).name == "json"
    assert [FORMAT.normalise(each) for each in fenced] == TRIP_DRAFTS
    assert FORMAT.normalise(TRIP_DRAFTS[0]) == TRIP_DRAFTS[0]


def test_one_output_that_is_no_json_among_many_is_told() -> None:
    broken = [*TRIP_DRAFTS, Draft("Bus to Rome", '{"to": "Rome", "day": nil}')]
    with pytest.raises(InputError, match=r"that of seed 5 is none: '\{\"to\": \"Rome\", \"day\": nil\}'"):
        detect_format(broken)
    assert detect_format(broken, "free_text").name == "free_text"


def test_quotes_end_where_words_do_in_every_alphabet() -> None:
    assert not stands_in("caf", "ein café")
    assert stands_in("café", "ein café.")
    assert not stands_in("дом", "домой")
    assert stands_in("東京", "東京都に行く")


def test_nested_fields_are_named_with_dots() -> None:
    value = {
        "buyer": {"name": "Mo Ek", "note": "paid late and in coins"},
        "lines": [{"item": "a lamp", "price": 3}],
    }
    drafts = [draft("x", value), draft("y", value)]
    card = FORMAT.adopt_schema(FORMAT.start_card(drafts), drafts, None, ("buyer.name", "lines.price"))
    assert final(value, card) == '{"buyer": {"name": "Mo Ek"}, "lines": [{"price": 3}]}'
