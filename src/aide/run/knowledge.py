"""The passages of `--knowledge`."""

from collections.abc import Iterator
from typing import Final

from aide.config.spec import RunSpec
from aide.documents import DocumentReader
from aide.documents.blocks import find_blocks
from aide.documents.chunks import cut_chunks
from aide.documents.conversions import find_cache
from aide.errors import InputError
from aide.retrieval import Knowledge, Passage, WordIndex

_SIZE: Final = 150  # words of a passage
_WHOLE: Final = 300  # words of a document that stays one


def read_knowledge(spec: RunSpec) -> Knowledge | None:
    """The passages of all files and folders of `--knowledge`; `None` where there are none.

    Raises:
        InputError: a file can't be read, a line of it holds no text, or none of them does.
    """
    if not spec.knowledge:
        return None
    words = WordIndex(_read_passages(spec))
    if not len(words):
        raise InputError(
            f"--knowledge: {', '.join(map(str, spec.knowledge))} holds no text",
            hint="such as a handbook in Markdown",
        )
    return Knowledge(words)


def _read_passages(spec: RunSpec) -> Iterator[Passage]:
    reader = DocumentReader(
        spec.knowledge, encoding=spec.encoding, skip_bad=spec.skip_bad, flag="--knowledge", cache=find_cache()
    )
    for document in reader.read():
        for chunk in cut_chunks(document, list(find_blocks(document.text)), _SIZE, _WHOLE):
            yield Passage(chunk.text, chunk.as_meta())
