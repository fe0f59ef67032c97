"""An `Ask` that sends nothing: it renders each prompt, has a typical answer written, and notes the length of both."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from aide.llm.usage import estimate_tokens
from aide.prompts import Prompts
from aide.records import WHOLE, Correction, Payload, digest
from aide.run.plan.typical import TypicalWriter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallSize:
    """Tokens of one call: prompt, completion as expected, and the most that it may write."""

    prompt: float
    completion: float
    limit: float = 0.0

    def __add__(self, other: "CallSize") -> "CallSize":
        """Both together."""
        return CallSize(
            self.prompt + other.prompt, self.completion + other.completion, self.limit + other.limit
        )

    def __mul__(self, times: float) -> "CallSize":
        """So many times as much."""
        return CallSize(self.prompt * times, self.completion * times, self.limit * times)


NOTHING = CallSize(0.0, 0.0)


@dataclass(slots=True)
class MeasuringAsk:
    """Notes each call as its step and its size, in the order in which they are made."""

    prompts: Prompts
    writer: TypicalWriter
    calls: list[tuple[str, CallSize]] = field(default_factory=list)
    models: Mapping[str, str] = field(default_factory=dict)
    """As of a `TracedAsk`: nobody answered."""
    words: dict[int, str] = field(default_factory=dict)
    """By their place among `calls`, a hash of what was asked, word for word; others note calls as well."""

    async def __call__(
        self, step: str, payload: Payload[T], /, *, template: str = "", max_output: int, draw: int = 0,
        correction: Correction | None = None, node: str = "", warmth: float = 1.0, **context: Any,
    ) -> T:  # fmt: skip
        """See `records.Ask`."""
        parts = context.pop("parts", WHOLE)
        messages = self.prompts.render(template or step, parts, correction, **context)
        answer = self.writer.write(payload, context, parts)
        asked = sum(estimate_tokens(message.content) for message in messages)
        self.words[len(self.calls)] = digest(step, str(draw), *(message.content for message in messages))
        self.calls.append((step, CallSize(asked, estimate_tokens(answer), max_output)))
        return payload.read(answer)

    def take(self) -> list[tuple[str, CallSize]]:
        """The calls since the last time."""
        return [call for call, _ in self.take_with_words()]

    def take_with_words(self) -> list[tuple[tuple[str, CallSize], str]]:
        """The calls since the last time, each with a hash of what it asked, if known: equal ones share an answer."""
        calls = [(call, self.words.get(place, "")) for place, call in enumerate(self.calls)]
        self.calls, self.words = [], {}
        return calls


class SizeTable:
    """Mean sizes of calls by name and by how many records they carry; what was not measured lies between."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[int, list[CallSize]]] = defaultdict(lambda: defaultdict(list))

    def note(self, name: str, count: int, size: CallSize) -> None:
        """A call of that name for so many records."""
        self._seen[name][count].append(size)

    def list_counts(self, name: str) -> list[int]:
        """For how many records such calls were measured."""
        return sorted(self._seen.get(name, {}))

    def list_sizes(self) -> Iterator[CallSize]:
        """All that was measured."""
        for counts in self._seen.values():
            for sizes in counts.values():
                yield from sizes

    def find(self, name: str, count: int = 1) -> CallSize:
        """The mean size of such a call; nothing where there is none of that name.

        Prompt and completion grow by the same for each record more, so what lies between or beyond two measured counts
        is on their line.
        """
        known = sorted(self._seen.get(name, {}))
        if not known:
            return NOTHING
        if count in known or len(known) == 1:
            return _mean(self._seen[name][count if count in known else known[0]])
        low, high = max(([a, b] for a, b in pairwise(known) if a < count), default=known[:2])
        share = (count - low) / (high - low)
        return _mean(self._seen[name][low]) * (1 - share) + _mean(self._seen[name][high]) * share


def _mean(sizes: Sequence[CallSize]) -> CallSize:
    return sum(sizes, NOTHING) * (1 / len(sizes))
