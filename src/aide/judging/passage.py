"""What the judge sees of fixed parts: short ones whole, of long ones some 300 words around the quoted evidence.

A judgement is asked for every candidate; with a contract of fifty pages in each, the judge would cost more than all
other steps together, and find the passage less well.
"""

from aide.records import WHOLE, Parts

WORDS = 300
_SPARE = 100  # words beyond that are shown rather than cut: what is left out would hardly be shorter


def is_short(parts: Parts) -> bool:
    """True for fixed parts that the judge sees whole."""
    return sum(len(text.split()) for _, text in parts.fixed) <= WORDS + _SPARE


def cut_passage(parts: Parts, evidence: str) -> tuple[Parts, str]:
    """The fixed parts that the judge sees whole, or else the passage around the evidence."""
    return (parts, "") if is_short(parts) else (WHOLE, cut_around_quote(parts, evidence))


def cut_around_quote(parts: Parts, evidence: str) -> str:
    """About 300 words of the fixed part that holds the quote, spaces folded; the quote itself where none does."""
    wanted = evidence.split()
    for _, text in parts.fixed:
        words = text.split()
        place = _find_place(words, wanted)
        if wanted and place >= 0:
            spare = max(0, WORDS - len(wanted)) // 2
            first, last = max(0, place - spare), place + len(wanted) + spare
            return f"{'… ' if first else ''}{' '.join(words[first:last])}{' …' if last < len(words) else ''}"
    return evidence


def _find_place(words: list[str], wanted: list[str]) -> int:
    """Where the quote begins; its first and last word may be parts of words, as quotes are."""
    text, quote = " ".join(words), " ".join(wanted)
    at = text.find(quote)
    return text.count(" ", 0, at) if at >= 0 else -1
