"""A model makes the data that it is itself trained on: it writes inputs, answers them, and filters drop what looks odd.

SELF-GUIDE (Zhao et al., COLM 2024, arXiv 2407.12874): the student is the only model. For labels the label comes first,
and an input is written for it; else the input comes first. Filters take the place of a judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, pstdev
from typing import Any, ClassVar, Final

from aide.config.spec import RunSpec
from aide.errors import InputError, Rejection
from aide.recipes.base import Candidate
from aide.recipes.contract import RecipeInputs
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Draft, Hop, Record
from aide.text.length import measure_length

ROUND: Final = 10
"""Records of a label, or of a pool, in the first round; each round after it has twice as many."""
WARMTH: Final = (0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the temperature at which inputs are written, the share of each round; later rounds are as the last."""
DEVIATIONS: Final = 2.0
# A few seeds that happen to be equally long say little about what is usual: so much of the mean is allowed, and words.
_LEAST_SHARE: Final = 0.5
_LEAST_SLACK: Final = 3


@dataclass(frozen=True, slots=True)
class LengthBand:
    """The usual lengths of texts."""

    low: float
    high: float
    unit: str

    @classmethod
    def of(cls, texts: Sequence[str], unit: str) -> "LengthBand":
        """Two standard deviations around the mean length, and at least half of the mean and three words."""
        lengths = [measure_length(text, unit) for text in texts]
        mean = fmean(lengths)
        slack = max(DEVIATIONS * pstdev(lengths), _LEAST_SHARE * mean, _LEAST_SLACK)
        return cls(mean - slack, mean + slack, unit)

    def check(self, step: str, text: str) -> None:
        """Refuse what is of no usual length; raises `errors.Rejection` of this step."""
        length = measure_length(text, self.unit)
        if not self.low <= length <= self.high:
            reason = "too_short" if length < self.low else "too_long"
            told = f"{length} {self.unit}, usual are {max(self.low, 1):.0f} to {self.high:.0f}"
            raise Rejection(step, reason, told)


class SelfGuide(WrittenRecipe):
    """Inputs by the student, answers by the student, filters instead of a judge."""

    name = "self-guide"
    summary = (
        "The student itself writes inputs and answers them; filters of noise and length stand for a judge."
    )
    source = "Zhao et al., SELF-GUIDE, COLM 2024 (arXiv 2407.12874)"
    needs = "a few seeds; the endpoint serves the student"
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 1.0, "hops": 1, "reflection": False, "answer": "separate", "exam": False, "realism": 0,
        "together": 1, "expect_yield": 0.93,
    }  # fmt: skip
    draws_traits = False
    deals_topics = False
    shares_calls = False

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """A number of records is wanted, and an input is one text."""
        super().check(spec, inputs)
        if inputs.format.chats:
            raise InputError(f"the recipe {cls.name} makes no chats", hint="leave --recipe out")

    async def finish(self, hop: Hop, draft: Draft, ask: Ask) -> Record:
        """The record, if input and output are about as long as those of the seeds; labels are of any length."""
        format = self.context.format
        with Candidate(draft):
            self._bands[0].check("synthesize", draft.input)
        record = await super().finish(hop, draft, ask)
        if not (format.labelled or record.draft.choices):
            with Candidate(record.draft):
                self._bands[1].check("answer", record.draft.output)
        return record

    @cached_property
    def _bands(self) -> tuple[LengthBand, LengthBand]:
        """Of inputs and of outputs."""
        context = self.context
        drafts, unit = [seed.draft for seed in context.seeds], context.card.unit
        return (
            LengthBand.of([draft.input for draft in drafts], unit),
            LengthBand.of([draft.output for draft in drafts], unit),
        )

    def find_template(self, hop: Hop) -> str:
        """A short prompt, which shows inputs alone."""
        return "recipes/self-guide/write"

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """It differs by nothing but its examples."""
        return "of the same kind as the examples, about something else."

    def find_warmth(self, hops: Sequence[Hop]) -> float:
        """The first round keeps close to the seeds; later ones, which repeat more, go further."""
        place = 0
        while hops[0].ordinal >= ROUND * (2 ** (place + 1) - 1):
            place += 1
        return WARMTH[min(place, len(WARMTH) - 1)]
