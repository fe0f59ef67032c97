"""The values that every part speaks of, each with its form on disk, and the Protocols of the two ways to a model.

All are frozen and slotted, and hashable where they can be.
"""

from dataclasses import replace

from aide.records.content import (
    CONTENT,
    WHOLE,
    Draft,
    Parts,
    find_varying_name,
    make_frame,
    read_output,
    read_varying,
)
from aide.records.ids import ID_BYTES, digest, rng
from aide.records.protocols import Ask, Correction, Embed, Message, Payload, TracedAsk, Usage
from aide.records.results import FORMATS, Comparison, FormatName, Lineage, Reading, Record, Reject, Verdict
from aide.records.tree import OPERATIONS, PERSONA, PLAIN, Group, Hop, Point, Seed, Triple, name_group

__all__ = [
    "CONTENT", "FORMATS", "ID_BYTES", "OPERATIONS", "PERSONA", "PLAIN", "WHOLE", "Ask", "Comparison", "Correction",
    "Draft", "Embed", "FormatName", "Group", "Hop", "Lineage", "Message", "Parts", "Payload", "Point", "Reading",
    "Record", "Reject", "Seed", "TracedAsk", "Triple", "Usage", "Verdict", "digest", "find_varying_name", "make_frame",
    "name_group", "read_output", "read_varying", "replace", "rng",
]  # fmt: skip
