"""Fenced blocks in a text, found line by line: the time is that of one pass, whatever the text is like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Nobody writes longer fences; each length that a text has costs one more pass over it.
_LONGEST: Final = 12
_FENCE_LINE: Final = re.compile(r"[ \t]{0,40}(`{3,}|~{3,})([^\n`]*)\Z")


@dataclass(frozen=True, slots=True)
class FencedBlock:
    """A block between two fences."""

    start: int
    """Where the line of the opening fence begins."""
    end: int
    """Where the line of the closing fence ends, its newline not counted."""
    inside: str
    """The lines between the fences, each with its newline."""


def find_fenced_blocks(text: str) -> Iterator[FencedBlock]:
    """The blocks in order; a fence that is never closed opens none."""
    if "```" not in text and "~~~" not in text:
        return
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    never_closed: set[str] = set()
    at = 0
    while at < len(lines):
        opening = _FENCE_LINE.match(lines[at])
        mark = opening[1] if opening else ""
        if not mark or len(mark) > _LONGEST or mark in never_closed:
            at += 1
            continue
        closing = next((n for n in range(at + 1, len(lines)) if _closes(lines[n], mark)), None)
        if closing is None:
            never_closed.add(mark)
            at += 1
            continue
        inside = text[starts[at + 1] : starts[closing]]
        yield FencedBlock(starts[at], starts[closing] + len(lines[closing]), inside)
        at = closing + 1


def _closes(line: str, mark: str) -> bool:
    bare = line.strip(" \t")
    return bare.startswith(mark) and not bare.strip("`~")
