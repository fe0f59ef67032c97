"""The task card: what is asked, in which form, within which bounds; counted, described by one call, edited."""

from aide.card.counting import count_card
from aide.card.definitions import LabelMistake, find_label_mistakes, rewrite_labels
from aide.card.demos import choose_demonstrations, make_demonstration
from aide.card.describe import count_card_calls, describe_card
from aide.card.labels import rank_confusable_labels, read_labels
from aide.card.toml import card_from_toml, card_to_toml
from aide.card.topics import deal_topic
from aide.card.trait_pool import TraitPool
from aide.card.traits import TRAITS, Traits, check_traits, count_traits, describe_traits

__all__ = [
    "TRAITS", "LabelMistake", "TraitPool", "Traits", "card_from_toml", "card_to_toml", "check_traits",
    "choose_demonstrations", "count_card", "count_card_calls", "count_traits", "deal_topic", "describe_card",
    "describe_traits", "find_label_mistakes", "make_demonstration", "rank_confusable_labels", "read_labels",
    "rewrite_labels",
]  # fmt: skip
