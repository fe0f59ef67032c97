"""The passages of `--knowledge`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aide.config.spec import RunSpec
from aide.documents import DocumentReader
from aide.documents.blocks import find_blocks
from aide.documents.chunks import cut_chunks
from aide.documents.conversions import find_cache
from aide.retrieval import Knowledge, Passage, WordIndex

_SIZE: Final = 150  # words of a passage
_WHOLE: Final = 300  # words of a document that stays one


@dataclass(frozen=True, slots=True)
class GivenKnowledge:
    """What `--knowledge` gives."""

    passages: Knowledge | None = None
    """None where the option is not given."""
    notes: tuple[str, ...] = ()
    """What was left out, in sentences."""


def read_knowledge(spec: RunSpec) -> GivenKnowledge:
    """The passages of all files and folders of `--knowledge`.

    Raises:
        InputError: a file can't be read, a line of it holds no text, or none of them does.
    """
    if not spec.knowledge:
        return GivenKnowledge()
    reader = DocumentReader(
        spec.knowledge, encoding=spec.encoding, skip_bad=spec.skip_bad, flag="--knowledge", cache=find_cache()
    )
    words = WordIndex(_cut_passages(reader))
    if not len(words):
        raise reader.describe_nothing()
    return GivenKnowledge(Knowledge(words), tuple(reader.notes))


def _cut_passages(reader: DocumentReader) -> Iterator[Passage]:
    for document in reader.read():
        for chunk in cut_chunks(document, list(find_blocks(document.text)), _SIZE, _WHOLE):
            yield Passage(chunk.text, chunk.as_meta())
