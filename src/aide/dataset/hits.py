"""Lines that a check has hit: counted, reported one by one, and then dropped or marked."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeVar

from aide.dataset.lines import RecordLine, open_output
from aide.dataset.record_content import name_record
from aide.jsonl import encode_line

Hit = TypeVar("Hit")
KeptLine = RecordLine | Mapping[str, Any]
"""A line that is passed on: byte by byte, or as the record that it became."""


def replace_hits(
    lines: Iterable[RecordLine],
    find: Callable[[RecordLine], Hit | None],
    handle: Callable[[RecordLine, Hit], KeptLine | None],
) -> Iterator[KeptLine]:
    """The lines for which `find` finds nothing; each other one as `handle` returns it, `None` drops it."""
    for line in lines:
        hit = find(line)
        kept = line if hit is None else handle(line, hit)
        if kept is not None:
            yield kept


@dataclass(slots=True)
class HitLog:
    """What `aide dedup` and `aide decontaminate` do with hits."""

    mark_field: str
    """The field that says, in a marked record, what it was hit by."""
    mark: bool
    """Keep hits and mark them, instead of dropping them."""
    report: BinaryIO | None = None
    """Where every hit is written as a JSON line; `None` writes nothing."""
    read: int = 0
    """How many lines were read."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many hits there were of each kind."""

    @classmethod
    @contextmanager
    def open(cls, mark_field: str, *, mark: bool, report: str | None) -> "Iterator[HitLog]":
        """A log whose report, if one is wanted, is put in its place when all went well.

        Raises:
            InputError: the report can't be written.
        """
        if report is None:
            yield cls(mark_field, mark)
            return
        with open_output(report) as file:
            yield cls(mark_field, mark, file)

    def count_lines(self, lines: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The same lines, counted as they pass."""
        for line in lines:
            self.read += 1
            yield line

    def add(self, line: RecordLine, kind: str, found: Mapping[str, Any]) -> dict[str, Any] | None:
        """Count and report a hit; returns the marked record, or `None` where hits are dropped."""
        self.counts[kind] += 1
        # The report has every hit, also if hits are dropped: only there they can still be looked at.
        if self.report is not None:
            self.report.write(encode_line({"id": name_record(line), "where": line.where, **found}))
        return {**line.record, self.mark_field: found} if self.mark else None

    @property
    def outcome(self) -> str:
        """What became of the hits, such as `dropped 3`."""
        return f"{'marked' if self.mark else 'dropped'} {self.counts.total():,}"
