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


async def write_input(context: RecipeContext, hop: Hop, ask: Ask, step: str, **given: Any) -> Draft:
    """A new input by a step's prompt; its output too with `--answer joint`, unless that has to be found blindly.

    `given` is what the prompt is given.
    """
    max_output = context.card.max_input_tokens
    if not context.joint:
        return Draft(await ask(step, INPUT, max_output=max_output, **given), "")
    joint = JointAsk(ask, step, max_output, context.prompts, given)
    draft = await context.format.answer(joint, context.card, context.question(hop, ""))
    return replace(draft, input=joint.input)


class JointAsk:
    """An `Ask` for a format's `answer`, which asks for the new input in the same call and keeps it as `input`."""

    def __init__(
        self, ask: Ask, step: str, input_tokens: int, prompts: Prompts, given: Mapping[str, Any]
    ) -> None:
        self.input = ""
        """The new input, once the answer is there."""
        self._ask = ask
        self._step = step
        self._input_tokens = input_tokens
        self._prompts = prompts
        self._given = given

    async def __call__(
        self, step: str, payload: Payload[T], /, *, template: str = "", max_output: int, draw: int = 0,
        correction: Correction | None = None, **context: Any,
    ) -> T:  # fmt: skip
        """The answer; see `records.Ask`. What the format puts into its own prompt stands in that of the input."""
        form = self._prompts.render_form(template, evidence=context["evidence"])
        given = {**self._given, "form": form, "max_output": self._input_tokens + max_output}
        self.input, answer = await self._ask(self._step, JointPayload(payload), **given)
        return answer
