"""How much of the prompts a server with a prefix cache would have had already, by what was sent to it."""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from aide.llm.usage import CHARS_PER_TOKEN
from aide.records import Message, Usage

BLOCK: Final = 16  # tokens
BLOCKS: Final = 16_384  # as many as a cache of 262,144 tokens has


class Prefixes:
    """A model of such a cache: whole blocks of `BLOCK` tokens, each known by all that stands before it.

    It holds between `blocks` and half of that, and forgets what was not met for longest. Tokens are counted as
    `usage` tells them; where in the text a block ends is estimated at `CHARS_PER_TOKEN` bytes a token.
    """

    def __init__(self, blocks: int = BLOCKS) -> None:
        self.prompt = 0
        self.hit = 0.0
        self.told = 0
        self._half = blocks // 2
        self._young: set[int] = set()
        self._old: set[int] = set()

    def note(self, model: str, messages: Sequence[Message], usage: Usage) -> None:
        """Count the prompt of an answered call."""
        text = "\n".join([model, *(message.content for message in messages)]).encode("utf-8", "replace")
        size, young, old = BLOCK * CHARS_PER_TOKEN, self._young, self._old
        mark, hits, hitting = 0, 0, True
        for at in range(0, len(text) - size + 1, size):
            mark = crc32(text[at : at + size], mark)
            hitting = hitting and (mark in young or mark in old)
            hits += hitting
            young.add(mark)
        if len(young) > self._half:
            self._young, self._old = set(), young
        self.prompt += usage.prompt
        self.hit += usage.prompt * hits * size / max(1, len(text))
        self.told += usage.cached

    def as_dict(self) -> dict[str, float]:
        """Shares of all prompt tokens: what such a cache would have had, and what the server says it had."""
        whole = max(1, self.prompt)
        return {"would_hit": round(self.hit / whole, 4), "told": round(self.told / whole, 4)}
