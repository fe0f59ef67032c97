"""Chats in every usual layout: what is kept of them, what is refused by its line, the way back into the layout."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters.seedshape import SeedShape
from aide.formats import TaskCard
from aide.records import WHOLE, Draft, Record, Seed, ToolCall, Turn
from aide.run.folder_inputs import keep_format
from aide.run.inputs import read_inputs
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds, shape_chats

ASKED = ("Is the ferry late?", "When does it leave then?")
SAID = ("It is, by ten minutes.", "At twenty past two.")
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "The next departure.",
            "parameters": {
                "type": "object",
                "properties": {"line": {"type": "string"}},
                "required": ["line"],
            },
        },
    }
]


def four_turns(who: str, says: str, names: dict[str, str]) -> list[dict[str, str]]:
    turns = zip(("user", "assistant") * 2, (ASKED[0], SAID[0], ASKED[1], SAID[1]), strict=True)
    return [{who: names.get(role, role), says: text} for role, text in turns]


OPENAI = four_turns("role", "content", {})
HUMAN = four_turns("from", "value", {"user": "human", "assistant": "gpt"})
LAYOUTS: dict[str, dict[str, Any]] = {
    "messages": {"messages": OPENAI},
    "messages with a system prompt": {"messages": [{"role": "system", "content": "Be brief."}, *OPENAI]},
    "messages as JSON text": {"messages": json.dumps(OPENAI)},
    "content in parts": {
        "messages": [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in OPENAI]
    },
    "ShareGPT": {"conversations": HUMAN},
    "ShareGPT with a system column": {"system": "Be brief.", "conversations": HUMAN},
    "from: ai": {"conversation": four_turns("from", "value", {"user": "human", "assistant": "ai"})},
    "LLaMA-Factory's history": {
        "instruction": ASKED[1], "input": "", "output": SAID[1], "system": "Be brief.",
        "history": [[ASKED[0], SAID[0]]],
    },
    "TRL": {"prompt": OPENAI[:3], "completion": OPENAI[3:]},
    "a preferred chat": {"chosen": OPENAI},
}  # fmt: skip


def load(folder: Path, *rows: dict[str, Any], **mapping: Any) -> LoadedSeeds:
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_seeds([str(path)], SeedMapping(**mapping))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_turns_of_every_layout_are_the_same(tmp_path: Path, layout: str) -> None:
    draft = load(tmp_path, LAYOUTS[layout]).seeds[0].draft
    assert [turn.role for turn in draft.turns] == ["user", "assistant"] * 2
    assert [turn.content for turn in draft.turns] == [ASKED[0], SAID[0], ASKED[1], SAID[1]]
    assert (draft.input, draft.output) == ("\n".join(ASKED), SAID[1])
    assert draft.system == ("Be brief." if "system" in json.dumps(LAYOUTS[layout]) else "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_record_goes_back_into_the_layout_that_it_came_from(tmp_path: Path, layout: str) -> None:
    loaded = load(tmp_path, LAYOUTS[layout])
    seed = loaded.seeds[0]
    lineage: Any = {
        "seed_id": seed.id,
        "parent_id": seed.id,
        "hop": 1,
        "operation": "plain",
        "anchored": False,
    }
    record = {"id": "r", "format": "chat", **seed.draft.as_dict(), "lineage": lineage, "meta": {}}
    shape = SeedShape.learn(NamedSeeds((str(tmp_path / "chats.jsonl"),), SeedMapping()))
    row = shape.make_row(RecordLine(record, json.dumps(record).encode(), "in.jsonl", 1))
    wanted = LAYOUTS[layout]
    if isinstance(wanted.get("messages"), str):
        row, wanted = ({"messages": json.loads(each["messages"])} for each in (row, wanted))
    assert row == wanted


def called(**arguments: Any) -> dict[str, Any]:
    function = {"name": "look_up", "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a1", "type": "function", "function": function}],
    }


def test_calls_and_what_they_gave_stay_turns_of_their_own(tmp_path: Path) -> None:
    row = {
        "messages": [
            {"role": "user", "content": "Next 12, please"},
            called(line="12"),
            {"role": "tool", "tool_call_id": "a1", "content": '{"in": 4}'},
            {"role": "assistant", "content": "In four minutes."},
        ],
        "tools": TOOLS,
    }
    draft = load(tmp_path, row).seeds[0].draft
    assert draft.turns == (
        Turn("user", "Next 12, please"),
        Turn("assistant", "", (ToolCall("look_up", '{"line": "12"}'),)),
        Turn("tool", '{"in": 4}'),
        Turn("assistant", "In four minutes."),
    )
    assert json.loads(draft.tools[0]) == TOOLS[0]


def test_a_chat_may_end_in_a_call_which_is_its_output(tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "Next 12, please"}, called(line="12")], "tools": TOOLS}
    draft = load(tmp_path, row).seeds[0].draft
    assert json.loads(draft.output) == [{"name": "look_up", "arguments": {"line": "12"}}]


def test_calls_as_sharegpt_has_them_are_calls_and_go_back_as_such(tmp_path: Path) -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "Next 12, please"},
            {"from": "function_call", "value": '{"name": "look_up", "arguments": {"line": "12"}}'},
            {"from": "observation", "value": '{"in": 4}'},
            {"from": "gpt", "value": "In four minutes."},
        ],
        "tools": json.dumps(TOOLS),
    }
    seed = load(tmp_path, row).seeds[0]
    assert seed.draft.turns[1].calls == (ToolCall("look_up", '{"line": "12"}'),)
    record = {"id": "r", **seed.draft.as_dict(), "lineage": {}, "meta": {}}
    shape = SeedShape.learn(NamedSeeds((str(tmp_path / "chats.jsonl"),), SeedMapping()))
    assert shape.make_row(RecordLine(record, b"", "in.jsonl", 1)) == row


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (OPENAI[:3], "has no answer: its last turn is the user's"),
        (OPENAI[:1], "has no turn of the assistant"),
        (OPENAI[1:2], "has no turn of the user"),
        ([*OPENAI[:1], {"role": "critic", "content": "Why?"}, *OPENAI[1:2]], "unknown role 'critic'"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, OPENAI[1]], "has an image in a turn"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}, OPENAI[1]], "has an audio in a turn"),
        ([*OPENAI[:1], called()["tool_calls"][0] | {"role": "assistant", "tool_calls": [{"function": {}}]}],
         "tool call without the name"),
        ([OPENAI[0], {"role": "assistant", "content": ""}], "has an empty turn of the assistant"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused_by_its_line(
    tmp_path: Path, turns: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(InputError, match=r"chats\.jsonl:2: ") as refused:
        load(tmp_path, {"messages": OPENAI}, {"messages": turns})
    assert reason in str(refused.value)


def test_keys_of_turns_that_no_new_turn_has_are_named(tmp_path: Path) -> None:
    weighed = [{**turn, "weight": 1} for turn in OPENAI]
    assert (
        "left out of new turns, which have no value for it: weight"
        in load(tmp_path, {"messages": weighed}).notes
    )
    plain = load(tmp_path, {"messages": OPENAI}, {"messages": [{"role": "system", "content": "x"}, *OPENAI]})
    assert plain.notes == [
        "new conversations have the turns of a seed: user, assistant, user, assistant (1); "
        "system, user, assistant, user, assistant (1)"
    ]
    shared = load(tmp_path, {"messages": [{"role": "system", "content": "x"}, *OPENAI], "tools": TOOLS})
    assert "they keep as it is: the system prompt that all share and 1 function" in shared.notes


@pytest.mark.parametrize("write", [json.dumps, str], ids=["JSON", "Python"])
@pytest.mark.parametrize("columns", [("messages",), ("messages", "day")])
def test_chats_stand_in_tables_as_text(tmp_path: Path, columns: tuple[str, ...], write: Any) -> None:
    turns = [*OPENAI[:3], {"role": "assistant", "content": 'It\'s at "two".'}]
    path = tmp_path / "chats.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerow([write(turns), "mon"][: len(columns)])
    assert [len(seed.draft.turns) for seed in load_seeds([str(path)]).seeds] == [4]
    assert load_seeds([str(path)]).seeds[0].draft.output == 'It\'s at "two".'


def test_images_beside_the_turns_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has images beside its turns"):
        load(tmp_path, {"messages": OPENAI, "images": ["a.png"]})
    assert load(tmp_path, {"messages": OPENAI, "images": []}).seeds


def test_one_turn_of_each_side_is_an_input_and_its_output_with_the_prompt_kept(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "system", "content": "Sort it."}, *({**turn} for turn in OPENAI[n : n + 2])]}
        for n in (0, 2)
    ]
    loaded = load(tmp_path, *rows)
    assert [seed.draft.turns for seed in loaded.seeds] == [(), ()]
    assert loaded.sentence == "Sort it."
    assert {seed.draft.system for seed in loaded.seeds} == {"Sort it."}
    plain = load(tmp_path, *({"messages": row["messages"][1:]} for row in rows))
    assert [seed.id for seed in plain.seeds] == [seed.id for seed in loaded.seeds], "the prompt is no content"


def test_system_prompts_that_differ_are_turns(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "system", "content": f"You are {who}."}, *OPENAI[:2]]} for who in "ab"]
    drafts = [seed.draft for seed in load(tmp_path, *rows).seeds]
    assert [draft.turns[0] for draft in drafts] == [
        Turn("system", "You are a."),
        Turn("system", "You are b."),
    ]
    assert [draft.system for draft in drafts] == ["", ""]


def test_a_person_who_names_another_format_gets_each_chat_as_one_text(tmp_path: Path) -> None:
    load(tmp_path, {"messages": OPENAI})
    path = [str(tmp_path / "chats.jsonl")]
    assert read_inputs(RunSpec(), path).format.name == "chat"
    inputs = read_inputs(RunSpec(format="free_text"), path)
    assert inputs.format.name == "free_text"
    assert inputs.seeds[0].draft.input == f"User: {ASKED[0]}\nAssistant: {SAID[0]}\nUser: {ASKED[1]}"
    assert inputs.seeds[0].draft.turns == ()


def test_a_folder_that_had_chats_as_texts_goes_on_with_texts(tmp_path: Path) -> None:
    load(tmp_path, {"messages": OPENAI})
    inputs = read_inputs(RunSpec(), [str(tmp_path / "chats.jsonl")])
    kept = keep_format(inputs, TaskCard(format="free_text"))
    text = f"User: {ASKED[0]}\nAssistant: {SAID[0]}\nUser: {ASKED[1]}"
    assert kept.format.name == "free_text"
    assert kept.seeds[0].draft.input == text
    assert kept.seeds[0].id == Seed.identify(Draft(text, SAID[1]), WHOLE)
    assert keep_format(inputs, TaskCard(format="chat")) == inputs


def test_a_shared_prompt_says_what_the_task_is_where_chats_become_texts(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"messages": [{"role": "system", "content": "Be brief."}, *OPENAI]})
    assert (loaded.sentence, shape_chats(loaded, as_chats=False).sentence) == ("", "Be brief.")


def test_a_record_of_a_chat_comes_back_as_a_seed(tmp_path: Path) -> None:
    seed = load(
        tmp_path, {"messages": [{"role": "system", "content": "Be brief."}, *OPENAI], "tools": TOOLS}
    ).seeds[0]
    line = {"id": "r", "task": "t", "format": "chat", **seed.draft.as_dict(),
            "lineage": {"seed_id": "s", "parent_id": "s", "hop": 1, "operation": "plain", "anchored": False},
            "scores": {}, "revisions": 0, "model": "m", "meta": {}}  # fmt: skip
    assert Record.from_dict(line).draft == seed.draft
    again = load(tmp_path, line)
    assert (again.seeds[0].draft, again.seeds[0].id) == (seed.draft, seed.id)
    assert again.format_hint == "chat"
