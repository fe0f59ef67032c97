"""Passages by their meaning: the cosine of embeddings, of which only signs are held in memory."""

import sqlite3
from array import array
from collections.abc import Sequence
from heapq import nsmallest
from typing import Final
from weakref import finalize

from aide.retrieval.wording import Hit
from aide.vectors import Vector, cosine, pack_vector, sign_bits

# Up to so many passages each is compared; of more, so many that are nearest by the signs of their vectors.
COMPARED: Final = 512
_EQUAL: Final = 1e-6  # four bytes a number


class VectorIndex:
    """Unit vectors of passages by number. The vectors stand in a temporary file, their signs in memory, a bit each."""

    def __init__(self) -> None:
        self._bits: dict[int, int] = {}
        self._database = sqlite3.connect("", check_same_thread=False)
        self.close = finalize(self, self._database.close)
        """Remove the temporary file; at the latest it goes with the index."""
        self._database.execute("CREATE TABLE vectors (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL)")

    def __len__(self) -> int:
        return len(self._bits)

    def enter(self, id: int, vector: Vector) -> None:
        """Enter a passage, in place of what it was before."""
        self._bits[id] = sign_bits(vector)
        self._database.execute(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?)", (id, pack_vector(vector).tobytes())
        )

    def search(self, vector: Vector, limit: int) -> list[Hit]:
        """The nearest passages, the nearest first; of equal ones the earlier."""
        hits = [Hit(id, self.score(vector, id)) for id in self._list_near(vector, limit)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    def score(self, vector: Vector, id: int) -> float:
        """The cosine of one passage; 0 where it has no vector."""
        found = self._database.execute("SELECT numbers FROM vectors WHERE id = ?", (id,)).fetchone()
        return cosine(vector, array("f", found[0])) if found else 0.0

    def rank(self, vector: Vector, id: int) -> int:
        """The place of a passage, 1 for the nearest, which equal ones share; 0 where it has no vector."""
        if id not in self._bits:
            return 0
        own = self.score(vector, id)
        return 1 + sum(self.score(vector, other) > own + _EQUAL for other in self._list_near(vector, 0))

    def _list_near(self, vector: Vector, limit: int) -> Sequence[int]:
        if len(self._bits) <= COMPARED:
            return list(self._bits)
        bits = sign_bits(vector)
        near = nsmallest(
            max(COMPARED, limit), self._bits.items(), key=lambda each: ((each[1] ^ bits).bit_count(), each[0])
        )
        return [id for id, _ in near]
