"""New conversations as the writer gives them back: the turns of their models, no others, each cleaned."""

import json

import pytest

from aide.errors import Unusable
from aide.recipes.chats import ChatsPayload
from aide.records import Draft, ToolCall, Turn

TOOL = json.dumps(
    {"name": "find", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}}}
)
TALK = Draft(
    "a\nc", "d",
    turns=(Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d")), system="Be kind.",
)  # fmt: skip
LOOKED = Draft(
    "a", "d",
    turns=(Turn("user", "a"), Turn("assistant", "", (ToolCall("find", '{"what": "x"}'),)), Turn("tool", "{}"),
           Turn("assistant", "d")),
    tools=(TOOL,),
)  # fmt: skip


def write(*turns: tuple[str, str], n: int = 1) -> str:
    said = "\n".join(f'<turn role="{kind}">{text}</turn>' for kind, text in turns)
    return f'<item n="{n}">\n{said}\n</item>'


SPOKEN = (("user", "Hi?"), ("assistant", "Yes."), ("user", "So?"), ("assistant", "There."))


def test_each_item_becomes_a_conversation_with_what_its_model_shares() -> None:
    found = ChatsPayload([TALK, TALK], answered=True).read(f"{write(*SPOKEN)}\n{write(*SPOKEN, n=2)}")
    assert sorted(found) == [0, 1]
    assert found[0] == Draft(
        "Hi?\nSo?", "There.", turns=tuple(Turn(kind, text) for kind, text in SPOKEN), system="Be kind."
    )


def test_without_answers_the_last_turn_is_left_out_and_kept_where_it_comes() -> None:
    payload = ChatsPayload([TALK], answered=False)
    waiting = payload.read(write(*SPOKEN[:3]))[0]
    assert (waiting.output, waiting.context) == ("", waiting.turns)
    assert payload.read(write(*SPOKEN))[0].output == "There."


def test_calls_and_results_are_turns_of_their_own() -> None:
    said = (
        ("user", "Where?"),
        ("call", '[{"name": "find", "arguments": {"what": "key"}}]'),
        ("tool", '{"at": 3}'),
    )
    found = ChatsPayload([LOOKED], answered=True).read(write(*said, ("assistant", "In three.")))[0]
    assert found.turns[1] == Turn("assistant", "", (ToolCall("find", '{"what": "key"}'),))
    assert found.turns[2] == Turn("tool", '{"at": 3}')
    assert found.tools == (TOOL,)


@pytest.mark.parametrize(
    ("model", "turns", "problem"),
    [
        (TALK, SPOKEN[:2], "its turns are user, assistant, not user, assistant, user, assistant"),
        (TALK, (*SPOKEN, ("user", "Thanks")), "its turns are"),
        (TALK, (), "its turns are none"),
        (LOOKED, (("user", "a"), ("call", "find it"), ("tool", "x"), ("assistant", "d")), "no JSON list of calls"),
        (LOOKED, (("user", "a"), ("call", '[{"name": "go", "arguments": {}}]'), ("tool", "x"), ("assistant", "d")),
         "There is no function go"),
    ],
)  # fmt: skip
def test_a_conversation_of_other_turns_is_told_what_it_lacks(
    model: Draft, turns: tuple[tuple[str, str], ...], problem: str
) -> None:
    with pytest.raises(Unusable) as refused:
        ChatsPayload([model], answered=True).read(write(*turns))
    assert problem in refused.value.problem


def test_one_that_is_broken_costs_no_other() -> None:
    found = ChatsPayload([TALK, TALK], answered=True).read(write(*SPOKEN[:1]) + write(*SPOKEN, n=2))
    assert list(found) == [1]


def test_tags_may_be_left_open_and_a_single_item_without_its_own() -> None:
    said = "\n".join(f'<turn role="{kind}">{text}' for kind, text in SPOKEN)
    assert ChatsPayload([TALK], answered=True).read(said)[0].output == "There."
