"""How new conversations come back from the writer: each turn between tags that bear its kind, as prompts show them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aide.errors import Unusable
from aide.formats.tool_calls import find_call_fault, read_calls
from aide.parsing import TextPayload, find_places
from aide.records import (
    ASSISTANT,
    CALL,
    TOOL,
    USER,
    Draft,
    Turn,
    join_words,
    list_kinds,
    read_answer,
)
from aide.text.cleaning import clean_text

_ITEM: Final = re.compile(r"<item n=[\"']?(\d{1,6})[\"']?>(.*?)(?=</item>|<item n=|\Z)", re.DOTALL)
_TURN: Final = re.compile(r"<turn role=[\"']?(\w+)[\"']?>(.*?)(?=</turn>|<turn role=|</item>|\Z)", re.DOTALL)
_TEXT: Final = TextPayload("text")
_MOST_TURNS: Final = 200


class ChatsPayload:
    """Conversations of which each has the turns of its model, with the last one or without."""

    name = "chats"
    schema: Mapping[str, Any] | None = None

    def __init__(self, models: Sequence[Draft], *, answered: bool) -> None:
        """`models` are the conversations whose turns the new ones take over, in the order of the lines."""
        self.models = models
        self.answered = answered

    def read(self, text: str) -> dict[int, Draft]:
        """The conversations by place; raises `Unusable` where not one has the turns that it should."""
        items = _ITEM.findall(text) or ([("1", text)] if len(self.models) == 1 else [])
        found: dict[int, Draft] = {}
        problem = ""
        places = find_places([int(n) for n, _ in items], len(self.models))
        for (_, body), place in zip(items, places, strict=True):
            if place < 0:
                continue
            try:
                found[place] = self._read_chat(body, self.models[place])
            except Unusable as fault:
                problem = problem or f"In item {place + 1}: {fault.problem} "
        if not found:
            wanted = (
                f'Write {len(self.models)} items, each as <item n="1"> with its turns in tags of their own.'
            )
            raise Unusable("invalid", f"{problem}{wanted}", said=text)
        return found

    def _read_chat(self, body: str, model: Draft) -> Draft:
        said = [(kind.casefold(), content) for kind, content in _TURN.findall(body)][:_MOST_TURNS]
        kinds = [kind for kind, _ in said]
        context, whole = list(list_kinds(model.context)), list(list_kinds(model.turns))
        if kinds != whole and (kinds != context or self.answered):
            wanted = whole if self.answered else context
            problem = f"its turns are {', '.join(kinds) or 'none'}, not {', '.join(wanted)}."
            raise Unusable("invalid", problem, said=body)
        turns = _build_turns(said, model.turns if kinds == whole else model.context, body)
        for turn in turns:
            if fault := find_call_fault(turn.calls, model.tools):
                raise Unusable("invalid", fault, said=body)
        output = read_answer(turns[-1]) if kinds == whole else ""
        return Draft(join_words(turns), output, turns=tuple(turns), tools=model.tools, system=model.system)


def _build_turns(said: Sequence[tuple[str, str]], model: Sequence[Turn], body: str) -> list[Turn]:
    """Turns of what was said, each of the kinds of the model's turn in its place."""
    left = list(said)
    turns: list[Turn] = []
    for like in model:
        turn = Turn(like.role, name="")
        for kind in like.kinds:
            _, content = left.pop(0)
            if kind != CALL:
                turn = replace(turn, content=_clean(kind, content))
            elif not (calls := read_calls(content)):
                raise Unusable("invalid", "a turn of the role call holds no JSON list of calls.", said=body)
            else:
                turn = replace(turn, calls=calls)
        turns.append(turn)
    return _name_results(turns, model)


def _clean(kind: str, content: str) -> str:
    return _TEXT.read(content) if kind in (USER, ASSISTANT) else clean_text(content)


def _name_results(turns: Sequence[Turn], model: Sequence[Turn]) -> list[Turn]:
    """The results of functions named as the calls before them, where the model names its own."""
    named: list[Turn] = []
    waiting: list[str] = []
    for turn, like in zip(turns, model, strict=True):
        if turn.calls:
            waiting = [call.name for call in turn.calls]
        if turn.role == TOOL:
            name = waiting.pop(0) if waiting else ""
            named.append(replace(turn, name=name if like.name else ""))
        else:
            named.append(turn)
    return named
