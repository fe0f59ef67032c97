"""Agreement of several answers: how many have to say the same, and drawing until they do or no longer can.

Sampling several answers and keeping what they agree on is self-consistency (Wang et al., ICLR 2023, arXiv
2203.11171). Here a fixed number has to agree, never a mere plurality: a record is better lost than wrong. Drawing
stops as soon as it is settled, because every draw is paid for.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aide.formats import FORMATS, TaskCard
from aide.records import Draft


@dataclass(frozen=True, slots=True)
class Quorum:
    """`needed` of at most `most` answers must agree."""

    needed: int
    most: int


USUAL: Final = Quorum(2, 3)


def choose_quorum(setting: str, card: TaskCard, *, runs: bool = False) -> Quorum | None:
    """The quorum of a task: as set (`K/N`, `off`), or by itself 2/3 where the format wants it.

    Answers that code can't compare have none.
    """
    format = FORMATS[card.format]
    queries = runs and format.runs_queries(card)
    if setting == "off" or not (queries or format.is_comparable(card)):
        return None
    if setting == "auto":
        return USUAL if queries or format.wants_votes(card) else None
    needed, _, most = setting.partition("/")
    found = Quorum(int(needed), int(most))
    return found if found.needed > 1 else None


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer drawn.

    A group of votes without a draft can't win, but stands in the way of others: a label that was meant for the input
    stays, and only its own answer may stand for the record.
    """

    answer: str
    """What the answer comes down to; empty where a draw came to nothing, which counts and agrees with no other."""
    draft: Draft | None = None
    """The draft behind it, where it can stand for the record."""


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


def compute_label_shares(votes: Sequence[str]) -> dict[str, float]:
    """The share of the votes that each label got, the most frequent first: a soft label, in parts that add up to 1.

    Draws that came to nothing count for no label. UniGen (Choi et al., EMNLP 2024, arXiv 2405.01022) trains on the
    probabilities of the labels for texts of no particular domain; a chat endpoint has votes in their place.
    """
    counts = Counter(vote for vote in votes if vote)
    return {label: round(count / counts.total(), 4) for label, count in counts.most_common()}


async def collect_votes(
    first: Sequence[Vote],
    draw: Callable[[int], Awaitable[Vote]],
    quorum: Quorum,
    compare: Callable[[str, str], bool],
) -> VoteTally:
    """Draw on from `first`, the answers that are there, until enough agree or no longer can.

    `draw` gets the number of the draw, counted from those.
    """
    votes = list(first)
    while True:
        groups = _group(votes, compare)
        largest = max(groups, key=len)
        agreed = len(largest) >= quorum.needed and bool(largest[0].answer)
        left = quorum.most - len(votes)
        # A group that is there may still grow large enough, or, after draws that came to nothing, a new one.
        best = max((len(group) for group in groups if group[0].answer), default=0)
        if agreed or left <= 0 or best + left < quorum.needed:
            winner = next((vote.draft for vote in largest if agreed and vote.draft is not None), None)
            return VoteTally(winner, len(largest), tuple(vote.answer for vote in votes))
        votes.append(await draw(len(votes)))


def _group(votes: Sequence[Vote], compare: Callable[[str, str], bool]) -> list[list[Vote]]:
    groups: list[list[Vote]] = []
    for vote in votes:
        alike = (group for group in groups if vote.answer and compare(group[0].answer, vote.answer))
        if (mine := next(alike, None)) is None:
            groups.append([vote])
        else:
            mine.append(vote)
    return groups
