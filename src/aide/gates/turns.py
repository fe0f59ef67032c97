"""What code can refuse of a conversation, turn by turn: a turn that says an earlier one again, an answer that is none.

As with every gate, a check that the seeds themselves don't pass is off.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from aide.gates.answers import AnswerGate
from aide.gates.fault import GateFault
from aide.records import ASSISTANT, USER, Draft, Turn
from aide.text.words import fold_words

_REPEATED_WORDS: Final = 4  # shorter turns ("Yes, please.") come again in honest conversations


class TurnGate:
    """The checks of one task's turns; the answer that ends a conversation is held to the same."""

    def __init__(self, seeds: Sequence[Draft], answers: AnswerGate) -> None:
        self._answers = answers
        self._may_repeat = any(_find_repeated(draft.turns) for draft in seeds)

    def check(self, draft: Draft) -> GateFault | None:
        """The first fault of the turns of a new conversation, or `None`; none where the draft is no conversation.

        Reasons: `empty`, `turn_repeated`, and those of `AnswerGate` for what the assistant says in between.
        """
        for turn in draft.turns:
            if not turn.content.strip() and not turn.calls:
                return GateFault("empty", f"a turn of the {turn.role} has no text")
        if not self._may_repeat and (repeated := _find_repeated(draft.turns)):
            return GateFault("turn_repeated", repeated[:80])
        for asked, said in pair_turns(draft.context):
            if fault := self._answers.check(asked, Draft(asked, said)):
                return GateFault(fault.reason, f"turn of the assistant: {fault.detail}")
        return None


def pair_turns(turns: Iterable[Turn]) -> Iterator[tuple[str, str]]:
    """What the user said last, and each turn that the assistant says in words."""
    asked = ""
    for turn in turns:
        if turn.role == USER:
            asked = turn.content
        elif turn.role == ASSISTANT and turn.content:
            yield asked, turn.content


def _find_repeated(turns: Iterable[Turn]) -> str:
    """The first turn that says the same as an earlier one; empty where none does."""
    seen = set()
    for turn in turns:
        words = tuple(fold_words(turn.content))
        if len(words) >= _REPEATED_WORDS and turn.role in (USER, ASSISTANT):
            if words in seen:
                return turn.content
            seen.add(words)
    return ""
