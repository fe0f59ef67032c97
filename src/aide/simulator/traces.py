"""How a blind answer finds the label that a text was written for.

Every word has a number; a text's trace is the sum of its words modulo a prime, and a text written for a label
is worded so that its trace is the label's own. The order of words, casing and punctuation play no part, so a
text stays recognisable through cleaning, and nothing in it looks odd.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final
from zlib import crc32

MODULUS: Final = 4093
_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


@lru_cache(maxsize=8192)
def _number(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def trace(text: str) -> int:
    """The trace of a text."""
    return sum(map(_number, _TOKEN.findall(text.casefold()))) % MODULUS


@lru_cache(maxsize=1024)
def mark(label: str) -> int:
    """The trace that texts of this label have."""
    return crc32(b"label" + label.strip().casefold().encode("utf-8", "surrogatepass")) % MODULUS


@lru_cache(maxsize=256)
def _residues(phrases: tuple[str, ...]) -> dict[int, str]:
    return {trace(phrase): phrase for phrase in phrases}


def solve(
    label: str,
    write: Callable[[str, str, int], str],
    times: tuple[str, ...],
    places: Sequence[str],
    first: int,
) -> str:
    """`write(time, place, number)` with such words that the text bears the label's mark.

    `first` is the number to try first. Where no words do (tiny vocabularies), a text without it comes back.
    """
    table, text = _residues(times), ""
    marks = [(place, trace(place)) for place in places]
    for number in chain(range(first, first + 400), range(2, first)):
        missing = mark(label) - trace(write("", "", number))
        for place, value in marks:
            time = table.get((missing - value) % MODULUS)
            if time is not None:
                text = write(time, place, number)
                if trace(text) == mark(label):
                    return text
    return text or write(times[0], places[0], first)
