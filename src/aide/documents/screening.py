"""Which chunks are left out: near-empty ones, those in another language, boilerplate, and copies of others."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aide.documents.blocks import Block
from aide.documents.chunks import Chunk, measure_size
from aide.records import digest
from aide.text.figures import format_plural
from aide.text.language import Language, identify_language, list_near_codes
from aide.text.words import fold_words

NEAR_EMPTY: Final = "near-empty"
FOREIGN: Final = "foreign"
BOILERPLATE: Final = "boilerplate"
COPY: Final = "copy"

_LEAST_WORDS: Final = 10
_LEAST_LETTERS: Final = 0.4  # of all that is no space: less is a table of figures, or a drawing
_NAMED: Final = {
    NEAR_EMPTY: f"with fewer than {_LEAST_WORDS} words or hardly any letters",
    FOREIGN: "in another language than {language}",
    BOILERPLATE: "of boilerplate (menus, licences, what recurs in many documents)",
    COPY: "with the text of another",
}
_HEADING: Final = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_LINKED: Final = 0.6  # of its letters inside links: a menu
_LEADER: Final = re.compile(r"(?:\. ?){4,}\s*\d+$", re.MULTILINE)  # of a table of contents
_LICENCE: Final = re.compile(
    r"permission is hereby granted|licensed under the (?:apache|mit|gnu|mozilla|creative)|spdx-license-identifier|"
    r"all rights reserved|software is provided|redistribution and use in source|without warranty of any kind|"
    r"without warranties or conditions|gnu (?:lesser |affero )?general public license|"
    r"copyright (?:\(c\)|©)? ?\d{4}|the above copyright notice|you may not use this file except",
    re.IGNORECASE,
)
_LICENCE_MARKS: Final = (
    "licen",
    "copyright",
    "reserved",
    "permission",
    "redistribution",
    "provided",
    "warrant",
)
_WORDS_A_PHRASE: Final = (
    60  # for each phrase of a licence; a text with more words for one is about something else
)
_RECURS: Final = 3  # documents at least, and this share of all
_RECURRING_SHARE: Final = 0.05
_MOSTLY: Final = 0.5  # of a chunk's characters
_LEAST_BLOCK: Final = 4  # words; shorter blocks recur by chance
_MOST_KEYS: Final = 500_000  # blocks and chunks that are remembered, which bounds the memory
_KEY_DIGITS: Final = 15

_Recurring = tuple[tuple[int, int], ...]
"""For each block of a chunk the key of its words, and how many characters of it are the chunk's."""


@dataclass(frozen=True, slots=True)
class ScreenedChunk:
    """A chunk with what is still to be held against the other documents."""

    chunk: Chunk
    id: str
    blocks: _Recurring


class ChunkScreen:
    """Holds chunks against each other, document by document; then says which are left out.

    What a chunk lacks by itself is found at once, by `screen_document`; its language, and what recurs, when all are
    known, by `choose`.
    """

    def __init__(self, seeds: Sequence[str]) -> None:
        """`seeds` are the inputs whose language the documents should have."""
        self._wanted = identify_language(seeds)
        self._seen: set[int] = set()
        self._recurring: Counter[int] = Counter()
        self._documents = 0
        self._faults: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._language = ""
        self._told: list[str] = []

    def screen_document(
        self, text: str, blocks: Sequence[Block], chunks: Sequence[Chunk]
    ) -> Iterator[ScreenedChunk]:
        """The chunks of a document that may be kept."""
        self._documents += 1
        keyed = [(block, key) for block in blocks if (key := _make_key(text[block.start : block.end]))]
        for key in {key for _, key in keyed}:
            if key in self._recurring or len(self._recurring) < _MOST_KEYS:
                self._recurring[key] += 1
        for chunk in chunks:
            if fault := self._find_fault(chunk):
                self._leave_out(chunk, fault)
                continue
            yield ScreenedChunk(chunk, chunk.id, tuple(_list_shares(chunk, keyed)))

    def choose(self, chunks: Sequence[ScreenedChunk]) -> list[ScreenedChunk]:
        """Those of all documents that are kept."""
        languages = [identify_language([each.chunk.text]) for each in chunks]
        passing = self._choose_language(languages)
        most = max(_RECURS, _RECURRING_SHARE * self._documents)
        kept = []
        for each, language in zip(chunks, languages, strict=True):
            again = sum(length for key, length in each.blocks if self._recurring[key] >= most)
            if again > _MOSTLY * len(each.chunk.text):
                self._leave_out(each.chunk, BOILERPLATE)
            elif language and passing and language.code not in passing:
                self._leave_out(each.chunk, FOREIGN, f" ({language.name})")
            else:
                kept.append(each)
        return kept

    @property
    def notes(self) -> list[str]:
        """A sentence for each reason for which chunks were left out, and one where none has the seeds' language."""
        left_out = (
            f"--contexts leaves out {format_plural(count, 'chunk')} {_NAMED[fault].format(language=self._language)}, "
            f"such as {self._first[fault]}"
            for fault, count in self._faults.most_common()
        )
        return [*self._told, *left_out]

    def _find_fault(self, chunk: Chunk) -> str:
        text = _HEADING.sub("", chunk.text)
        size, solid = measure_size(text), "".join(text.split())
        if size < _LEAST_WORDS or sum(map(str.isalpha, solid)) < _LEAST_LETTERS * len(solid):
            return NEAR_EMPTY
        if _is_menu(text) or _is_licence(text, size):
            return BOILERPLATE
        key = int(chunk.id[:_KEY_DIGITS], 16)
        if key in self._seen:
            return COPY
        if len(self._seen) < _MOST_KEYS:
            self._seen.add(key)
        return ""

    def _leave_out(self, chunk: Chunk, fault: str, detail: str = "") -> None:
        self._faults[fault] += 1
        where = f"{chunk.file} at character {chunk.offset:,}" if chunk.offset else chunk.file
        self._first.setdefault(fault, where + detail)

    def _choose_language(self, languages: Sequence[Language | None]) -> frozenset[str]:
        """The codes that pass: of the seeds' language where some chunk has it, else of that of most chunks."""
        found = Counter(filter(None, languages))
        if not found:
            return frozenset()
        wanted = self._wanted
        if wanted is None or not any(each.code in list_near_codes(wanted.code) for each in found):
            most = found.most_common(1)[0][0]
            if wanted:
                self._told.append(f"--contexts: the documents are in {most.name}, the seeds in {wanted.name}")
            wanted = most
        self._language = wanted.name
        return list_near_codes(wanted.code)


def _make_key(text: str) -> int:
    """A number for the words of a block; 0 where they are few."""
    words = fold_words(text)
    return int(digest("block", " ".join(words))[:_KEY_DIGITS], 16) if len(words) >= _LEAST_BLOCK else 0


def _list_shares(chunk: Chunk, keyed: Sequence[tuple[Block, int]]) -> Iterator[tuple[int, int]]:
    end = chunk.offset + len(chunk.text)
    for block, key in keyed:
        if block.start >= end:
            return
        if (length := min(block.end, end) - max(block.start, chunk.offset)) > 0:
            yield key, length


def _is_menu(text: str) -> bool:
    """Links for the most part, or lines that end in a page number behind dots."""
    if "](" not in text and "..." not in text and ". . ." not in text:
        return False
    links = _LINK.findall(text)
    plain = _LINK.sub("", text)
    linked, other = sum(map(len, links)), sum(map(str.isalpha, plain))
    lines = [line for line in text.split("\n") if line.strip()]
    return linked > _LINKED * (linked + other) or 2 * len(_LEADER.findall(text)) > len(lines)


def _is_licence(text: str, size: int) -> bool:
    folded = text.casefold()
    if not any(mark in folded for mark in _LICENCE_MARKS):  # the phrases themselves are looked for slowly
        return False
    phrases = set(_LICENCE.findall(folded))
    return bool(phrases) and size <= _WORDS_A_PHRASE * len(phrases)
