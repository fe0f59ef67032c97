"""The topic map of a task: what the whole data set is about, of which the seeds are a sample."""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from typing import Final

from pydantic import Field

from aide.card.replies import join_lines, repeats_prompt, show_examples
from aide.errors import NodeError
from aide.formats import TaskCard, Topic
from aide.parsing import ModelPayload, ReplyModel, build_closed_schema
from aide.records import WHOLE, Ask, Draft, rng
from aide.text.loops import find_loop

TOPICS: Final = 30
MAX_OUTPUT: Final = 1500  # tokens: thirty topics of some 25 with their JSON, and room for thoughts
_MOST: Final = 40
_FEWEST: Final = 5  # fewer say less than the seeds do
_EXAMPLES: Final = 20
_TOKENS: Final = 3000
_LONGEST: Final = 10  # words
_LETTERS: Final = 3
# Labels divide a task by themselves; a few, such as yes and no, say nothing of what a text is about.
_LABELS_THAT_DIVIDE: Final = 5


class _Share(ReplyModel):
    topic: str
    share: int = 2


class _Topics(ReplyModel):
    topics: list[_Share]


def _convert(reply: _Topics, instructions: str) -> tuple[Topic, ...]:
    found: dict[str, Topic] = {}
    for each in reply.topics:
        name = join_lines(each.topic).strip(" .\"'")
        key = "".join(letter for letter in name.casefold() if unicodedata.category(letter)[0] in "LN")
        # "A", "B", "C"; "the common ones first": what small models name that find nothing to name.
        idle = (len(key) < _LETTERS and key.isascii()) or repeats_prompt(name, instructions)
        if key and not idle and len(name.split()) <= _LONGEST and not find_loop(name):
            found.setdefault(key, Topic(name, min(5, max(1, each.share))))
    if len(found) < _FEWEST:
        raise ValueError(f"`topics` must be a list of {TOPICS} different topics.")
    return tuple(found.values())[:_MOST]


class _Asked(_Topics):
    """What the schema wants; what comes is forgiven more."""

    topics: list[_Share] = Field(min_length=TOPICS // 3, max_length=_MOST)


@cache
def make_topics_payload(instructions: str) -> ModelPayload[_Topics, tuple[Topic, ...]]:
    """The payload of a topic map; nothing in it repeats the prompt's `instructions`."""
    payload = ModelPayload("topic_map", _Topics, partial(_convert, instructions=instructions))
    # Small models stop after a few topics or never.
    payload.schema = build_closed_schema(_Asked)
    return payload


def wants_topics(card: TaskCard) -> bool:
    """True for a task whose labels do not say what its texts are about, and whose inputs bring no text of their own."""
    return not card.topics and not card.fixed and len(card.labels) < _LABELS_THAT_DIVIDE


async def name_topics(
    ask: Ask, drafts: Sequence[Draft], card: TaskCard, instructions: str = ""
) -> tuple[Topic, ...]:
    """Some thirty topics with a rough share each, the common ones first; none where a model can't name them."""
    try:
        return await ask(
            "card",
            make_topics_payload(instructions),
            template="card_topics",
            max_output=MAX_OUTPUT,
            parts=WHOLE,
            demos=show_examples(drafts, card, _EXAMPLES, _TOKENS),
            task=card.task,
            source=card.source,
            language=card.language,
            count=TOPICS,
        )
    except NodeError:
        return ()


def deal_topic(topics: tuple[Topic, ...], ordinal: int, name: str = "") -> Topic:
    """The topic of the record with this ordinal, of those that are grown by topics in the pool `name`.

    Every block of as many ordinals as the shares add up to has each topic as often as its share says, its turns spread
    over the block, so that a small sample covers the map and keeps the shares.
    """
    block, place = divmod(ordinal, sum(topic.share for topic in topics))
    return topics[_order_block(topics, name, block)[place]]


@lru_cache(maxsize=64)
def _order_block(topics: tuple[Topic, ...], name: str, block: int) -> list[int]:
    dice = rng("topics", name, str(block))
    turns = [
        ((turn + dice.random()) / topic.share, at)
        for at, topic in enumerate(topics)
        for turn in range(topic.share)
    ]
    return [at for _, at in sorted(turns)]
