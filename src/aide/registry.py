"""One generic registry: a name leads to an object, and a collision is a fault of the programmer."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Generic, TypeVar

from aide.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of thing (`format`, `operation`, `exporter`, …) and the things themselves."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register `item` under `name`; raises `ValueError` where the name is taken."""
        if name in self._items:
            raise ValueError(f"two of the {self.kind}s are named {name!r}")
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        """The thing of that name; raises `InputError` naming what there is."""
        if name in self._items:
            return self._items[name]
        close = get_close_matches(name, self._items, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(
            f"there is no {self.kind} named {name!r}{meant}", hint=f"one of: {', '.join(sorted(self._items))}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
