"""The turns of a chat: who says what, what is called, what a tool gives back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

SYSTEM: Final = "system"
USER: Final = "user"
ASSISTANT: Final = "assistant"
TOOL: Final = "tool"
CALL: Final = "call"
"""What a turn of the assistant is named in prompts where it calls functions instead of saying something."""
THOUGHTS_FIELD: Final = "reasoning_content"
"""Where a turn has what was thought before it, as most servers and chat templates have it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a function."""

    name: str
    arguments: str
    """A JSON object as text, its keys in the order in which they were written."""

    def as_dict(self) -> dict[str, Any]:
        """`{"name": …, "arguments": {…}}`."""
        return {"name": self.name, "arguments": json.loads(self.arguments)}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""
    content: str = ""
    calls: tuple[ToolCall, ...] = ()
    """Functions that the assistant calls, with or without words beside them."""
    name: str = ""
    """Of a tool's result: the function that gave it, where the chat says so."""
    thoughts: str = ""
    """What the assistant thought before it, which no prompt shows. Of an answer the draft has it."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the turn is in a prompt: its role, `call`, or both where words and calls stand in one turn."""
        if not self.calls:
            return (self.role,)
        return (self.role, CALL) if self.content else (CALL,)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `write_turns`, for one turn."""
        calls = [call["function"] for call in data.get("tool_calls") or ()]
        return cls(
            data["role"],
            data.get("content") or "",
            tuple(ToolCall(call["name"], call["arguments"]) for call in calls),
            data.get("name") or "",
            data.get(THOUGHTS_FIELD) or "",
        )


def write_turns(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The turns as OpenAI's chat API has them; calls are numbered, and each result names the call that it answers."""
    return [_write_turn(turn, calls, answered) for turn, calls, answered in number_calls(turns)]


def number_calls(turns: Sequence[Turn]) -> Iterator[tuple[Turn, list[str], str]]:
    """Each turn with the ids of its calls, and of a tool's result the id of the call that it answers."""
    count = 0
    waiting: list[str] = []
    for turn in turns:
        ids = [f"call_{count + n}" for n, _ in enumerate(turn.calls, 1)]
        count += len(ids)
        if ids:
            waiting = list(ids)
        answered = (waiting.pop(0) if waiting else f"call_{max(1, count)}") if turn.role == TOOL else ""
        yield turn, ids, answered


def _write_turn(turn: Turn, ids: Sequence[str], answered: str) -> dict[str, Any]:
    data: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.calls:
        data["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for id, call in zip(ids, turn.calls, strict=True)
        ]
    if answered:
        data["tool_call_id"] = answered
    if turn.thoughts:
        data[THOUGHTS_FIELD] = turn.thoughts
    return {**data, "name": turn.name} if turn.name else data


def list_kinds(turns: Sequence[Turn]) -> tuple[str, ...]:
    """The kinds of all turns in order."""
    return tuple(kind for turn in turns for kind in turn.kinds)


def join_words(turns: Sequence[Turn]) -> str:
    """What the user says in a chat, a line a turn: the text that is counted and compared."""
    return "\n".join(turn.content for turn in turns if turn.role == USER)


def write_calls(calls: Sequence[ToolCall]) -> str:
    """Calls as a JSON list of `{"name": …, "arguments": {…}}`."""
    return json.dumps([call.as_dict() for call in calls], ensure_ascii=False)


def read_answer(turn: Turn) -> str:
    """The output of a chat that ends in this turn: its words, or its calls as JSON."""
    return write_calls(turn.calls) if turn.calls else turn.content


def render_turns(turns: Sequence[Turn]) -> str:
    """A chat as prompts show it: each turn between tags that bear its kind."""
    shown: list[str] = []
    for turn in turns:
        for kind in turn.kinds:
            text = write_calls(turn.calls) if kind == CALL else turn.content
            # A closing tag inside of a turn would end it.
            text = text.replace("</turn", "<\u200b/turn")
            shown.append(
                f'<turn role="{kind}">\n{text}\n</turn>'
                if "\n" in text
                else f'<turn role="{kind}">{text}</turn>'
            )
    return "\n".join(shown)


def describe_turns(turns: Sequence[Turn]) -> str:
    """A chat for a person to read: who speaks stands before each turn."""
    lines = []
    for turn in turns:
        said = [turn.content] if turn.content or not turn.calls else []
        said += [f"{call.name}({call.arguments})" for call in turn.calls]
        lines.append(f"{turn.role}: {' '.join(said)}")
    return "\n".join(lines)
