"""The equations of a worked solution, recomputed: `3 x 4 = 12`, `<<3*4=12>>`, `10 / 4 = 2.5 = 5/2`.

Exact rational arithmetic over numbers and signs alone: binary fractions would call 0.1 + 0.2 = 0.3 wrong. What is no
pure arithmetic (letters, units between the numbers, mixed fractions) is left alone, and where a text can be read in
several ways it is right if one of them is. Mistakes in solutions are rare, so that a check which is wrong about one
equation in a hundred would throw away more good records than bad ones.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Final

# Marks of a calculator, as some worked solutions carry them: an equation of their own inside a sentence.
_MARK: Final = re.compile(r"<<([^<>]*)>>")
_NUMBER: Final = r"(?:\d+(?:[.,]\d+)*|[.]\d+)"
_TOKEN: Final = re.compile(rf"{_NUMBER}|\*\*|[-+*/^()%]")
# A side of an equation: the longest run of digits, signs and spaces that touches the equals sign.
_SIDE: Final = r"[\d.,+\-*/^()% \t]*"
# It begins where such a run begins: a long one without an equals sign is not tried from each of its places.
_CHAIN: Final = re.compile(rf"(?<![\d.,+\-*/^()% \t=]){_SIDE}(?:={_SIDE})+")
_SPELLINGS: Final = (
    (re.compile(r"\\(?:times|cdot)\b|[×·⋅∙✕]"), "*"),
    (re.compile(r"\\div\b|[÷∶]"), "/"),
    (re.compile(r"[−–—‒]"), "-"),
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\(?:left|right|[,;!])|\\[()\[\]]"), ""),
    (re.compile(r"(?<=[\d)%])\s*[xX]\s*(?=[\d($€£.])"), "*"),
    (re.compile(r"\\?[$€£¥]|(?<=\d)\s*[€£¥]"), ""),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"(?<=\d)[   '’](?=\d{3}(?!\d))"), ""),
)  # fmt: skip
_WORD: Final = re.compile(r"[\w)\]}°²³√!]")
# What goes before a side and belongs to it: an operator, or the word for one.
_OPERATOR: Final = re.compile(
    r"(?:[-+*/^=]|(?<!\w)x|\b(?:(?<!total )of|times|plus|minus|by|over))\s*\Z", re.IGNORECASE
)
# Where a clause ends before a side: "So, 19 - 5 = 14"; but "of 24, 1/2 = 12" tells a part of what was said.
_STOP: Final = re.compile(r"[.,]+\s+")
_PART: Final = re.compile(r"\s*\d+\s*/\s*\d+\s*")
# What comes after a side and goes on with it: brackets, powers, a unit and the next operator.
_ONWARD: Final = re.compile(r"[(\[{\\√²³!:]|(?:and|&)\s+\d+/\d|\w+\s*[-+*/^]\s*[\d(]|\w+\s*=")
_OPEN: Final = tuple("+-*/^(")
# Larger numbers are misprints or meant to hurt: exact arithmetic on them would take for ever.
_MAX_DIGITS: Final = 18
_MAX_POWER: Final = 64
_AROUND: Final = 200  # characters before and after a chain of equations that are looked at
# `25%` is a quarter in "24 * 25% = 6" and 25 in "6 / 24 * 100 = 25%".
_PERCENT: Final = (Fraction(1, 100), Fraction(1))


@dataclass(frozen=True, slots=True)
class Miscalculation:
    """An equation that does not hold: its two sides as written, and what the left one really comes to."""

    left: str
    right: str
    value: str


def describe_miscalculation(text: str) -> str:
    """What to tell a model of the first equation that does not hold; empty where there is none."""
    for wrong in find_miscalculations(text)[:1]:
        return f"A calculation is wrong: {wrong.left} = {wrong.right}; it comes to {wrong.value}."
    return ""


def find_miscalculations(text: str) -> list[Miscalculation]:
    """All equations of `text` that do not hold, in order; empty where every one that can be read does.

    Results may be rounded or cut at the last digit they show, percent may be meant as hundredths or as written, `1.200`
    may be a thousand or a decimal, and an intermediate result may be carried on in place (`5 + 4 = 9 + 3 = 12`).
    """
    equations = (sides for line in _lines(text) for sides in _equations(line))
    return [wrong for left, right in equations if (wrong := _compare(left, right)) is not None]


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "=" in line:
            yield from _MARK.findall(line)
            yield _MARK.sub("", line)


def _equations(line: str) -> Iterator[tuple[str, str]]:
    """Pairs of neighbouring sides, both pure and whole, at least one of them a calculation."""
    for pattern, plain in _SPELLINGS:
        line = pattern.sub(plain, line)
    for chain in _CHAIN.finditer(line):
        sides = chain[0].split("=")
        before, after = (
            line[max(0, chain.start() - _AROUND) : chain.start()],
            line[chain.end() : chain.end() + _AROUND],
        )
        if (stop := _STOP.match(sides[0])) and not _PART.fullmatch(sides[0][stop.end() :]):
            before, sides[0] = before + stop[0], sides[0][stop.end() :]
        whole = [side.strip().rstrip(".,") for side in sides]
        if not _begins_here(before, sides[0]):
            whole[0] = ""
        if not _ends_here(after, sides[-1]):
            whole[-1] = ""
        alone = not before.strip() and _calculates(whole[0])
        for place, (left, right) in enumerate(pairwise(whole)):
            # "10 = 4 - 1", "the LCM of 6 and 10 = 2 * 15": what stands first may be the end of a phrase.
            if left and right and (_calculates(left) if not _calculates(right) else place or alone):
                yield left, right


def _begins_here(before: str, side: str) -> bool:
    """True when the first side is whole: no word runs into it, and nothing unread goes on in it."""
    if side.lstrip()[:1] in tuple("+*/^-)") and before.strip():
        return False
    if before and not side[:1].isspace() and _WORD.match(before[-1]):
        return False
    return not _OPERATOR.search(before)


def _ends_here(after: str, side: str) -> bool:
    """True when the last side is whole: a unit may follow its number, but nothing that goes on calculating."""
    if side.rstrip().endswith(_OPEN):
        return False
    if _calculates(side) and re.match(r"[A-Za-z_]", after) and not side[-1:].isspace():
        return False
    return not _ONWARD.match(after)


def _calculates(side: str) -> bool:
    return bool(re.search(r"[\d.)%]\s*[-+*/^]", side))


# --- values -------------------------------------------------------------------------------------


def _compare(left: str, right: str) -> Miscalculation | None:
    """The fault of an equation; `None` where it holds in some reading, or where no reading can be had."""
    shown: Fraction | None = None
    for point, percent, other in product(".,", _PERCENT, _PERCENT):
        value, said = _value(left, point, percent), _value(right, point, other)
        if value is None or said is None:
            continue
        if _agree(value, said, left, right, point) or _is_carried_on(value, right, point, other):
            return None
        shown = value if shown is None else shown
    return None if shown is None else Miscalculation(left, right, _write(shown))


def _agree(value: Fraction, said: Fraction, left: str, right: str, point: str) -> bool:
    """Equal, or nearer than one unit in the last place that the rounded side shows."""
    if value == said:
        return True
    gap = abs(value - said)
    if not _calculates(right) and gap < _unit(right, point) and value.denominator > 1:
        return True
    return not _calculates(left) and gap < _unit(left, point) and said.denominator > 1


def _is_carried_on(value: Fraction, right: str, point: str, percent: Fraction) -> bool:
    """`5 + 4 = 9 + 3`: the result first, and on with the next step."""
    first = re.match(rf"\s*{_NUMBER}", right)
    if first is None or not _calculates(right):
        return False
    said = _value(first[0], point, percent)
    return said is not None and _agree(value, said, "0+0", first[0], point)


def _unit(number: str, point: str) -> Fraction:
    """One unit in the last place of a written number."""
    decimals = re.search(rf"{re.escape(point)}(\d+)\D*\Z", number)
    return Fraction(1, 10 ** len(decimals[1])) if decimals else Fraction(1)


def _write(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"


def _value(side: str, point: str, percent: Fraction) -> Fraction | None:
    """The value of a side; `None` where it is no arithmetic, or too large to be meant."""
    tokens = _TOKEN.findall(side)
    if "".join(tokens) != "".join(side.split()):
        return None
    parser = _Parser(tokens, point, percent)
    try:
        value = parser.sum()
    except (ValueError, ZeroDivisionError, OverflowError, RecursionError):
        return None
    return None if parser.tokens else value


class _Parser:
    """Recursive descent: sums of products of powers; signs, brackets and percent. `tokens` are those not yet read."""

    def __init__(self, tokens: Iterable[str], point: str, percent: Fraction) -> None:
        self.tokens = deque(tokens)
        self._point = point
        self._percent = percent

    def _take(self, *signs: str) -> str:
        """The next token where it is one of these signs; else empty."""
        return self.tokens.popleft() if self.tokens and self.tokens[0] in signs else ""

    def sum(self) -> Fraction:
        value = self._product()
        while sign := self._take("+", "-"):
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while sign := self._take("*", "/"):
            value = value * self._power() if sign == "*" else value / self._power()
        return value

    def _power(self) -> Fraction:
        if sign := self._take("-", "+"):
            return -self._power() if sign == "-" else self._power()
        base = self._atom()
        if not self._take("^", "**"):
            return base
        exponent = self._power()
        if exponent.denominator != 1 or abs(exponent) > _MAX_POWER:
            raise ValueError
        return base ** int(exponent)

    def _atom(self) -> Fraction:
        if self._take("("):
            value = self.sum()
            if not self._take(")"):
                raise ValueError
        else:
            value = _read_number(self.tokens.popleft() if self.tokens else "", self._point)
        return value * self._percent if self._take("%") else value


def _read_number(text: str, point: str) -> Fraction:
    """A written number; raises `ValueError` where it is none with this decimal sign."""
    comma = "," if point == "." else "."
    whole, dot, decimals = text.partition(point)
    if comma in decimals or point in decimals or len(text) > _MAX_DIGITS:
        raise ValueError
    head, *groups = whole.split(comma)
    if groups and (any(len(group) != 3 for group in groups) or not 1 <= len(head) <= 3):
        raise ValueError
    return Fraction(f"{head or '0' if dot else head}{''.join(groups)}{'.' if dot else ''}{decimals}")
