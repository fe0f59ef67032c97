"""The task card: what is asked, in which form, within which bounds; counted, told by one call, edited."""

from aide.card.counting import count
from aide.card.demos import demonstrate, demonstrations
from aide.card.draw import CARD_PAYLOAD, draw_card
from aide.card.labels import near_labels, read_labels
from aide.card.toml import from_toml, to_toml

__all__ = [
    "CARD_PAYLOAD",
    "count",
    "demonstrate",
    "demonstrations",
    "draw_card",
    "from_toml",
    "near_labels",
    "read_labels",
    "to_toml",
]
