"""Whether a text gives away an item of a test set: word n-grams, a rule for short texts, and options apart.

The rules, in the order in which they are tried:

`exact`      the question is the same once case, punctuation and layout are folded.
`coverage`   over half of the words of the item are covered by shared 8-grams: the rule of Lambert et al.,
             *Tülu 3*, 2024. Of items under 26 words, which a common opening may cover by half, most of
             the words must occur as well.
`13-gram`    only when asked for (`strict`): 13 words in a row are shared, the rule of Brown et al.,
             *Language Models are Few-Shot Learners*, 2020. It finds the most and is wrong most often.
`short`      for items under 13 words: 80 % of their character 5-grams are shared (Jaccard), or a
             question of eight words and more stands whole inside the text.
`options`    the options are the same in whatever order, and the questions have something in common.

Where an item has options and a question too short to be told by (under eight words, or one that other items
have too), its options must agree as well. N-grams that more than two items share are the frame of the test
set and say nothing; Brown et al. set such ones aside too.
"""

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

from aide.text.shingles import measure_jaccard
from aide.text.words import list_words

GRAM: Final = 8  # words in a row: Tülu 3
LONG: Final = 13  # words in a row: GPT-3; of fewer words a share of 8-grams says nothing
COVERED: Final = 0.5
WHOLLY: Final = 0.9  # from here on the item is there, even if most of it is a frame
# Of a short item's words. One opening ("Write a function to find the") covers half of such an item.
MOST: Final = 0.85
ALIKE: Final = 0.8
# The same options under unrelated questions are chance ("Yes", "No", "Neither"); under a reworded one they tell.
OPTIONS_ALIKE: Final = 0.3
_OPTION_WORDS: Final = 6  # in all options together; fewer recur in many items
# GPT-3 sets n-grams aside that ten documents share; a test set of a few hundred items has frames that fewer share.
FRAME: Final = 2
_LETTERS: Final = 5
_MOST_OPTIONS: Final = 10  # A to J
_LETTERED: Final = re.compile(r"(?:(?<=\s)|^)\(?([A-J])[).:]\s+")


@dataclass(frozen=True, slots=True)
class BenchmarkItem:
    """An item of a test set, or a text that may give one away."""

    where: str
    """Its name for a person, `file:line`."""
    text: str
    """The question alone."""
    options: tuple[str, ...] = ()
    fixed: str = ""
    """The fixed parts that it asks about."""


@dataclass(frozen=True, slots=True)
class ContaminationHit:
    """The test item that a text gives away."""

    where: str
    how: str
    """The rule that found it."""
    share: float
    """How much of the item was found, 0 to 1."""
    text: str

    def __str__(self) -> str:
        """One clause for a person."""
        return f"{self.how} of {self.where} ({self.share:.0%})"


class Contamination:
    """Test items, ready to be looked for: a text takes about 2 ms against 7,749 items.

    Args:
        items: the items of all test sets.
        any_number: take all numbers for the same, so that an item whose numbers alone were changed is found.
        strict: add the rule of 13 words in a row.
    """

    def __init__(
        self, items: Iterable[BenchmarkItem], *, any_number: bool = False, strict: bool = False
    ) -> None:
        self._strict = strict
        self._any_number = any_number
        self._items = self._without_labels([_with_options(item) for item in items])
        self._exact: dict[int, list[int]] = {}
        self._by_options: dict[int, list[int]] = {}
        long, heads, letters = [], [], []
        for number, item in enumerate(self._items):
            words = self.words(item.text)
            same = self._exact.setdefault(_hash(words), [])
            same.append(number)
            if item.options:
                self._by_options.setdefault(self._options_key(item.options), []).append(number)
            if len(same) > 1:  # a frame is what different items share
                continue
            if len(words) >= LONG:
                long.append((number, _grams(words, GRAM)))
                continue
            letters.append((number, _letter_grams(words)))
            if len(words) >= GRAM:
                heads.append((number, [" ".join(words[:GRAM])]))
        self._long = _Postings(long)
        self._heads = _Postings(heads)
        self._letters = _Postings(letters)

    def __len__(self) -> int:
        return len(self._items)

    def words(self, text: str) -> list[str]:
        """The words that are compared."""
        return list_words(text, any_number=self._any_number)

    def find(self, text: str, options: Sequence[str] = (), fixed: str = "") -> ContaminationHit | None:
        """The item that a record gives away most plainly, or `None`.

        `fixed` are the parts beside the question: where record and item both have some, they must be the
        same, since one question may be asked of many documents.
        """
        record = _with_options(BenchmarkItem("", text, tuple(options), fixed))
        words = self.words(record.text)
        if not words:
            return None
        best: ContaminationHit | None = None
        for number, how, share in self._found(record, words):
            item = self._items[number]
            if (best is None or share > best.share) and self._same_document(item, record):
                best = ContaminationHit(item.where, how, share, item.text)
        return best

    # --- the rules ------------------------------------------------------------------------------------

    def _found(self, record: BenchmarkItem, words: list[str]) -> Iterator[tuple[int, str, float]]:
        for number in self._exact.get(_hash(words), ()):
            theirs = self.words(self._items[number].text)
            if theirs == words and self._told_by_question(number, words, record):
                yield number, "exact", 1.0
        yield from self._long_items(words)
        yield from self._short_items(record, words)
        yield from self._same_options(record, words)

    def _long_items(self, words: list[str]) -> Iterator[tuple[int, str, float]]:
        grams = set(_grams(words, GRAM))
        for number, shared in self._long.tally(grams).items():
            theirs = self.words(self._items[number].text)
            if GRAM * shared <= COVERED * len(theirs) and not self._strict:
                continue
            whole, telling, longest = self._coverage(theirs, grams)
            if whole >= WHOLLY or (min(whole, telling) > COVERED and _occurring(theirs, words)):
                yield number, "coverage", whole
            elif self._strict and longest >= LONG:
                yield number, "13-gram", whole

    def _coverage(self, words: list[str], grams: set[str]) -> tuple[float, float, int]:
        """Shares of an item's words and of its telling words in shared 8-grams, and the longest such run."""
        covered, telling, shared = bytearray(len(words)), bytearray(len(words)), bytearray(len(words))
        marked = b"\1" * GRAM
        run = longest = 0
        for place, gram in enumerate(_grams(words, GRAM)):
            here, there = slice(place, place + GRAM), gram in grams
            if there:
                covered[here] = marked
            if self._long.count(gram) > FRAME:
                run = 0
                continue
            telling[here] = marked
            run = run + 1 if there else 0
            if run:
                shared[here] = marked
                longest = max(longest, run + GRAM - 1)
        return sum(covered) / len(words), sum(shared) / (sum(telling) or 1), longest

    def _short_items(self, record: BenchmarkItem, words: list[str]) -> Iterator[tuple[int, str, float]]:
        joined = f" {' '.join(words)} "
        for number in self._heads.tally(set(_grams(words, GRAM))):
            theirs = self.words(self._items[number].text)
            if f" {' '.join(theirs)} " in joined and self._told_by_question(number, theirs, record):
                yield number, "short", 1.0
        if len(words) < 2 * LONG:
            mine = set(_letter_grams(words))
            # Whatever shares 80 % of these shares one of any 21 %: the rarest are looked up.
            rarest = sorted(mine, key=lambda gram: (self._letters.count(gram), gram))
            for number in self._letters.tally(set(rarest[: int((1 - ALIKE) * len(mine)) + 1])):
                theirs = self.words(self._items[number].text)
                similarity = measure_jaccard(mine, set(_letter_grams(theirs)))
                if similarity >= ALIKE and self._told_by_question(number, theirs, record):
                    yield number, "short", similarity

    def _same_options(self, record: BenchmarkItem, words: list[str]) -> Iterator[tuple[int, str, float]]:
        if not record.options or sum(len(self.words(each)) for each in record.options) < _OPTION_WORDS:
            return
        found = self._by_options.get(self._options_key(record.options), ())
        if len(found) > FRAME:
            return
        for number in found:
            similarity = measure_jaccard(set(words), set(self.words(self._items[number].text)))
            if similarity >= OPTIONS_ALIKE:
                yield number, "options", similarity

    def _told_by_question(self, number: int, words: list[str], record: BenchmarkItem) -> bool:
        """Whether the question alone tells the item; else its options must be there too."""
        item = self._items[number]
        if not item.options or (len(words) >= GRAM and len(self._exact[_hash(words)]) == 1):
            return True
        wanted = {" ".join(self.words(option)) for option in item.options}
        if record.options:
            here = {" ".join(self.words(option)) for option in record.options}
            return 2 * len(wanted & here) > len(wanted)
        text = f" {' '.join(self.words(record.text))} "
        return 2 * sum(f" {option} " in text for option in wanted) > len(wanted)

    def _same_document(self, item: BenchmarkItem, record: BenchmarkItem) -> bool:
        return not (item.fixed and record.fixed) or self.words(item.fixed) == self.words(record.fixed)

    def _without_labels(self, items: list[BenchmarkItem]) -> list[BenchmarkItem]:
        """The items; options that more than two of them share are labels of the task and tell none apart."""
        count = Counter(key for item in items if (key := self._options_key(item.options)))
        return [
            replace(item, options=()) if count[self._options_key(item.options)] > FRAME else item
            for item in items
        ]

    def _options_key(self, options: Sequence[str]) -> int:
        return (
            crc32("\x1f".join(sorted(" ".join(self.words(option)) for option in options)).encode())
            if options
            else 0
        )


class _Postings:
    """Which items hold a gram: one sorted array of (hash, item), eight bytes an entry.

    Hashes may collide; whoever asks compares the texts themselves.
    """

    def __init__(self, items: Iterable[tuple[int, list[str]]]) -> None:
        entries = {crc32(gram.encode()) << 32 | number for number, grams in items for gram in grams}
        self._entries = array("Q", sorted(entries))

    def of(self, gram: str) -> list[int]:
        """The items that hold a gram."""
        key = crc32(gram.encode()) << 32
        at = bisect_left(self._entries, key)
        found = []
        while at < len(self._entries) and self._entries[at] >> 32 == key >> 32:
            found.append(self._entries[at] & 0xFFFFFFFF)
            at += 1
        return found

    def count(self, gram: str) -> int:
        """How many items hold a gram."""
        key = crc32(gram.encode())
        return bisect_left(self._entries, (key + 1) << 32) - bisect_left(self._entries, key << 32)

    def tally(self, grams: set[str]) -> Counter[int]:
        """How many of the grams each item holds."""
        return Counter(number for gram in grams for number in self.of(gram))


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """A question and the lettered options that follow it in the same text; none where there are none."""
    marks = list(_LETTERED.finditer(text))
    for first in range(max(0, len(marks) - _MOST_OPTIONS), len(marks)):
        mark, run = marks[first], marks[first:]
        if mark[1] == "A" and len(run) > 1 and [m[1] for m in run] == [chr(65 + n) for n in range(len(run))]:
            ends = [*(m.start() for m in run[1:]), len(text)]
            return text[: mark.start()], tuple(
                text[m.end() : end].strip() for m, end in zip(run, ends, strict=True)
            )
    return text, ()


def _with_options(item: BenchmarkItem) -> BenchmarkItem:
    if item.options:
        return item
    text, options = split_options(item.text)
    return BenchmarkItem(item.where, text, options, item.fixed) if options and text.strip() else item


def _grams(words: list[str], size: int) -> list[str]:
    return [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]


def _letter_grams(words: list[str]) -> list[str]:
    text = " ".join(words)
    return [text[at : at + _LETTERS] for at in range(max(1, len(text) - _LETTERS + 1))]


def _occurring(item: list[str], words: list[str]) -> bool:
    """Whether most words of a short item occur in a text, wherever; of longer items nothing is asked."""
    wanted = set(item)
    return len(item) >= 2 * LONG or len(wanted & set(words)) >= MOST * len(wanted)


def _hash(words: list[str]) -> int:
    return crc32(" ".join(words).encode())
