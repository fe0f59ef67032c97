"""What the calls that describe a task have in common: which examples they show, and when a field is no good."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from aide.card.demos import make_demonstration
from aide.formats import FORMATS, Demonstration, TaskCard
from aide.llm.usage import estimate_tokens
from aide.records import Draft
from aide.text.echo import find_echo
from aide.text.loops import find_loop
from aide.text.words import list_words

_LONGEST: Final = 80  # words: two long sentences; what is longer is a list of everything


def show_examples(drafts: Sequence[Draft], card: TaskCard, count: int, tokens: int) -> list[Demonstration]:
    """Up to `count` examples that together fit into `tokens` (estimated), spread evenly over all.

    Files are often sorted by label or by length, and their first rows are then of one kind. Of a single example that is
    too long its beginning is shown.
    """
    format = FORMATS[card.format]
    shown: list[Demonstration] = []
    left = tokens
    for draft in _spread(drafts, count):
        example = make_demonstration(draft, format)
        size = estimate_tokens(example.input) + estimate_tokens(example.answer)
        if size <= left:
            shown.append(example)
            left -= size
    if shown or not drafts:
        return shown
    return [Demonstration(format.show_input(drafts[0])[: 2 * tokens], format.render(drafts[0])[:tokens])]


def _spread(drafts: Sequence[Draft], count: int) -> list[Draft]:
    if len(drafts) <= count:
        return list(drafts)
    return [drafts[at * len(drafts) // count] for at in range(count)]


def join_lines(text: str) -> str:
    """A field on one line."""
    return " ".join(text.split())


def find_field_faults(values: Mapping[str, str], instructions: str = "") -> dict[str, str]:
    """By name, what is wrong with a field that should be a phrase or a sentence, as the model is told.

    Small models answer with a bare word, with the same words for every key, with the prompt's own, or in a loop.
    """
    copies = Counter(_fold(value) for value in values.values() if value)
    faults = {}
    for name, value in values.items():
        words = len(value.split())
        # Languages without spaces have sentences of one "word".
        if words < 2 and value.isascii():
            faults[name] = "must be a phrase or a sentence, not a single word."
        elif copies[_fold(value)] > 1:
            faults[name] = "says the same as another key; each has something of its own to say."
        elif words > _LONGEST or find_loop(value):
            faults[name] = "is too long; one sentence is enough."
        elif repeats_prompt(value, instructions):
            faults[name] = "repeats the instructions; say what they ask for."
    return faults


def repeats_prompt(value: str, instructions: str) -> bool:
    """True when six words in a row, or at least half of the runs of three words, are those of the instructions.

    The second finds what is too short for the first: "the manner of the inputs".
    """
    known, said = _list_runs(instructions), _list_runs(value)
    return bool(find_echo(value, instructions)) or (bool(said) and 2 * len(said & known) >= len(said))


def _list_runs(text: str) -> set[tuple[str, ...]]:
    words = list_words(text)
    return set(zip(words, words[1:], words[2:], strict=False))


def _fold(value: str) -> str:
    return value.casefold().rstrip(" .")
