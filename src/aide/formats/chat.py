"""Conversations: the turns before the answer are the input, the assistant's last turn is the output."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from aide.errors import Unusable
from aide.formats.base import Format, ask_answer
from aide.formats.payloads import DraftPayload
from aide.formats.task import Question, TaskCard
from aide.formats.tool_calls import CallsPayload, find_call_fault, read_calls
from aide.parsing import TextPayload
from aide.records import (
    ASSISTANT,
    USER,
    Ask,
    Draft,
    Parts,
    Turn,
    list_kinds,
    read_answer,
    render_turns,
    write_calls,
)

_CALL_PROMPT: Final = "chat_call"
_TURN: Final = re.compile(r"\A\s*<turn role=[^<>]*>(.*?)(?:</turn>\s*)?\Z", re.DOTALL)


class Chat(Format):
    """A conversation of one or several turns, with or without functions that the assistant may call.

    New ones have the turns of their parent. What all share, the system prompt and the functions, stays as it is.
    """

    name = "chat"
    chats = True
    room = 3
    kind = "the last turn, the assistant's"
    judge_prompt = "reflect/blind.chat"
    compare_prompt = "reflect/beside.chat"
    reply = "chat"
    reading = "text"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Seeds were read as conversations, since one of them is more than an input and its output."""
        return any(draft.turns for draft in drafts)

    def name_answer(self, model: Draft) -> str:
        """Calls are asked for by a prompt of their own."""
        return _CALL_PROMPT if _ends_in_call(model) else self.name

    # --- to the model and back ----------------------------------------------------------------------

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The conversation with its last turn: words, or calls that fit the functions."""
        chat = question.chat or Draft(question.input, turns=(Turn(USER, question.input),))

        def add(turn: Turn) -> Draft:
            return replace(chat, output=read_answer(turn), turns=(*chat.context, turn))

        shown = replace(question, input=render_turns(chat.context))

        async def ask_for(payload: Any, build: Any, template: str) -> Draft:
            checked = DraftPayload(payload, build, lambda draft: self.check(draft, card))
            return await ask_answer(ask, checked, shown, template=template)

        if question.wants_call:
            return await ask_for(CallsPayload(), lambda calls: add(Turn(ASSISTANT, "", calls)), _CALL_PROMPT)
        return await ask_for(
            TextPayload("answer"), lambda text: add(Turn(ASSISTANT, _unwrap(text))), self.name
        )

    def check(self, draft: Draft, card: TaskCard) -> str:
        """There is a last turn, and what it calls fits the functions."""
        calls = draft.turns[-1].calls if _ends_in_call(draft) else ()
        return find_call_fault(calls, draft.tools) or super().check(draft, card)

    def render(self, draft: Draft) -> str:
        """The last turn: its words, or its calls as JSON."""
        return draft.output

    # --- in prompts ---------------------------------------------------------------------------------

    def show_input(self, draft: Draft) -> str:
        """The turns before the answer, each in a tag that says whose it is."""
        return render_turns(draft.context) if draft.turns else draft.input

    def list_fixed(self, draft: Draft, parts: Parts) -> Parts:
        """The system prompt that all share, and the functions."""
        fixed = [("system", draft.system)] if draft.system else []
        fixed += [("functions", "\n".join(draft.tools))] if draft.tools else []
        return Parts(tuple(fixed)) if fixed else parts

    def ask_about(self, question: Question, draft: Draft, model: Draft) -> Question:
        """The question with the conversation itself; the last turn is of the kind that the model's is."""
        return replace(question, chat=draft if draft.turns else None, wants_call=_ends_in_call(model))

    def describe_shape(self, draft: Draft, *, answered: bool) -> str:
        """The kinds of the turns to write, in order."""
        kinds = list_kinds(draft.turns if answered else draft.context)
        return f"Turns: {', '.join(kinds)}."

    # --- right or wrong -----------------------------------------------------------------------------

    def make_wrong(
        self, draft: Draft, card: TaskCard, others: Sequence[str], dice: random.Random
    ) -> Draft | None:
        """The same conversation with the last turn of another one, of the same kind."""
        called = _ends_in_call(draft)
        fit = [other for other in others if bool(read_calls(other)) is called]
        if not fit:
            return None
        said = dice.choice(fit)
        turn = Turn(ASSISTANT, "", read_calls(said)) if called else Turn(ASSISTANT, said)
        return replace(draft, output=read_answer(turn), turns=(*draft.context, turn), reasoning="")


def _ends_in_call(draft: Draft) -> bool:
    return bool(draft.output and draft.turns and draft.turns[-1].calls)


def _unwrap(text: str) -> str:
    """The words of a turn that a model wrote in the tag that prompts show.

    Raises:
        errors.Unusable: they are calls.
    """
    found = _TURN.match(text)
    said = found[1].strip() if found else text
    if calls := read_calls(said) if said.lstrip()[:1] in ("[", "{") else ():
        problem = "Say it in words; nothing may be called in this turn."
        raise Unusable("broken_format", problem, said=write_calls(calls))
    return said
