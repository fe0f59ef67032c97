"""How much of the prompts a server with a prefix cache would have had already, by what was sent to it.

Few servers report what their cache served. The share says whether prompts put first what siblings share, and
whether the order of calls keeps it warm; `doctor` and the statistics of a run show it.
"""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from aide.llm.usage import CHARS_PER_TOKEN
from aide.records import Message, Usage

BLOCK: Final = 16  # tokens: the block size that vLLM begins with
BLOCKS: Final = 16_384  # 262,144 tokens: 34 GB of keys and values of a Llama of 8 billion parameters
SIZE: Final = BLOCK * CHARS_PER_TOKEN  # bytes
HEADS: Final = 128  # system messages whose marks are kept: a run has one a step and set of fixed parts


class PrefixCacheMeter:
    """A model of such a cache: whole blocks of `BLOCK` tokens, each known by all that stands before it.

    It holds between `blocks` and half of that, and forgets what was not met for longest: two sets that take turns
    do that without an order to keep. Where in the text a block ends is estimated at `CHARS_PER_TOKEN` bytes a
    token.
    """

    def __init__(self, blocks: int = BLOCKS) -> None:
        self.prompt = 0
        """Prompt tokens so far, as `usage` reports them."""
        self.hit = 0.0
        """Of them those that the cache would have had."""
        self.reported = 0
        """Of them those that the server said it had."""
        self._half = blocks // 2
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._heads: dict[tuple[str, str], tuple[list[int], bytes]] = {}

    def note(self, model: str, messages: Sequence[Message], usage: Usage) -> None:
        """Count the prompt of an answered call."""
        marks, rest = self._head(model, messages[0].content)
        head, young, old = len(marks), self._young, self._old
        text = rest + "\n".join(message.content for message in messages[1:]).encode("utf-8", "replace")
        mark = marks[-1] if marks else 0
        marks = [
            *marks,
            *(mark := crc32(text[at : at + SIZE], mark) for at in range(0, len(text) - SIZE + 1, SIZE)),
        ]
        hits = next(
            (at for at, each in enumerate(marks) if each not in young and each not in old), len(marks)
        )
        young.update(marks)
        if len(young) > self._half:
            self._young, self._old = set(), young
        self.prompt += usage.prompt
        self.hit += usage.prompt * hits * SIZE / max(1, head * SIZE + len(text))
        self.reported += usage.cached

    def _head(self, model: str, system: str) -> tuple[list[int], bytes]:
        """The marks of the whole blocks in a system message, and the bytes after them; many calls share it."""
        known = self._heads.get((model, system))
        if known is None:
            text = f"{model}\n{system}\n".encode("utf-8", "replace")
            ends = range(SIZE, len(text) + 1, SIZE)
            mark = 0
            known = [mark := crc32(text[end - SIZE : end], mark) for end in ends], text[len(ends) * SIZE :]
            if len(self._heads) >= HEADS:
                self._heads.clear()
            self._heads[model, system] = known
        return known

    def as_dict(self) -> dict[str, float]:
        """Shares of all prompt tokens: what such a cache would have had, and what the server says it had."""
        whole = max(1, self.prompt)
        return {"would_hit": round(self.hit / whole, 4), "told": round(self.reported / whole, 4)}
