"""How the chats of a seed file write their turns: names of keys and roles, calls, results. New turns are written so."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.records import ASSISTANT, CALL, SYSTEM, TOOL, USER, ToolCall, Turn, number_calls
from aide.seeds.chats import find_speaker, find_words, fold_role, is_turn_list, parse_cell
from aide.seeds.thoughts import find_thoughts_name, split_thoughts, wrap_like
from aide.seeds.values import BadRowError

SHAREGPT: Final = {
    SYSTEM: SYSTEM,
    USER: "human",
    ASSISTANT: "gpt",
    TOOL: "observation",
    CALL: "function_call",
}
"""The speakers of ShareGPT, as LLaMA-Factory has them."""
_OPENAI: Final = {SYSTEM: SYSTEM, USER: USER, ASSISTANT: ASSISTANT, TOOL: TOOL, CALL: ASSISTANT}


@dataclass(frozen=True, slots=True)
class ChatStyle:
    """The style of one seed file."""

    samples: Mapping[str, Mapping[str, Any]]
    """The first turn of each role, and as `call` the first that calls something."""
    thoughtful: Mapping[str, Any] = field(default_factory=dict)
    """The first turn with thoughts; empty where none has any."""

    @classmethod
    def learn(cls, cells: Iterable[Any]) -> "ChatStyle":
        """The style of the turns in these cells, each a list or the same as JSON text; others are passed over."""
        samples: dict[str, Mapping[str, Any]] = {}
        thoughtful: Mapping[str, Any] = {}
        for cell in cells:
            turns = parse_cell(cell)
            for turn in turns if is_turn_list(turns) else ():
                try:
                    role = fold_role(turn)
                except BadRowError:
                    continue
                called = role == ASSISTANT and (turn.get("tool_calls") or turn.get("function_call"))
                samples.setdefault(CALL if called else role, turn)
                marked = split_thoughts(turn.get(find_words(turn)))[0]
                if not thoughtful and role == ASSISTANT and (find_thoughts_name(turn) or marked):
                    thoughtful = turn
        return cls(samples, thoughtful)

    def write(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """The turns as the seed file has its own."""
        return [self._write(turn, ids, answered) for turn, ids, answered in number_calls(turns)]

    def _write(self, turn: Turn, ids: Sequence[str], answered: str) -> dict[str, Any]:
        kind = CALL if turn.calls else turn.role
        sample = self.samples.get(kind, {})
        like = sample or next(iter(self.samples.values()), {})
        who, says = find_speaker(like) or "role", find_words(like) or "content"
        names = SHAREGPT if who == "from" else _OPENAI
        speaker = str(sample[who]) if sample else names[kind]
        row: dict[str, Any] = {who: speaker}
        if turn.calls and (who == "from" or speaker.casefold() in ("function_call", "tool_call")):
            row[says] = write_sharegpt_calls(turn.calls)
        elif turn.calls:
            row |= _write_calls(turn, sample, says, ids)
        else:
            row[says] = _write_words(sample.get(says), turn.content)
        if turn.thoughts and self.thoughtful:
            if name := find_thoughts_name(self.thoughtful):
                row[name] = turn.thoughts
            elif isinstance(row.get(says), str):
                row[says] = wrap_like(self.thoughtful[find_words(self.thoughtful)], turn.thoughts, row[says])
        if turn.role == TOOL and ("tool_call_id" in sample or not sample) and who == "role":
            row["tool_call_id"] = answered
        if turn.name and ("name" in sample or not sample):
            row["name"] = turn.name
        return row


def write_sharegpt_calls(calls: Sequence[ToolCall]) -> str:
    """Calls as the value of a turn: one object, or a list of several."""
    written = [call.as_dict() for call in calls]
    return json.dumps(written[0] if len(written) == 1 else written, ensure_ascii=False)


def _write_words(sample: Any, text: str) -> Any:
    """A text as the sample has it: plain, or as a list of parts."""
    if isinstance(sample, list) and sample and isinstance(sample[0], Mapping):
        return [{**sample[0], "text": text}]
    return text


def _write_calls(turn: Turn, sample: Mapping[str, Any], says: str, ids: Sequence[str]) -> dict[str, Any]:
    """Calls in the form of the sample: with ids or without, arguments as text or as an object."""
    row: dict[str, Any] = {}
    if says in sample or not sample:
        row[says] = turn.content or (sample.get(says) if not sample.get(says) else "")
    elif turn.content:
        row[says] = turn.content
    if "function_call" in sample and not sample.get("tool_calls"):
        as_text = isinstance(sample["function_call"].get("arguments"), str)
        return {**row, "function_call": _write_function(turn.calls[0], as_text=as_text)}
    listed = parse_cell(sample.get("tool_calls")) or [{}]
    like = listed[0] if isinstance(listed, list) else listed
    inner = like.get("function", like)
    as_text = not inner or isinstance(inner.get("arguments"), str)
    calls = []
    for call, id in zip(turn.calls, ids, strict=True):
        function = _write_function(call, as_text=as_text)
        wrapped = {"function": function} if "function" in like or not like else function
        head = {"id": id} if "id" in like or not like else {}
        kind = {"type": "function"} if "type" in like or not like else {}
        calls.append({**head, **kind, **wrapped})
    return {**row, "tool_calls": json.dumps(calls) if isinstance(sample.get("tool_calls"), str) else calls}


def _write_function(call: ToolCall, *, as_text: bool) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments} if as_text else call.as_dict()
