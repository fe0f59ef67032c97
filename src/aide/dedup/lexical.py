"""Duplicates while a run grows: a candidate against every seed and every record accepted or still in work.

Texts are not kept. A record costs about 300 bytes: a sketch of its shingles, a digest of its folded text,
its id, and its place in an index. Similarity is Jaccard similarity of shingles, estimated from sketches
(`quality.sketch`).
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from sys import getsizeof
from typing import Final
from zlib import crc32

from aide.dedup.sketch import BANDS, BINS, compute_band_keys, estimate_error, estimate_similarity, make_sketch
from aide.dedup.slot_chains import SlotChains
from aide.records import ID_BYTES
from aide.text.shingles import compute_features

THRESHOLD: Final = 0.7
_MARGIN: Final = 0.01  # how far above the most similar pair of seeds the threshold stands
_SEED_TWINS: Final = 0.95  # seeds this similar are an oversight, not the way of the task
_SLACK: Final = 1.5  # standard errors by which an estimate may fall short
_FRAME_FROM: Final = 5  # fewer seeds do not tell a frame from their content
_ID_LANE, _EXACT_LANE, _NEAR_LANE = 0, 1, 2
_KEY: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class LexicalDuplicate:
    """Whom a candidate repeats: `how` is `exact` (equal when folded) or `near`; similarity from 0 to 1."""

    id: str
    similarity: float
    how: str


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it is compared: digest of its folded form; in mode `near` also its shingles, sketched."""

    digest: int
    features: int = 0
    sketch: bytes = b""
    keys: tuple[int, ...] = ()


class LexicalIndex:
    """All texts that a new one must differ from.

    `mode` is `near`, `exact` or `off`. Shingles found in more than half of the seeds are their common frame
    and say nothing. Two texts are twins from `threshold` on: `threshold` as given, else 0.7, or more where
    two of the seeds (id, text) resemble each other more than that; below the most similar seeds nothing is
    a twin. No method awaits: between the look and the entry no other candidate can come in.
    """

    def __init__(
        self, mode: str, seeds: Sequence[tuple[str, str]], *, threshold: float | None = None
    ) -> None:
        self.mode = mode
        self.threshold = THRESHOLD if threshold is None else threshold
        # A threshold learned earlier and given back acts as it did when it was learned.
        self._floor = self.threshold if self.threshold > THRESHOLD else 0.0
        self._frame: frozenset[int] = frozenset()
        self._chains = SlotChains(2 + BANDS if mode == "near" else 2)
        self._ids = bytearray()
        self._names: dict[int, str] = {}
        self._digests = array("Q")
        self._sketches = bytearray()
        self._free: list[int] = []
        if mode == "near":
            self._frame = _frame([text for _, text in seeds])
        for id, text in seeds:
            if mode == "near" and threshold is None:
                self._learn(self._text(text))
            self.restore(id, text)

    def claim(self, id: str, text: str) -> LexicalDuplicate | None:
        """Take `text` for the candidate `id`, or name its most similar twin and take nothing.

        A candidate that claims again (after a revision) gives its earlier text up first.
        """
        if self.mode == "off":
            return None
        self.release(id)
        seen = self._text(text)
        if twin := self._twin(seen):
            return twin
        self._enter(id, seen)
        return None

    def release(self, id: str) -> None:
        """The candidate was rejected: its text is free again. Nothing happens for an unknown id."""
        slot = self._slot(id)
        if slot is None:
            return
        self._chains.remove(slot, self._keys(slot))
        self._names.pop(slot, None)
        self._ids[slot * ID_BYTES : (slot + 1) * ID_BYTES] = bytes(ID_BYTES)
        self._free.append(slot)

    def restore(self, id: str, text: str) -> None:
        """Enter a seed or a record that was accepted before, whatever it resembles."""
        if self.mode != "off":
            self.release(id)
            self._enter(id, self._text(text))

    def __len__(self) -> int:
        return len(self._digests) - len(self._free)

    @property
    def bytes_per_record(self) -> float:
        """Memory held for each text, in bytes."""
        buffers = (self._ids, self._digests, self._sketches, self._names)
        return (self._chains.bytes + sum(map(getsizeof, buffers))) / max(1, len(self))

    # --- looking ------------------------------------------------------------------------------------

    def _text(self, text: str) -> _Text:
        words, features = compute_features(text)
        folded = " ".join(words) or text
        digest = int.from_bytes(
            blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
        )
        if self.mode != "near":
            return _Text(digest)
        features = features - self._frame or features
        sketched = make_sketch(features)
        return _Text(digest, len(features), sketched, compute_band_keys(sketched))

    def _twin(self, seen: _Text) -> LexicalDuplicate | None:
        for slot in self._chains.find(_EXACT_LANE, (seen.digest & _KEY,)):
            if self._digests[slot] == seen.digest:
                return LexicalDuplicate(self._id(slot), 1.0, "exact")
        nearest, likeness, used = self._nearest(seen)
        slack = _SLACK * estimate_error(self.threshold, used, round(seen.features * 2 / (1 + self.threshold)))
        if nearest is None or likeness < max(self.threshold - slack, self._floor):
            return None
        return LexicalDuplicate(self._id(nearest), round(likeness, 3), "near")

    def _nearest(self, seen: _Text) -> tuple[int | None, float, int]:
        """The most similar slot that shares an index key, its similarity, and the bins it was told from."""
        best: tuple[int | None, float, int] = (None, 0.0, 0)
        if not seen.features:
            return best
        mine = int.from_bytes(seen.sketch, "little")
        for slot in self._chains.find(_NEAR_LANE, seen.keys):
            other = int.from_bytes(self._sketches[slot * BINS : (slot + 1) * BINS], "little")
            likeness, used = estimate_similarity(mine, other)
            if likeness > best[1]:
                best = (slot, likeness, used)
        return best

    def _learn(self, seed: _Text) -> None:
        """Raise the threshold above the similarity of this seed to the ones before it."""
        _, likeness, _ = self._nearest(seed)
        if self._floor < likeness + _MARGIN and likeness < _SEED_TWINS:
            self._floor = likeness + _MARGIN
            self.threshold = max(self.threshold, self._floor)

    # --- slots --------------------------------------------------------------------------------------

    def _enter(self, id: str, seen: _Text) -> None:
        packed, is_hex = _packed(id)
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._digests)
            self._digests.append(0)
            self._ids.extend(bytes(ID_BYTES))
            self._sketches.extend(bytes(len(seen.sketch)))
        if not is_hex:
            self._names[slot] = id
        self._ids[slot * ID_BYTES : (slot + 1) * ID_BYTES] = packed
        self._digests[slot] = seen.digest
        if seen.sketch:
            self._sketches[slot * BINS : (slot + 1) * BINS] = seen.sketch
        self._chains.add(slot, (crc32(packed), seen.digest & _KEY, *seen.keys))

    def _keys(self, slot: int) -> tuple[int, ...]:
        """The keys that a slot was entered under, one for each lane: they follow from what is kept of it."""
        id_key = crc32(self._ids[slot * ID_BYTES : (slot + 1) * ID_BYTES])
        kept = bytes(self._sketches[slot * BINS : (slot + 1) * BINS])
        return (id_key, self._digests[slot] & _KEY, *(compute_band_keys(kept) if kept else ()))

    def _slot(self, id: str) -> int | None:
        packed, _ = _packed(id)
        for slot in self._chains.find(_ID_LANE, (crc32(packed),)):
            if self._ids[slot * ID_BYTES : (slot + 1) * ID_BYTES] == packed:
                return slot
        return None

    def _id(self, slot: int) -> str:
        return self._names.get(slot) or self._ids[slot * ID_BYTES : (slot + 1) * ID_BYTES].hex()


def _packed(id: str) -> tuple[bytes, bool]:
    """An id in 10 bytes, and whether they hold all of it: ids of ours do, others are hashed."""
    if len(id) == 2 * ID_BYTES:
        try:
            packed = bytes.fromhex(id)
        except ValueError:
            pass
        else:
            if packed.hex() == id:
                return packed, True
    return blake2b(id.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest(), False


def _frame(texts: Sequence[str]) -> frozenset[int]:
    """Shingles that more than half of the texts share, in either of the two ways to shingle."""
    if len(texts) < _FRAME_FROM:
        return frozenset()
    counts: dict[int, int] = {}
    for text in texts:
        for feature in compute_features(text)[1]:
            counts[feature] = counts.get(feature, 0) + 1
    return frozenset(feature for feature, count in counts.items() if 2 * count > len(texts))
