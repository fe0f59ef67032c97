"""A service for batches that a test answers by hand."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from aide.errors import AideError, CallError
from aide.llm.batches import BatchLine, BatchState
from aide.llm.request import ChatRequest
from models import SilentModels

WHERE = "http://x/v1"


def say(key: str, text: str = "said", status: int = 200) -> BatchLine:
    """A line that came back; with another status what a server says in its place."""
    choices = [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    body = {"choices": choices, "usage": usage} if status == 200 else {"error": {"message": text}}
    return BatchLine(key, status, orjson.dumps(body))


@dataclass
class Submitted:
    wave: str
    model: str
    keys: list[str]


@dataclass
class ManualService(SilentModels):
    """Keeps what is submitted; what is in `states` and `lines` comes back. It is the models of a run, too."""

    where: str = WHERE
    endpoint: str = WHERE
    submitted: list[Submitted] = field(default_factory=list)
    states: dict[str, BatchState | None] = field(default_factory=dict)
    lines: dict[str, list[BatchLine]] = field(default_factory=dict)
    unproven: set[str] = field(default_factory=set)
    """Steps of which the endpoint has answered no call yet."""
    on_submit: Callable[[str], None] = lambda batch: None
    """Is called once a batch is taken, and may raise: then nobody learns that it was."""
    refusal: AideError | None = None
    unreadable: bool = False
    """Its files can't be fetched."""
    cancelled: list[str] = field(default_factory=list)

    def open_batches(self, where: str = "") -> "ManualService | None":
        return self if where in ("", self.where) else None

    def prepare(self, request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]] | None:
        return None if request.step in self.unproven else ({"model": request.model}, {"rung": "text"})

    def describe_command(self, wave: str, model: str) -> str:
        return ""

    async def submit(self, wave: str, model: str, lines: Sequence[bytes]) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append(Submitted(wave, model, [orjson.loads(line)["custom_id"] for line in lines]))
        batch = f"batch_{len(self.submitted)}"
        self.states.setdefault(batch, BatchState("in_progress"))
        self.on_submit(batch)
        return batch

    async def find(self, wave: str, composed: float) -> str:
        names = [f"batch_{n}" for n, each in enumerate(self.submitted, 1) if each.wave == wave]
        return names[0] if names else ""

    async def look(self, batch: str) -> BatchState | None:
        return self.states.get(batch)

    async def read_lines(self, state: BatchState) -> AsyncIterator[BatchLine]:
        for file in state.files:
            if self.unreadable:
                raise CallError("the file is not there", kind="server")
            for line in self.lines[file]:
                yield line

    async def cancel(self, batch: str) -> None:
        self.cancelled.append(batch)

    def come_back(self, batch: str, *lines: BatchLine, status: str = "completed", error: str = "") -> None:
        """The batch has ended with these lines."""
        self.lines[f"{batch}.out"] = list(lines)
        self.states[batch] = BatchState(status, (f"{batch}.out",), error)

    def stats(self) -> Mapping[str, Any]:
        return {}
