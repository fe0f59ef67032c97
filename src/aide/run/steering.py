"""Steering: what the records so far tell about the next, so that they come out as the seeds are."""

from math import exp, log
from typing import Final

from aide.card import Traits
from aide.records import Record
from aide.text.length import measure_length

# A writer that is told "about 10 words" is off by less than one, as a rule. One that is always off to one side is asked
# for so much less or more; from a dozen records on the side is no chance any more. Steps of a twentieth keep prompts,
# and with them prefix caches, from changing with every record.
ENOUGH: Final = 12
LEAST, MOST = 0.5, 2.0
STEP: Final = 0.05


class LengthSteering:
    """By what the lengths that are asked for are multiplied."""

    def __init__(self, unit: str, *, on: bool) -> None:
        self._unit = unit
        self._on = on
        self._count = 0
        self._sum = 0.0

    def note(self, record: Record) -> None:
        """A record was accepted: how long it was asked for, and how long it is."""
        if record.lineage.traits:
            asked = Traits.from_dict(record.lineage.traits).length
            self._count += 1
            self._sum += log(max(1, measure_length(record.draft.input, self._unit)) / max(1, asked))

    @property
    def correction(self) -> float:
        """1 where the writer keeps to the lengths, or too little is known."""
        if not self._on or self._count < ENOUGH:
            return 1.0
        return round(min(MOST, max(LEAST, exp(-self._sum / self._count))) / STEP) * STEP
