"""The tags that mark the values in our prompts, each named once.

Three things follow from the list, and a tag that is missing from it breaks them. A value that holds a closing tag would
end its own place in the prompt, so that what comes after it reads as an instruction: `defuse_tags` prevents that. And
a model that takes a tag along into its text spoils the data: `unwrap_tags` takes off what stands around a text, and
`gates.leftovers` refuses what `TAG` matches. A test reads every file of `prompts/` and fails where one uses a tag that
is not here.
"""

import re
from collections.abc import Sequence
from typing import Final

TAGS: Final = (
    "about", "answer", "candidate_answer", "critique", "draft", "evidence", "example", "examples", "input", "item",
    "knowledge", "label", "labels", "line", "not_label", "pair", "parent", "part", "question", "said", "seed", "task",
    "text", "there", "topic", "triples", "turn", "wanted",
)  # fmt: skip
# A conversation is one value with tags in it; whoever renders it has made those inside its turns harmless.
INSIDE: Final = ("turn",)

# The pattern of an opening or closing tag, with or without attributes. `think` is the models' own.
TAG: Final = rf"</?(?:{'|'.join(TAGS)}|think)(?:\s[^<>]*)?/?>"
_CLOSING: Final = re.compile(rf"</(?=(?:{'|'.join(name for name in TAGS if name not in INSIDE)})>)")
# Tags that a model may put around its text. Evidence is not among them: it is asked for in its tag. Only four of ours
# have attributes; any other with some is HTML, such as <input type="text">.
_AROUND: Final = "|".join(name for name in TAGS if name != "evidence")
_WRAPPING: Final = re.compile(rf"<(/?)({_AROUND})>|<(item|line|text|pair) [^<>]*>")
_INTRODUCTION: Final = re.compile(r"\A[^\n<]{0,80}:\s*(?=<)")


def defuse_tags(text: str) -> str:
    """`text` with a zero-width space in each closing tag of ours: it reads the same and closes nothing."""
    return _CLOSING.sub("<\u200b/", text) if "</" in text else text


def unwrap_tags(text: str, wanted: Sequence[str] = ()) -> str:
    """The text inside tags of ours that stand around it, or as it is where it neither begins nor ends with one.

    Small models go on in the form of the prompt: `<example><input>Why?</input><answer>So.</answer>` for `Why?`. What
    stands in the first of the `wanted` tags is taken, else what stands in the innermost tag at the beginning. A tag may
    be left open, and a lone closing one ends the text.
    """
    found = list(_WRAPPING.finditer(text))
    if not found:
        return text
    introduced = _INTRODUCTION.match(text)
    begin = introduced.end() if introduced else len(text) - len(text.lstrip())
    opened = [match for match in found if not match[1]]
    if found[0].start() == begin and not found[0][1]:
        for name in wanted:
            if start := next((match.end() for match in opened if name in match.groups()), 0):
                return _cut(text, start, found)
        start = begin
        while start < len(text) and (match := _WRAPPING.match(text, start)) and not match[1]:
            start = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip())
        return _cut(text, start, found)
    closing = found[0]
    return text[: closing.start()].strip() if closing[1] else text


def _cut(text: str, start: int, found: Sequence[re.Match[str]]) -> str:
    """The text from `start` to the next tag."""
    end = next((match.start() for match in found if match.start() >= start), len(text))
    return text[start:end].strip()
