"""Evidence: what an answer quotes from the fixed parts, and whether it really stands there.

A model that must copy the passage it answers from has to look for it, and what it makes up is caught by a search.
"""

import re
from typing import Final

from aide.errors import Unusable
from aide.records import Parts

_TAG: Final = re.compile(r"<evidence>(.*?)(?:</evidence>|\Z)", re.DOTALL | re.IGNORECASE)
_NONE: Final = frozenset({"none", "n/a", "no evidence", "null"})
# One character each, so that a place found in the folded text is the same place in the text.
_PLAIN: Final = str.maketrans("‘’‚“”„«»–—\u00a0", '\'\'\'"""""-- ')
_EDGES: Final = " \t\n\"'.…"


def split_evidence(text: str) -> tuple[str, str]:
    """The answer, and the quote that follows it in `<evidence>` tags, empty where there is no tag."""
    tag = _TAG.search(text)
    if tag is None:
        return text, ""
    return (text[: tag.start()] + text[tag.end() :]).strip(), tag[1].strip()


def find_quote(evidence: str, parts: Parts) -> str:
    """The passage of a fixed part that `evidence` quotes, byte for byte; empty where it names none.

    Spaces, quotation marks, dashes and case may differ. Without fixed parts there is nothing to quote.

    Raises: `Unusable` with the reason `evidence_missing`.
    """
    if not parts.fixed:
        return ""
    said = evidence.translate(_PLAIN).strip()
    bare = said.strip(_EDGES)
    if not bare:
        raise Unusable("evidence_missing", "Quote the evidence word for word, or write none.", said=evidence)
    if bare.casefold() in _NONE:
        return ""
    # Quotation marks at its edges may be those of the text or the model's own: first as it came, then without.
    for quote in dict.fromkeys((said, bare)):
        pattern = re.compile(r"\s+".join(map(re.escape, quote.split())), re.IGNORECASE)
        for _, text in parts.fixed:
            if found := pattern.search(text.translate(_PLAIN)):
                return text[found.start() : found.end()]
    names = " or the ".join(name for name, _ in parts.fixed)
    raise Unusable(
        "evidence_missing",
        f"The evidence does not stand in the {names}; copy one passage word for word, or write none.",
        said=evidence,
    )
