"""What a journal holds, as values and as rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from aide.records import Usage

Kind = Literal["planted", "accepted", "rejected", "failed", "surplus"]

CALL_COLUMNS: Final = (
    "key, node, step, draw, attempt, model, endpoint, answered_by, prompt, completion, cached, reasoning,"
    " estimated, seconds, at, cost, reused"
)
OUTCOME_COLUMNS: Final = "kind, node, seed, parent, depth, slot, operation, label"


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """One answered call.

    Attributes:
        key: the hash of the logical call.
        node: the record it was made for; empty for calls of the whole run.
        model: the name configured for the step; `answered_by` is the model that really answered.
        user: the user message, or all messages after the system text as JSON text.
        sent: the request's parameters as they went out.
        body: the response's body, byte by byte as it came.
        seconds: how long the answer took.
        at: when it came, in Unix time.
        cost: in the currency of the prices; `None` where it is unknown.
        reused: taken over from another folder's journal, so not paid for here.
    """

    key: str
    node: str
    step: str
    draw: int
    attempt: int
    model: str
    endpoint: str
    answered_by: str
    system: str
    user: str
    sent: Mapping[str, Any] = field(hash=False)
    body: bytes
    usage: Usage
    seconds: float
    at: float
    cost: float | None
    reused: bool = False

    def columns(self) -> tuple[Any, ...]:
        """The values of `CALL_COLUMNS`: all but the texts."""
        usage = self.usage
        return (
            self.key,
            self.node,
            self.step,
            self.draw,
            self.attempt,
            self.model,
            self.endpoint,
            replace_surrogates(self.answered_by),
            usage.prompt,
            usage.completion,
            usage.cached,
            usage.reasoning,
            usage.estimated,
            self.seconds,
            self.at,
            self.cost,
            int(self.reused),
        )

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "AnsweredCall":
        """The inverse of `columns`, followed by system, sent, front and rest of the user text, body."""
        key, node, step, draw, attempt, model, endpoint, answered_by, *tokens = row[:13]
        seconds, at, cost, reused, system, sent, front, rest, body = row[13:]
        return cls(
            key=key,
            node=node,
            step=step,
            draw=draw,
            attempt=attempt,
            model=model,
            endpoint=endpoint,
            answered_by=answered_by,
            system=decode_text(system),
            user=decode_text((front or b"") + rest),
            sent=load_json(sent),
            body=body,
            usage=Usage(1, *tokens),
            seconds=seconds,
            at=at,
            cost=cost,
            reused=bool(reused),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A settled node.

    Attributes:
        kind: `planted` (triples and personas of a parent), `accepted`, `rejected`, `failed` (may be tried
            again) or `surplus` (accepted beyond the target, not written).
        depth: the hop; 0 for a seed.
        slot: the place in the target's composition.
        payload: the record, the reject, or the triples and personas, as JSON.
    """

    node: str
    kind: Kind
    seed: str
    parent: str
    depth: int
    slot: int
    operation: str
    label: str
    payload: bytes

    def columns(self) -> tuple[Any, ...]:
        """The values of `OUTCOME_COLUMNS`: all but the payload."""
        return (
            self.kind,
            self.node,
            self.seed,
            self.parent,
            self.depth,
            self.slot,
            self.operation,
            replace_surrogates(self.label),
        )

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "Outcome":
        """The inverse of `columns`, followed by the payload."""
        kind, node, *rest = row
        return cls(node, kind, *rest)


def dump_json(value: object) -> bytes:
    """Canonical JSON: equal values give equal bytes.

    Raises:
        TypeError: `value` is not JSON.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate or an integer beyond 64 bits, which only the standard library takes
        return json.dumps(value, sort_keys=True).encode()


def load_json(data: bytes) -> Any:
    """The inverse of `dump`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def encode_text(value: str) -> bytes:
    """A text as it is stored; models do send lone surrogates, which SQLite's own text type refuses."""
    return value.encode("utf-8", "surrogatepass")


def decode_text(data: bytes) -> str:
    """The inverse of `blob`."""
    return data.decode("utf-8", "surrogatepass")


def replace_surrogates(value: str) -> str:
    """The text without lone surrogates: a word that a server or a file gave, fit for a column of text."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
