"""How long a text is: one measure, by which the task card learns its bounds and the gates hold inputs to them."""

import re
from collections.abc import Sequence
from typing import Final

from aide.text.words import count_unspaced

WORDS: Final = "words"
CHARACTERS: Final = "characters"
UNITS: Final = (WORDS, CHARACTERS)
_LETTER: Final = re.compile(r"[^\W\d_]")


def measure_length(text: str, unit: str) -> int:
    """The length of a text in `words`, or in `characters`, of which white space is none.

    In scripts without spaces white space is layout: a line break more must not make a text longer.
    """
    return len(text.split()) if unit == WORDS else sum(not letter.isspace() for letter in text)


def choose_unit(texts: Sequence[str]) -> str:
    """`characters` where most letters of the texts belong to scripts without spaces, else `words`."""
    letters = sum(len(_LETTER.findall(text)) for text in texts)
    return CHARACTERS if 2 * sum(map(count_unspaced, texts)) > letters else WORDS


def find_quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the ordered values lies, interpolated between the two nearest.

    As numpy's `quantile` and R's type 7 have it (Hyndman and Fan, 1996). At least one value is needed.
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
