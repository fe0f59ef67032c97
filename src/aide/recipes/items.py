"""Several new inputs from one call: plain text in numbered tags."""

import re
from collections.abc import Mapping
from typing import Any

from aide.errors import Unusable
from aide.parsing import TextPayload

_ITEM = re.compile(r"<item n=[\"']?(\d+)[\"']?>(.*?)(?=</item>|<item n=|\Z)", re.DOTALL)


class ItemsPayload:
    """`<item n="1">…</item>` for each of `count` inputs; what is missing is left out, none at all is unusable."""

    schema: Mapping[str, Any] | None = None

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self._text = TextPayload(name)

    def read(self, text: str) -> dict[int, str]:
        """Number of the item to its text."""
        items = {
            int(n): body.strip()
            for n, body in _ITEM.findall(text)
            if 1 <= int(n) <= self.count and body.strip()
        }
        if not items:
            raise Unusable("no_items", f'Write {self.count} items, each as <item n="1">…</item>.', said=text)
        return {n: self._text.read(body) for n, body in items.items()}
