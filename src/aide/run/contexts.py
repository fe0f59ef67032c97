"""The documents of `--contexts`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aide.config.spec import RunSpec
from aide.documents import DocumentReader, LoadedChunks, load_whole
from aide.documents.chunks import measure_size
from aide.records import Seed
from aide.streams import is_stream

# Words of a document that stands for a fixed part as it is, however short those of the seeds are; and how many times as
# long as the longest of these it may be.
_WHOLE: Final = 2000
_TIMES: Final = 2


def read_contexts(spec: RunSpec, seeds: Sequence[Seed], paths: Sequence[str]) -> LoadedChunks:
    """The documents as they can stand for a fixed part: whole, but for those far longer than any of the seeds'.

    `paths` are the files of the seeds, which are no documents where a folder holds both.

    Raises:
        InputError: a file can't be read, or a line of it holds no text.
    """
    if not spec.contexts:
        return LoadedChunks((), ())
    besides = [Path(path) for path in paths if not is_stream(path)]
    reader = DocumentReader(spec.contexts, encoding=spec.encoding, skip_bad=spec.skip_bad, besides=besides)
    longest = max((measure_size(text) for seed in seeds for _, text in seed.parts.fixed), default=0)
    return load_whole(reader, most=max(_WHOLE, _TIMES * longest))
