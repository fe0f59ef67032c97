"""A model that says what a test wrote down, and shows what it was asked."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from aide.errors import Unusable
from aide.records import Correction, Payload, ReasonedPayload
from aide.text.cleaning import clean_text
from aide.text.markers import split_thinking

T = TypeVar("T")


class Scripted:
    """An `Ask` that answers from a list, with the one re-ask of the real one. `asked` holds what each got."""

    def __init__(self, *said: str | Callable[[dict[str, Any]], str]) -> None:
        self.said = list(said)
        self.asked: list[dict[str, Any]] = []

    async def __call__(
        self,
        step: str,
        payload: Payload[T],
        /,
        *,
        template: str = "",
        max_output: int,
        draw: int = 0,
        correction: Correction | None = None,
        **context: Any,
    ) -> T:
        for attempt in (0, 1):
            told = {
                "step": step,
                "payload": payload,
                "template": template,
                "draw": draw,
                "correction": correction,
            }
            told |= {"max_output": max_output, **context}
            self.asked.append(told)
            said = self.said.pop(0)
            try:
                thoughts, text = split_thinking(said if isinstance(said, str) else said(told))
                if isinstance(payload, ReasonedPayload):
                    return cast("T", payload.read_reasoned(clean_text(text), thoughts))
                return payload.read(clean_text(text))
            except Unusable as fault:
                if attempt:
                    raise
                correction = Correction(fault.said, fault.problem)
        raise AssertionError
