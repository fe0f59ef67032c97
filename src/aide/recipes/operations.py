"""The operations Op of the method, by name. A new one is a prompt file and one line here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aide.formats import Format
from aide.prompts import list_variants
from aide.records import OPERATIONS as NAMES
from aide.registry import Registry


@dataclass(frozen=True, slots=True)
class Operation:
    """A way to change a data point along a triple; what it means for a format is told by its prompts."""

    name: str

    def templates(self, format: Format, *, has_parts: bool) -> Sequence[str]:
        """Names of its prompts, the most special first: the first one that exists is meant."""
        return list_variants(self.name, format.prompt_names, parts=has_parts)


OPERATIONS: Final[Registry[Operation]] = Registry("operation")
for _name in NAMES:
    OPERATIONS.add(_name, Operation(_name))
