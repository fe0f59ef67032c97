"""The values that every part speaks of, each with its form on disk, and the Protocols of the two ways to a model.

All are frozen and slotted, and hashable where they can be.
"""

from dataclasses import replace

from aide.records.content import CONTENT, WHOLE, Draft, Parts, find_varying_name, make_frame, read_varying
from aide.records.ids import ID_BYTES, digest, rng
from aide.records.protocols import Ask, Correction, Embed, Message, Payload, Usage
from aide.records.results import FORMATS, FormatName, Lineage, Record, Reject, Verdict
from aide.records.tree import OPERATIONS, PERSONA, Hop, Point, Seed, Triple

__all__ = [
    "CONTENT", "FORMATS", "ID_BYTES", "OPERATIONS", "PERSONA", "WHOLE", "Ask", "Correction", "Draft", "Embed",
    "FormatName", "Hop", "Lineage", "Message", "Parts", "Payload", "Point", "Record", "Reject", "Seed",
    "Triple", "Usage", "Verdict", "digest", "find_varying_name", "make_frame", "read_varying", "replace",
    "rng",
]  # fmt: skip
