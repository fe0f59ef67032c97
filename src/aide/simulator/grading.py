"""How the simulator judges a text: a share is good, a share low or lost, as its settings say."""

from typing import Any, Final

from aide.records import rng
from aide.simulator.settings import SimulatorSettings
from aide.simulator.texts import draw_share

_GOOD: Final = {
    "fault": "", "second": "", "on_task": True, "in_style": True, "plausible": True, "answerable": True,
    "gives_away": False, "residue": False, "differs": True,
}  # fmt: skip
_LOW: Final = ({"relevance": 5}, {"relevance": 6}, {"in_style": False})
_LOST: Final = (
    {"relevance": 4},
    {"on_task": False},
    {"plausible": False},
    {"answerable": False},
    {"gives_away": True},
)


def grade(identity: int, settings: SimulatorSettings) -> dict[str, Any]:
    """The fields of a verdict on a text, and as `outcome` good, low (a revision mends it) or lost."""
    dice, place = rng("grade", str(identity)), draw_share("outcome", identity)
    good = {**_GOOD, "relevance": dice.randint(7, 10), "diversity": dice.randint(5, 10), "outcome": "good"}
    if settings.accept_all or place >= settings.reject + settings.low:
        return good
    lost = place < settings.reject
    said = {
        "outcome": "lost" if lost else "low",
        "fault": "It falls short of the task.",
        "differs": not lost,
    }
    return {**good, **said, **dice.choice(_LOST if lost else _LOW)}
