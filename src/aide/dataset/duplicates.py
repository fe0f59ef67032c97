"""Duplicates among lines: the code that watches a run as it grows, over files."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from aide.dataset.hits import KeptLine, replace_hits
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import comparable_text, name_record, seed_as_record
from aide.dedup.lexical import LexicalDuplicate, LexicalIndex
from aide.seeds import LoadedSeeds
from aide.shards import IdSet


@dataclass(slots=True)
class SeenTexts:
    """Texts that were seen, under names of which none comes twice."""

    texts: LexicalIndex
    names: IdSet = field(default_factory=IdSet)
    seeds: tuple[RecordLine, ...] = ()

    def enter(self, line: RecordLine) -> None:
        """A line that stays, whatever it resembles."""
        self.texts.restore(self._name(line), comparable_text(line))

    def claim(self, line: RecordLine) -> LexicalDuplicate | None:
        """Take the line's text, or name the twin that has it."""
        return self.texts.claim(self._name(line), comparable_text(line))

    def find(self, line: RecordLine) -> LexicalDuplicate | None:
        """The twin of a line that is not entered itself."""
        twin = self.texts.claim(_PROBE, comparable_text(line))
        if twin is None:
            self.texts.release(_PROBE)
        return twin

    def _name(self, line: RecordLine) -> str:
        """The id, or where a line of that id was here before (files put together), file and line."""
        name = name_record(line)
        return name if self.names.add(name) else line.where


_PROBE = "(probe)"


def index_seeds(
    loaded: LoadedSeeds | None, mode: str = "near", threshold: float | None = None, *, entered: bool = True
) -> SeenTexts:
    """Texts to be compared with seeds and with each other.

    Seeds teach what all texts of the task share, and from which similarity on two of them are one
    (`Duplicates`). They are texts themselves unless `entered` is false.
    """
    if loaded is None:
        return SeenTexts(LexicalIndex(mode, (), threshold=threshold))
    labelled = len({frozenset(seed.draft.choices) for seed in loaded.seeds}) == 1 < len(loaded.seeds)
    format = "classification" if labelled else "free_text"
    lines = [RecordLine(seed_as_record(seed, loaded.task, format), b"") for seed in loaded.seeds]
    texts = [(name_record(line), comparable_text(line)) for line in lines]
    known = SeenTexts(LexicalIndex(mode, texts, threshold=threshold), seeds=tuple(lines))
    for line in lines:
        if entered:
            known.names.add(name_record(line))
        else:
            known.texts.release(name_record(line))
    return known


def remove_duplicates(
    lines: Iterable[RecordLine],
    seen: SeenTexts,
    handle: Callable[[RecordLine, LexicalDuplicate], KeptLine | None],
) -> Iterator[KeptLine]:
    """The lines that repeat none before them; of each other one what `handle` makes of it and its original.

    About 300 bytes of memory are held for each line that is kept.
    """
    return replace_hits(lines, seen.claim, handle)


__all__ = ["SeenTexts", "index_seeds", "remove_duplicates"]
