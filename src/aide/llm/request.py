"""What is asked of an endpoint and what comes back, before and after it is adapted to that endpoint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aide.records import Message, Usage


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a chat model is served.

    `base_url` may be pasted with or without `/v1`, with a trailing slash, a query or the whole path; `sim:`
    is the stand-in in this process. `model` is the name under which this endpoint serves the run's model,
    empty where it has the run's own name. `key_env` names an environment variable, `key_command` a shell
    command that prints a key (and is run again when the key is refused); a key itself never stands here. A
    header value may hold `{key}`. `concurrency` (calls at once), `rpm` and `tpm` (requests and tokens a
    minute) are ceilings. With `eager` there are as many calls at once from the start, else the number that the
    endpoint can take is found from below.
    """

    name: str
    base_url: str
    model: str = ""
    key_env: str = ""
    key_command: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    concurrency: int | None = None
    eager: bool = False
    rpm: int | None = None
    tpm: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One logical call, before it is adapted to an endpoint.

    `schema` is a closed JSON Schema, `None` where plain text is wanted; `max_output` is in tokens; what is
    `None` is not sent at all. `extra` are further fields of the body, sent as they are.
    """

    step: str
    model: str
    messages: tuple[Message, ...]
    max_output: int
    temperature: float | None = None
    top_p: float | None = None
    schema_name: str = ""
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def identity(self) -> tuple[Any, ...]:
        """All that makes it this call and no other; its hash is the key in the journal, so the order is for good."""
        return (
            self.step, self.model, [(each.role, each.content) for each in self.messages], self.temperature,
            self.top_p, self.max_output, self.seed, self.extra, self.schema_name, self.schema,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One logical call for the embeddings of some texts: a model and the texts, and nothing else is sent."""

    model: str
    texts: tuple[str, ...]

    step: ClassVar[str] = "embed"
    max_output: ClassVar[int] = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """How the journal keeps it: version 0.1 wrote an embedding down as a chat with an empty system message."""
        return (Message("system", ""), *(Message("user", text) for text in self.texts))

    @property
    def identity(self) -> tuple[Any, ...]:
        """As for a chat that sets nothing: folders of version 0.1 hold their embeddings under these keys."""
        return ChatRequest(self.step, self.model, self.messages, self.max_output).identity


ModelRequest = ChatRequest | EmbeddingRequest


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A 2xx with a message in it, whatever the message says.

    `body` are the bytes that came (after decompression), `data` the same decoded. `model` is the one that
    answered by its own account. `sent` is what went out besides messages, keys and headers: the rung of the
    ladder, `model` and the parameters. `seconds` is the time on the wire.
    """

    body: bytes
    data: Mapping[str, Any] = field(hash=False)
    endpoint: str
    model: str
    sent: Mapping[str, Any] = field(hash=False)
    usage: Usage
    seconds: float


# Makes an answer durable; whoever asked sees it afterwards.
KeepAnswer = Callable[[ModelAnswer], Awaitable[None]]
