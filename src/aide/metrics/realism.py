"""The realism meter: can a strong model tell a made text from real ones?

Each group holds a few real texts and one record, shuffled. The model names the one that somebody else wrote and says
how sure it is. Beside chance, the share that is found out says whether records can be told from the real ones, and the
certainty says how easily. Texts of public data sets a strong model knows by heart, so there only the certainty tells
one way of making records from another.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import GenericAlias
from typing import Annotated, Any, Final, Self

from pydantic import Field, create_model

from aide.metrics.shares import Share, format_percent
from aide.parsing import ModelPayload, ReplyModel
from aide.records import WHOLE, Ask

GUESS: Final = 1
CERTAIN: Final = 3
"""The ends of the scale of certainty: a guess, and no doubt."""

TEMPLATE: Final = "realism"
STEP: Final = "realism"

_MAX_SIGNS: Final = 10  # shown in a summary: a person reads so many, and the journal has all
_TOKENS: Final = 200  # of an answer: room for what a model thinks aloud
_TOKENS_A_GROUP: Final = 80  # four short fields
_MAX_TEXT: Final = 1200  # characters of a text in a prompt: long ones give themselves away in their beginning


@dataclass(frozen=True, slots=True)
class RealismGroup:
    """Texts of which one is a record and the others are real."""

    texts: tuple[str, ...]
    made: int
    """The place of the record, from 1 as the prompt counts."""

    @property
    def chance(self) -> float:
        """The probability that a blind guess is right."""
        return 1 / len(self.texts)


@dataclass(frozen=True, slots=True)
class RealismGuess:
    """What the model says of one group."""

    number: int
    """The text that it takes for the made one, from 1."""
    certainty: int
    """1 guess, 2 probably, 3 certain."""
    sign: str
    """What gave the text away, in a few words."""


@dataclass(frozen=True, slots=True)
class RealismAnswer:
    """A group with its guess, and where its record came from."""

    operation: str
    hop: int
    chance: float
    found: bool
    """True when the record was named."""
    certainty: int
    sign: str

    @classmethod
    def of(cls, group: RealismGroup, guess: RealismGuess, operation: str, hop: int) -> Self:
        """Hold a guess against its group."""
        found = guess.number == group.made
        return cls(operation, hop, group.chance, found, guess.certainty, guess.sign)


def compose_group(reals: Sequence[str], record: str, rng: random.Random, k: int = 3) -> RealismGroup:
    """`k` of the real texts, or all if there are fewer, and the record, in a random order.

    A text that equals the record is no real one to hold it against.

    Raises:
        ValueError: there is no other real text.
    """
    others = [text for text in dict.fromkeys(reals) if text != record]
    if not others:
        raise ValueError("a group needs a real text beside the record")
    texts = rng.sample(others, min(k, len(others)))
    place = rng.randint(0, len(texts))
    texts.insert(place, record)
    return RealismGroup(tuple(text[:_MAX_TEXT] for text in texts), place + 1)


def compose_calls(
    reals: Sequence[str], records: Sequence[str], rng: random.Random, k: int = 3, most: int = 8
) -> list[list[RealismGroup]]:
    """A group for each record, in their order, and the groups of each call: at most `most`.

    No real text stands in two groups of one call: what comes twice would be known for real. So ten seeds are enough for
    three groups of four texts a call.

    Raises:
        ValueError: there is no real text beside a record.
    """
    different = list(dict.fromkeys(reals))
    size = max(1, min(most, len(different) // k))
    calls = []
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        left = [text for text in rng.sample(different, len(different)) if text not in batch]
        groups = []
        for record in batch:
            dealt, left = left[:k], left[k:]
            # Only where records repeat real texts is a text too few, and then one comes twice.
            groups.append(compose_group(dealt or different, record, rng, k))
        calls.append(groups)
    return calls


async def ask_which_are_made(ask: Ask, groups: Sequence[RealismGroup]) -> tuple[RealismGuess, ...]:
    """One call about some groups: a guess for each, in their order.

    Raises:
        errors.NodeError: no answer that can be used.
        errors.AideError: of scope `run`.
    """
    return await ask(
        STEP,
        make_realism_payload(groups),
        template=TEMPLATE,
        max_output=_TOKENS + _TOKENS_A_GROUP * len(groups),
        parts=WHOLE,
        demos=(),
        **make_prompt_values(groups),
    )


def make_prompt_values(groups: Sequence[RealismGroup]) -> dict[str, Any]:
    """What the prompt `realism` is rendered with, besides the card."""
    return {"groups": [group.texts for group in groups]}


def make_realism_payload(groups: Sequence[RealismGroup]) -> ModelPayload[Any, tuple[RealismGuess, ...]]:
    """The shape of an answer to these groups, handed on as one guess a group, in their order."""
    size = max(len(group.texts) for group in groups)
    guess = create_model(
        "RealismReply",
        __base__=ReplyModel,
        group=(Annotated[int, Field(ge=1, le=len(groups))], ...),
        sign=(str, ...),
        number=(Annotated[int, Field(ge=1, le=size)], ...),
        certainty=(Annotated[int, Field(ge=GUESS, le=CERTAIN)], ...),
    )
    guesses: Any = GenericAlias(list, (guess,))
    counted = Field(min_length=len(groups), max_length=len(groups))
    reply = create_model("RealismReplies", __base__=ReplyModel, guesses=(guesses, counted))

    def convert(said: Any) -> tuple[RealismGuess, ...]:
        found = {each.group: each for each in said.guesses}
        missing = [number for number in range(1, len(groups) + 1) if number not in found]
        if missing:
            raise ValueError(f"Group {missing[0]} has no guess; every group needs one.")
        for number, group in enumerate(groups, 1):
            if found[number].number > len(group.texts):
                raise ValueError(f"Group {number} has only {len(group.texts)} texts.")
        ordered = [found[number] for number in range(1, len(groups) + 1)]
        return tuple(RealismGuess(each.number, each.certainty, each.sign) for each in ordered)

    return ModelPayload(STEP, reply, convert)


@dataclass(frozen=True, slots=True)
class RealismScore:
    """The answers to some groups together."""

    found: Share
    """Records found out, of so many groups."""
    chance: float
    """The share that blind guesses would find."""
    certainty: float
    """The mean certainty over all groups, 1 to 3; a record that can't be told from the others gets 1."""
    certainty_found: float
    """The same over the records that were found out; 0 where none was."""

    @classmethod
    def of(cls, answers: Sequence[RealismAnswer]) -> Self:
        """The score of these answers, at least one."""
        right = [answer.certainty for answer in answers if answer.found]
        return cls(
            Share(len(right), len(answers)),
            fmean(answer.chance for answer in answers),
            fmean(answer.certainty for answer in answers),
            fmean(right) if right else 0.0,
        )

    def as_dict(self) -> dict[str, Any]:
        """The score as JSON values."""
        return {
            "groups": self.found.of,
            "found": round(self.found.value, 4),
            "chance": round(self.chance, 4),
            "certainty": round(self.certainty, 3),
            "certainty_found": round(self.certainty_found, 3),
        }

    def verdict(self) -> str:
        """One sentence with both figures."""
        share, of = self.found, self.found.of
        return (
            f"{share.count} of {of} records were told from real texts ({format_percent(share.value)}, chance "
            f"{format_percent(self.chance)}); certainty {self.certainty:.1f} of {CERTAIN}"
        )


def score_realism(answers: Iterable[RealismAnswer]) -> dict[str, Any]:
    """What a summary holds: all answers, by operation and by hop, and the signs; empty without answers."""
    held = list(answers)
    if not held:
        return {}
    whole = RealismScore.of(held)
    signs = [answer.sign for answer in sorted(held, key=lambda each: -each.certainty) if answer.found]
    return {
        **whole.as_dict(),
        "by_operation": _score_groups((answer.operation, answer) for answer in held),
        "by_hop": _score_groups((str(answer.hop), answer) for answer in held),
        "signs": list(filter(None, dict.fromkeys(signs)))[:_MAX_SIGNS],
        "verdict": whole.verdict(),
    }


def _score_groups(keyed: Iterable[tuple[str, RealismAnswer]]) -> Mapping[str, Any]:
    groups: dict[str, list[RealismAnswer]] = defaultdict(list)
    for key, answer in keyed:
        groups[key].append(answer)
    return {key: RealismScore.of(groups[key]).as_dict() for key in sorted(groups)}


__all__ = [
    "CERTAIN",
    "GUESS",
    "STEP",
    "TEMPLATE",
    "RealismAnswer",
    "RealismGroup",
    "RealismGuess",
    "RealismScore",
    "ask_which_are_made",
    "compose_calls",
    "compose_group",
    "make_prompt_values",
    "make_realism_payload",
    "score_realism",
]
