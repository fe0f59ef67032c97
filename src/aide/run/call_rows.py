"""A call as the journal keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass

from aide.journal import AnsweredCall
from aide.jsonl import encode_json
from aide.llm.request import ModelAnswer
from aide.records import Message


@dataclass(frozen=True, slots=True)
class CallName:
    """Which logical call it is, and whose."""

    key: str
    """See `calls.compute_call_key`."""
    node: str
    """The record it is counted on."""
    draw: int
    attempt: int


def split_messages(messages: Sequence[Message]) -> tuple[str, str]:
    """The system text, and the user message or all messages after the system text as JSON text."""
    system, *rest = messages
    user = rest[0].content if len(rest) == 1 else encode_json([m.as_dict() for m in rest]).decode()
    return system.content, user


def make_row(
    name: CallName,
    step: str,
    model: str,
    texts: tuple[str, str],
    answer: ModelAnswer,
    *,
    at: float,
    cost: float | None,
) -> AnsweredCall:
    """The row of an answered call; `texts` are as `split_messages` gives them, `at` is Unix time."""
    system, user = texts
    return AnsweredCall(
        key=name.key,
        node=name.node,
        step=step,
        draw=name.draw,
        attempt=name.attempt,
        model=model,
        endpoint=answer.endpoint,
        answered_by=answer.model,
        system=system,
        user=user,
        sent=answer.sent,
        body=answer.body,
        usage=answer.usage,
        seconds=answer.seconds,
        at=at,
        cost=cost,
    )
