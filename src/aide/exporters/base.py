"""What every exporter shares: what it is given, what it gives back, and the registry of them all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.exporters.rendering import ExampleRenderer
from aide.registry import Registry


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What is to be written, and where."""

    dest: str
    """A file, a folder, or `-` for standard output."""
    rendering: ExampleRenderer
    sources: tuple[str, ...] = ()
    """What the lines come from, as the person named it."""
    seeds: NamedSeeds | None = None
    """The seed files behind the records, if they are known."""
    name: str = "aide"
    """The name of the data set."""
    license: str = ""
    """The licence of the data set, as the person named it."""


@dataclass(slots=True)
class ExportResult:
    """What an exporter wrote."""

    count: int = 0
    """Examples written."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Records that make no example, by reason."""
    files: tuple[str, ...] = ()
    """What was written into the folder, by paths in it; empty for a single file."""
    kept: tuple[str, ...] = ()
    """Those of them that a person has edited and that were left as they are."""


class Exporter(Protocol):
    """One form in which a trainer takes examples."""

    @property
    def streams(self) -> bool:
        """True if it writes one line after the other, so that `dest` may be `-`."""
        ...

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write all lines to `job.dest`.

        Raises:
            InputError: a line makes no example, or the destination can't be written.
        """
        ...


EXPORTERS: Final[Registry[Exporter]] = Registry("export")
