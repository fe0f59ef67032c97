"""Do two answers say the same? As numbers where both hold just one, else as text."""

import re
from fractions import Fraction
from typing import Final

_NUMBER: Final = re.compile(r"[-+−]?(?:\d+(?:[.,]\d+)*|[.]\d+)(?:\s*/\s*\d+)?")
_THOUSANDS: Final = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_MAX_WORDS: Final = 4  # beside more, a number is part of a sentence, which is compared as text
_ROUNDED_DECIMALS: Final = 2  # with fewer a result is exact: 3.5 and 3.49 are two, 3.33 and 3.333 are one


def fold_label(text: str) -> str:
    """What two spellings of one label share: no case, no edge punctuation, single spaces."""
    return " ".join(text.casefold().split()).strip(" .,!:;\"'`*“”‘’。")


def is_same_answer(one: str, other: str) -> bool:
    """True when two final answers are the same number, or the same text but for case and edge punctuation.

    `1,200`, `$1200.00` and `1200 apples` are one number; `3.33` and `3.333` are one, rounded; `1/2` is 0.5.
    """
    left, right = _read_number(one), _read_number(other)
    if left is None or right is None:
        return fold_label(one) == fold_label(other)
    if left[0] == right[0]:
        return True
    places = min(left[1], right[1])
    return places >= _ROUNDED_DECIMALS and abs(left[0] - right[0]) <= Fraction(1, 2 * 10**places)


def _read_number(text: str) -> tuple[Fraction, int] | None:
    """The only number of a text and how many decimals it shows; none where it holds several or much else."""
    plain = _THOUSANDS.sub("", text.strip())
    found = _NUMBER.findall(plain)
    if len(found) != 1 or len(plain.split()) > _MAX_WORDS:
        return None
    over, _, under = found[0].replace("−", "-").partition("/")
    whole, decimals = _split_decimals(over.strip())
    try:
        value = Fraction(f"{whole}.{decimals}" if decimals else whole) / (int(under) if under else 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value, len(decimals)


def _split_decimals(number: str) -> tuple[str, str]:
    """Whole part and decimals, whatever point and comma stand for; groups of three are thousands."""
    marks = [mark for mark in number if mark in ".,"]
    last = marks[-1] if marks else ""
    head, _, tail = number.rpartition(last) if last else (number, "", "")
    # 1.234.567 can only be grouped. A single comma before three digits groups them in most texts, but a whole
    # part of 0 is never grouped: 0,125 is an eighth.
    grouped = last and (
        (len(marks) > 1 and len(set(marks)) == 1)
        or (last == "," and len(tail) == 3 and head not in ("0", "-0", ""))
    )
    if grouped or not last:
        return re.sub("[.,]", "", number), ""
    return re.sub("[.,]", "", head) or "0", tail
