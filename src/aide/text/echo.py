"""Whether a text repeats the words of its prompt: instructions that a model copied instead of following them."""

from collections.abc import Iterable, Iterator
from typing import Final

from aide.text.words import list_words

_GRAM: Final = 6
# Six short words ("it is one of the two") are anybody's, and six letters of a script without spaces are one phrase.
_LONG_ENOUGH: Final = 24


def find_echo(text: str, prompt: str, shown: Iterable[str] = ()) -> str:
    """The first six words in a row that `text` has in common with `prompt`, folded; empty where there are none.

    `shown` are the texts that the prompt holds as data, such as examples and parent: what is in them, too, a new text
    may say again (a frame that all inputs share); copies of them are another check's matter. Linear in all lengths.
    """
    known = set(_grams(prompt))
    if not known:
        return ""
    for data in shown:
        known.difference_update(_grams(data))
    return next((gram for gram in _grams(text) if gram in known), "")


def _grams(text: str) -> Iterator[str]:
    words = list_words(text)
    for at in range(len(words) - _GRAM + 1):
        gram = " ".join(words[at : at + _GRAM])
        if len(gram) >= _LONG_ENOUGH:
            yield gram
