"""Records, seeds and drafts: one form on disk, which comes back as it was and is read in the form of version 0.1."""

from dataclasses import replace

import pytest

from aide.records import (
    CONTENT,
    Draft,
    Lineage,
    Parts,
    Record,
    Seed,
    ToolCall,
    Triple,
    Turn,
    Usage,
    find_varying_name,
    read_varying,
)

FRAME = Parts((("clause", "Rent is due {monthly}."),), "question", "Q: {question}\nClause: {clause}")
DRAFT = Draft(
    input="When?",
    output="b",
    choices=("a", "b"),
    tests=("assert f()",),
    reasoning="Because.",
    evidence="Rent is due",
    turns=(
        Turn("user", "When?"),
        Turn("assistant", calls=(ToolCall("look_up", '{"what": "rent"}'),)),
        Turn("tool", "monthly", name="look_up"),
        Turn("assistant", "b"),
    ),
    tools=('{"name": "look_up"}',),
    system="Be brief.",
    negatives=("Rent rises yearly.",),
)
LINEAGE = Lineage("s" * 20, "p" * 20, 2, "constraint", Triple("t", "r", "a"), None, True)
RECORD = Record(
    "0" * 20, "task", "multiple_choice", DRAFT, FRAME, LINEAGE, {"relevance": 8}, 1, "m", {"n": 1}
)


def test_a_line_holds_its_fields_in_their_order_and_names_the_varying_part() -> None:
    line = RECORD.as_dict()
    assert list(line) == [
        "id", "task", "format", "input", "output", "choices", "parts", "varying", "tests", "reasoning",
        "turns", "tools", "system", "negatives", "lineage", "scores", "revisions", "model", "meta",
    ]  # fmt: skip
    assert line["input"] == "Q: When?\nClause: Rent is due {monthly}."
    assert line["parts"] == {"clause": "Rent is due {monthly}.", "question": "When?"}
    assert line["varying"] == "question"
    assert line["meta"] == {"n": 1, "evidence": "Rent is due"}


def test_what_a_record_lacks_its_line_lacks() -> None:
    line = replace(RECORD, draft=Draft("When?", ""), parts=Parts()).as_dict()
    assert (
        set(line) & {"choices", "parts", "varying", "tests", "reasoning", "turns", "tools", "system"} == set()
    )
    assert (line["input"], line["output"], line["meta"]) == ("When?", "", {"n": 1})


@pytest.mark.parametrize("working", ["", "Because."])
def test_thoughts_are_the_reasoning_of_a_line_and_come_back_as_thoughts(working: str) -> None:
    record = replace(RECORD, draft=replace(DRAFT, thoughts="Hm, b.", reasoning=working))
    line = record.as_dict()
    assert (line["reasoning"], line["thought"], line.get("working", "")) == ("Hm, b.", True, working)
    assert "thoughts" not in line
    assert Record.from_dict(line, FRAME) == record


@pytest.mark.parametrize("parts", [FRAME, Parts()])
def test_a_line_is_read_back_as_the_record_that_it_was(parts: Parts) -> None:
    record = replace(RECORD, parts=parts)
    assert Record.from_dict(record.as_dict(), parts) == record
    assert Record.from_dict(record.as_dict()) == record  # the frame is found in the whole input


def test_a_record_is_read_in_the_frame_of_its_seed_with_fixed_parts_of_its_own() -> None:
    other = replace(FRAME, fixed=(("clause", "Another {clause}."),))
    assert Record.from_dict(replace(RECORD, parts=other).as_dict(), FRAME).parts == other


def test_a_record_whose_seed_has_no_part_keeps_the_document_that_was_put_beside_it() -> None:
    parts = Parts((("document", "Pay on {time}."),), "question", "{document}\n\n{question}")
    record = replace(RECORD, parts=parts)
    assert Record.from_dict(record.as_dict(), Parts()) == record


def test_lines_of_version_0_1_have_the_varying_part_last() -> None:
    line = RECORD.as_dict()
    del line["varying"]
    assert find_varying_name(line) == "question"
    assert Record.from_dict(line, FRAME) == RECORD


def test_the_varying_part_is_the_named_one_wherever_it_stands() -> None:
    line = {"input": "x", "parts": {"question": "When?", "clause": "Rent"}, "varying": "question"}
    assert read_varying(line) == "When?"
    assert read_varying({**line, "varying": "nothing"}) == "Rent"
    assert read_varying({"input": "x", "parts": {}}) == "x"


def test_a_seed_is_journaled_with_its_frame_and_without_meta() -> None:
    seed = Seed("1" * 20, DRAFT, FRAME, "mine", {"cell": object()})
    assert Seed.from_dict(seed.id, seed.as_dict()) == replace(seed, meta={})


def test_a_seed_journaled_by_version_0_1_is_read() -> None:
    row = {
        "name": "mine", "input": "When?", "output": "b", "choices": ["a", "b"], "evidence": "", "tests": [],
        "reasoning": "", "fixed": [["clause", "Rent is due {monthly}."]], "varying": "question",
        "frame": FRAME.frame, "batch": 1,
    }  # fmt: skip
    assert Seed.from_dict("1", row) == Seed("1", Draft("When?", "b", ("a", "b")), FRAME, "mine")


def test_every_field_of_a_draft_comes_back_and_is_content() -> None:
    assert Draft.from_dict(DRAFT.as_dict()) == DRAFT
    assert Draft.from_dict({"input": "x", "id": "1"}) == Draft("x")
    assert {*CONTENT, "evidence"} == set(DRAFT.as_dict())
    assert all(isinstance(DRAFT.as_dict()[name], kind) for name, kind in CONTENT.items())


def test_parts_are_located_in_order_then_with_the_varying_one_elsewhere() -> None:
    texts = {"clause": "C", "law": "L", "question": "Q"}
    for whole, frame in [
        ("C {L} Q", "{clause} {{{law}}} {question}"),
        ("Q: C/L", "{question}: {clause}/{law}"),
        ("C Q L", "{clause} {question} {law}"),
        ("nothing", "{clause}\n\n{law}\n\n{question}"),
    ]:
        parts = Parts.locate(whole, texts, "question")
        assert (parts.fixed, parts.frame) == ((("clause", "C"), ("law", "L")), frame)


def test_usage_of_two_is_the_sum_of_each_count() -> None:
    assert Usage(1, 2, 3, 4, 5, 6) + Usage(10, 20, 30, 40, 50, 60) == Usage(11, 22, 33, 44, 55, 66)
