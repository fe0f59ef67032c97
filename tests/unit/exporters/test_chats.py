"""Chats as each trainer takes them: roles and turns, calls and results, and what a form has no place for."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.formats import TaskCard
from aide.records import Draft, ToolCall, Turn, join_words, read_answer, write_tool

TOOL = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}
TALK = (
    Turn("user", "High water?"),
    Turn("assistant", "Where?"),
    Turn("user", "Rye"),
    Turn("assistant", "At four."),
)
LOOKED = (
    Turn("user", "High water in Rye and Hythe?"),
    Turn("assistant", "", (ToolCall("tide", '{"port": "Rye"}'), ToolCall("tide", '{"port": "Hythe"}'))),
    Turn("tool", "16:10"),
    Turn("tool", "16:25"),
    Turn("assistant", "Ten past four, then 25 past."),
)


def make(turns: tuple[Turn, ...], system: str = "", *tools: dict[str, Any]) -> dict[str, Any]:
    draft = Draft(
        join_words(turns),
        read_answer(turns[-1]),
        turns=turns,
        tools=tuple(map(write_tool, tools)),
        system=system,
    )
    return {"id": "r", "format": "chat", **draft.as_dict()}


def export(name: str, path: Path, *records: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    lines = [RecordLine(record, b"", "in.jsonl", place) for place, record in enumerate(records, 1)]
    EXPORTERS[name].write(lines, ExportJob(str(path), ExampleRenderer(**how)))
    file = path / "aide.jsonl" if path.is_dir() else path
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_messages_have_the_system_prompt_the_turns_and_numbered_calls(tmp_path: Path) -> None:
    [row] = export("messages", tmp_path / "x", make(LOOKED, "Be brief.", TOOL))
    system, _, calls, *results, last = row["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert [call["id"] for call in calls["tool_calls"]] == [each["tool_call_id"] for each in results]
    assert calls["tool_calls"][1]["function"] == {"name": "tide", "arguments": '{"port": "Hythe"}'}
    assert last["content"].startswith("Ten past")
    assert row["tools"] == [TOOL]


def test_sharegpt_has_speakers_of_its_own_and_functions_as_text(tmp_path: Path) -> None:
    [row] = export("sharegpt", tmp_path / "x", make(LOOKED, "", TOOL))
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert [call["arguments"] for call in json.loads(row["conversations"][1]["value"])] == [
        {"port": "Rye"}, {"port": "Hythe"},
    ]  # fmt: skip
    assert row["conversations"][2]["value"] == "16:10\n16:25"
    assert json.loads(row["tools"]) == [TOOL]


def test_llama_factory_is_told_the_tags_of_calls_and_the_column_of_functions(tmp_path: Path) -> None:
    folder = tmp_path / "lf"
    folder.mkdir()
    [row, _] = export("llama-factory", folder, make(LOOKED, "Be brief.", TOOL), make(TALK))
    assert [turn["role"] for turn in row["messages"]] == [
        "system", "user", "function_call", "observation", "assistant",
    ]  # fmt: skip
    entry = json.loads((folder / "dataset_info.json").read_text())["aide"]
    assert entry["columns"] == {"messages": "messages", "tools": "tools"}
    assert (entry["tags"]["function_tag"], entry["tags"]["observation_tag"]) == (
        "function_call",
        "observation",
    )
    with pytest.raises(InputError, match=r"in\.jsonl:1: its turns are assistant, user, assistant"):
        export("llama-factory", folder, make((Turn("assistant", "Hello."), *TALK[:2])))


def test_alpaca_has_earlier_turns_as_history_and_no_place_for_calls(tmp_path: Path) -> None:
    [row] = export("alpaca", tmp_path / "x", make(TALK, "Be brief."))
    assert row == {
        "instruction": "Rye", "input": "", "output": "At four.", "system": "Be brief.",
        "history": [["High water?", "Where?"]],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"in\.jsonl:1: Alpaca has no place for its calls"):
        export("alpaca", tmp_path / "y", make(LOOKED))


def test_prompt_and_completion_are_lists_of_turns(tmp_path: Path) -> None:
    [row] = export("prompt-completion", tmp_path / "x", make(TALK))
    assert [turn["content"] for turn in row["prompt"]] == ["High water?", "Where?", "Rye"]
    assert row["completion"] == [{"role": "assistant", "content": "At four."}]


def test_a_given_instruction_and_system_text_go_before_the_turns(tmp_path: Path) -> None:
    own = (Turn("system", "Its own."), *TALK)
    [row] = export("messages", tmp_path / "x", make(own), instruction="In feet.", system="Given.")
    assert [turn["content"] for turn in row["messages"][:2]] == ["Given.", "In feet.\n\nHigh water?"]
    assert len(row["messages"]) == 5


def test_the_task_of_the_card_is_no_turn_of_a_chat(tmp_path: Path) -> None:
    [row] = export("messages", tmp_path / "x", make(TALK), card=TaskCard(task="Say when.", format="chat"))
    assert row["messages"][0]["content"] == "High water?"


def test_one_turn_under_a_shared_prompt_has_it_in_its_role_and_not_in_the_question(tmp_path: Path) -> None:
    record = {
        "id": "r", "format": "classification", "input": "Wet feet", "output": "tide", "system": "Sort it.",
        "lineage": {"seed_id": "s", "parent_id": "s", "hop": 1, "operation": "plain", "anchored": False},
    }  # fmt: skip
    [row] = export("messages", tmp_path / "x", record, card=TaskCard(task="Sort it."))
    assert [(turn["role"], turn["content"]) for turn in row["messages"]] == [
        ("system", "Sort it."), ("user", "Wet feet"), ("assistant", "tide"),
    ]  # fmt: skip


def test_a_text_with_speakers_is_made_turns_again_but_not_a_text_that_only_looks_like_it(
    tmp_path: Path,
) -> None:
    old = {
        "id": "r",
        "format": "free_text",
        "output": "Four.",
        "input": "User: Hi\nAssistant: Yes?\nUser: When?",
    }
    [row] = export("messages", tmp_path / "x", old)
    assert [turn["content"] for turn in row["messages"]] == ["Hi", "Yes?", "When?", "Four."]
    for input in ("User: Hi\nAssistant: Yes?", "Sum up.\nUser: Hi\nAssistant: Yes?\nUser: So?", "User: Hi"):
        [row] = export("messages", tmp_path / "y", {**old, "input": input})
        assert [turn["content"] for turn in row["messages"]] == [input, "Four."]
