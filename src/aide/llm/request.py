"""What is asked of an endpoint and what comes back, before and after it is adapted to that endpoint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aide.config.delivery import keep_answering
from aide.config.spec import EMBED
from aide.llm.tiers import Tier
from aide.records import Message, Usage


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served."""

    name: str
    """Unique within a run; stands in the journal and in statistics."""
    base_url: str
    """May be pasted with or without `/v1`, a trailing slash, a query or the whole route; `sim:` is the simulator."""
    model: str = ""
    """The name under which this endpoint serves the run's model; empty where it has the run's own name."""
    key_env: str = ""
    """Environment variable that holds the key; a key itself never stands here."""
    key_command: str = ""
    """Shell command that prints the key; run again when the key is refused."""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Sent with each request; a value may hold `{key}`."""
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Query string of each request."""
    concurrency: int | None = None
    """Most calls at once; `None` where the pool's ceiling applies."""
    eager: bool = False
    """True when as many calls go out from the start; else the number is found from below."""
    rpm: int | None = None
    """Most requests a minute."""
    tpm: int | None = None
    """Most tokens a minute."""
    tiers: tuple[Tier, ...] = ()
    """The tier that calls ask for, and the one to fall back to; empty for the server's own choice."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One logical call, before it is adapted to an endpoint. What is `None` is not sent at all."""

    step: str
    """What it is for; statistics and the journal count by it."""
    model: str
    """The model configured for the step."""
    messages: tuple[Message, ...]
    """The rendered prompt, the system message first."""
    max_output: int
    """Most tokens of the answer."""
    temperature: float | None = None
    top_p: float | None = None
    schema_name: str = ""
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    """A closed JSON Schema of the answer; `None` where plain text is wanted."""
    seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further fields of the body, sent as they are."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """All that makes it this call and no other; its hash is the key in the journal, so the order is for good."""
        return self.identify_with(keep_answering(self.extra))

    def identify_with(self, extra: Mapping[str, Any]) -> tuple[Any, ...]:
        """The identity that the same call has with these further fields."""
        return (
            self.step, self.model, [(each.role, each.content) for each in self.messages], self.temperature,
            self.top_p, self.max_output, self.seed, extra, self.schema_name, self.schema,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One logical call for the embeddings of some texts: a model and the texts, and nothing else is sent."""

    model: str
    texts: tuple[str, ...]

    step: ClassVar[str] = EMBED
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
    """A 2xx with a message in it, whatever the message says."""

    body: bytes
    """The bytes that came, after decompression."""
    data: Mapping[str, Any] = field(hash=False)
    """The same, decoded."""
    endpoint: str
    """Name of the endpoint that answered."""
    model: str
    """The model that answered, by the server's own account."""
    sent: Mapping[str, Any] = field(hash=False)
    """What went out besides messages, keys and headers: the rung of the ladder, `model` and the parameters."""
    usage: Usage
    seconds: float
    """Time on the wire."""
    tier: str = ""
    """The tier in which it was answered; empty for the standard one."""


KeepAnswer = Callable[[ModelAnswer], Awaitable[None]]
"""Makes an answer durable; whoever asked sees it afterwards."""
