"""What counts as a word, by what it is counted for. Every definition of the project stands here.

There are six, because they answer different questions; merging two changes what is found or, worse, what a prompt
holds. They agree on one thing: which scripts write no spaces, so that a "word" between two spaces is a sentence.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Thai and Lao, Burmese, Khmer, kana, Chinese characters. Korean writes spaces.
UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_WORD: Final = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_TOKEN: Final = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")
_RUN: Final = re.compile(r"[^\W_]+|[^\w\s]")
_TERM: Final = re.compile(r"[^\W_]{3,}")
_DIGITS: Final = re.compile(r"\d+")
# A run of more letters than this is hardly a word: it is a clause of a script without spaces.
_LONGEST_WORD: Final = 12
# Punctuation that changes what a sum, a path or a share means; all other folds to a space.
_MEANT: Final = frozenset("-*/%&#@\\^<>=+|~$")


class _Folding(dict[int, str]):
    """Characters by what they fold to: spaces, controls and punctuation to a space, all else to itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = char in _MEANT or unicodedata.category(char)[0] not in "PZC"
        self[code] = char if kept else " "
        return self[code]


_FOLDING: Final = _Folding()


def fold_case(text: str) -> str:
    """`text` without case and compatibility forms."""
    # Casefold undoes some compositions, so it goes first.
    return unicodedata.normalize("NFKC", text.casefold())


def count_unspaced(text: str) -> int:
    """How many characters belong to scripts without spaces."""
    return len(_UNSPACED.findall(text))


def fold_words(text: str) -> list[str]:
    """Words for telling whether two texts are the same: no case, layout or punctuation, but signs that mean something.

    `3-2` and `3+2` stay different, `Well, no.` and `well no` become the same.
    """
    return fold_case(text).translate(_FOLDING).split()


def list_words(text: str, *, any_number: bool = False) -> list[str]:
    """Words for n-grams, as test sets are searched: folded letters and digits and nothing else.

    Signs go too, for a copy of a test item often has other ones. Of scripts without spaces each character is a word.
    `any_number` makes all numbers the same.
    """
    folded = fold_case(text)
    return _WORD.findall(_DIGITS.sub("0", folded) if any_number else folded)


def split_tokens(text: str) -> list[str]:
    """Tokens for measures of diversity that others publish: words and single punctuation marks, as they are cased.

    Of scripts without spaces each character is a token.
    """
    return _TOKEN.findall(text)


def list_terms(text: str) -> list[str]:
    """Words for telling what a text is about: folded, of three letters and more, so that most small words are out."""
    return _TERM.findall(text.casefold())


@lru_cache(maxsize=256)  # each record is held against the same fifty seeds
def extract_vocabulary(text: str) -> frozenset[str]:
    """Words for how far a text has drifted from another: the set of folded ones.

    Of a text that is mostly in a script without spaces: its pairs of characters, since single ones recur in any two.
    """
    words = fold_words(text)
    joined = "".join(words)
    return _pair_letters(joined) if 2 * count_unspaced(joined) > len(joined) else frozenset(words)


@lru_cache(maxsize=512)  # each seed of a pool is held against all others
def extract_token_set(text: str) -> frozenset[str]:
    """Words for choosing demonstrations: the set of folded words and punctuation marks, long runs in pairs of letters.

    The choice stands in every prompt of a run and so in the key of every call: another definition here would make a
    resumed run ask, and pay for, all its questions again.
    """
    runs = _RUN.findall(text.casefold())
    pairs = (_pair_letters(run) for run in runs if len(run) > _LONGEST_WORD)
    return frozenset(run for run in runs if len(run) <= _LONGEST_WORD).union(*pairs)


def _pair_letters(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))
