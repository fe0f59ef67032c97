"""An input and its answer from one call: plain text in two tags, the answer as its format asks for it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from aide.errors import Unusable
from aide.parsing import TextPayload
from aide.prompts import Prompts
from aide.recipes.base import RecipeContext
from aide.records import Ask, Correction, Draft, Hop, Payload

T = TypeVar("T")

INPUT: Final = TextPayload("input")

_NEW: Final = re.compile(r"<new>(.*?)(?:</new>|(?=<answer>)|\Z)", re.DOTALL | re.IGNORECASE)
_ANSWER: Final = re.compile(r"<answer>(.*)</answer>|<answer>(.*)", re.DOTALL | re.IGNORECASE)


class JointPayload(Generic[T]):
    """`<new>…</new>` and `<answer>…</answer>`: the new input, and what `inner` reads in the answer."""

    schema: Mapping[str, Any] | None = None

    def __init__(self, inner: Payload[T]) -> None:
        self.name = f"new_{inner.name}"
        self._inner = inner

    def read(self, text: str) -> tuple[str, T]:
        """Both; raises `Unusable` where either is missing."""
        new, answer = _NEW.search(text), _ANSWER.search(text)
        said = (answer[1] or answer[2] or "").strip() if answer else ""
        if not new or not new[1].strip() or not said:
            problem = "Write the new one as <new>…</new> and after it its answer as <answer>…</answer>."
            raise Unusable("not_joint", problem, said=text)
        return INPUT.read(new[1].strip()), self._inner.read(said)


async def write_input(brief: RecipeContext, hop: Hop, ask: Ask, step: str, **told: Any) -> Draft:
    """A new input by a step's prompt; its output too with `--answer joint`, unless that has to be found blindly."""
    room = brief.card.max_input_tokens
    if not brief.joint:
        return Draft(await ask(step, INPUT, max_output=room, **told), "")
    joint = JointAsk(ask, step, room, brief.prompts, told)
    draft = await brief.format.answer(joint, brief.card, brief.question(hop, ""))
    return replace(draft, input=joint.input)


class JointAsk:
    """An `Ask` for a format's `answer`, which asks for the new input in the same call and keeps it as `input`.

    `room` are the tokens that the input may take, `told` what the prompt of `step` is told.
    """

    def __init__(self, ask: Ask, step: str, room: int, prompts: Prompts, told: Mapping[str, Any]) -> None:
        self.ask = ask
        self.step = step
        self.room = room
        self.prompts = prompts
        self.told = told
        self.input = ""

    async def __call__(
        self, step: str, payload: Payload[T], /, *, template: str = "", max_output: int, draw: int = 0,
        correction: Correction | None = None, **context: Any,
    ) -> T:  # fmt: skip
        """The answer; see `records.Ask`. What the format tells its own prompt stands in that of the input."""
        form = self.prompts.form(template, evidence=context["evidence"])
        told = {**self.told, "form": form, "max_output": self.room + max_output}
        self.input, answer = await self.ask(self.step, JointPayload(payload), **told)
        return answer
