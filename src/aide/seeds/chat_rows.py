"""Rows that are chats: which columns hold turns, functions and the system prompt, in each of the usual layouts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aide.records import ASSISTANT, SYSTEM, USER, Draft, Turn, list_kinds
from aide.seeds.chats import SAYS, SPEAKERS, is_turn_list, make_chat, parse_cell, read_tools, read_turns
from aide.seeds.values import BadRowError, read_text_value
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.seeds.shapes import RowFields

TURNS: Final = ("messages", "conversations", "conversation", "turns")
"""Columns that hold a whole chat."""
_TOOLS: Final = ("tools", "functions")
BESIDE: Final = (*_TOOLS, "history")
"""Columns beside a chat, whose lists are values of one row."""
_MEDIA: Final = ("images", "image", "videos", "video", "audios", "audio")
_ENDS: Final = ("completion", "chosen")

_MOST_SHAPES: Final = 4
_HOLDERS: Final = (*TURNS, "prompt", *_ENDS)
_CARRIED: Final = (*SPEAKERS, *SAYS, "tool_calls", "function_call", "tool_call_id", "name")

ChatContent = tuple[Draft, dict[str, str]]
"""A draft, and the column of each role."""


def read_chat_column(fields: "RowFields", column: str) -> ChatContent:
    """A chat that stands in one column; raises `BadRowError`."""
    name = fields.names[column]
    return _finish(fields, list(read_turns(name, fields.row[name])), {column: name})


def read_prompt_completion(fields: "RowFields") -> ChatContent:
    """TRL's conversational rows: the turns before the answer in one column, the answer in another."""
    prompt, end = fields.names["prompt"], fields.find(_ENDS)
    turns = [*read_turns("prompt", fields.row[prompt]), *read_turns(end.casefold(), fields.row[end])]
    return _finish(fields, turns, {"prompt": prompt, end.casefold(): end})


def read_history(fields: "RowFields", asked: str, output: str) -> ChatContent:
    """LLaMA-Factory's Alpaca rows: what was said before in `history`, as pairs of user and assistant."""
    roles = {}
    turns: list[Turn] = []
    if name := fields.names.get("history", ""):
        roles["history"] = name
        for pair in _read_pairs(name, parse_cell(fields.row[name])):
            turns += [Turn(USER, pair[0]), Turn(ASSISTANT, pair[1])]
    turns += [Turn(USER, asked), Turn(ASSISTANT, output)]
    return _finish(fields, turns, roles)


def _read_pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if value in (None, "", []):
        return []
    if not isinstance(value, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in value
    ):
        raise BadRowError(f"has a {name} that is no list of pairs")
    pairs = [(read_text_value(user), read_text_value(assistant)) for user, assistant in value]
    if not all(all(pair) for pair in pairs):
        raise BadRowError(f"has an empty turn in its {name}")
    return pairs


def _finish(fields: "RowFields", turns: list[Turn], roles: dict[str, str]) -> ChatContent:
    """The draft with the system prompt and the functions that stand beside the turns."""
    for name in _MEDIA:
        if (real := fields.names.get(name)) and fields.row[real] not in (None, "", [], {}):
            raise BadRowError(f"has {real} beside its turns; only text is read")
    if (system := fields.names.get(SYSTEM)) and isinstance(fields.row[system], str):
        roles[SYSTEM] = system
        if text := fields.read_optional(system):
            turns.insert(0, Turn(SYSTEM, text))
    tools: tuple[str, ...] = ()
    if name := fields.find(_TOOLS):
        tools, roles["tools"] = read_tools(name, fields.row[name]), name
    return make_chat(turns, tools, may_lack_answer=True), roles


def holds_turns(fields: "RowFields", column: str) -> bool:
    """True when this column, whose name may be that of a text, holds a list of turns, as a value or as JSON text."""
    cell = fields.row.get(fields.names.get(column, ""))
    if isinstance(cell, str) and not any(key in cell for key in SPEAKERS):
        return False  # most prompts are texts, and reading broken JSON takes long
    return is_turn_list(parse_cell(cell))


def is_prompt_completion(fields: "RowFields") -> bool:
    """True for a list of turns in `prompt`, and an answer in another column."""
    return holds_turns(fields, "prompt") and bool(fields.find(_ENDS))


def is_whole_chat(fields: "RowFields", column: str) -> bool:
    """True when this column holds a chat from its first turn on, as the preferred one of two chats may."""
    return holds_turns(fields, column) and len(parse_cell(fields.row[fields.names[column]])) > 1


def describe_chats(rows: Sequence[Mapping[str, Any]], drafts: Sequence[Draft]) -> list[str]:
    """Sentences on what new conversations take over from the seeds and what they lack; none without chats."""
    if not drafts:
        return []
    shapes = Counter(", ".join(list_kinds(draft.turns)) for draft in drafts).most_common(_MOST_SHAPES)
    told = [f"new conversations have the turns of a seed: {'; '.join(f'{name} ({n})' for name, n in shapes)}"]
    tools = {draft.tools for draft in drafts}
    kept = ["the system prompt that all share"] if drafts[0].system else []
    if any(tools):
        one = format_plural(len(drafts[0].tools), "function") if len(tools) == 1 else ""
        kept.append(one or "each seed's functions")
    told += [f"they keep as it is: {' and '.join(kept)}"] if kept else []
    cells = (parse_cell(row.get(name)) for row in rows for name in row if name.casefold() in _HOLDERS)
    turns = (turn for cell in cells if is_turn_list(cell) for turn in cell)
    lost = [key for key in dict.fromkeys(key for turn in turns for key in turn) if key not in _CARRIED]
    return [
        *told,
        *([f"left out of new turns, which have no value for it: {', '.join(lost)}"] if lost else []),
    ]
