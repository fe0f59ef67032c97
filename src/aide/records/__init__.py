"""The values that every part speaks of, each with its form on disk, and the Protocols of the two ways to a model.

All are frozen and slotted, and hashable where they can be.
"""

from dataclasses import replace

from aide.records.content import (
    CONTENT,
    REASONING_MARKS,
    WHOLE,
    Draft,
    Parts,
    find_varying_name,
    make_frame,
    read_output,
    read_varying,
    show_chat,
    write_tool,
)
from aide.records.ids import ID_BYTES, digest, rng
from aide.records.protocols import (
    Ask,
    Correction,
    Embed,
    Message,
    Payload,
    ReasonedPayload,
    TracedAsk,
    Usage,
)
from aide.records.results import FORMATS, Comparison, FormatName, Lineage, Reading, Record, Reject, Verdict
from aide.records.tree import (
    DOCUMENT,
    DOMAIN,
    OPERATIONS,
    PERSONA,
    PLAIN,
    Group,
    Hop,
    Point,
    Seed,
    Triple,
    name_group,
)
from aide.records.turns import (
    ASSISTANT,
    CALL,
    SYSTEM,
    TOOL,
    USER,
    ToolCall,
    Turn,
    describe_turns,
    join_words,
    list_kinds,
    number_calls,
    read_answer,
    render_turns,
    write_calls,
    write_turns,
)

__all__ = [
    "ASSISTANT", "CALL", "CONTENT", "DOCUMENT", "DOMAIN", "FORMATS", "ID_BYTES", "OPERATIONS", "PERSONA", "PLAIN",
    "REASONING_MARKS", "SYSTEM", "TOOL", "USER", "WHOLE", "Ask", "Comparison", "Correction", "Draft", "Embed",
    "FormatName", "Group", "Hop", "Lineage", "Message", "Parts", "Payload", "Point", "Reading", "ReasonedPayload",
    "Record", "Reject", "Seed", "ToolCall", "TracedAsk", "Triple", "Turn", "Usage", "Verdict", "describe_turns",
    "digest", "find_varying_name", "join_words", "list_kinds", "make_frame", "name_group", "number_calls",
    "read_answer", "read_output", "read_varying", "render_turns", "replace", "rng", "show_chat", "write_calls",
    "write_tool", "write_turns",
]  # fmt: skip
