r"""How worked answers end: found in the seeds, and brought about by code where an answer ends in another way.

A convention is the end of an answer with a placeholder in it, such as `#### <number>`, `Answer: <answer>` or
`\boxed{<answer>}`; `<number>` by itself is a last line that holds nothing but a number.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final

NUMBER: Final = "<number>"
ANSWER: Final = "<answer>"

_NUMBER: Final = r"[-+−]?\d+(?:[.,]\d+)*(?:/\d+)?"
_LAST_NUMBER: Final = re.compile(rf"\A(?P<before>.*?)(?P<value>{_NUMBER})(?P<after>\D*)\Z")
_MARKER: Final = re.compile(r"\A(?:#{2,6}\s*|[^::]{1,40}[::]\s*)")
_BOXED: Final = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_FINAL: Final = re.compile(
    r"(?:#{2,6}\s*|\b(?:final |correct )?"
    r"(?:answer|result|antwort|ergebnis|réponse|respuesta|resposta|risposta|ответ)\s*(?:is|[::=])\s*|答案(?:是|[::])\s*)(?P<value>[^\n]+)\s*\Z",
    re.IGNORECASE,
)
_DRESS: Final = " \t*_$\\()[]`=:."
# Of the outputs that must end alike: one in five may be cut off or written by another hand.
_SHARE: Final = 0.8
# Characters at the end of an answer in which its ending is looked for: a result of a page is none.
_ENDING: Final = 2000
# Words of a last line that is nothing but the ending, such as "So the answer".
_FEW: Final = 3


def find_convention(outputs: Sequence[str]) -> str:
    """The way in which at least four of five outputs end; empty where there is none."""
    lines = [output.strip().splitlines()[-1].strip() for output in outputs if output.strip()]
    if not lines:
        return ""
    if sum(bool(_BOXED.search(line)) for line in lines) >= _SHARE * len(lines):
        return rf"\boxed{{{ANSWER}}}"
    numbers = [found for line in lines if (found := _LAST_NUMBER.match(line))]
    frame = _find_usual([f"{found['before']}{NUMBER}{found['after']}" for found in numbers], len(lines))
    if frame:
        return frame
    marks = [found[0] for line in lines if (found := _MARKER.match(line)) and found.end() < len(line)]
    if len(lines) > 1 and (mark := _find_usual(marks, len(lines))):
        return f"{mark}{ANSWER}"
    return _find_shared_words(numbers) if len(numbers) == len(lines) > 1 else ""


def _find_usual(endings: Sequence[str], count: int) -> str:
    """The ending that `_SHARE` of so many lines have; empty where none is so common."""
    for ending, times in Counter(endings).most_common(1):
        return ending if times >= _SHARE * count else ""
    return ""


def _find_shared_words(found: Sequence[re.Match[str]]) -> str:
    """Words that all last lines share before their last number, as in `The answer is <number>.`."""
    befores, afters = [match["before"] for match in found], {match["after"] for match in found}
    ends = zip(*(before[::-1] for before in befores), strict=False)
    shared = "".join(letters[0] for letters in takewhile(lambda each: len(set(each)) == 1, ends))[::-1]
    if any(len(before) > len(shared) for before in befores):
        shared = re.sub(r"\A\S*\s+", "", shared)  # the first word may be the tail of longer ones
    return f"{shared}{NUMBER}{afters.pop()}" if len(afters) == 1 and len(shared.split()) > 1 else ""


@lru_cache(maxsize=64)
def _compile(convention: str) -> re.Pattern[str]:
    hole = NUMBER if NUMBER in convention else ANSWER
    before, _, after = convention.partition(hole)
    value = _NUMBER if hole == NUMBER else r"[^\n]*?\S"
    # A bare number counts only as a line of its own; words before it may end a longer line.
    start = r"(?:^|(?<=\s))" if before.strip() else "^"
    body = rf"{start}{_allow_spaces(before)}(?P<value>{value}){_allow_spaces(after)}\s*\Z"
    return re.compile(body, re.MULTILINE)


def _allow_spaces(text: str) -> str:
    return r"\s*".join(re.escape(piece) for piece in re.split(r"\s+", text))


def read_result(text: str, convention: str) -> str:
    """The final result of an answer that ends by the convention; empty where it does not."""
    found = _search(text, convention)
    return found["value"].strip() if found else ""


def _search(text: str, convention: str) -> re.Match[str] | None:
    # Boxes stand within lines of prose as a rule, so they are looked for anywhere in the last line.
    if convention.startswith("\\boxed"):
        last = text[-_ENDING:].rstrip().rpartition("\n")[2]
        return re.search(r"\\boxed\{(?P<value>(?:[^{}]|\{[^{}]*\})+)\}", last)
    return _compile(convention).search(text, max(0, len(text) - _ENDING))


def read_final_answer(text: str, convention: str) -> str:
    """What an answer comes down to: the result by the convention, by a common marker, or its last number."""
    return (
        read_result(text, convention)
        or _split_ending(text.rstrip(), number=True)[1]
        or _find_last_number(text)
    )


def _find_last_number(text: str) -> str:
    numbers = re.findall(_NUMBER, text)
    return numbers[-1] if numbers else ""


def apply_convention(text: str, convention: str) -> str:
    """`text` with its final result written by the convention; unchanged where no result is found.

    Models follow an example's ending most of the time, not always; asking again for a mark of four characters would
    cost a whole answer.
    """
    text = text.rstrip()
    if not convention or read_result(text, convention):
        return text
    head, value = _split_ending(text, number=NUMBER in convention)
    if not value:
        return text
    ending = convention.replace(NUMBER, value).replace(ANSWER, value)
    return f"{head.rstrip()}\n{ending}" if head.strip() else ending


def _split_ending(text: str, *, number: bool) -> tuple[str, str]:
    """What stands before the ending, and the bare value of the ending, empty where there is none."""
    head, _, last = text.rpartition("\n")
    if len(last) > _ENDING:
        head, last = text[:-_ENDING], last[-_ENDING:]
    value, words = "", last
    if boxed := list(_BOXED.finditer(last)):
        value, words = boxed[-1][1], last[: boxed[-1].start()]
    elif stated := _FINAL.search(last):
        value, words = stated["value"], last[: stated.start()]
    elif number and (only := _LAST_NUMBER.match(last)):
        value = only["value"]
    value = value.strip(_DRESS)
    value = _find_last_number(value) if number else value
    # A last line that is nothing but the ending is replaced; one that also shows the working stays.
    return (head if len(words.split()) <= _FEW else text), value
