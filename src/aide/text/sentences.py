"""Where sentences begin and end, by punctuation: good enough to cut a text where a reader would pause."""

import re
from collections.abc import Iterator
from typing import Final

# A mark that ends a sentence, what closes behind it, and a space before something that begins one; the marks of scripts
# without spaces need no space. A blank line ends any sentence.
_END: Final = re.compile(
    r"[.!?…]+[\"'”’»)\]*_]*(?=\s+[\"'“‘«(\[*_]*[^\W_a-zß-öø-ÿ])|[。！？]+[」』”’）]*|\n[ \t]*\n"
)
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:\w|e\.g|i\.e|z\.B|d\.h|u\.a|p\.ex|vs|cf|ca|etc|no|nr|fig|sec|eq|ed|vol|pp?|st|mt|"
    r"dr|mr|mrs|ms|prof|sr|jr|inc|ltd|co|approx|jan|feb|mar|apr|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)
_LOOK_BACK: Final = 12


def find_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, in characters, without the space between them; they cover all else."""
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        if match[0] == "." and _ABBREVIATION.search(text[max(start, end - _LOOK_BACK) : end]):
            continue
        yield from _trim(text, start, end)
        start = end
    yield from _trim(text, start, len(text))


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if kept := piece.strip():
        first = start + piece.index(kept[0])
        yield first, first + len(kept)
