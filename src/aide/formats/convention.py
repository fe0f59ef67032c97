r"""How worked answers end: found in the seeds, and brought about by code where an answer ends in another way.

A convention is the end of an answer with a placeholder in it, such as `#### <number>`, `Answer: <answer>` or
`\boxed{<answer>}`; `<number>` by itself is a last line that holds nothing but a number.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
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
_SHARE: Final = 0.8
_FEW: Final = 3


def find_convention(outputs: Sequence[str]) -> str:
    """The way in which at least four of five outputs end; empty where there is none."""
    texts = [output.strip() for output in outputs if output.strip()]
    if not texts:
        return ""
    if sum(bool(_BOXED.search(text.splitlines()[-1])) for text in texts) >= _SHARE * len(texts):
        return rf"\boxed{{{ANSWER}}}"
    lines = [text.splitlines()[-1].strip() for text in texts]
    return _whole_line(lines) or _marked(lines) or _tail(lines)


def _whole_line(lines: Sequence[str]) -> str:
    frames = Counter(
        (found["before"], found["after"]) for line in lines if (found := _LAST_NUMBER.match(line)) is not None
    )
    if not frames:
        return ""
    (before, after), count = frames.most_common(1)[0]
    return f"{before}{NUMBER}{after}" if count >= _SHARE * len(lines) else ""


def _marked(lines: Sequence[str]) -> str:
    marks = Counter(found[0] for line in lines if (found := _MARKER.match(line)) and found.end() < len(line))
    if not marks:
        return ""
    mark, count = marks.most_common(1)[0]
    return f"{mark}{ANSWER}" if count >= _SHARE * len(lines) and len(lines) > 1 else ""


def _tail(lines: Sequence[str]) -> str:
    """Words that all last lines share before their last number, as in `The answer is <number>.`."""
    found = [match for line in lines if (match := _LAST_NUMBER.match(line))]
    if len(found) < len(lines) or len(lines) < 2 or len({match["after"] for match in found}) > 1:
        return ""
    shared = _common_end([match["before"] for match in found])
    shared = re.sub(r"\A\S*\s+", "", shared) if any(len(m["before"]) > len(shared) for m in found) else shared
    return f"{shared}{NUMBER}{found[0]['after']}" if len(shared.split()) > 1 else ""


def _common_end(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    length = next(
        (
            size
            for size in range(len(shortest), 0, -1)
            if all(text.endswith(shortest[-size:]) for text in texts)
        ),
        0,
    )
    return shortest[len(shortest) - length :]


@lru_cache(maxsize=64)
def _pattern(convention: str) -> re.Pattern[str]:
    hole = NUMBER if NUMBER in convention else ANSWER
    before, _, after = convention.partition(hole)
    value = _NUMBER if hole == NUMBER else r"[^\n]*?\S"
    # A bare number counts only as a line of its own; words before it may end a longer line.
    start = r"(?:^|(?<=\s))" if before.strip() else "^"
    body = rf"{start}{_spaced(before)}(?P<value>{value}){_spaced(after)}\s*\Z"
    return re.compile(body, re.MULTILINE)


def _spaced(text: str) -> str:
    return r"\s*".join(re.escape(piece) for piece in re.split(r"\s+", text))


def read_result(text: str, convention: str) -> str:
    """The final result of an answer that ends by the convention; empty where it does not."""
    found = _search(text, convention)
    return found["value"].strip() if found else ""


def _search(text: str, convention: str) -> re.Match[str] | None:
    # Boxes stand within lines of prose as a rule, so that they are looked for anywhere in the last line.
    if convention.startswith("\\boxed"):
        last = text.rstrip().rpartition("\n")[2]
        return re.search(r"\\boxed\{(?P<value>(?:[^{}]|\{[^{}]*\})+)\}", last)
    return _pattern(convention).search(text)


def read_final_answer(text: str, convention: str) -> str:
    """What an answer comes down to: the result by the convention, by a common marker, or its last number."""
    found = read_result(text, convention) or _final(text.rstrip(), number=True)[1]
    if found:
        return found
    numbers = re.findall(_NUMBER, text)
    return numbers[-1] if numbers else ""


def apply_convention(text: str, convention: str) -> str:
    """`text` with its final result written by the convention; unchanged where no result can be told."""
    text = text.rstrip()
    if not convention or read_result(text, convention):
        return text
    head, value = _final(text, number=NUMBER in convention)
    if not value:
        return text
    ending = convention.replace(NUMBER, value).replace(ANSWER, value)
    return f"{head.rstrip()}\n{ending}" if head.strip() else ending


def _final(text: str, *, number: bool) -> tuple[str, str]:
    """What stands before the ending, and the bare value of the ending, empty where there is none."""
    head, _, last = text.rpartition("\n")
    value, words = "", last
    if boxed := list(_BOXED.finditer(last)):
        value, words = boxed[-1][1], last[: boxed[-1].start()]
    elif stated := _FINAL.search(last):
        value, words = stated["value"], last[: stated.start()]
    elif number and (only := _LAST_NUMBER.match(last)):
        value = only["value"]
    value = value.strip(_DRESS)
    if number and value:
        numbers = re.findall(_NUMBER, value)
        value = numbers[-1] if numbers else ""
    # A last line that was nothing but the ending is replaced; one that also says how stays.
    return (head if len(words.split()) <= _FEW else text), value
