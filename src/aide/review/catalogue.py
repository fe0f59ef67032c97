"""What there is to review: a short entry for each record and reject of a run folder, in the order of its files.

Texts stay on the disk; an entry knows where its line stands. The folder may be growing: `follow` reads what was
appended, and reads a file anew that a prune has replaced. An entry keeps its number for good.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aide.dataset.record_content import is_labelled
from aide.jsonl import encode_json, parse_json
from aide.records import read_varying
from aide.run.folder import RunFolder
from aide.shards import list_shards
from aide.text.structure import read_structure

RECORD: Final = "record"
REJECT: Final = "reject"
SNIPPET: Final = 160
"""Characters of a text that the list shows."""


@dataclass(slots=True)
class CatalogueEntry:
    """One line of the list."""

    number: int
    id: str
    kind: str
    """`record` or `reject`."""
    part: int
    """The number of its file in the catalogue."""
    start: int
    length: int
    text: str
    """The beginning of its input."""
    hop: int
    operation: str
    seed: str
    persona: str
    labels: tuple[str, ...]
    """The record's labels; of a reject what was asked for; empty where the task has none."""
    scores: Mapping[str, Any]
    revisions: int
    reason: str
    """Why it was rejected; empty for a record."""
    nearness: float
    """The share of words in common with the nearest seed, 0 to 1."""
    gone: bool = False
    """Whether a prune has taken it out of its file."""


@dataclass(slots=True)
class _Part:
    path: Path
    kind: str
    inode: int = 0
    end: int = 0


class Catalogue:
    """The entries of a run folder."""

    def __init__(self, folder: RunFolder, measure_nearness: Callable[[str, str], float]) -> None:
        """`measure_nearness` compares a text with the seeds, of which the second argument is its own by its id."""
        self.entries: list[CatalogueEntry] = []
        self.numbers: dict[str, int] = {}
        """The number of an entry by its id."""
        self._folder = folder
        self._measure_nearness = measure_nearness
        self._parts: list[_Part] = []
        self.follow()

    def follow(self) -> int:
        """Read what was appended or replaced since the last look; returns how many entries are new."""
        known = {part.path: part for part in self._parts}
        paths = list_shards(self._folder.shards) if self._folder.shards.is_dir() else []
        for path, kind in [*((path, RECORD) for path in paths), (self._folder.rejects, REJECT)]:
            if path not in known and path.is_file():
                self._parts.append(_Part(path, kind))
        before = len(self.entries)
        for number, part in enumerate(self._parts):
            self._follow_part(number, part)
        return len(self.entries) - before

    def read(self, entry: CatalogueEntry) -> dict[str, Any]:
        """The line of an entry, as it stands in its file now; empty where the file has been replaced since."""
        try:
            with self._parts[entry.part].path.open("rb") as file:
                file.seek(entry.start)
                found = parse_json(file.read(entry.length))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and found.get("id") == entry.id else {}

    def read_all(self) -> Iterator[tuple[CatalogueEntry, dict[str, Any]]]:
        """All entries with their lines, file by file."""
        for entry in self.entries:
            if not entry.gone and (line := self.read(entry)):
                yield entry, line

    def _follow_part(self, number: int, part: _Part) -> None:
        try:
            file = part.path.open("rb")
        except OSError:
            return
        with file:
            facts = part.path.stat()
            if facts.st_ino != part.inode or facts.st_size < part.end:
                for entry in self.entries:
                    entry.gone |= entry.part == number
                part.inode, part.end = facts.st_ino, 0
            file.seek(part.end)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break  # the run is writing it
                self._add(number, part, raw)
                part.end += len(raw)

    def _add(self, number: int, part: _Part, raw: bytes) -> None:
        try:
            line = parse_json(raw)
            entry = self._make_entry(line, part.kind, number, part.end, len(raw))
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # no record: the commands that read the folder name it
        known = self.numbers.get(entry.id)
        if known is None:
            self.numbers[entry.id] = entry.number
            self.entries.append(entry)
        elif part.kind == RECORD or self.entries[known].kind == REJECT:
            entry.number = known
            self.entries[known] = entry

    def _make_entry(
        self, line: Mapping[str, Any], kind: str, part: int, start: int, length: int
    ) -> CatalogueEntry:
        lineage = line["lineage"]
        text = read_varying(line) if isinstance(line.get("input"), str) else show_value(line.get("input"))
        label = str(lineage.get("label") or "")
        asked = read_structure(label) or list(
            filter(None, [label])
        )  # a set of labels is asked for as a JSON list
        found = line["output"] if kind == RECORD and is_labelled(line) else asked
        return CatalogueEntry(
            number=len(self.entries),
            id=str(line["id"]),
            kind=kind,
            part=part,
            start=start,
            length=length,
            text=" ".join(text[: 4 * SNIPPET].split())[:SNIPPET],
            hop=int(lineage["hop"]),
            operation=str(lineage["operation"]),
            seed=str(lineage["seed_id"]),
            persona=str(lineage.get("persona") or ""),
            labels=tuple(map(str, found if isinstance(found, list) else [found])),
            scores={
                name: value for name, value in (line.get("scores") or {}).items() if name != "own_answer"
            },
            revisions=int(line.get("revisions") or 0),
            reason=str(line.get("reason") or "") if kind == REJECT else "",
            nearness=self._measure_nearness(text, str(lineage["seed_id"])),
        )


def show_value(value: Any) -> str:
    """A structured value as text."""
    return value if isinstance(value, str) else encode_json(value).decode()
