"""What two texts are compared by: the hashes of the shingles in them, and the share of these that they have in common.

All of it is the same in every process and on every machine; nothing here uses `hash()`, which is not.
"""

from collections.abc import Set
from functools import lru_cache
from itertools import compress, islice
from operator import xor
from typing import Final, TypeVar
from zlib import crc32

from aide.text.words import fold_words

T = TypeVar("T")

# In a shorter text a single changed word changes so many pairs that near copies would go unseen; letters are steadier.
WORDS_FROM: Final = 12
GRAM: Final = 4
_LETTERS_A_WORD: Final = 14  # beyond this average a script has no spaces, and its "words" are clauses
_CONTENT_WORD: Final = 4  # bytes


def make_shingles(words: list[str]) -> set[int]:
    """32-bit hashes of the features of a folded text; empty for no words.

    Texts of 12 words and more: neighbouring words as unordered pairs, and the words of four bytes and more, so that a
    swap of two words costs little. Shorter ones, and scripts without spaces: four-letter pieces and whole words.
    """
    text = " ".join(words)
    encoded = text.encode("utf-8", "surrogatepass").split(b" ")
    # CRC-32 is in C, and the same everywhere; in 32 bits collisions within a text are too rare to matter.
    hashes = list(map(crc32, encoded))
    # Whatever runs once a word runs in C (map, compress, set): a candidate must cost microseconds, not milliseconds.
    if len(words) >= WORDS_FROM and len(text) < _LETTERS_A_WORD * len(words):
        features = set(map(xor, hashes, islice(hashes, 1, None)))  # xor: the same pair in either order
        features.update(compress(hashes, map(_CONTENT_WORD.__le__, map(len, encoded))))
        return features
    data = text.encode("utf-32-le", "surrogatepass")
    width = 4 * GRAM
    pieces = {crc32(data[at : at + width]) for at in range(0, len(data) - width + 4, 4)}
    return pieces.union(hashes) if words else pieces


@lru_cache(maxsize=256)
def compute_features(text: str) -> tuple[list[str], set[int]]:
    """Folded words and shingles, for reading only.

    The last texts are kept, since several checks ask for the same one, and a parent and a seed are held against each
    of their children.
    """
    words = fold_words(text)
    return words, make_shingles(words)


def measure_jaccard(a: Set[T], b: Set[T]) -> float:
    """Jaccard similarity of two sets: the share of all members that both have. 0 for two empty ones."""
    common = len(a & b)
    return common / ((len(a) + len(b) - common) or 1)
