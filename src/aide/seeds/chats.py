"""Chats in a row: turns under any usual names, tool calls in their several forms, the functions that may be called."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from aide.jsonl import parse_json
from aide.records import (
    ASSISTANT,
    CALL,
    SYSTEM,
    TOOL,
    USER,
    Draft,
    ToolCall,
    Turn,
    join_words,
    list_kinds,
    read_answer,
    write_tool,
)
from aide.seeds.thoughts import find_thoughts_name, split_thoughts
from aide.seeds.values import BadRowError
from aide.text.cleaning import clean_text

NO_ANSWER: Final = "has no answer: its last turn is the user's"

_ROLES: Final = {
    **dict.fromkeys(("system", "developer"), SYSTEM),
    **dict.fromkeys(("user", "human", "prompter", "customer", "client"), USER),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "model", "chatgpt", "bing", "bard", "ai", "agent"), ASSISTANT
    ),
    **dict.fromkeys(
        ("tool", "observation", "function", "tool_response", "function_response", "ipython"), TOOL
    ),
    **dict.fromkeys(("function_call", "tool_call"), CALL),
}
SPEAKERS: Final = ("role", "from", "speaker")
SAYS: Final = ("content", "value", "text", "message")
_MEDIA: Final = ("image", "audio", "video", "file", "document")
_SPEAKER: Final = re.compile(r"^(User|Assistant): ", re.MULTILINE)
_TEXT_PARTS: Final = ("text", "input_text", "output_text")
_PLAIN: Final = (USER, ASSISTANT)


def find_speaker(turn: Mapping[str, Any]) -> str:
    """The name of the key that says who speaks; empty where none does."""
    return next((name for name in SPEAKERS if isinstance(turn.get(name), str)), "")


def find_words(turn: Mapping[str, Any]) -> str:
    """The name of the key that holds what is said; empty where none does."""
    return next((name for name in SAYS if name in turn), "")


def fold_role(turn: Mapping[str, Any]) -> str:
    """A turn's role, or `call`, by any of its usual names.

    Raises:
        BadRowError: it has none that is known.
    """
    key = find_speaker(turn)
    said = str(turn[key]) if key else ""
    role = _ROLES.get(said.strip().casefold())
    if role is None:
        raise BadRowError(f"has a turn of the unknown role {said!r}" if said else "has a turn without a role")
    return role


def is_turn_list(value: Any) -> bool:
    """True for a list of objects that name a speaker each."""
    rows = value if isinstance(value, list) else []
    return bool(rows) and all(isinstance(row, Mapping) and find_speaker(row) for row in rows)


def parse_cell(value: Any) -> Any:
    """A cell's value; a table has no lists, so its writers put JSON into the cell, or Python's way to write them."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    with suppress(ValueError):
        return json.loads(value)
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        return ast.literal_eval(value.strip())
    with suppress(ValueError):
        return parse_json(value)
    return value


def read_turns(column: str, value: Any) -> tuple[Turn, ...]:
    """The turns in a cell, in order.

    Raises:
        BadRowError: it is no list of turns, or one of them can't be carried: an image, an unknown role, a broken call.
    """
    rows = parse_cell(value)
    if isinstance(rows, str) and column in ("completion", "chosen"):
        return (Turn(ASSISTANT, clean_text(rows)),)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise BadRowError(f"has {column} that are no list of turns")
    turns = [_read_turn(row) for row in rows]
    return tuple(turn for turn in turns if turn.content or turn.calls or turn.role != SYSTEM)


def _read_turn(row: Mapping[str, Any]) -> Turn:
    role = fold_role(row)
    content = _read_content(row.get(find_words(row)))
    if role == CALL:
        return Turn(ASSISTANT, "", _read_calls(parse_cell(content)))
    listed = parse_cell(row.get("tool_calls")) or row.get("function_call") or ()
    calls = _read_calls(listed) if listed else ()
    if not content and not calls and role not in (SYSTEM, TOOL):
        raise BadRowError(f"has an empty turn of the {role}")
    name = row.get("name") if role == TOOL else ""
    key = find_thoughts_name(row) if role == ASSISTANT else ""
    thoughts = clean_text(row[key]) if key else ""
    return Turn(role, content, calls, name if isinstance(name, str) else "", thoughts)


def _read_content(value: Any) -> str:
    if isinstance(value, str):
        return clean_text(value)
    if value is None:
        return ""
    if isinstance(value, list):
        return clean_text("".join(_read_part(part) for part in value))
    if isinstance(value, Mapping):  # a tool's result as an object
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _read_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type", "text")) if isinstance(part, Mapping) else type(part).__name__
    if kind in _TEXT_PARTS and isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return str(part["text"])
    named = next((medium for medium in _MEDIA if medium in kind), "part")
    article = "an" if named[0] in "aeiou" else "a"
    raise BadRowError(f"has {article} {named} in a turn (type {kind}); only text is read")


def _read_calls(value: Any) -> tuple[ToolCall, ...]:
    rows = value if isinstance(value, list) else [value]
    return tuple(read_call(row) for row in rows)


def read_call(row: Any) -> ToolCall:
    """A call in OpenAI's shape, or as `{"name": …, "arguments": {…}}`; arguments may be JSON text.

    Raises:
        BadRowError: it is neither.
    """
    row = row.get("function", row) if isinstance(row, Mapping) else row
    name = row.get("name") if isinstance(row, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise BadRowError("has a tool call without the name of a function")
    given = row.get("arguments", row.get("parameters", row.get("input")))
    arguments = parse_cell(given) if given not in (None, "") else {}
    if not isinstance(arguments, Mapping):
        raise BadRowError(f"has a call of {name} whose arguments are no JSON object")
    return ToolCall(name, json.dumps(arguments, ensure_ascii=False))


def read_tools(column: str, value: Any) -> tuple[str, ...]:
    """The definitions of functions in a cell: a list in OpenAI's shape or of bare functions, or the same as JSON text.

    Raises:
        BadRowError: it is neither.
    """
    rows = parse_cell(value)
    if rows in (None, "", [], {}):
        return ()
    rows = [rows] if isinstance(rows, Mapping) else rows
    rows = [parse_cell(row) for row in rows] if isinstance(rows, list) else []
    if not rows or not all(isinstance(row, Mapping) and find_function(row).get("name") for row in rows):
        raise BadRowError(f"has {column} that are no list of functions with names")
    return tuple(write_tool(row) for row in rows)


def find_function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """The function in a tool's definition: OpenAI wraps it, others don't."""
    inner = tool.get("function")
    return inner if isinstance(inner, Mapping) else tool


def make_chat(turns: Sequence[Turn], tools: Sequence[str] = (), *, may_lack_answer: bool = False) -> Draft:
    """The draft of a whole chat.

    Raises:
        BadRowError: no turn is the user's, or the last one is not the assistant's.
    """
    turns = list(map(_part_thoughts, turns))
    if not any(turn.role == USER and turn.content for turn in turns):
        raise BadRowError("has no turn of the user")
    answered = turns[-1].role == ASSISTANT
    if not answered and not may_lack_answer:
        raise BadRowError(describe_end(turns))
    output, thoughts = (read_answer(turns[-1]), turns[-1].thoughts) if answered else ("", "")
    turns[-1] = replace(turns[-1], thoughts="")
    return Draft(join_words(turns), output, turns=tuple(turns), tools=tuple(tools), thoughts=thoughts)


def _part_thoughts(turn: Turn) -> Turn:
    """A turn of the assistant with the thoughts before its words taken apart."""
    thoughts, said = split_thoughts(turn.content) if turn.role == ASSISTANT else ("", turn.content)
    return replace(turn, content=said, thoughts=thoughts) if thoughts else turn


def describe_end(turns: Sequence[Turn]) -> str:
    """Why a chat that does not end with the assistant's turn has no answer, as a clause that follows "line N"."""
    if not any(turn.role == ASSISTANT for turn in turns):
        return "has no turn of the assistant"
    return NO_ANSWER if turns[-1].role == USER else f"has no answer: its last turn is the {turns[-1].role}'s"


def find_system(turns: Sequence[Turn]) -> str:
    """The system prompt at the beginning of a chat; empty where there is none."""
    return turns[0].content if turns and turns[0].role == SYSTEM else ""


def is_plain(draft: Draft) -> bool:
    """True for a chat that is one input and its output: a single turn of each side, nothing called."""
    turns = draft.turns[1:] if find_system(draft.turns) else draft.turns
    return list_kinds(turns) == _PLAIN and not draft.tools


def settle_chats(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts of one file as they go on: chats all, or inputs and outputs all; a system prompt that all share apart.

    Where every chat is one input and its output and no system prompts differ, they are no more than that. Where one is
    more, all rows are chats.
    """
    systems = {find_system(draft.turns) for draft in drafts}
    shared = systems.pop() if len(systems) == 1 else None
    if shared is not None and all(is_plain(draft) or not draft.turns for draft in drafts):
        return [replace(draft, turns=(), system=shared) if draft.turns else draft for draft in drafts]
    return [_settle_chat(draft, shared or "") for draft in drafts]


def _settle_chat(draft: Draft, shared: str) -> Draft:
    chat = deepen_chat(draft)
    turns = chat.turns[1:] if shared else chat.turns
    return replace(chat, input=join_words(turns), turns=turns, system=shared)


def deepen_chat(draft: Draft) -> Draft:
    """An input and its output as a chat of two turns; a chat as it is."""
    return (
        draft
        if draft.turns
        else replace(draft, turns=(Turn(USER, draft.input), Turn(ASSISTANT, draft.output)))
    )


def read_transcript(text: str) -> tuple[Turn, ...]:
    """The inverse of `flatten_chat` without a system prompt: the turns of a text that begins and ends with the user.

    None where it is no such text, as nearly every text is.
    """
    pieces = _SPEAKER.split(text)
    names, said = pieces[1::2], [piece.strip() for piece in pieces[2::2]]
    turns = names == ["User", "Assistant"] * (len(names) // 2) + ["User"]
    if pieces[0] or len(names) < 3 or not turns or not all(said):
        return ()
    return tuple(Turn(USER if n == "User" else ASSISTANT, each) for n, each in zip(names, said, strict=True))


def settle_like(draft: Draft, seed: Draft) -> Draft:
    """A chat with its system prompt where the seeds of its task have theirs: apart from the turns, or first of them."""
    chat = deepen_chat(draft)
    own = find_system(chat.turns)
    if own and own == seed.system:
        chat = replace(chat, turns=chat.turns[1:], system=own)
    return replace(chat, input=join_words(chat.turns), tools=chat.tools or seed.tools)


def flatten_chat(draft: Draft) -> Draft:
    """A chat as one text, each turn behind its speaker: what it is where another format is named. A text as it is.

    A system prompt that differs between chats stands in front.
    """
    if not draft.turns:
        return draft
    own = find_system(draft.turns)
    turns = [turn for turn in draft.context if turn.content and turn.role != SYSTEM]
    text = turns[0].content if len(turns) == 1 else "\n".join(_name_speaker(turn) for turn in turns)
    return replace(draft, input="\n\n".join(filter(None, (own, text))), turns=(), tools=())


def _name_speaker(turn: Turn) -> str:
    return f"{'Assistant' if turn.role == ASSISTANT else 'User'}: {turn.content}"
