import json
from typing import Any

import pytest

from aide.llm.faults import WireFault
from aide.llm.profile import ENOUGH, RUNGS, EndpointProfile, loosen_schema
from aide.llm.request import ChatRequest
from aide.records import Message

SCHEMA = {
    "type": "object",
    "properties": {"minItems": {"type": "array", "minItems": 3, "items": {"type": "string"}}},
    "required": ["minItems"],
    "additionalProperties": False,
}
MESSAGES = (Message("system", "Be brief."), Message("user", "Go."))


def wanted(**more: Any) -> ChatRequest:
    given: dict[str, Any] = {
        "step": "s",
        "model": "m",
        "messages": MESSAGES,
        "max_output": 500,
        "temperature": 0.7,
    }
    return ChatRequest(**{**given, "top_p": 0.9, "schema_name": "thing", "schema": SCHEMA, **more})


def at(rung: str) -> EndpointProfile:
    return EndpointProfile(rung=RUNGS.index(rung))


def test_each_rung_asks_for_less() -> None:
    formats: dict[str, Any] = {}
    for rung in RUNGS:
        body, sent = at(rung).build_body(wanted(), "m")
        formats[rung] = body.get("response_format")
        told = json.dumps(SCHEMA, separators=(",", ":")) in body["messages"][-1]["content"]
        assert told == (rung in ("object_schema", "object", "text"))
        assert sent["rung"] == rung
    assert formats["strict"]["json_schema"] == {"name": "thing", "strict": True, "schema": SCHEMA}
    assert formats["schema"]["json_schema"] == {"name": "thing", "schema": loosen_schema(SCHEMA)}
    assert formats["object_schema"] == {"type": "json_object", "schema": SCHEMA}
    assert formats["object"] == {"type": "json_object"}
    assert formats["text"] is None


def test_a_property_that_is_named_like_a_keyword_stays() -> None:
    assert loosen_schema(SCHEMA)["properties"] == {"minItems": {"type": "array", "items": {"type": "string"}}}


def test_plain_text_is_asked_for_plainly_and_unset_parameters_are_not_sent() -> None:
    body, sent = EndpointProfile().build_body(wanted(schema=None, top_p=None, extra={"think": False}), "big")
    assert set(body) == {"model", "messages", "max_tokens", "temperature", "think"}
    assert body["model"] == "big"
    assert sent == {"model": "big", "max_tokens": 500, "temperature": 0.7, "think": False}


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (
            WireFault(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "unsupported_parameter",
                param="max_tokens",
            ),
            "max_tokens",
        ),
        (
            WireFault(
                400,
                "Unsupported value: 'temperature' does not support 0.7 with this model. "
                "Only the default (1) value is supported",
                "unsupported_value",
                param="temperature",
            ),
            "temperature",
        ),
        (WireFault(422, "Unexpected fields in the request: {'top_p'}"), "top_p"),
        (WireFault(400, "temperature and top_p cannot both be specified for this model"), "top_p"),
        (WireFault(422, "body.seed: Extra inputs are not permitted"), "seed"),
        (WireFault(400, "Unrecognized request argument supplied: seed"), "seed"),
    ],
)
def test_a_parameter_that_is_refused_is_not_sent_again(fault: WireFault, field: str) -> None:
    profile, request = EndpointProfile(), wanted(schema=None, seed=1)
    before, _ = profile.build_body(request, "m")
    assert profile.learn(fault, request, explained_only=False)
    after, _ = profile.build_body(request, "m")
    assert set(before) - set(after) == {field}
    assert ("max_completion_tokens" in after) == (field == "max_tokens")


def test_more_output_than_the_window_holds_is_not_asked_for_again() -> None:
    profile, request = EndpointProfile(), wanted(max_output=20480)
    said = "max_tokens=20480 cannot be greater than max_model_len=2048. (parameter=max_tokens, value=20480)"
    assert profile.learn(WireFault(400, said, "400", param="max_tokens"), request, explained_only=False)
    assert profile.build_body(request, "m")[0]["max_tokens"] == 1024
    profile = EndpointProfile()
    said = "max_tokens is too large: 20480. This model supports at most 16384 completion tokens"
    assert profile.learn(WireFault(400, said, param="max_tokens"), request, explained_only=False)
    assert profile.build_body(request, "m")[0]["max_tokens"] == 16384
    assert profile.build_body(wanted(max_output=100), "m")[0]["max_tokens"] == 100


@pytest.mark.parametrize(
    "said", ["System role not supported", "Conversation roles must alternate user/assistant"]
)
def test_without_a_system_role_its_text_opens_the_first_user_message(said: str) -> None:
    profile, request = EndpointProfile(), wanted(schema=None)
    assert profile.learn(WireFault(400, said), request, explained_only=False)
    assert profile.build_body(request, "m")[0]["messages"] == [
        {"role": "user", "content": "Be brief.\n\nGo."}
    ]


@pytest.mark.parametrize(
    "fault",
    [
        WireFault(500, "Input should be 'text' or 'json_object'; loc: ('body', 'response_format', 'type')"),
        WireFault(400, "This model does not support response format `json_schema`."),
        WireFault(400, "'response_format.type' must be 'json_schema' or 'text'"),
        WireFault(400, "Grammar error: properties must be an object"),
        WireFault(422, "Failed to deserialize the JSON body: response_format: missing field `value`"),
        WireFault(400, "Unable to generate parser for this template."),
    ],
)
def test_a_refused_response_format_leads_one_rung_down(fault: WireFault) -> None:
    profile = EndpointProfile()
    assert profile.learn(fault, wanted(), explained_only=fault.status == 500)
    assert profile.rung == 1
    assert not profile.learn(fault, wanted(schema=None), explained_only=False)


def test_an_unexplained_refusal_is_tried_lower_and_taken_back_where_that_does_not_help() -> None:
    profile, fault = EndpointProfile(), WireFault(400, "Request contains an invalid argument.")
    for _ in RUNGS[1:]:
        assert profile.learn(fault, wanted(), explained_only=False)
    assert not profile.learn(fault, wanted(), explained_only=False)
    profile.forget_guesses()
    assert profile.rung == 0
    assert not profile.learn(fault, wanted(), explained_only=True)


def test_what_works_for_other_schemas_is_left_only_for_the_one_that_is_refused() -> None:
    profile = EndpointProfile()
    profile.note_answer(wanted())
    assert profile.learn(
        WireFault(400, "Invalid schema for response_format"), wanted(schema_name="odd"), explained_only=False
    )
    assert (profile.get_rung("thing"), profile.get_rung("odd")) == (0, 1)
    assert not profile.learn(WireFault(400, "no idea"), wanted(), explained_only=False)


def test_a_rung_that_is_accepted_and_ignored_is_found_out() -> None:
    profile = EndpointProfile()
    for _ in range(ENOUGH):
        profile.note_answer(wanted())
    for _ in range(ENOUGH - 1):
        assert not profile.note_invalid("strict", 0)
    assert profile.note_invalid("strict", 0)
    assert not any(profile.note_invalid("strict", 0) for _ in range(50)), (
        "late notes of the rung above say nothing"
    )
    assert profile.rung == 1


def test_a_few_bad_answers_among_many_good_ones_change_nothing() -> None:
    profile = EndpointProfile()
    for _ in range(100):
        profile.note_answer(wanted())
    assert not any(profile.note_invalid("strict", 0) for _ in range(49))


def test_notes_without_a_rung_are_passed_over_while_older_answers_come_in() -> None:
    profile = EndpointProfile()
    for _ in range(ENOUGH):
        profile.note_answer(wanted())
        profile.note_invalid("", 8)
    assert profile.rung == 1
    assert not any(profile.note_invalid("", 8) for _ in range(8))
    assert profile.rung == 1
    for _ in range(ENOUGH):
        profile.note_answer(wanted())
        profile.note_invalid("", 8)
    assert profile.rung == 2


def test_habits_survive_the_run_folder() -> None:
    profile = EndpointProfile(
        rung=2, rungs={"odd": 4}, limit_name="max_completion_tokens", dropped={"seed"}, most_output=9
    )
    profile.note_answer(wanted())
    kept = json.loads(json.dumps(profile.as_dict()))
    assert EndpointProfile.from_dict(kept).as_dict() == profile.as_dict()
    assert kept["rung"] == "object_schema"


def test_where_no_json_comes_at_all_the_next_rung_is_one_that_shows_the_schema() -> None:
    profile = EndpointProfile()
    for _ in range(ENOUGH):
        profile.note_answer(wanted())
        profile.note_invalid("strict", 0, shapeless=True)
    assert profile.rung == RUNGS.index("object_schema")
    mixed = EndpointProfile()
    for number in range(ENOUGH):
        mixed.note_answer(wanted())
        mixed.note_invalid("strict", 0, shapeless=number > 0)
    assert mixed.rung == 1, "structure came, and did not fit: a looser schema keeps the structure"
