"""Text without what would break a file, a terminal or a reader's eye."""

import re
from typing import Final

# CSI and OSC sequences go as a whole, so that "\x1b[31mred" does not leave "[31m" behind.
_TERMINAL: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]"
)
# Overrides make a text read otherwise than it is stored; marks, embeddings and isolates belong to honest RTL text.
_DROPPED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ufeff\ufffe\uffff]")
_NEWLINE: Final = re.compile("\r\n?|\x85")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# One search tells most texts to be clean already.
_SUSPECT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufeff\ud800-\udfff\ufffe\uffff]")


def clean_text(text: str) -> str:
    """`text` without what would break a file, a terminal or a reader's eye; trimmed, with plain newlines.

    Terminal sequences, control characters, byte order marks, noncharacters and bidirectional overrides go; a lone
    surrogate becomes U+FFFD. Letters of any script, joiners and direction marks stay as they are.
    """
    return drop_controls(text).strip()


def drop_controls(text: str) -> str:
    """As `clean_text`, but not trimmed."""
    if _SUSPECT.search(text):
        text = _NEWLINE.sub("\n", _TERMINAL.sub("", text))
        text = _SURROGATE.sub("\ufffd", _DROPPED.sub("", text))
    return text
