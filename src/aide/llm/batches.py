"""Batches: many calls in one file, answered within a day at half the price.

Two services take them: the routes `/files` and `/batches` of an endpoint (OpenAI's, which others have too), and a
folder of JSON lines that a person has `vllm run-batch` answer. Both know a wave by its name, so that it is found again
by whoever does not know whether it was ever submitted.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any, Final, Protocol

from aide.completion import read_model_name
from aide.config.prices import BATCH
from aide.errors import CallError
from aide.jsonl import encode_json
from aide.llm.faults import decode_json, read_answer
from aide.llm.request import ChatRequest, ModelAnswer
from aide.llm.usage import read_usage, read_written_text

ROUTE: Final = "/v1/chat/completions"
# Bounds of a file: OpenAI takes 50,000 requests and 200 MB, Together 100 MB.
MOST_CALLS: Final = 50_000
MOST_BYTES: Final = 90_000_000
FINAL: Final = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where a batch stands."""

    status: str
    """In OpenAI's words."""
    files: tuple[str, ...] = ()
    """What holds its lines, answers first."""
    error: str = ""
    """Why it failed as a whole."""

    @property
    def final(self) -> bool:
        """True when nothing more will come."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One line that came back."""

    key: str
    status: int
    """Of the HTTP exchange; 0 where there was none."""
    body: bytes
    """The answer's body as it stands in the line, or what was said in its place."""

    def read(
        self, system: str, user: str, *, endpoint: str, model: str, sent: Mapping[str, Any]
    ) -> ModelAnswer:
        """The answer.

        Raises:
            errors.AideError: there is none; asked alone the call may have one.
        """
        if not self.status:
            raise CallError(
                f"a line of a batch has no answer: {self.body[:200].decode('utf-8', 'replace')}",
                kind="server",
            )
        data = read_answer(self.status, {}, self.body, "the batch")
        return ModelAnswer(
            body=self.body,
            data=data,
            endpoint=endpoint,
            model=read_model_name(data, model),
            sent=sent,
            usage=read_usage(data, len(system) + len(user), read_written_text(data)),
            seconds=0.0,
            tier=BATCH,
        )


class BatchService(Protocol):
    """Whoever takes batches."""

    @property
    def where(self) -> str:
        """Its address, by which a wave remembers it."""
        ...

    @property
    def endpoint(self) -> str:
        """What statistics call it."""
        ...

    def prepare(self, request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Body and parameters of a call, as `EndpointProfile.build_body`; `None` where the endpoint has answered none
        of that shape yet, so that nobody knows how it takes them.
        """
        ...

    def describe_command(self, wave: str, model: str) -> str:
        """What a person has to run for a wave to be answered; empty where nothing."""
        ...

    async def submit(self, wave: str, model: str, lines: Sequence[bytes]) -> str:
        """Submit a wave; returns the service's name for it.

        Raises:
            errors.CallError: it may have been taken, or not: look for it before it is submitted again.
            errors.EndpointUnusable: it was not taken.
        """
        ...

    async def find(self, wave: str, composed: float) -> str:
        """The service's name for a wave that was composed then; empty where it was never submitted.

        Raises:
            errors.AideError: nobody can tell now.
        """
        ...

    async def look(self, batch: str) -> BatchState | None:
        """Where a batch stands; `None` where the service does not know it."""
        ...

    def read_lines(self, state: BatchState) -> AsyncIterator[BatchLine]:
        """All lines that came back, in any order; a line may come twice."""
        ...

    async def cancel(self, batch: str) -> None:
        """Have nothing more of it answered. What was answered by then comes back."""
        ...


def name_file(wave: str) -> str:
    """The file of a wave, by which it is found where nothing else tells."""
    return f"aide-{wave}.jsonl"


def make_line(key: str, body: Mapping[str, Any]) -> bytes:
    """One request of a batch."""
    return encode_json({"custom_id": key, "method": "POST", "url": ROUTE, "body": body})


def parse_line(line: bytes) -> BatchLine | None:
    """A line that came back; `None` for what is none."""
    data = decode_json(line)
    if not isinstance(data, Mapping) or not isinstance(data.get("custom_id"), str):
        return None
    response = data.get("response")
    if not isinstance(response, Mapping) or not isinstance(response.get("body"), Mapping):
        return BatchLine(data["custom_id"], 0, encode_json(data.get("error") or data))
    status = response.get("status_code")
    try:
        body = cut_value(line, "response", "body")
    except RecursionError:  # this reader gives up a little earlier than the first one
        return BatchLine(data["custom_id"], 0, b'{"message": "nested too deeply"}')
    return BatchLine(data["custom_id"], status if isinstance(status, int) else 200, body)


def cut_value(line: bytes, *path: str) -> bytes:
    """The bytes of the value at that path of a JSON object, just as they stand there."""
    text, decoder = line.decode("utf-8", "surrogateescape"), JSONDecoder(strict=False)
    start, end = 0, len(text)
    for name in path:
        at = text.index("{", start) + 1
        while True:
            at = text.index('"', at)
            key, at = decoder.raw_decode(text, at)
            at = text.index(":", at) + 1
            while text[at].isspace():
                at += 1
            start, (_, end) = at, decoder.raw_decode(text, at)
            if key == name:
                break
            at = end
    return text[start:end].encode("utf-8", "surrogateescape")
