"""Payloads around those of `parsing`: what was read becomes a draft, or keeps what the model thought before it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from aide.errors import Unusable
from aide.records import Draft, Payload, replace
from aide.text.markers import find_control_mark

V = TypeVar("V")


class DraftPayload(Generic[V]):
    """A completion that becomes a draft: read by `inner`, built, and checked against the format.

    A fault found while building or checking is `Unusable`: it goes through the one re-ask of any other.
    """

    def __init__(self, inner: Payload[V], build: Callable[[V], Draft], check: Callable[[Draft], str]) -> None:
        self.name, self.schema = inner.name, inner.schema
        self._inner, self._build, self._check = inner, build, check

    def read(self, text: str) -> Draft:
        """The checked draft; raises `Unusable`."""
        try:
            draft = self._build(self._inner.read(text))
        except Unusable as fault:
            # The re-ask shows the whole completion, not the piece that a part of the reader saw.
            raise Unusable(fault.reason, fault.problem, said=text) from fault
        if problem := self._check(draft):
            raise Unusable("broken_format", problem, said=text)
        return draft

    def read_reasoned(self, text: str, thoughts: str) -> Draft:
        """The checked draft with what was thought before it; raises `Unusable`.

        Thoughts that hold marks of a chat template would break whatever they are put into, and are left out.
        """
        draft = self.read(text)
        return replace(draft, thoughts="" if find_control_mark(thoughts) else thoughts)


class ThoughtsPayload(Generic[V]):
    """What `inner` reads, together with what the model thought before it."""

    def __init__(self, inner: Payload[V]) -> None:
        self.name, self.schema = inner.name, inner.schema
        self._inner = inner

    def read(self, text: str) -> tuple[V, str]:
        """The value, and no thoughts; raises `Unusable`."""
        return self._inner.read(text), ""

    def read_reasoned(self, text: str, thoughts: str) -> tuple[V, str]:
        """The value and the thoughts; raises `Unusable`."""
        return self._inner.read(text), "" if find_control_mark(thoughts) else thoughts
