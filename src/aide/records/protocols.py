"""The two ways to a model, `Ask` and `Embed`, as Protocols, and what goes over them.

Recipes, formats and checks are handed these and know neither journal nor endpoint: so an author cannot pay twice for
an answer or lose one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or of many."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    """Of the prompt tokens, those that the server had in its prefix cache."""
    reasoning: int = 0
    """Of the completion tokens, those that were thought and not said."""
    estimated: int = 0
    """Calls whose server sent no usage, so that their tokens were estimated from the text."""

    def __add__(self, other: "Usage") -> "Usage":
        """Usage of both together."""
        return Usage(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: str
    content: str

    def as_dict(self) -> dict[str, str]:
        """The message as it goes over the wire."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Correction:
    """What makes a repeated question differ on the wire: the last answer and what was wrong with it."""

    said: str
    problem: str


class Payload(Protocol[T_co]):
    """What a step's completion must be: how to ask for it, and how to read it.

    `schema` is a closed JSON Schema with a name, or `None` where plain text is wanted. `read` takes the cleaned
    text of the completion and returns the typed value.

    Raises (from `read`): `errors.Unusable`, whose `problem` is shown to the model in the one re-ask.
    """

    @property
    def name(self) -> str:
        """Name of the schema on the wire."""
        ...

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """What the completion must be an instance of; `None` where plain text is wanted."""
        ...

    def read(self, text: str) -> T_co:
        """The typed value of a completion's text."""
        ...


class Ask(Protocol):
    """The one way to a chat model, handed to everything that needs one; durable by construction.

    `template` names the prompt (`synthesize/constraint`), `context` fills it. `draw` above 0 asks for a further
    sample of the same question. `correction` carries what was wrong with the last answer. `max_output` is in tokens.

    Raises: `errors.NodeError` where this question can't be answered; `errors.AideError` of scope `run` where none can.
    """

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
        """The typed answer of the model, from the journal where it is there."""
        ...


class Embed(Protocol):
    """The one way to an embedding model.

    Returns one vector per text, all of the same length, each of unit norm.
    """

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors, in the order of `texts`."""
        ...
