"""Agreement of several answers: when two are the same, and when enough of them are.

Sampling several answers and keeping what they agree on is self-consistency (Wang et al., ICLR 2023, arXiv
2203.11171); here a fixed number has to agree, never a mere plurality, and drawing stops as soon as it is
settled.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from aide.formats import TaskCard
from aide.formats.convention import read_final_answer
from aide.formats.labels import fold_label
from aide.records import Draft

AUTO: Final = "auto"
OFF: Final = "off"
COMPARED: Final = ("open", "multiple_choice", "yes_no", "classification")

_NUMBER: Final = re.compile(r"[-+−]?(?:\d+(?:[.,]\d+)*|[.]\d+)(?:\s*/\s*\d+)?")
_SPACES: Final = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_ROUNDED: Final = 2  # so many decimals and more may be rounded


@dataclass(frozen=True, slots=True)
class Quorum:
    """`needed` of at most `most` answers must agree."""

    needed: int
    most: int


USUAL: Final = Quorum(2, 3)


def choose_quorum(setting: str, card: TaskCard) -> Quorum | None:
    """The quorum of a task: as set (`K/N`, `off`), or by itself 2/3 where worked answers end in a result.

    Answers that nothing compares (free text; code, which its tests decide on) have none.
    """
    if setting == OFF or card.format not in COMPARED:
        return None
    if setting == AUTO:
        return USUAL if card.format == "open" and card.convention else None
    needed, _, most = setting.partition("/")
    found = Quorum(int(needed), int(most))
    return found if found.needed > 1 else None


def extract_final_answer(draft: Draft, card: TaskCard) -> str:
    """What an answer comes down to: the result by its marker, else the last number; the option; the label."""
    return read_final_answer(draft.output, card.convention) if card.format == "open" else draft.output.strip()


def is_same_answer(one: str, other: str) -> bool:
    """Whether two final answers say the same: as numbers where both hold just one, else as text.

    `1,200`, `$1200.00` and `1200 apples` are one number; `3.33` and `3.333` are one rounded; `1/2` is 0.5.
    """
    left, right = _number(one), _number(other)
    if left is None or right is None:
        return fold_label(one) == fold_label(other)
    if left[0] == right[0]:
        return True
    places = min(left[1], right[1])
    return places >= _ROUNDED and abs(left[0] - right[0]) <= Fraction(1, 2 * 10**places)


def _number(text: str) -> tuple[Fraction, int] | None:
    """The only number of a text and how many decimals it shows; none where it holds several or much else."""
    plain = _SPACES.sub("", text.strip())
    found = _NUMBER.findall(plain)
    if len(found) != 1 or len(plain.split()) > 4:
        return None
    over, _, under = found[0].replace("−", "-").partition("/")
    whole, decimals = _separated(over.strip())
    try:
        value = Fraction(f"{whole}.{decimals}" if decimals else whole) / (int(under) if under else 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value, len(decimals)


def _separated(number: str) -> tuple[str, str]:
    """Whole part and decimals, whatever point and comma stand for; groups of three are thousands."""
    marks = [mark for mark in number if mark in ".,"]
    last = marks[-1] if marks else ""
    head, _, tail = number.rpartition(last) if last else (number, "", "")
    thousands = last and (
        (len(marks) > 1 and len(set(marks)) == 1)
        or (last == "," and len(tail) == 3 and head not in ("0", "-0", ""))
    )
    if thousands or not last:
        return "".join(letter for letter in number if letter not in ".,"), ""
    return "".join(letter for letter in head if letter not in ".,") or "0", tail


# --- drawing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer drawn: what it comes down to, and the draft behind it where it can stand for the record.

    An empty `answer` is a draw that came to nothing: it counts as drawn and agrees with no other.
    """

    answer: str
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class VoteTally:
    """How the votes fell: `winner` is the first draft of those that agreed, none where too few did."""

    winner: Draft | None
    agreed: int
    votes: tuple[str, ...]

    @property
    def share(self) -> str:
        """`2/3`: so many agreed of so many drawn."""
        return f"{self.agreed}/{len(self.votes)}"


async def collect_votes(first: Vote, draw: Callable[[int], Awaitable[Vote]], quorum: Quorum) -> VoteTally:
    """Draw on from `first`, which is the first answer, until enough agree or no longer can.

    `draw` gets 1, 2, … A group of answers without a draft of its own can't win: it only stands in the way.
    """
    votes = [first]
    while True:
        groups = _groups(votes)
        largest = max(groups, key=len)
        standing = next((vote.draft for vote in largest if vote.draft is not None), None)
        if len(largest) >= quorum.needed and largest[0].answer:
            return VoteTally(standing, len(largest), tuple(vote.answer for vote in votes))
        left = quorum.most - len(votes)
        if not _possible(groups, left, quorum.needed):
            return VoteTally(None, len(largest), tuple(vote.answer for vote in votes))
        votes.append(await draw(len(votes)))


def _possible(groups: Sequence[Sequence[Vote]], left: int, needed: int) -> bool:
    """Whether a group that can win may still grow large enough: one that is there, or a new one."""
    largest = max((len(group) for group in groups if group[0].answer), default=0)
    return left > 0 and largest + left >= needed


def _groups(votes: Sequence[Vote]) -> list[list[Vote]]:
    groups: list[list[Vote]] = []
    for vote in votes:
        mine = next(
            (group for group in groups if vote.answer and is_same_answer(group[0].answer, vote.answer)), None
        )
        if mine is None:
            groups.append([vote])
        else:
            mine.append(vote)
    return groups
