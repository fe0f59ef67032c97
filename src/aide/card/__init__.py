"""The task card: what is asked, in which form, within which bounds; counted, described by one call, edited."""

from aide.card.counting import count_card
from aide.card.demos import choose_demonstrations, make_demonstration
from aide.card.draw import describe_card
from aide.card.labels import rank_confusable_labels, read_labels
from aide.card.toml import card_from_toml, card_to_toml

__all__ = [
    "card_from_toml", "card_to_toml", "choose_demonstrations", "count_card", "describe_card",
    "make_demonstration", "rank_confusable_labels", "read_labels",
]  # fmt: skip
