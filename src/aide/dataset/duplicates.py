"""Duplicates among lines: the code that watches a run as it grows, over files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aide.dataset.lines import Line
from aide.dataset.record_content import compared, name_of, seed_record
from aide.dedup.lexical import Duplicates, Twin
from aide.seeds import Loaded
from aide.shards import Ids


@dataclass(slots=True)
class Known:
    """Texts that were seen, under names of which none comes twice."""

    texts: Duplicates
    names: Ids = field(default_factory=Ids)
    seeds: tuple[Line, ...] = ()

    def enter(self, line: Line) -> None:
        """A line that stays, whatever it resembles."""
        self.texts.restore(self._name(line), compared(line))

    def claim(self, line: Line) -> Twin | None:
        """Take the line's text, or name the twin that has it."""
        return self.texts.claim(self._name(line), compared(line))

    def find(self, line: Line) -> Twin | None:
        """The twin of a line that is not entered itself."""
        twin = self.texts.claim(_PROBE, compared(line))
        if twin is None:
            self.texts.release(_PROBE)
        return twin

    def _name(self, line: Line) -> str:
        """The id, or where a line of that id was here before (files put together), file and line."""
        name = name_of(line)
        return name if self.names.add(name) else line.where


_PROBE = "(probe)"


def among(
    loaded: Loaded | None, mode: str = "near", threshold: float | None = None, *, entered: bool = True
) -> Known:
    """Texts to be compared with seeds and with each other.

    Seeds teach what all texts of the task share, and from which similarity on two of them are one
    (`Duplicates`). They are texts themselves unless `entered` is false.
    """
    if loaded is None:
        return Known(Duplicates(mode, (), threshold=threshold))
    labelled = len({frozenset(seed.draft.choices) for seed in loaded.seeds}) == 1 < len(loaded.seeds)
    format = "classification" if labelled else "free_text"
    lines = [Line(seed_record(seed, loaded.task, format), b"") for seed in loaded.seeds]
    texts = [(name_of(line), compared(line)) for line in lines]
    known = Known(Duplicates(mode, texts, threshold=threshold), seeds=tuple(lines))
    for line in lines:
        if entered:
            known.names.add(name_of(line))
        else:
            known.texts.release(name_of(line))
    return known


def without_twins(
    lines: Iterable[Line], known: Known, told: Callable[[Line, Twin], Line | Mapping[str, Any] | None]
) -> Iterator[Line | Mapping[str, Any]]:
    """The lines, but for those that repeat one before them: of these, what `told` makes of line and twin.

    About 300 bytes of memory are held for each line that stays.
    """
    for line in lines:
        twin = known.claim(line)
        kept: Line | Mapping[str, Any] | None = line if twin is None else told(line, twin)
        if kept is not None:
            yield kept


__all__ = ["Known", "among", "without_twins"]
