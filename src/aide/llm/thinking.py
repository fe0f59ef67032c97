"""How much room a model needs to think before it answers, learned from its answers.

The limit of a call is meant for the answer. A model that thinks first spends the same tokens on thoughts, and with room
for the answer alone it is cut before it says a word. So what it was seen to think is added to every limit.
"""

from collections.abc import Mapping
from typing import Any, Final

from aide.completion import read_completion, read_reasoning
from aide.errors import Unusable
from aide.llm.usage import estimate_tokens, read_written_text
from aide.records import Usage

# Of the longest thoughts so far: those of the next question may be somewhat longer.
SPARE: Final = 1.25
# Of what was not enough, where thoughts were cut: how long they would have been nobody knows.
AGAIN: Final = 2
# Tokens. Who thinks longer about a seed than this is going in circles, and more room only costs more.
MOST: Final = 16_384


def read_limit(sent: Mapping[str, Any]) -> int:
    """The limit with which a call went out; 0 where it had none."""
    found = sent.get("max_tokens") or sent.get("max_completion_tokens")
    return found if isinstance(found, int) else 0


def count_thinking(data: Mapping[str, Any], usage: Usage) -> int:
    """Tokens of thoughts in a completion: as reported, else estimated from what stands there."""
    return usage.reasoning or estimate_tokens(read_reasoning(data))


def was_starved(data: Mapping[str, Any]) -> bool:
    """True when a completion was cut off before the answer began."""
    try:
        read_completion(data)
    except Unusable as fault:
        return fault.reason == "truncated" and not fault.said
    return False


def learn_thinking(known: int, data: Mapping[str, Any], usage: Usage, limit: int) -> int:
    """Tokens to add to limits, from those so far and an answer to a call that might write `limit` in all."""
    thought = count_thinking(data, usage)
    # Of a cut completion that holds no answer all that was written is thoughts, wherever they stand.
    if was_starved(data) and read_written_text(data) and (not usage.reasoning or thought >= limit):
        return max(known, min(MOST, AGAIN * limit))
    return max(known, min(MOST, round(SPARE * thought)))
