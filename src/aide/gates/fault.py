"""What a gate says of a text that it refuses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateFault:
    """Why a text is refused."""

    reason: str
    """One word, by which rejects are counted."""
    detail: str
    """What was found, for a person."""
