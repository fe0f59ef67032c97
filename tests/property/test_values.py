"""Whatever a model or a person writes: parsing never breaks, and what is stored comes back as it was."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide import jsonl
from aide.completion import read_completion
from aide.errors import Unusable
from aide.journal.rows import decode_text, dump_json, encode_text
from aide.jsonl import encode_line
from aide.parsing import CodePayload, TextPayload, parse_json
from aide.records import Draft, Lineage, Parts, Record, Triple
from aide.text.cleaning import clean_text, drop_controls
from aide.text.markers import split_thinking

ANYTHING = st.text(st.characters(), max_size=80)
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
# Pieces that models wrap around what they mean, in any order, whole and torn.
MARKS = [*"{}[]:,1 \n\\\x00\ud800\ufeff\u202e“”", "```", "```json\n", "\n```\n", '"a"', "'x'", "True", "\r\n"]
PIECES = st.sampled_from([*MARKS, "nan", "<think>", "</think>", "Answer: ", "Sure!", "\x1b[31m"])
SAID = ANYTHING | st.lists(PIECES, max_size=20).map("".join)
WHOLE_LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WHOLE_LETTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, JSON, min_size=1, max_size=3)
FIELDS = ["choices", "message", "content", "finish_reason", "refusal", "reasoning", "text"]
COMPLETIONS = st.recursive(
    st.none() | st.text("ab", max_size=3) | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.lists(st.tuples(NAMES, ANYTHING), max_size=3, unique_by=lambda part: part[0])


@given(SAID)
def test_cleaning_twice_is_cleaning_once(said: str) -> None:
    once = clean_text(said)
    assert clean_text(once) == once
    once.encode("utf-8")
    assert not set(once) & {"\x00", "\x1b", "\r", "\ufeff", "\u202e"}


@given(SAID)
def test_json_is_found_or_its_absence_is_told(said: str) -> None:
    try:
        value = parse_json(said)
    except Unusable as fault:
        assert fault.reason == "not_json"
        assert fault.problem
    else:
        json.dumps(value)


def drop_controls_within(value: object) -> object:
    if isinstance(value, list):
        return [drop_controls_within(each) for each in value]
    if isinstance(value, dict):
        return {name: drop_controls_within(each) for name, each in value.items()}
    return drop_controls(value) if isinstance(value, str) else value


@given(OBJECTS, st.sampled_from(["{}", "Sure:\n{}", "```json\n{}\n```", "{}\nDone."]))
def test_json_is_read_through_what_stands_around_it(value: object, around: str) -> None:
    assert parse_json(around.replace("{}", json.dumps(value), 1)) == drop_controls_within(value)


@given(SAID)
def test_a_text_is_unwrapped_or_told_to_be_empty(said: str) -> None:
    for payload in (TextPayload("text"), CodePayload("code")):
        try:
            read = payload.read(clean_text(said))
        except Unusable as fault:
            assert fault.problem
        else:
            assert read.strip()


@given(SAID)
def test_thinking_is_taken_apart_without_a_loss(said: str) -> None:
    thought, rest = split_thinking(said)
    assert said.endswith(rest)
    assert thought in said


@given(COMPLETIONS)
def test_a_completion_of_any_shape_is_read_or_told(data: object) -> None:
    try:
        said = read_completion(data if isinstance(data, dict) else {"choices": data})
    except Unusable as fault:
        assert fault.reason in {"refused", "filtered", "truncated", "empty"}
    else:
        assert said


@given(PARTS, ANYTHING, ANYTHING, ANYTHING)
def test_fixed_parts_come_out_byte_equal(
    fixed: list[tuple[str, str]], before: str, between: str, varying: str
) -> None:
    fixed = [part for part in fixed if part[0] != "question"]

    def literal(said: str) -> str:
        return said.replace("{", "{{").replace("}", "}}")

    frame = literal(before) + "".join(f"{{{name}}}{literal(between)}" for name, _ in fixed) + "{question}"
    whole = Parts(tuple(fixed), "question", frame).whole(varying)
    assert whole == before + "".join(text + between for _, text in fixed) + varying


RECORDS = st.builds(
    lambda words, triple, choices, revisions, meta: Record(
        "0" * 20, "task", "open", Draft(words[0], words[1], tuple(choices), (), words[2]), Parts(),
        Lineage("s", "p", 2, "constraint", triple, None if triple else words[3], True),
        {"relevance": 8}, revisions, "simulator", meta,
    ),
    st.tuples(ANYTHING, ANYTHING, ANYTHING, ANYTHING),
    st.none() | st.builds(Triple, ANYTHING, ANYTHING, ANYTHING),
    st.lists(ANYTHING, max_size=4),
    st.integers(0, 3),
    st.dictionaries(NAMES, JSON, max_size=2),
)  # fmt: skip


@given(RECORDS)
def test_a_record_is_one_line_and_comes_back(record: Record) -> None:
    line = encode_line(record.as_dict())
    assert line.count(b"\n") == 1
    back = orjson.loads(line)
    whole = json.dumps(record.as_dict(), ensure_ascii=False)
    if not any("\ud800" <= letter <= "\udfff" for letter in whole):
        assert back["input"] == record.draft.input
        assert back["output"] == record.draft.output
        assert Lineage.from_dict(back["lineage"]) == record.lineage
        assert back["meta"] == record.meta
    assert Lineage.from_dict(record.lineage.as_dict()) == record.lineage


@given(ANYTHING)
def test_the_journal_keeps_any_text(said: str) -> None:
    assert decode_text(encode_text(said)) == said
    assert jsonl.parse_json(dump_json({"said": said})) == {"said": said}


@settings(max_examples=30)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_equal_values_are_journaled_as_equal_bytes(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert dump_json(value) == dump_json(turned)


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dump_json(object())
