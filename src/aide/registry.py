"""Things that are found by name: formats, operations, exporters and the like."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from aide.errors import InputError
from aide.text.suggestions import suggest_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of thing and the things themselves.

    A name that is taken is a fault of the programmer, a name that is not there one of the person.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        """What the things are called in messages: `format`, `operation`, `exporter`, …"""
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
        raise InputError(
            f"there is no {self.kind} named {name!r}{suggest_name(name, self._items)}",
            hint=f"one of: {', '.join(sorted(self._items))}",
        )

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
