"""The two ways to a model, `Ask` and `Embed`, as Protocols, and what goes over them.

Recipes, formats and checks are handed these and know neither journal nor endpoint: so an author cannot pay twice for
an answer or lose one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar, runtime_checkable

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
    """What a step's completion must be: how to ask for it, and how to read it."""

    @property
    def name(self) -> str:
        """Name of the schema on the wire."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """A closed JSON Schema that the completion must satisfy; `None` where plain text is wanted."""

    def read(self, text: str) -> T_co:
        """The typed value of a completion's cleaned text.

        Raises:
            errors.Unusable: it has none; the model is shown the `problem` and asked once more.
        """


@runtime_checkable
class ReasonedPayload(Protocol[T_co]):
    """A payload whose value holds what the model thought before it answered."""

    def read_reasoned(self, text: str, thoughts: str) -> T_co:
        """As `Payload.read`; `thoughts` are empty where the model showed none."""


class Ask(Protocol):
    """The one way to a chat model, handed to everything that needs one."""

    async def __call__(
        self, step: str, payload: Payload[T], /, *, template: str = "", max_output: int, draw: int = 0,
        correction: Correction | None = None, node: str = "", warmth: float = 1.0, **context: Any,
    ) -> T:  # fmt: skip
        """The typed answer of the model; from the journal where it was answered before, journaled where it was not.

        Args:
            step: the kind of call, by which models, limits and usage are kept.
            payload: what is asked for.
            template: the prompt, such as `synthesize/constraint`, which `context` fills.
            max_output: tokens.
            draw: above 0 for a further sample of the same question.
            correction: what was wrong with the last answer.
            node: the record that the call is made for, where it is not what this `Ask` was made for.
            warmth: what the temperature of the step is multiplied by.
            context: the values of the prompt.

        Raises:
            errors.NodeError: this question can't be answered.
            errors.AideError: of scope `run`, where none can.
        """


class TracedAsk(Ask, Protocol):
    """An `Ask` that knows who answered."""

    @property
    def models(self) -> Mapping[str, str]:
        """By step, the model that answered it last."""


class Embed(Protocol):
    """The one way to an embedding model."""

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, in their order, all of one length and of unit norm."""
