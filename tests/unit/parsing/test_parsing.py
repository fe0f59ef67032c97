from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from aide.completion import read_completion, read_model_name, read_reasoning
from aide.errors import Unusable
from aide.parsing import (
    CodePayload,
    ModelPayload,
    ReplyModel,
    TextPayload,
    build_closed_schema,
    looks_like_code,
    parse_json,
)


def completion(content: object = None, finish: str = "stop", **message: object) -> Mapping[str, Any]:
    return {"choices": [{"finish_reason": finish, "message": {"content": content, **message}}]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (completion(" hello "), "hello"),
        (completion([{"type": "text", "text": "he"}, {"type": "text", "text": "llo"}]), "hello"),
        (completion(None, reasoning_content="hello"), "hello"),
        (completion("  ", reasoning="hello"), "hello"),
        (completion("<think>what now</think>\n\nhello"), "hello"),
        (completion("what now</think>\nhello"), "hello"),
        (
            completion("the tag <think> starts and </think> ends it"),
            "the tag <think> starts and </think> ends it",
        ),
    ],
)
def test_the_answer_is_found_wherever_a_server_puts_it(data: Mapping[str, Any], text: str) -> None:
    assert read_completion(data) == text


@pytest.mark.parametrize(
    ("data", "thought"),
    [
        (completion("yes", reasoning_content=" so so "), "so so"),
        (completion("yes", reasoning="so so"), "so so"),
        (completion("<think>\nso so\n</think>yes"), "so so"),
        (completion([{"type": "thinking", "thinking": [{"type": "text", "text": "so so"}]}, {"text": "yes"}]), "so so"),
        (completion([{"type": "thinking", "thinking": "so so"}, {"type": "text", "text": "yes"}]), "so so"),
        (completion("yes"), ""),
        (completion(None, reasoning_content="yes"), ""),  # all that there is: the answer
        ({}, ""),
    ],
)  # fmt: skip
def test_thoughts_are_found_wherever_a_server_puts_them(data: Mapping[str, Any], thought: str) -> None:
    assert read_reasoning(data) == thought


def test_thoughts_are_kept_apart_from_the_answer() -> None:
    assert read_completion(completion("<think>so so</think>yes")) == "yes"
    assert read_completion(completion("yes", reasoning_content="so so")) == "yes"


@pytest.mark.parametrize(
    "word", ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "truncated"]
)
def test_a_cut_is_a_cut_under_any_word(word: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_completion(completion("The tide comes in and", finish=word))
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    ("finish", "written", "cut"),
    [("stop", 99, False), ("stop", 100, True), ("stop", 140, False), ("", 100, True), ("other", 140, True),
     ("other", 99, False), (None, 100, True), (None, 12, False), ("stop", "100", False)],
)  # fmt: skip
def test_a_cut_shows_in_the_number_of_tokens_too(finish: Any, written: Any, cut: bool) -> None:
    data = {**completion("The tide comes in and", finish=finish), "usage": {"completion_tokens": written}}
    if cut:
        with pytest.raises(Unusable, match="cut off"):
            read_completion(data, 100)
    else:
        assert read_completion(data, 100) == "The tide comes in and"
    assert read_completion(data) == "The tide comes in and"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (completion(""), "empty"),
        (completion(None), "empty"),
        ({"choices": []}, "empty"),
        ({}, "empty"),
        (completion("<think>only thoughts"), "empty"),
        (completion("half an ans", finish="length"), "truncated"),
        (completion("", finish="length", reasoning_content="long thoughts"), "truncated"),
        (completion('{"topic": "card", ' + '"topic": "card", ' * 40, finish="length"), "looped"),
        (completion(None, refusal="I can't."), "refused"),
        (completion("", finish="content_filter"), "filtered"),
    ],
)
def test_unusable_completions_say_why(data: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_completion(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure:\n```json\n{"a": [1, 2,],}\n```\nDone.', {"a": [1, 2]}),
        ('The set {x} gives {"a": "b"} here', {"a": "b"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('{"a": [{"b": "c"},]}', {"a": [{"b": "c"}]}),
        ('{"a": "never closed', {"a": "never closed"}),
        ('[{"a": 1}]', [{"a": 1}]),
    ],
)
def test_slightly_broken_json_is_read(text: str, value: object) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize("text", ["", "no json here", "{", "a < b > c", "[" * 5000])
def test_text_without_json_is_unusable(text: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse_json(text)
    assert caught.value.reason == "not_json"
    assert caught.value.said == text


@given(st.text(max_size=200))
def test_json_of_any_text_is_a_value_or_unusable(text: str) -> None:
    try:
        parse_json(text)
    except Unusable as fault:
        assert fault.problem.endswith(".")


class Inner(ReplyModel):
    title: str
    kind: Literal["only"]


class Outer(ReplyModel):
    grade: int = Field(ge=1, le=10)
    right: bool
    items: list[Inner]
    note: str = "none"


def nothing_open(schema: object) -> bool:
    if isinstance(schema, list):
        return all(nothing_open(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if "$ref" in schema or "$defs" in schema or "default" in schema:
        return False
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False or schema["required"] != list(schema["properties"])
    ):
        return False
    return all(nothing_open(value) for value in schema.values())


def test_the_schema_is_closed_and_stands_by_itself() -> None:
    schema = build_closed_schema(Outer)
    assert nothing_open(schema)
    assert list(schema["properties"]) == ["grade", "right", "items", "note"]
    item = schema["properties"]["items"]["items"]
    assert list(item["properties"]) == ["title", "kind"], "a field named title is no title"
    assert item["properties"]["kind"]["enum"] == ["only"]
    assert "title" not in schema


def grade(outer: Outer) -> int:
    return outer.grade


def test_values_are_coerced_lightly_and_bounded_strictly() -> None:
    payload = ModelPayload("outer", Outer, grade)
    said = '{"grade": "8", "right": "true", "items": [], "note": 7, "more": 1}'
    assert payload.read(said) == 8
    assert payload.read(f'{{"outer": {said}}}') == 8
    assert payload.read(f"[{said}]") == 8
    with pytest.raises(Unusable) as caught:
        payload.read('{"grade": 11, "right": true, "items": []}')
    assert caught.value.reason == "invalid"
    assert "`grade`" in caught.value.problem


def test_a_missing_field_and_a_failed_conversion_are_named() -> None:
    with pytest.raises(Unusable, match="`items`"):
        ModelPayload("outer", Outer, grade).read('{"grade": 1, "right": true}')

    def refuse(outer: Outer) -> int:
        raise ValueError("The note must be longer.")

    with pytest.raises(Unusable, match=r"The note must be longer\."):
        ModelPayload("outer", Outer, refuse).read('{"grade": 1, "right": true, "items": []}')


def test_a_bare_list_fills_the_only_field() -> None:
    class Names(BaseModel):
        names: list[str]

    assert ModelPayload("names", Names, lambda said: said.names).read('["a", "b"]') == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Why is it so?", "Why is it so?"),
        ("```\nWhy?\n```", "Why?"),
        ('{"input": "Why?"}', "Why?"),
        ('"Why?"', "Why?"),
        ("„Warum?“", "Warum?"),
        ("New input: Why?", "Why?"),
        ("**Question:** Why?", "Why?"),
        ('**New question:** "Why?"', "Why?"),
        ('"Stop," he said. "Now."', '"Stop," he said. "Now."'),
        ("Question: Why?\nAnswer: so", "Question: Why?\nAnswer: so"),
        ('{"a": "b", "c": "d"}', '{"a": "b", "c": "d"}'),
        ("Text ```x``` text", "Text ```x``` text"),
        ("<example><input>Why?</input><answer>So.</answer></example>", "Why?"),
        ("```\n<input>\nWhy?\n</input>\n```", "Why?"),
        ("Here is the new input: <text>Why?</text>", "Why?"),
        ('<question>"Why?"</question>', "Why?"),
    ],
)
def test_text_is_freed_of_its_wrapping_alone(said: str, text: str) -> None:
    assert TextPayload("input").read(said) == text


def test_an_answer_is_taken_out_of_an_example() -> None:
    answer = TextPayload("answer")
    assert answer.read("<example><input>Why?</input><answer>So.</answer></example>") == "So."
    quoted = "So.\n<evidence>as is said</evidence>"
    assert answer.read(quoted) == quoted


def test_a_label_of_the_seeds_own_stays() -> None:
    assert TextPayload("input", ("Question:",)).read("Question: Why?") == "Question: Why?"


def test_an_empty_wrapping_is_unusable() -> None:
    with pytest.raises(Unusable):
        TextPayload("input").read('""')


@pytest.mark.parametrize(
    "said",
    [
        "```python\ndef f():\n    return 1\n```",
        "Here it is:\n```py\ndef f():\n    return 1\n```\nIt returns 1.",
        "```\nf()\n```\nwith\n```\ndef f():\n    return 1\n```",
        "```python\ndef f():\n    return 1",
        "def f():\n    return 1",
    ],
)
def test_code_is_taken_from_its_fence(said: str) -> None:
    assert CodePayload("code").read(said) == "def f():\n    return 1"


def test_prose_is_no_code() -> None:
    with pytest.raises(Unusable) as caught:
        CodePayload("code").read("I would rather not.")
    assert caught.value.reason == "no_code"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("print('hi')", True),
        ("int f(int a) {\n  return a;\n}", True),
        ("hello", False),
        ("The sum is 12.\nIt is even.", False),
        ("print('\\d')", True),
    ],
)
def test_code_is_told_from_prose(text: str, *, code: bool) -> None:
    assert looks_like_code(text) is code


def test_a_number_of_tokens_tells_no_cut_where_thoughts_had_room_of_their_own() -> None:
    def ended(finish: str | None, content: str = "Three.", tokens: int = 50) -> dict[str, Any]:
        message = {"content": content, "reasoning_content": "I count them."}
        usage = {"completion_tokens": tokens, "completion_tokens_details": {"reasoning_tokens": 45}}
        return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}

    for tokens in (50, 51):
        assert read_completion(ended("stop", tokens=tokens), 50) == "Three."
    for cut in (ended("length"), ended(None), ended("stop", content="")):
        with pytest.raises(Unusable) as fault:
            read_completion(cut, 50)
        assert fault.value.reason == "truncated"


DIRTY = r"\u0000\u001b[31mred\u001b]0;pwn\u0007\u202e\ufffe\ud800"


def test_no_escape_in_json_brings_back_control_characters() -> None:
    dirty = f'{{"a": {{"b{DIRTY}": [" x\\r\\ny{DIRTY}", 1, null]}}}}'
    assert parse_json(dirty) == {"a": {"bred\ufffd": [" x\nyred\ufffd", 1, None]}}
    assert parse_json(f"Here you are: {dirty[:-1]}") == parse_json(dirty)
    assert TextPayload("input").read(f'{{"text": "Why{DIRTY}?"}}') == "Whyred\ufffd?"
    assert parse_json(r'{"a": " \\frac \u00e9 \t "}') == {"a": " \\frac é \t "}
    with pytest.raises(Unusable, match="nested without end"):
        parse_json('["\\u0000", ' + "[" * 1000 + "]" * 1001)


def test_the_model_that_answered_is_named_on_one_clean_line() -> None:
    assert read_model_name({"model": "org/name-7b"}, "asked") == "org/name-7b"
    assert read_model_name({"model": "a\x1b]0;pwn\x07\nb\u202e" + "c" * 999}, "asked") == "a b" + "c" * 197
    for named in ("", "\x1b[31m", None, 7):
        assert read_model_name({"model": named}, "asked") == "asked"
