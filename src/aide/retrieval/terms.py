"""The terms under which passages are found: folded words; of scripts without spaces, pairs of characters."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from aide.text.words import UNSPACED, fold_case

_RUN: Final = re.compile(rf"[{UNSPACED}]+|[^\s{UNSPACED}]+")
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")


class _Letters(dict[int, str]):
    """Letters, digits and the marks that belong to letters stay; all else is a space."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = char if unicodedata.category(char)[0] in "LNM" else " "
        return self[code]


_LETTERS: Final = _Letters()


def list_search_terms(text: str) -> Iterator[str]:
    """The terms of a text in their order, without case and accents, as a query and a passage share them."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", fold_case(text)))
    for run in _RUN.findall(unicodedata.normalize("NFC", bare).translate(_LETTERS)):
        if len(run) > 1 and _UNSPACED.match(run):
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        else:
            yield run
