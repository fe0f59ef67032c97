"""What a journal holds, as values and as rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from aide.jsonl import parse_json
from aide.records import Usage

Kind = Literal["planted", "accepted", "rejected", "failed", "surplus"]

CALL_COLUMNS: Final = (
    "key, node, step, draw, attempt, model, endpoint, answered_by, prompt, completion, cached, reasoning,"
    " estimated, seconds, at, cost, reused"
)
OUTCOME_COLUMNS: Final = "kind, node, seed, parent, depth, slot, operation, label"


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """One answered call."""

    key: str
    """The hash of the logical call."""
    node: str
    """The record it was made for; empty for calls of the whole run."""
    step: str
    draw: int
    """0 for the first sample of a question."""
    attempt: int
    """1 where the question was asked again, because its first answer could not be used."""
    model: str
    """The name configured for the step."""
    endpoint: str
    answered_by: str
    """The model that really answered."""
    system: str
    user: str
    """The user message, or all messages after the system text as JSON text."""
    sent: Mapping[str, Any] = field(hash=False)
    """The request's parameters as they went out."""
    body: bytes
    """The response's body, byte by byte as it came."""
    usage: Usage
    seconds: float
    """How long the answer took."""
    at: float
    """When it came, in Unix time."""
    cost: float | None
    """In the currency of the prices; `None` where it is unknown."""
    reused: bool = False
    """Taken over from another folder's journal, so not paid for here."""

    def as_columns(self) -> tuple[Any, ...]:
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
        """The inverse of `as_columns`, followed by system, sent, user text and body."""
        key, node, step, draw, attempt, model, endpoint, answered_by, *tokens = row[:13]
        seconds, at, cost, reused, system, sent, user, body = row[13:]
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
            user=decode_text(user),
            sent=parse_json(sent),
            body=body,
            usage=Usage(1, *tokens),
            seconds=seconds,
            at=at,
            cost=cost,
            reused=bool(reused),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A settled node."""

    node: str
    kind: Kind
    """`planted` (triples and personas of a parent), `accepted`, `rejected`, `failed` (may be tried again) or
    `surplus` (accepted beyond the target, not written).
    """
    seed: str
    parent: str
    depth: int
    """The hop; 0 for a seed."""
    slot: int
    """Its place in the target's composition."""
    operation: str
    label: str
    payload: bytes
    """The record, the reject, or the triples and personas, as JSON."""

    def as_columns(self) -> tuple[Any, ...]:
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
        """The inverse of `as_columns`, followed by the payload."""
        kind, node, *rest = row
        return cls(node, kind, *rest)


@dataclass(frozen=True, slots=True)
class SpentAtHop:
    """The calls of one step that were booked on the candidates of one hop."""

    step: str
    hop: int | None
    """`None` where they were booked on a seed, on several records together, or on none."""
    plain: bool
    """Whether the candidates were plain ones."""
    repeated: int
    """Calls that asked again, because the first answer could not be used."""
    usage: Usage


def dump_json(value: object) -> bytes:
    """Canonical JSON: equal values give equal bytes.

    Raises:
        TypeError: `value` is not JSON.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate or an integer beyond 64 bits, which only the standard library takes
        return json.dumps(value, sort_keys=True).encode()


def encode_text(value: str) -> bytes:
    """A text as it is stored; models do send lone surrogates, which SQLite's own text type refuses."""
    return value.encode("utf-8", "surrogatepass")


def decode_text(data: bytes) -> str:
    """The inverse of `encode_text`."""
    return data.decode("utf-8", "surrogatepass")


def replace_surrogates(value: str) -> str:
    """The text without lone surrogates: a word that a server or a file gave, fit for a column of text."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
