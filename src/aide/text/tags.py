"""The tags that mark the values in our prompts, each named once.

Two things follow from the list, and a tag that is missing from it breaks both. A value that holds a closing tag would
end its own place in the prompt, so that what comes after it reads as an instruction: `defuse_tags` prevents that. And
a model that takes a tag along into its text spoils the data: `gates.leftovers` refuses what `TAG` matches. A test
reads every file of `prompts/` and fails where one uses a tag that is not here.
"""

import re
from typing import Final

TAGS: Final = (
    "about", "answer", "answer_as", "attribute", "candidate", "candidate_answer", "change", "choice", "choices",
    "critique", "draft", "evidence", "example", "examples", "input", "item", "label", "labels", "new", "not_label",
    "others", "parent", "part", "persona", "question", "relation", "said", "seed", "text", "topic", "triples", "wanted",
)  # fmt: skip

# The pattern of an opening or closing tag, with or without attributes. `think` is the models' own.
TAG: Final = rf"</?(?:{'|'.join(TAGS)}|think)(?:\s[^<>]*)?/?>"
_CLOSING: Final = re.compile(rf"</(?=(?:{'|'.join(TAGS)})>)")


def defuse_tags(text: str) -> str:
    """`text` with a zero-width space in each closing tag of ours: it reads the same and closes nothing."""
    return _CLOSING.sub("<\u200b/", text) if "</" in text else text
