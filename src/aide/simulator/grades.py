"""How the simulated judge sees a candidate: a spread of grades that depends on its text alone."""

from dataclasses import dataclass

from aide.simulator.dice import Dice, share_of
from aide.simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Grade:
    """`outcome` is `good`, `low` (a revision mends it) or `lost` (none does)."""

    outcome: str
    relevance: int = 9
    diversity: int = 8
    on_task: bool = True
    answerable: bool = True
    gives_away: bool = False
    critique: str = "none"


def grade(text: str, settings: SimulatorSettings) -> Grade:
    """The grade of a candidate, the same whenever and for whomever it is judged."""
    dice = Dice("grade", text)
    if settings.accept_all:
        return Grade("good", 8 + dice.below(3), 7 + dice.below(4))
    place = share_of("outcome", text)
    if place < settings.reject:
        return _lost(dice)
    if place < settings.reject + settings.low:
        if dice.chance(0.6):
            return Grade(
                "low",
                5 + dice.below(2),
                6 + dice.below(3),
                critique="It stands too far from the seed's kind of case.",
            )
        return Grade(
            "low",
            7 + dice.below(2),
            4,
            critique="Too much of the parent is left: another situation is needed.",
        )
    return Grade("good", 7 + dice.below(4), 5 + dice.below(6))


def _lost(dice: Dice) -> Grade:
    fault = dice.below(10)
    if fault == 0:
        return Grade("lost", 3, 8, on_task=False, critique="This is not an input of the task any more.")
    if fault == 1:
        return Grade("lost", 7, 7, answerable=False, critique="A fact that the answer needs is missing.")
    if fault == 2:
        return Grade("lost", 8, 7, gives_away=True, critique="The wording gives the answer away.")
    if fault < 7:
        return Grade(
            "lost", 3 + dice.below(4), 5 + dice.below(4), critique="It has drifted to a neighbouring matter."
        )
    return Grade(
        "lost", 7 + dice.below(3), 2 + dice.below(3), critique="It repeats the parent with details exchanged."
    )
