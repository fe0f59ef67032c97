"""Duplicates among lines: the checks of a run, applied to files."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from aide.dataset.hits import KeptLine, replace_hits
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import comparable_text, name_record, seed_as_record
from aide.dedup.lexical import LexicalDuplicate, LexicalIndex
from aide.seeds import LoadedSeeds
from aide.shards import IdSet

_PROBE: Final = "(probe)"
HandleDuplicate = Callable[[RecordLine, LexicalDuplicate], KeptLine | None]
"""Called with a duplicate and its original; returns what is passed on in its place, or `None`."""


@dataclass(slots=True)
class SeenTexts:
    """Texts that were seen, each under a name of its own."""

    texts: LexicalIndex
    names: IdSet = field(default_factory=IdSet)
    seeds: tuple[RecordLine, ...] = ()
    """The seeds, in the shape of records."""

    def enter(self, line: RecordLine) -> None:
        """Enter a line that is kept, whatever it resembles."""
        self.texts.restore(self._choose_name(line), comparable_text(line))

    def admit(self, line: RecordLine) -> LexicalDuplicate | None:
        """Enter the line, or return the original that it repeats."""
        return self.texts.admit(self._choose_name(line), comparable_text(line))

    def find(self, line: RecordLine) -> LexicalDuplicate | None:
        """The original that a line repeats; the line itself is not entered."""
        original = self.texts.admit(_PROBE, comparable_text(line))
        if original is None:
            self.texts.release(_PROBE)
        return original

    def _choose_name(self, line: RecordLine) -> str:
        """The id, or file and line if the id was seen before.

        Files that were put together hold ids twice. A second text under one id would replace the first text,
        as after a revision, instead of being compared with it.
        """
        name = name_record(line)
        return name if self.names.add(name) else line.where


def index_seeds(
    loaded: LoadedSeeds | None, mode: str = "near", threshold: float | None = None, *, entered: bool = True
) -> SeenTexts:
    """An index for texts that are compared with the seeds and with each other.

    Seeds teach what all texts of the task share, and from which similarity on two texts are duplicates (see
    `LexicalIndex`). They are compared with unless `entered` is false.
    """
    if loaded is None:
        return SeenTexts(LexicalIndex(mode, (), threshold=threshold))
    # Options that all seeds have in common are labels, which take no part in the comparison.
    labelled = len({frozenset(seed.draft.choices) for seed in loaded.seeds}) == 1 < len(loaded.seeds)
    format = "classification" if labelled else "free_text"
    lines = [RecordLine(seed_as_record(seed, loaded.task, format), b"") for seed in loaded.seeds]
    texts = [(name_record(line), comparable_text(line)) for line in lines]
    seen = SeenTexts(LexicalIndex(mode, texts, threshold=threshold), seeds=tuple(lines))
    for line in lines:
        if entered:
            seen.names.add(name_record(line))
        else:
            seen.texts.release(name_record(line))
    return seen


def remove_duplicates(
    lines: Iterable[RecordLine], seen: SeenTexts, handle: HandleDuplicate
) -> Iterator[KeptLine]:
    """The lines that repeat none before them; in place of each other one what `handle` returns.

    About 300 bytes of memory are held for each line that is kept.
    """
    return replace_hits(lines, seen.admit, handle)
