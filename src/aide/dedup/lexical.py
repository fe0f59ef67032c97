"""Duplicates by wording while a run grows: a candidate against every seed and every record accepted or in work.

Texts are not kept. A record costs about 300 bytes: a sketch of its shingles, a digest of its folded text, its id, and
its place in an index. Similarity is Jaccard similarity of shingles, estimated from the sketches (`dedup.sketch`).
"""

from array import array
from collections import Counter
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

# Finds every copy of 20 words and more with one word changed. Of 4,263 human inputs of 17 tasks 2.4 % have another one
# of their task this close (0.5 % from 0.85 on), mostly in tasks with fixed phrases: hence the learning from the seeds.
THRESHOLD: Final = 0.7
_MARGIN: Final = 0.01  # how far above the most similar pair of seeds the threshold stands
# Seeds this similar are an oversight, not the way of the task (0.1 % of the same inputs); learned from, two equal seeds
# would switch the check off.
_SEED_DUPLICATES: Final = 0.95
# Standard errors by which an estimate may fall short of the threshold. A copy that gets through is in the data, a good
# text refused costs one call.
_SLACK: Final = 1.5
_FRAME_FROM: Final = 5  # fewer seeds do not tell a frame from their content
_ID_LANE, _EXACT_LANE, _NEAR_LANE = 0, 1, 2
_KEY: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class LexicalDuplicate:
    """The known text that a candidate repeats."""

    id: str
    similarity: float
    """From 0 to 1, as estimated."""
    how: str
    """`exact` (equal when folded) or `near`."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as it is compared; in mode `exact` by its digest alone."""

    digest: int
    features: int = 0
    sketch: bytes = b""
    keys: tuple[int, ...] = ()


class LexicalIndex:
    """All texts that a new one must differ from.

    Shingles found in more than half of the seeds are their common frame and are left out. Below the similarity of the
    two most similar seeds nothing is a duplicate: people write so alike in this task.

    No method awaits: between the look and the entry no other candidate can come in.

    Args:
        mode: `near`, `exact` or `off`.
        seeds: id and text of each.
        threshold: the similarity from which two texts are duplicates; without it 0.7, or more as the seeds have it.
    """

    def __init__(
        self, mode: str, seeds: Sequence[tuple[str, str]], *, threshold: float | None = None
    ) -> None:
        self.mode = mode
        self.threshold = THRESHOLD if threshold is None else threshold
        # A threshold learned in an earlier session and given back acts as it did when it was learned.
        self._floor = self.threshold if self.threshold > THRESHOLD else 0.0
        near = mode == "near"
        self._frame = _find_frame([text for _, text in seeds]) if near else frozenset()
        self._chains = SlotChains(2 + BANDS if near else 2)
        # What is kept of the text in each slot, one buffer a field: an object a text would cost several times as much.
        self._ids = bytearray()
        self._names: dict[int, str] = {}
        self._digests = array("Q")
        self._sketches = bytearray()
        self._free: list[int] = []
        for id, text in seeds:
            if near and threshold is None:
                self._learn(self._read(text))
            self.restore(id, text)

    def admit(self, id: str, text: str) -> LexicalDuplicate | None:
        """Enter `text` for the candidate `id`, or return the text it repeats most and enter nothing.

        A candidate that comes again, after a revision, gives its earlier text up first.
        """
        if self.mode == "off":
            return None
        self.release(id)
        seen = self._read(text)
        if duplicate := self._find(seen):
            return duplicate
        self._enter(id, seen)
        return None

    def release(self, id: str) -> None:
        """Forget the text of a candidate that was rejected; nothing happens for an unknown id."""
        slot = self._slot(id)
        if slot is not None:
            self._chains.remove(slot, self._keys(slot))
            self._names.pop(slot, None)
            self._ids[_cut(slot, ID_BYTES)] = bytes(ID_BYTES)
            self._free.append(slot)

    def restore(self, id: str, text: str) -> None:
        """Enter a seed or a record that was accepted before, whatever it resembles."""
        if self.mode != "off":
            self.release(id)
            self._enter(id, self._read(text))

    def __len__(self) -> int:
        return len(self._digests) - len(self._free)

    @property
    def bytes_per_record(self) -> float:
        """Memory held for each text, in bytes."""
        buffers = (self._ids, self._digests, self._sketches, self._names)
        return (self._chains.bytes + sum(map(getsizeof, buffers))) / max(1, len(self))

    # --- looking ------------------------------------------------------------------------------------

    def _read(self, text: str) -> _Text:
        words, features = compute_features(text)
        folded = (" ".join(words) or text).encode("utf-8", "surrogatepass")
        digest = int.from_bytes(blake2b(folded, digest_size=8).digest(), "little")
        if self.mode != "near":
            return _Text(digest)
        features = features - self._frame or features
        sketch = make_sketch(features)
        return _Text(digest, len(features), sketch, compute_band_keys(sketch))

    def _find(self, seen: _Text) -> LexicalDuplicate | None:
        for slot in self._chains.find(_EXACT_LANE, (seen.digest & _KEY,)):
            if self._digests[slot] == seen.digest:
                return LexicalDuplicate(self._id(slot), 1.0, "exact")
        nearest, similarity, used = self._find_nearest(seen)
        # Two sets of n members at similarity t have 2n / (1 + t) together.
        union = round(seen.features * 2 / (1 + self.threshold))
        slack = _SLACK * estimate_error(self.threshold, used, union)
        if nearest is None or similarity < max(self.threshold - slack, self._floor):
            return None
        return LexicalDuplicate(self._id(nearest), round(similarity, 3), "near")

    def _find_nearest(self, seen: _Text) -> tuple[int | None, float, int]:
        """The most similar slot that shares an index key, its similarity, and the number of bins it rests on."""
        best: tuple[int | None, float, int] = (None, 0.0, 0)
        if seen.features:
            mine = int.from_bytes(seen.sketch, "little")
            for slot in self._chains.find(_NEAR_LANE, seen.keys):
                theirs = int.from_bytes(self._sketches[_cut(slot, BINS)], "little")
                similarity, used = estimate_similarity(mine, theirs)
                if similarity > best[1]:
                    best = (slot, similarity, used)
        return best

    def _learn(self, seed: _Text) -> None:
        """Raise the threshold above the similarity of this seed to the ones before it."""
        _, similarity, _ = self._find_nearest(seed)
        if self._floor < similarity + _MARGIN and similarity < _SEED_DUPLICATES:
            self._floor = similarity + _MARGIN
            self.threshold = max(self.threshold, self._floor)

    # --- slots --------------------------------------------------------------------------------------

    def _enter(self, id: str, seen: _Text) -> None:
        packed, is_hex = _pack_id(id)
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._digests)
            self._digests.append(0)
            self._ids.extend(bytes(ID_BYTES))
            self._sketches.extend(bytes(len(seen.sketch)))
        if not is_hex:
            self._names[slot] = id
        self._ids[_cut(slot, ID_BYTES)] = packed
        self._digests[slot] = seen.digest
        if seen.sketch:
            self._sketches[_cut(slot, BINS)] = seen.sketch
        self._chains.add(slot, (crc32(packed), seen.digest & _KEY, *seen.keys))

    def _keys(self, slot: int) -> tuple[int, ...]:
        """The keys that a slot was entered under, one for each lane: they follow from what is kept of it."""
        sketch = bytes(self._sketches[_cut(slot, BINS)])
        id_key = crc32(self._ids[_cut(slot, ID_BYTES)])
        return (id_key, self._digests[slot] & _KEY, *(compute_band_keys(sketch) if sketch else ()))

    def _slot(self, id: str) -> int | None:
        packed, _ = _pack_id(id)
        slots = self._chains.find(_ID_LANE, (crc32(packed),))
        return next((slot for slot in slots if self._ids[_cut(slot, ID_BYTES)] == packed), None)

    def _id(self, slot: int) -> str:
        return self._names.get(slot) or self._ids[_cut(slot, ID_BYTES)].hex()


def _cut(slot: int, width: int) -> slice:
    return slice(slot * width, (slot + 1) * width)


def _pack_id(id: str) -> tuple[bytes, bool]:
    """An id in 10 bytes, and whether they hold all of it: ids of ours do, others are hashed."""
    try:
        packed = bytes.fromhex(id)
    except ValueError:
        packed = b""
    # `fromhex` also takes capitals and spaces, which would not come back.
    if len(packed) == ID_BYTES and packed.hex() == id:
        return packed, True
    return blake2b(id.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest(), False


def _find_frame(texts: Sequence[str]) -> frozenset[int]:
    """Shingles that more than half of the texts share, in either of the two ways to shingle."""
    if len(texts) < _FRAME_FROM:
        return frozenset()
    counts = Counter(feature for text in texts for feature in compute_features(text)[1])
    return frozenset(feature for feature, count in counts.items() if 2 * count > len(texts))
