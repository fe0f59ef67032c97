"""Step 6, self-reflection: the judge's verdict, and what follows from it."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from aide.parsing import ModelPayload, ReplyModel
from aide.records import Verdict

Grade = Annotated[int, Field(ge=1, le=10)]


class _Verdict(ReplyModel):
    """The order of the fields is the order of the judge's work: it solves, criticises, then scores."""

    own_answer: str
    critique: str
    on_task: bool
    answerable: bool
    gives_away: bool
    correct: bool
    relevance: Grade
    diversity: Grade


VERDICT: Final = ModelPayload("verdict", _Verdict, lambda reply: Verdict(**reply.model_dump()))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least grades (1 to 10) of relevance to the seed and of diversity from the parent.

    Relevance has the higher bar: a record beside the task teaches something else, a plain one merely teaches less.
    """

    min_relevance: int = 7
    min_diversity: int = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a verdict."""

    accepted: bool
    answer_only: bool = False
    """True when the input is good, so that answering it again is enough."""
    reason: str = ""
    """The first thing that failed: `off_task`, `unanswerable`, `gives_away`, `wrong_answer`, `low_relevance` or
    `low_diversity`."""
    critique: str = ""
    """What has to be mended, for the model that writes it again."""


def apply_thresholds(verdict: Verdict, thresholds: Thresholds) -> Judgement:
    """What a verdict means: a record needs all four judgements in its favour and both grades at their minimum."""
    # In order of weight: the first failure names the reject, and what is off the task need not be right.
    low_relevance = f"It is too far from the seed: relevance {verdict.relevance} of 10."
    low_diversity = f"It repeats its parent too closely: diversity {verdict.diversity} of 10."
    checks = (
        ("off_task", verdict.on_task, "It is not of the kind that the task asks for."),
        ("unanswerable", verdict.answerable, "It can't be answered from what it says."),
        ("gives_away", not verdict.gives_away, "It gives its own answer away."),
        ("wrong_answer", verdict.correct, "The answer is wrong or does not fit."),
        ("low_relevance", verdict.relevance >= thresholds.min_relevance, low_relevance),
        ("low_diversity", verdict.diversity >= thresholds.min_diversity, low_diversity),
    )
    failed = {reason: fault for reason, passed, fault in checks if not passed}
    if not failed:
        return Judgement(accepted=True)
    faults = [*failed.values(), verdict.critique]
    if "wrong_answer" in failed and verdict.own_answer:
        faults.append(f"An answer worked out independently: {verdict.own_answer}")
    critique = "\n".join(filter(None, map(str.strip, faults)))
    return Judgement(False, [*failed] == ["wrong_answer"], next(iter(failed)), critique)
