import json
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError
from aide.records import Seed
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds


def load(tmp_path: Path, *rows: dict[str, Any], **mapping: Any) -> LoadedSeeds:
    path = tmp_path / "tiny.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_seeds([str(path)], SeedMapping(**mapping))


def first(tmp_path: Path, row: dict[str, Any], **mapping: Any) -> Seed:
    return load(tmp_path, row, **mapping).seeds[0]


@pytest.mark.parametrize(
    "row",
    [
        {"input": "2+2?", "output": "4"},
        {"Question": "2+2?", "Answer": 4},
        {"prompt": "2+2?", "completion": "4"},
        {"text": "2+2?", "label": "4"},
        {"sentence": "2+2?", "intent": "4"},
        {"utterance": "2+2?", "category": "4"},
        {"query": "2+2?", "class": "4"},
        {"instruction": "2+2?", "input": "", "output": "4"},
        {"instruction": "2+2?", "response": "4"},
        {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "2+2?"}]},
                {"role": "assistant", "content": "4"},
            ]
        },
        {"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]},
        {
            "prompt": [{"role": "user", "content": "2+2?"}],
            "completion": [{"role": "assistant", "content": "4"}],
        },
        {"question": "2+2?", "answers": {"text": ["4"], "answer_start": [0]}},
    ],
)
def test_pairs_of_all_kinds(tmp_path: Path, row: dict[str, Any]) -> None:
    draft = first(tmp_path, row).draft
    assert (draft.input, draft.output) == ("2+2?", "4")


@pytest.mark.parametrize(
    "row",
    [
        {"input": "Which?", "output": "b!", "choices": ["a!", "b!", "c!"]},
        {"question": "Which?", "choices": ["a!", "b!", "c!"], "answer": 1},
        {"question": "Which?", "options": {"A": "a!", "B": "b!", "C": "c!"}, "answer": "B"},
        {"question": "Which?", "options": ["A) a!", "B) b!", "C) c!"], "correct": "B"},
        {
            "question": "Which?",
            "choices": {"text": ["a!", "b!", "c!"], "label": ["1", "2", "3"]},
            "answerKey": "2",
        },
        {"question": "Which?", "A": "a!", "B": "b!", "C": "c!", "answer": "(b)"},
        {"question": "Which?", "option_a": "a!", "option_b": "b!", "option_c": "c!", "target": "B"},
        {"question": "Which?", "opa": "a!", "opb": "b!", "opc": "c!", "cop": 1},
        {"input": "Which?", "target_scores": {"a!": 0, "b!": 1, "c!": 0}},
        {"input": "Which?", "target": "b!", "target_scores": {"a!": 0, "b!": 1, "c!": 0}},
        {"inputs": "x", "question": "Which?", "multiple_choice_targets": ["a!", "b!", "c!"], "target": "b!"},
    ],
)
def test_multiple_choice_of_all_kinds(tmp_path: Path, row: dict[str, Any]) -> None:
    draft = first(tmp_path, row).draft
    assert (draft.input, draft.output, draft.choices) == ("Which?", "b!", ("a!", "b!", "c!"))


def test_a_numeric_option_is_a_text_and_no_place(tmp_path: Path) -> None:
    assert first(tmp_path, {"input": "2+2?", "output": "4", "choices": ["0", "4", "1"]}).draft.output == "4"
    assert first(tmp_path, {"input": "2+2?", "output": 4, "choices": [0, 4, 1]}).draft.output == "4"


def test_a_context_is_a_fixed_part(tmp_path: Path) -> None:
    seed = first(
        tmp_path, {"context": "A {long} story.", "question": "Who?", "answer": "Ann", "evidence": "A {long}"}
    )
    assert seed.draft.input == "Who?"
    assert seed.parts.fixed == (("context", "A {long} story."),)
    assert seed.parts.varying == "question"
    assert seed.parts.whole("Why?") == "A {long} story.\n\nWhy?"
    assert seed.draft.evidence == "A {long}"


def test_a_chat_of_several_turns_keeps_them_apart_from_the_system_prompt_that_all_share(
    tmp_path: Path,
) -> None:
    turns = [
        ("system", "Be kind."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "How?"),
        ("assistant", "So."),
    ]
    rows = [
        {
            "messages": [
                {"role": role, "content": f"{text} {n}" * (role == "user") or text} for role, text in turns
            ]
        }
        for n in (1, 2)
    ]
    loaded = load(tmp_path, *rows)
    draft = loaded.seeds[0].draft
    assert [(turn.role, turn.content) for turn in draft.turns] == [
        ("user", "Hi 1"),
        ("assistant", "Hello"),
        ("user", "How? 1"),
        ("assistant", "So."),
    ]
    assert (draft.input, draft.output) == ("Hi 1\nHow? 1", "So.")
    assert draft.system == "Be kind."
    assert loaded.sentence == "", (
        "what the task is follows from the chats, not from the prompt that they share"
    )


def test_an_instruction_common_to_all_is_the_task_and_one_that_differs_is_input(tmp_path: Path) -> None:
    same = [
        {"instruction": "Translate.", "input": word, "output": word.upper()} for word in ("one two", "three")
    ]
    loaded = load(tmp_path, *same)
    assert loaded.sentence == "Translate."
    assert [seed.draft.input for seed in loaded.seeds] == ["one two", "three"]
    mixed = [*same, {"instruction": "Shout.", "input": "four", "output": "FOUR"}]
    assert [seed.draft.input for seed in load(tmp_path, *mixed).seeds][2] == "Shout.\n\nfour"


def test_unknown_fields_are_carried_and_the_persons_id_is_the_name(tmp_path: Path) -> None:
    row = {"id": 17, "input": "a", "output": "b", "source": {"page": 3}, "task": "sums", "format": "open"}
    loaded = load(tmp_path, row)
    seed = loaded.seeds[0]
    assert (seed.name, seed.meta) == ("17", {"source": {"page": 3}})
    assert (loaded.task, loaded.format_hint) == ("sums", "open")
    assert seed.id == Seed.identify(seed.draft, seed.parts)


def test_the_task_is_named_by_the_file_where_the_rows_do_not(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"input": "a", "output": "b", "format": "open"}, {"input": "c", "output": "d"})
    assert (loaded.task, loaded.format_hint) == ("tiny", "")


def test_a_record_of_ours_becomes_a_seed_with_its_parts_and_without_its_history(tmp_path: Path) -> None:
    row = {
        "id": "r1", "task": "t", "format": "free_text", "input": "Text: abc\nAsk: who?", "output": "me",
        "parts": {"text": "abc", "ask": "who?"}, "lineage": {"hop": 1}, "scores": {}, "model": "m",
        "meta": {"evidence": "abc", "page": 1},
    }  # fmt: skip
    seed = first(tmp_path, row)
    assert seed.parts.fixed == (("text", "abc"),)
    assert seed.parts.whole("why?") == "Text: abc\nAsk: why?"
    assert (seed.draft.input, seed.draft.evidence, seed.meta) == ("who?", "abc", {"page": 1})


def test_tests_and_working_stand_beside(tmp_path: Path) -> None:
    draft = first(
        tmp_path, {"text": "Write f.", "code": "def f():\r\n  pass", "test_list": ["assert f()"]}
    ).draft
    assert (draft.output, draft.tests) == ("def f():\n  pass", ("assert f()",))
    assert (
        first(tmp_path, {"question": "2+2?", "answer": "4", "rationale": "Count."}).draft.reasoning
        == "Count."
    )


ODD = {"titel": "Miete", "vertrag": "Die Miete ist {hoch}.", "frage": "Wie hoch?", "antwort": "hoch"}


def test_named_fields_where_guessing_fails(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"tiny\.jsonl: has no column that is known for an input; its columns are titel, vertrag",
    ):
        load(tmp_path, ODD)
    seed = first(tmp_path, ODD, input_fields=["frage"], output_field="antwort")
    assert (seed.draft.input, seed.draft.output) == ("Wie hoch?", "hoch")
    both = first(tmp_path, ODD, input_fields=["titel", "frage"], output_field="antwort")
    assert both.draft.input == "titel: Miete\nfrage: Wie hoch?"
    nested = {"a": {"q": "Why?"}, "b": "so", "c": ["so", "no"]}
    assert first(
        tmp_path, nested, input_fields=["a.q"], output_field="b", choices_field="c"
    ).draft.choices == ("so", "no")


def test_kept_fields_are_fixed_parts(tmp_path: Path) -> None:
    seed = first(tmp_path, ODD, input_fields=["vertrag", "frage"], output_field="antwort", keep=["vertrag"])
    assert seed.parts.fixed == (("vertrag", "Die Miete ist {hoch}."),)
    assert seed.parts.whole(seed.draft.input) == "Die Miete ist {hoch}.\n\nWie hoch?"
    with pytest.raises(InputError, match="no field 'page'"):
        load(tmp_path, ODD, input_fields=["frage"], output_field="antwort", keep=["page"])
    with pytest.raises(InputError, match="nothing besides frage"):
        load(tmp_path, ODD, input_fields=["frage"], output_field="antwort", keep=["frage"])


CLAUSE = {"input": "Clause: The {rent}\nis due.\nQuestion: Is it?\n(yes or no)", "output": "Yes"}
PATTERN = r"Clause: (?P<clause>.*?)\nQuestion: (?P<question>.*)\n\("


def test_a_pattern_splits_one_text_into_parts(tmp_path: Path) -> None:
    seed = first(tmp_path, CLAUSE, input_pattern=PATTERN)
    assert seed.draft.input == "Is it?"
    assert seed.parts.fixed == (("clause", "The {rent}\nis due."),)
    assert seed.parts.whole("Is it?") == CLAUSE["input"]
    assert seed.parts.whole("When?") == "Clause: The {rent}\nis due.\nQuestion: When?\n(yes or no)"
    turned = first(tmp_path, CLAUSE, input_pattern=PATTERN, keep=["question"])
    assert turned.parts.varying == "clause"


@pytest.mark.parametrize(
    ("pattern", "keep", "told"),
    [
        ("Nothing (?P<a>.) (?P<b>.)", [], "tiny.jsonl:1: does not match"),
        ("(?P<a>.*", [], "no regular expression"),
        ("(?P<a>.*)", [], "two named groups"),
        (PATTERN, ["claus"], "--keep claus is no group"),
        (PATTERN, ["clause", "question"], "exactly one part may vary"),
    ],
)
def test_a_pattern_of_no_use_is_told(tmp_path: Path, pattern: str, keep: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, CLAUSE, input_pattern=pattern, keep=keep)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input": "x"}, "has no output"),
        ({"output": "x"}, "has no input"),
        ({}, "has no input"),
        ({"input": "  ", "output": "x"}, "has an empty input"),
        ({"input": "x", "output": ""}, "has an empty output"),
        ({"input": "x", "output": None}, "has an empty output"),
        ({"input": "x", "output": "z", "choices": ["a", "b"]}, "none of its options"),
        ({"question": "x", "answer": 7, "choices": ["a", "b"]}, "2 options"),
        ({"question": "x", "a": "1", "b": "2", "c": "3"}, "has no output"),
        ({"question": "x", "a": "", "b": "", "c": "", "answer": "A"}, "nothing in its options"),
        ({"messages": [{"role": "user", "content": "x"}]}, "no turn of the assistant"),
        ({"input": "x", "target_scores": {"a": 1, "b": 1}}, "more than one right"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    good = {"input": "a", "output": "b"}
    with pytest.raises(InputError) as caught:
        load(tmp_path, good, row)
    assert "tiny.jsonl:2: " in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.hint
    left = load(tmp_path, good, row, skip_bad=True)
    assert len(left.seeds) == 1
    assert [problem.line for problem in left.problems] == [2]


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, {"input": "a"}, {"input": "a", "output": "b"}, {"output": "c"})
    assert ":1: has no output" in str(caught.value)
    assert ":3: has no input" in str(caught.value)


def test_with_nothing_left_skipping_does_not_help(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no output"):
        load(tmp_path, {"input": "a"}, skip_bad=True)


def test_repeated_rows_count_once(tmp_path: Path) -> None:
    row = {"input": "a", "output": "b"}
    loaded = load(tmp_path, row, {**row, "id": 2}, {"input": "c", "output": "d"})
    assert (len(loaded.seeds), loaded.repeated) == (2, 1)


def test_what_was_recognised_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"frage": "x", "question": "a", "answer": "b"})
    assert loaded.shape == "1 example: input and output; read question as input, answer as output."
    assert loaded.origin.columns == ("frage", "question", "answer")
    assert loaded.origin.roles == {"input": "question", "output": "answer"}


def test_odd_but_usable_texts_work(tmp_path: Path) -> None:
    long = "word " * 6000
    loaded = load(
        tmp_path,
        {"input": long, "output": "\ud83d\ude00 ok \ud800"},
        {"input": "שלום עולם", "output": "سلام"},
    )
    assert loaded.seeds[0].draft.output == "😀 ok \ufffd"
    assert len(loaded.seeds[0].draft.input) > 29_000
    assert loaded.seeds[1].draft.input == "שלום עולם"
