"""The documents of `--contexts`, as the recipe and the seeds can use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aide.config.spec import RunSpec
from aide.documents import Chunk, DocumentReader, load_chunks, load_whole
from aide.documents.chunks import measure_size
from aide.documents.conversions import find_cache
from aide.documents.load import MOST_CHUNKS
from aide.recipes import find_recipe
from aide.records import Seed
from aide.streams import is_stream
from aide.text.figures import format_plural

# Words of a document that stands for a fixed part as it is, however short those of the seeds are; and how many times as
# long as the longest of these it may be.
_WHOLE: Final = 2000
_TIMES: Final = 2
_MOST_SEARCHED: Final = 100_000  # passages of a collection, some 250 MB


@dataclass(frozen=True, slots=True)
class GivenContexts:
    """What `--contexts` gives: texts in place of fixed parts of the seeds, or chunks beside the seeds."""

    texts: tuple[str, ...] = ()
    documents: tuple[Chunk, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know of it, in sentences."""


def read_contexts(spec: RunSpec, seeds: Sequence[Seed], paths: Sequence[str]) -> GivenContexts:
    """The documents: in chunks, for a recipe that takes such; else whole, but for those far longer than fixed parts.

    `paths` are the files of the seeds, which are no documents where a folder holds both.

    Raises:
        InputError: a file can't be read, a line of it holds no text, or of all nothing is left.
    """
    if not spec.contexts:
        return GivenContexts()
    besides = [Path(path) for path in paths if not is_stream(path)]
    reader = DocumentReader(
        spec.contexts, encoding=spec.encoding, skip_bad=spec.skip_bad, besides=besides, cache=find_cache()
    )
    recipe = find_recipe(spec.recipe)
    if recipe.takes_documents:
        most = MOST_CHUNKS if recipe.frames_documents else _MOST_SEARCHED
        chunked = load_chunks(reader, [seed.draft.input for seed in seeds], most=most)
        documents = len({chunk.file for chunk in chunked.chunks})
        told = f"{format_plural(len(chunked.chunks), 'chunk')} of {format_plural(documents, 'document')}"
        note = f"--contexts: {told}, for the recipe {recipe.name}"
        return GivenContexts(documents=chunked.chunks, notes=(note, *chunked.notes))
    longest = max((measure_size(text) for seed in seeds for _, text in seed.parts.fixed), default=0)
    whole = load_whole(reader, most=max(_WHOLE, _TIMES * longest))
    return GivenContexts(tuple(chunk.text for chunk in whole.chunks), notes=whole.notes)
