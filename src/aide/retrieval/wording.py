"""Passages by their words: BM25 over SQLite's full-text index.

Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009, with k1 = 1.2 and b = 0.75 as
FTS5 sets them. Passages and index stand in a temporary file, so that memory does not grow with them.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from weakref import finalize

import orjson

from aide.retrieval.terms import list_search_terms

# The rarest terms say nearly all; a query of a thousand words would read the whole index for its small ones.
MOST_TERMS: Final = 48
# FTS5 itself rounds scores nowhere; equal passages still differ in the last digits.
_EQUAL: Final = 1e-9
_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE passages (id INTEGER PRIMARY KEY, text TEXT NOT NULL, source BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(
    terms, content='', tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that may answer something."""

    text: str
    source: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Where it stands, as JSON values, such as its file and heading."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a query found: its number, and a score of which more is better."""

    id: int
    score: float


class WordIndex:
    """Passages, numbered from 0 in the order in which they came, found by the words of a query."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._database = sqlite3.connect("", check_same_thread=False)  # a file that nobody else sees
        self.close = finalize(self, self._database.close)
        """Remove the temporary file; at the latest it goes with the index."""
        self._database.executescript(_TABLES)
        self._count = 0
        for passage in passages:
            text = passage.text.encode("utf-8", "replace").decode()  # a lone surrogate is no text to SQLite
            self._database.execute(
                "INSERT INTO passages VALUES (?, ?, ?)",
                (self._count, text, orjson.dumps(dict(passage.source))),
            )
            self._database.execute(
                "INSERT INTO words(rowid, terms) VALUES (?, ?)",
                (self._count, " ".join(list_search_terms(text))),
            )
            self._count += 1
        self._database.commit()

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        self.close()

    def get(self, id: int) -> Passage:
        """The passage of this number; raises `KeyError` where there is none."""
        row = self._database.execute("SELECT text, source FROM passages WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise KeyError(id)
        return Passage(row[0], orjson.loads(row[1]))

    def search(self, query: str, limit: int) -> list[Hit]:
        """The best passages, the best first; of equal ones the earlier. None where no word of the query is in any."""
        if not (match := self._write_match(query)):
            return []
        rows = self._database.execute(
            "SELECT rowid, bm25(words) AS score FROM words WHERE words MATCH ? ORDER BY score, rowid LIMIT ?",
            (match, limit),
        )
        return [Hit(id, -score) for id, score in rows]

    def score(self, query: str, id: int) -> float:
        """The score of one passage; 0 where it has no word of the query."""
        match = self._write_match(query)
        found = (
            match
            and self._database.execute(
                "SELECT bm25(words) FROM words WHERE words MATCH ? AND rowid = ?", (match, id)
            ).fetchone()
        )
        return -found[0] if found else 0.0

    def rank(self, query: str, id: int) -> int:
        """The place of a passage among all, 1 for the best, which equal ones share; 0 where no word of it is asked."""
        own = self.score(query, id)
        if own <= 0:
            return 0
        [better] = self._database.execute(
            "SELECT count(*) FROM (SELECT bm25(words) AS score FROM words WHERE words MATCH ?) WHERE score < ?",
            (self._write_match(query), -own - _EQUAL),
        ).fetchone()
        return int(better) + 1

    def _write_match(self, query: str) -> str:
        """The query in FTS5's language: its terms, each quoted, any of which may be there. Empty where it has none.

        Terms that half of all passages hold weigh nothing in BM25 and are left out unless there are no others.
        """
        terms = dict.fromkeys(list_search_terms(query.encode("utf-8", "replace").decode()))
        counts = {term: self._count_passages(term) for term in terms}
        known = sorted((term for term in terms if counts[term]), key=lambda term: (counts[term], term))
        telling = [term for term in known if 2 * counts[term] < self._count]
        return " OR ".join(f'"{term}"' for term in (telling or known)[:MOST_TERMS])

    def _count_passages(self, term: str) -> int:
        found = self._database.execute("SELECT doc FROM vocabulary WHERE term = ?", (term,)).fetchone()
        return int(found[0]) if found else 0
