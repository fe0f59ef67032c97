"""What every exporter shares: what it is given, what it gives back, and the registry of them all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.exporters.rendering import ExampleRenderer
from aide.registry import Registry


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What is to be written, and where.

    Attributes:
        dest: a file, a folder, or `-` for standard output.
        rendering: how records become examples.
        sources: what the lines come from, as the person named it.
        seeds: the seed files behind the records, where they are known.
        name: of the data set.
        license: its licence, as the person named it.
    """

    dest: str
    rendering: ExampleRenderer
    sources: tuple[str, ...] = ()
    seeds: NamedSeeds | None = None
    name: str = "aide"
    license: str = ""


@dataclass(slots=True)
class ExportResult:
    """How many examples were written; `skipped` counts by reason the records of which none could be made."""

    count: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """One record more that makes no example."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


class Exporter(Protocol):
    """One form in which a trainer takes examples.

    `streams` says that it writes lines one at a time, so that it may write to standard output.
    """

    @property
    def streams(self) -> bool:
        """Whether `dest` may be `-`."""
        ...

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write all lines to `job.dest`.

        Raises:
            InputError: a line makes no example, or the place can't be written.
        """
        ...


EXPORTERS: Final[Registry[Exporter]] = Registry("export")

Render = Callable[[RecordLine, ExportJob], dict[str, Any]]

__all__ = ["EXPORTERS", "ExportJob", "ExportResult", "Exporter", "Render"]
