"""Conversations as the simulator writes them: turns of the wanted kinds, calls that fit their functions."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from aide.simulator.request import Tag

_CALLS: Final = re.compile(r'<turn role="call">(.*?)</turn>', re.DOTALL)


def write_turns(kinds: Sequence[str], text: str, words: Sequence[str], call: str, dice: random.Random) -> str:
    """A conversation of these turns, in which the user says `text`, a piece a turn; others say some of `words`."""
    left, said = text.split(" "), []
    piece = max(1, len(left) // max(1, kinds.count("user")))
    for place, kind in enumerate(kinds):
        content = f"{' '.join(dice.choices(words, k=4))} {1000 + dice.randrange(9000)}."
        if kind == "user":
            own = left if "user" not in kinds[place + 1 :] else left[:piece]
            left = left[len(own) :]
            content = " ".join(own) or content
        said.append(f'<turn role="{kind}">{call if kind == "call" else content}</turn>')
    return "\n".join(said)


def write_call(
    tags: Sequence[Tag], shown: Sequence[str], pick: int, fill: Callable[[Mapping[str, Any]], Any]
) -> str:
    """A call of one of the functions that the prompt has, else one that stands in a text that it shows."""
    parts = [tag.text for tag in tags if tag.attributes.get("name") == "functions"]
    functions = [orjson.loads(line) for part in parts for line in part.splitlines()]
    if not functions:
        return next(iter(_CALLS.findall("\n".join(shown))), '[{"name": "look_up", "arguments": {}}]')
    whole = functions[pick % len(functions)]
    function = whole.get("function", whole)
    arguments = fill(function.get("parameters") or {"type": "object"})
    return orjson.dumps([{"name": function["name"], "arguments": arguments}]).decode()
