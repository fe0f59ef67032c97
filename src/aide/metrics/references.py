"""What a set of examples is held against, and how sentences and files name it."""

from typing import Final

SEEDS: Final = "seeds"
HUMAN: Final = "human data"

KEYS: Final = {SEEDS: "seeds", HUMAN: "human"}
"""The name of each reference in JSON."""


def with_article(reference: str) -> str:
    """A reference as it stands inside a sentence: `the seeds`, `human data`."""
    return "the seeds" if reference == SEEDS else reference


__all__ = ["HUMAN", "KEYS", "SEEDS", "with_article"]
