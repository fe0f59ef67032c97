"""Things that are found by name: formats, operations, exporters and the like."""

from typing import TypeVar

from aide.errors import InputError
from aide.text.suggestions import suggest_name

T = TypeVar("T")


class Registry(dict[str, T]):
    """Names of one kind of thing and the things themselves.

    A name that is taken is a fault of the programmer, a name that is not there one of the person.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        """What the things are called in messages: `format`, `operation`, `exporter`, …"""

    def add(self, name: str, item: T) -> T:
        """Register `item` under `name`; raises `ValueError` where the name is taken."""
        if name in self:
            raise ValueError(f"two of the {self.kind}s are named {name!r}")
        self[name] = item
        return item

    def __missing__(self, name: str) -> T:
        """What `registry[name]` does where nothing has the name: raises `InputError` naming what there is."""
        raise InputError(
            f"there is no {self.kind} named {name!r}{suggest_name(name, self)}",
            hint=f"one of: {', '.join(sorted(self))}",
        )
