"""What code can refuse of an answer before a judge is paid: that it is an answer, whole, and nothing beside one.

Every check is fitted to the seeds' answers: one that some of them don't pass is off, for what people do is the way of
the task. Labels and options come from a closed set and need none of this.
"""

import re
from collections.abc import Sequence
from typing import Final

from aide.gates.fault import GateFault
from aide.gates.language import LanguageCheck
from aide.gates.leftovers import REASONS, Leftovers
from aide.records import Draft
from aide.text.language import identify_language
from aide.text.words import count_unspaced, fold_words

_REPEATED_WORDS: Final = (
    5  # a question of fewer words may begin its answer by chance: "The sky is blue because"
)
_MARKS: Final = 40  # characters of dress that may stand before and between the words of a repeated question
_CUT_WORDS: Final = 5  # a phrase of fewer words is another way to answer, no sentence that was cut
_CUT_LETTERS: Final = 10  # the same for scripts that write no spaces
_SEEN_FROM: Final = 3  # so many seeds before their way counts as a rule
# A letter, a digit, or a mark that something follows: no text of which the last sentence is closed ends so.
_OPEN_END: Final = re.compile(r"[\w,;–—(\[{/&-]")


class AnswerGate:
    """The checks of one task's answers. The same answer gets the same verdict whenever it is checked."""

    def __init__(self, inputs: Sequence[str], answers: Sequence[str], *, closed: bool, code: bool) -> None:
        """`answers` are all that the seeds answer, workings included; `closed` where they are labels or options.

        Of `code` only what can stand in no program is looked for.
        """
        # Braces and brackets are code, and a comment may speak of the example that it shows.
        reasons = () if closed else ("refusal",) if code else REASONS
        self._leftovers = Leftovers(answers, "answer", reasons)
        language = None if closed or code else identify_language(answers)
        self._language = LanguageCheck(language.code if language else "", answers)
        told = [answer for answer in answers if answer.strip()]
        free = not (code or closed)
        self._whole = free and len(told) >= _SEEN_FROM and not any(map(_ends_open, told))
        self._begins_anew = free and not any(map(_repeats, inputs, answers))

    def check(self, question: str, answer: Draft) -> GateFault | None:
        """The first fault of an answer to `question`, or `None`.

        Reasons: those of `leftovers.PHRASES`, `control_token`, `wrong_language`, `repeats_question`, `cut_off`.
        """
        for text in (answer.output, answer.reasoning, *answer.choices):
            if found := self._leftovers.find(text, question):
                return GateFault(found.reason, found.text)
            if language := self._language.foreign(text):
                return GateFault("wrong_language", f"the answer is in {language}")
        if self._begins_anew and _repeats(question, answer.output):
            return GateFault("repeats_question", answer.output.strip()[:80])
        if self._whole and not answer.choices and _is_cut(answer.output):
            return GateFault("cut_off", f"it ends with …{answer.output.strip()[-40:]!r}")
        return None


def _is_cut(text: str) -> bool:
    long = len(text.split()) >= _CUT_WORDS or count_unspaced(text) >= _CUT_LETTERS
    return long and _ends_open(text)


def _ends_open(text: str) -> bool:
    return bool(_OPEN_END.match(text.rstrip()[-1:]))


def _repeats(question: str, answer: str) -> bool:
    """True when `answer` begins with all the words of `question`."""
    asked, said = fold_words(question), fold_words(answer[: 2 * len(question) + _MARKS])
    return len(asked) >= _REPEATED_WORDS and said[: len(asked)] == asked
