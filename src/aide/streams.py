"""Seeds that can be read only once: standard input, pipes, what a shell puts in place of a command."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

STDIN: Final = "-"
Streams = Mapping[str, bytes]
"""What was read from streams, by their paths."""
NO_STREAMS: Final[Streams] = MappingProxyType({})
_NAMELESS: Final = ("/dev/", "/proc/")


def is_stream(path: str) -> bool:
    """True where a path can be read only once, and so has no content to tell a run by."""
    source = Path(path)
    return path == STDIN or (source.exists() and not source.is_file() and not source.is_dir())


def is_nameless(path: str) -> bool:
    """True where the name of a path says nothing: it is another one each time, such as `/dev/fd/63`."""
    return path == STDIN or path.startswith(_NAMELESS)
