"""What `--contexts` names as chunks: read file by file, cut, screened, and thinned where there are too many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aide.documents.blocks import find_blocks
from aide.documents.chunks import SIZE, Chunk, cut_chunks
from aide.documents.files import DocumentReader
from aide.documents.screening import ChunkScreen, ScreenedChunk
from aide.errors import InputError

MOST_CHUNKS: Final = 20_000
"""Chunks that are kept in memory, some 50 MB; of more the documents have even shares."""
_SPARE: Final = 1.25  # thinning looks at all chunks, so it is not done for each


@dataclass(frozen=True, slots=True)
class LoadedChunks:
    """The chunks of all documents, in the order of these, and what a person should know of what was left out."""

    chunks: tuple[Chunk, ...]
    notes: tuple[str, ...]


def load_chunks(
    reader: DocumentReader,
    seeds: Sequence[str] = (),
    *,
    size: int = SIZE,
    most: int = MOST_CHUNKS,
) -> LoadedChunks:
    """Chunks of at most `size` words. `seeds` are the inputs of seeds, in whose language the documents should be.

    One document is in memory at a time, with `most` chunks of all. Which are kept of more depends on their texts alone.

    Raises:
        InputError: as `DocumentReader.read`; or nothing is left.
    """
    screen, kept = ChunkScreen(seeds), _EvenSample(most)
    for document in reader.read():
        blocks = list(find_blocks(document.text))
        chunks = list(cut_chunks(document, blocks, size))
        kept.add(list(screen.screen_document(document.text, blocks, chunks)))
    if not kept.documents:
        raise reader.describe_nothing()
    chosen = screen.choose(list(kept.thin()))
    notes = [*reader.notes, *screen.notes]
    if not chosen:
        raise InputError("--contexts: nothing is left of the documents", hint="; ".join(notes))
    if kept.seen > most:
        notes.append(f"--contexts takes {kept.held:,} of {kept.seen:,} chunks, evenly from all documents")
    return LoadedChunks(tuple(each.chunk for each in chosen), tuple(notes))


def load_whole(reader: DocumentReader, *, most: int) -> LoadedChunks:
    """Documents as they are; one of more than `most` words is cut into chunks of that length.

    Raises:
        InputError: as `DocumentReader.read`; or no document holds a text.
    """
    chunks: list[Chunk] = []
    for document in reader.read():
        chunks += cut_chunks(document, list(find_blocks(document.text)), most)
    if not chunks:
        raise reader.describe_nothing()
    return LoadedChunks(tuple(chunks), tuple(reader.notes))


class _EvenSample:
    """At most `most` chunks of any number: of each document as many as of any other, as far as it has them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._documents: list[list[ScreenedChunk]] = []
        self._counts: list[int] = []  # of each document, before it was thinned
        self.held = 0
        self.seen = 0

    @property
    def documents(self) -> int:
        """How many were added of which something is kept, or might have been."""
        return len(self._documents)

    def add(self, chunks: list[ScreenedChunk]) -> None:
        """Take those of one document."""
        self._documents.append(chunks)
        self._counts.append(len(chunks))
        self.seen += len(chunks)
        self.held += len(chunks)
        if self.held > _SPARE * self._most:
            self._thin()

    def thin(self) -> Iterator[ScreenedChunk]:
        """Those that are kept, in the order of their documents."""
        if self.held > self._most:
            self._thin()
        for chunks in self._documents:
            yield from chunks

    def _thin(self) -> None:
        share = _find_share(self._counts, self._most)
        for place, chunks in enumerate(self._documents):
            # By its hash, so that the choice is the same in any order, and of a smaller share a part of the larger's.
            kept = {each.id for each in sorted(chunks, key=lambda each: each.id)[: max(1, share)]}
            self._documents[place] = [each for each in chunks if each.id in kept]
        if not share:
            last = sorted(each.id for chunks in self._documents for each in chunks)[: self._most][-1]
            kept_documents = ([each for each in chunks if each.id <= last] for chunks in self._documents)
            # More documents than chunks are kept: which they are follows from the hashes alone from here on.
            self._documents = [chunks for chunks in kept_documents if chunks]
            self._counts = [len(chunks) for chunks in self._documents]
        self.held = sum(map(len, self._documents))


def _find_share(counts: Sequence[int], most: int) -> int:
    """The largest share of each document with which all together stay within `most`; 0 where one is too many."""
    low, high = 0, max(counts, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(count, middle) for count in counts) <= most:
            low = middle
        else:
            high = middle - 1
    return low
