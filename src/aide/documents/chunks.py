"""Documents cut into chunks: by headings, then by length, on the bounds of sentences, with overlap."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aide.documents.blocks import Block
from aide.documents.files import Document
from aide.records import digest
from aide.text.sentences import find_sentences
from aide.text.words import count_unspaced

SIZE: Final = 300
"""Words of a chunk: as much as a judge is shown whole."""
_OVERLAP: Final = 8  # an eighth of a chunk's size at most is said again in the next
_SMALL: Final = 3  # a section of less than a third of a chunk's size takes the next one in
_FINER: Final = 10  # a tenth more chunks are tried where some would be too long
_ITEM: Final = re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])")
_LINE: Final = re.compile(r"\n")
_GAP: Final = re.compile(r"\s+")
_UNSPACED: Final = 2  # characters of scripts without spaces that count as a word
_BETWEEN: Final = " > "


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as it stands there."""

    text: str
    file: str
    """The document: its file, and of JSON lines the line."""
    heading: str
    """The headings that it stands under, the outermost first, joined by ` > `; empty where there is none."""
    offset: int
    """Where it begins in the text of the document, in characters; of a page or a PDF in the text got from it."""

    @property
    def id(self) -> str:
        """The hash of its text."""
        return digest("chunk", self.text)

    def as_meta(self) -> dict[str, Any]:
        """Its place, as it stands in the `meta` of a record."""
        return {"file": self.file, "heading": self.heading, "offset": self.offset}


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of text that is taken whole: a block, a sentence, a line."""

    start: int
    end: int
    size: int
    heading: bool = False


@dataclass(slots=True)
class _Section:
    """What stands under one heading."""

    heading: str
    blocks: list[Block]
    size: int


def measure_size(text: str) -> int:
    """The length of a text in words; of scripts without spaces two characters are a word."""
    return len(text.split()) + count_unspaced(text) // _UNSPACED


def cut_chunks(
    document: Document, blocks: Sequence[Block], size: int = SIZE, whole: int = 0
) -> Iterator[Chunk]:
    """The chunks of a document in their order. One of at most `whole` words stays whole.

    A chunk has at most `size` words, begins at a heading where it can, and at a sentence where a section is longer than
    that; then its first sentences are the last ones of the chunk before. Short sections that follow each other share a
    chunk, which goes by the heading of the first.
    """
    if measure_size(document.text) <= max(size, whole):
        first = blocks[0].title if blocks else ""
        heading = _BETWEEN.join(dict.fromkeys(filter(None, (document.title, first))))
        yield Chunk(document.text, document.name, heading, 0)
        return
    for section in _join_small(list(_find_sections(document, blocks)), size):
        if not section.blocks:
            continue
        if section.size <= size:
            bounds = [(section.blocks[0].start, section.blocks[-1].end)]
        else:
            bounds = _pack(list(_split_section(document.text, section, size)), size)
        for start, end in bounds:
            yield Chunk(document.text[start:end], document.name, section.heading, start)


def _find_sections(document: Document, blocks: Sequence[Block]) -> Iterator[_Section]:
    text = document.text
    path = [(0, document.title)]
    section = _Section(document.title, [], 0)
    for block in blocks:
        if block.kind == "heading":
            yield section
            path = [(level, title) for level, title in path if level < block.level]
            path.append((block.level, block.title))
            section = _Section(_BETWEEN.join(dict.fromkeys(title for _, title in path if title)), [], 0)
        if block.end > block.start:
            section.blocks.append(block)
            section.size += measure_size(text[block.start : block.end])
    yield section


def _join_small(sections: Sequence[_Section], size: int) -> list[_Section]:
    """Sections of which a short one is joined with the next; and the last, where it is short, with the one before."""
    joined: list[_Section] = []
    for section in sections:
        before = joined[-1] if joined else None
        if before and before.size * _SMALL < size and before.size + section.size <= size:
            joined[-1] = _Section(
                before.heading if before.blocks else section.heading,
                before.blocks + section.blocks,
                before.size + section.size,
            )
        else:
            joined.append(section)
    if len(joined) > 1 and joined[-1].size * _SMALL < size and joined[-2].size + joined[-1].size <= size:
        last = joined.pop()
        joined[-1] = _Section(
            joined[-1].heading, joined[-1].blocks + last.blocks, joined[-1].size + last.size
        )
    return joined


# --- sections longer than a chunk -------------------------------------------------------------------------


def _split_section(text: str, section: _Section, size: int) -> Iterator[_Span]:
    """Sentences, items and lines of a section, none longer than half a chunk."""
    for block in section.blocks:
        if block.kind == "heading":
            yield _Span(block.start, block.end, measure_size(text[block.start : block.end]), heading=True)
            continue
        for start, end in _split_block(text[block.start : block.end], block.kind):
            yield from _split_long(text, block.start + start, block.start + end, size // 2)


def _split_block(text: str, kind: str) -> Iterator[tuple[int, int]]:
    if kind == "prose":
        yield from find_sentences(text)
        return
    for start, end in _split_at(text, _ITEM if kind == "list" else _LINE):
        if kind == "list":
            yield from ((start + first, start + last) for first, last in find_sentences(text[start:end]))
        else:
            yield start, end


def _split_long(text: str, start: int, end: int, most: int) -> Iterator[_Span]:
    """A piece, or, where it is longer than `most` words, its lines, else its words a few at a time."""
    piece = text[start:end]
    size = measure_size(piece)
    if size <= most:
        yield _Span(start, end, size)
    elif "\n" in piece:
        for first, last in _split_at(piece, _LINE):
            yield from _split_long(text, start + first, start + last, most)
    else:
        words = list(_split_at(piece, _GAP))
        step = max(1, len(words) * most // size)
        if len(words) == 1:  # a script without spaces, or one endless word
            words = [(at, at + 1) for at in range(len(piece))]
            step = most * _UNSPACED
        for at in range(0, len(words), step):
            first, last = words[at][0], words[min(at + step, len(words)) - 1][1]
            yield _Span(start + first, start + last, measure_size(piece[first:last]))


def _split_at(text: str, bound: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for match in bound.finditer(text):
        if text[start : match.start()].strip():
            yield start, match.start()
            start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _pack(spans: Sequence[_Span], size: int) -> list[tuple[int, int]]:
    """Start and end of runs of spans of about equal length, none above `size` words; each but the first begins with the
    last spans of the one before.
    """
    overlap = size // _OVERLAP
    total, most = sum(span.size for span in spans), size - overlap
    count = -(-total // most)
    while True:
        packs = _divide(spans, total / count)
        if count >= len(spans) or all(sum(span.size for span in pack) <= most for pack in packs):
            break
        count += 1 + count // _FINER
    firsts = [packs[0][0], *(_find_overlap(before, overlap) for before in packs[:-1])]
    return [((first or pack[0]).start, pack[-1].end) for first, pack in zip(firsts, packs, strict=True)]


def _divide(spans: Sequence[_Span], aim: float) -> list[list[_Span]]:
    """Spans in runs whose ends are as near as can be to the multiples of `aim` words."""
    packs: list[list[_Span]] = [[]]
    done = 0
    for span in spans:
        if packs[-1] and done + span.size / 2 > aim * len(packs):
            packs.append([])
        packs[-1].append(span)
        done += span.size
    return packs


def _find_overlap(pack: Sequence[_Span], most: int) -> _Span | None:
    """The first of the last spans of a pack that have `most` words at most together; none where the last has more."""
    found, left = None, most
    for span in reversed(pack):
        left -= span.size
        if left < 0 or span.heading:
            break
        found = span
    return found
