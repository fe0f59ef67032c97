"""What two texts are compared by: folded words, and the hashes of the shingles in them.

All of it is the same in every process and on every machine; nothing here uses `hash()`, which is not.
"""

import unicodedata
from functools import lru_cache
from itertools import compress, islice
from operator import xor
from zlib import crc32

WORDS_FROM = 12
GRAM = 4
_LETTERS_A_WORD = 14  # beyond this average a script has no spaces, and its "words" are clauses
_CONTENT_WORD = 4
# Punctuation that changes what a sum, a path or a share means; all other folds to a space.
_MEANT = frozenset("-*/%&#@\\^<>=+|~$")


class _Folding(dict[int, str]):
    """Characters by what they fold to: spaces, controls and punctuation to a space, all else to itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = char in _MEANT or unicodedata.category(char)[0] not in "PZC"
        self[code] = char if kept else " "
        return self[code]


_FOLDING = _Folding()


def fold_words(text: str) -> list[str]:
    """The words of `text` without case, compatibility forms, punctuation and layout."""
    # Casefold undoes some compositions, so it goes first.
    return unicodedata.normalize("NFKC", text.casefold()).translate(_FOLDING).split()


def make_shingles(words: list[str]) -> set[int]:
    """32-bit hashes of the features of a folded text; empty for no words.

    Texts of 12 words and more: neighbouring words as unordered pairs, and the words of four bytes and more,
    so that a swap of two words costs little. Shorter ones, and scripts without spaces: four-letter pieces
    and whole words.
    """
    text = " ".join(words)
    encoded = text.encode("utf-8", "surrogatepass").split(b" ")
    hashes = list(map(crc32, encoded))
    if len(words) >= WORDS_FROM and len(text) < _LETTERS_A_WORD * len(words):
        features = set(map(xor, hashes, islice(hashes, 1, None)))
        features.update(compress(hashes, map(_CONTENT_WORD.__le__, map(len, encoded))))
        return features
    data = text.encode("utf-32-le", "surrogatepass")
    width = 4 * GRAM
    pieces = {crc32(data[at : at + width]) for at in range(0, len(data) - width + 4, 4)}
    return pieces.union(hashes) if words else pieces


@lru_cache(maxsize=256)
def compute_features(text: str) -> tuple[list[str], set[int]]:
    """Folded words and shingles, for reading only. Several checks ask for the same text, and parents and seeds are held
    against each of their children: the last ones are kept.
    """
    words = fold_words(text)
    return words, make_shingles(words)


def measure_jaccard(a: set[int], b: set[int]) -> float:
    """Jaccard similarity of two sets, 0 for two empty ones."""
    common = len(a & b)
    return common / ((len(a) + len(b) - common) or 1)
