"""Simulated texts: words of the prompt, and among them a mark from which later steps derive label, answer and grade.

The words mean nothing together. They are of the source's task and language, so that a text passes the gates for length,
language and duplicates in any language, scripts without spaces included. Steps are answered blindly, from what their
own prompt shows: the mark travels with the text, so that all agree on it without a memory, in any order and process.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple
from zlib import crc32

from aide.records import digest
from aide.text.words import count_unspaced, split_tokens

# A syllable holds six bits; six of them hold identity (12), label (18) and a checksum (6), without which words of
# people's own would be taken for marks.
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aeio"
_SYLLABLES: Final = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
_MARK: Final = re.compile(rf"(?<![A-Za-z])(?:[{_CONSONANTS}][{_VOWELS}]){{6}}(?![A-Za-z])")
_LABELS: Final = 1 << 18
# A word as it stands between spaces, and the punctuation behind it. Marks of Indic and Arabic vowels are no letters to
# `re`, hence all that is not ASCII; code such as `add(a,b)` is none.
_PIECE: Final = re.compile(r"([^\W\d_][A-Za-z'\-\x80-\U0010ffff]*?)([.,;:!?…。、，！？؟।]*)")
# More than half of the words are exchanged: at less, siblings of one parent would pass for near-duplicates.
_EXCHANGED: Final = 0.6
_LABELLED: Final = re.compile(r"[^\n:]{1,40}: ")
_ENDINGS: Final = ".!?…。！？؟।"


class Manner(NamedTuple):
    """What is asked of a new text's form."""

    length: int = 0
    """0 where nothing is said."""
    unit: str = "words"
    sentences: int = 1
    lines: int = 1


class Mark(NamedTuple):
    """What a text bears."""

    identity: int
    """0 to 4095; grade and answer follow from it."""
    label: int = 0
    """`hash_label` of the label that the text was written for, 0 where there is none."""


def write_mark(mark: Mark) -> str:
    """The mark as a word of twelve letters."""
    number = mark.identity * _LABELS + mark.label
    number = number << 6 | (crc32(number.to_bytes(4, "little")) & 63)
    return "".join(_SYLLABLES[number >> shift & 63] for shift in range(30, -1, -6))


def read_mark(text: str) -> Mark:
    """The mark in `text`. One without a mark (people's own) gets the identity that follows from its words."""
    return _find_mark(text) or Mark(int(4096 * draw_share("unmarked", *text.casefold().split())))


def has_mark(text: str) -> bool:
    """True for a text of the simulator's own."""
    return _find_mark(text) is not None


def _find_mark(text: str) -> Mark | None:
    for found in _MARK.finditer(text):
        number = 0
        for at in range(0, 12, 2):
            number = number << 6 | _SYLLABLES.index(found[0][at : at + 2])
        number, checksum = divmod(number, 64)
        if checksum == crc32(number.to_bytes(4, "little")) & 63:
            return Mark(*divmod(number, _LABELS))
    return None


def hash_label(name: str) -> int:
    """A label as a mark holds it, never 0; capitals make no difference."""
    return crc32(name.strip().casefold().encode("utf-8", "surrogatepass")) % (_LABELS - 1) + 1


def hash_label_set(names: Iterable[str]) -> int:
    """Several labels as a mark holds them, in whatever order."""
    return hash_label("\n".join(sorted(name.strip() for name in names)))


def draw_share(*names: object) -> float:
    """A number in [0, 1) that depends on the names alone."""
    return int(digest(*map(str, names))[:13], 16) / (1 << 52)


@lru_cache(maxsize=2048)
def _split(text: str, spaced: bool) -> list[tuple[str, str]]:
    """The pieces of a text without its mark as (word, what follows it); the word is empty where a piece is none."""
    bare = _MARK.sub("", text)
    pieces = bare.split() if spaced else split_tokens(bare)
    return [(found[1], found[2]) if (found := _PIECE.fullmatch(each)) else ("", each) for each in pieces]


def find_words(text: str) -> list[str]:
    """The words of a text without its mark; characters of scripts without spaces stand for words."""
    words = (word for word, _ in _split(text, not count_unspaced(text)))
    return [word for word in words if len(word) > 1 or not word.isascii()]


def write_text(
    source: str, others: Sequence[str], inserted: Sequence[str], manner: Manner, dice: Random
) -> str:
    """A text in the manner that is asked for, with `inserted` in it, as far as its length leaves room for that."""
    low = high = manner.length
    spaced = manner.unit == "words"
    pool = [word for text in (source, *others) for word in find_words(text)] or ["—"]
    body = [
        (dice.choice(pool) if word and dice.random() < _EXCHANGED else word) + rest
        for word, rest in _split(source, spaced)
    ]

    def measure(pieces: Sequence[str]) -> int:
        return sum(piece.count(" ") + 1 if spaced else len(piece) for piece in pieces)

    high = high or max(low, 2 * measure(body) + 20)
    while inserted and measure(inserted) >= high:
        inserted = inserted[1:]
    size = measure(body) + measure(inserted)
    while len(body) > 1 and size > high:
        size -= measure([body.pop(0)])
    while not body or size < low:
        body.insert(0, dice.choice(pool))
        size += measure(body[:1])
    for piece in inserted:
        body.insert(dice.randrange(len(body)), piece)
    return _cut(body, manner, spaced)


def keep_line_labels(source: str, text: str) -> str:
    """`text` in as many lines as `source`, behind the same labels; as it is where not every line of several has one."""
    found = [_LABELLED.match(line) for line in source.split("\n")]
    labels = [match[0] for match in found if match]
    if len(labels) < max(2, len(found)):
        return text
    words, count = text.split(), len(labels)
    cuts = [number * len(words) // count for number in range(count + 1)]
    lines = (" ".join(words[begin:end]) for begin, end in pairwise(cuts))
    return "\n".join(label + line for label, line in zip(labels, lines, strict=True))


def _cut(body: Sequence[str], manner: Manner, spaced: bool) -> str:
    """The words in so many sentences and lines."""
    *inner, last = body
    words = [*(word.rstrip(_ENDINGS) or word for word in inner), last]
    size, stop = len(words), "." if spaced else "。"
    for number in range(1, min(manner.sentences, size)):
        words[number * size // manner.sentences - 1] += stop
    breaks = {number * size // manner.lines for number in range(1, min(manner.lines, size))}
    space = " " if spaced else ""
    return "".join(("\n" if at in breaks else space if at else "") + word for at, word in enumerate(words))
