"""Compresses what a journal holds against like texts that it holds already, and gives back the same bytes.

The prompts of a step differ in some lines only, and so do the envelopes of answers, records and composed calls. So
each family of values (a step, a kind of outcome or decision) has a dictionary, its first values, and all others are
deflated against it. docs/design/journal-layout.md tells what else was measured.
"""

import zlib
from collections.abc import Callable
from sqlite3 import Connection
from typing import Final

# The first byte of what is packed. JSON never begins with it, nor does an answer that was taken for JSON: so values of
# older journals, which are stored as they came, are known by theirs.
MARK: Final = b"\x01"
HEAD: Final = 5  # bytes: the mark and the dictionary's number, 0 for none
SHORTEST: Final = 64  # bytes: a shorter value gains nothing
# Level 3 is where zlib begins to search for longer matches: 12 % less than level 1 for 2 µs more a call. Above it the
# price grows faster than the gain.
LEVEL: Final = 3
WINDOW: Final = (
    -15
)  # 32 KiB, without zlib's own header and checksum: SQLite's pages hold no other bytes than ours
FIRST: Final = 2  # values that make a dictionary: a third would save a twentieth more and cost its own place
LENGTH: Final = 4  # bytes that tell the length of a prompt
LONGEST: Final = 1 << 15  # bytes of a dictionary: deflate looks no further back


class Unpacker:
    """Gives back what was packed."""

    def __init__(self, load: Callable[[int], bytes]) -> None:
        """`load` reads a dictionary as it is stored."""
        self._load = load
        self._dictionaries: dict[int, bytes] = {}

    def unpack(self, data: bytes) -> bytes:
        """The bytes as they came; what is not packed is returned as it is."""
        if data[:1] != MARK:
            return data
        number = int.from_bytes(data[1:HEAD], "big")
        if number and number not in self._dictionaries:
            self._dictionaries[number] = zlib.decompress(self._load(number), WINDOW)
        inflater = zlib.decompressobj(WINDOW, self._dictionaries[number] if number else b"")
        return inflater.decompress(data[HEAD:])


class Packer:
    """Packs values within the writer's transactions, and stores their dictionaries there."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute
        self._dictionaries: dict[str, tuple[bytes, bytes]] = {
            family: (head, zlib.decompress(data, WINDOW))
            for family, head, data in (
                (family, _make_head(number), data)
                for family, number, data in self._execute("SELECT family, id, data FROM dictionaries")
            )
        }
        self._first: dict[str, list[bytes]] = {}

    def pack(self, family: str, data: bytes) -> bytes:
        """The value as it is stored: smaller, and exactly as long as it takes to be given back whole."""
        head, dictionary = self._dictionaries.get(family) or self._learn(family, data)
        deflater = (
            zlib.compressobj(LEVEL, wbits=WINDOW, zdict=dictionary)
            if dictionary
            else zlib.compressobj(LEVEL, wbits=WINDOW)
        )
        return head + deflater.compress(data) + deflater.flush()

    def _learn(self, family: str, data: bytes) -> tuple[bytes, bytes]:
        """Head and dictionary for a value of a family that has none; its first values make one for the later ones."""
        first = self._first.setdefault(family, [])
        if len(first) < FIRST:
            first.append(data)
            return _make_head(0), b""
        # The last value stands at the end: what lies nearest is found first and has the shortest distance.
        dictionary = b"".join(self._first.pop(family))[-LONGEST:]
        deflater = zlib.compressobj(9, wbits=WINDOW)
        stored = deflater.compress(dictionary) + deflater.flush()
        cursor = self._execute("INSERT INTO dictionaries (family, data) VALUES (?, ?)", (family, stored))
        assert cursor.lastrowid is not None
        found = _make_head(cursor.lastrowid), dictionary
        self._dictionaries[family] = found
        return found


def join_exchange(user: bytes, body: bytes) -> bytes:
    """Prompt and answer of a call as one value: what an answer repeats of its prompt costs nothing."""
    return len(user).to_bytes(LENGTH, "big") + user + body


def split_exchange(data: bytes) -> tuple[bytes, bytes]:
    """The inverse of `join_exchange`."""
    end = LENGTH + int.from_bytes(data[:LENGTH], "big")
    return data[LENGTH:end], data[end:]


def _make_head(number: int) -> bytes:
    return MARK + number.to_bytes(HEAD - 1, "big")
