"""Traits: what varies between the inputs of a task and can be counted, such as length, form and casing.

One list for all: each field of `Traits` says how it is counted, what a prompt says of it, how far a text may miss it,
and what a table calls it. A trait is added by adding a field.

Prompts name the traits that were drawn for one record ("about 8 words, a question, no final punctuation") and never a
range: told "3 to 31 words" a model writes 23, told "about 10 words" it is off by less than one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from aide.card import wording
from aide.formats import Format
from aide.records import Draft
from aide.text.length import CHARACTERS, WORDS, measure_length

SHORT: Final = {WORDS: 9, CHARACTERS: 20}
"""Below this length, by unit, a text has one sentence and no room for a circumstance beside its matter."""

# Of 926 texts that a strong model wrote for 4 to 107 words none is refused: at worst it wrote 10 for 5 and 91 for 107.
# Half or twice as much is another kind of text; the constants keep short ones from being judged by a word or two.
_AT_MOST: Final = 1.6
_MORE: Final = 4
_AT_LEAST: Final = 0.55
_LESS: Final = 2
# Where a sentence ends is partly taste (semicolons, abbreviations, lists), and so is where a line does.
_SENTENCES_OFF: Final = 2
_CHARACTERS_A_WORD: Final = 3  # scripts without spaces: a word is about so many characters, rather less


@dataclass(frozen=True, slots=True)
class _Trait:
    """What is known of one trait."""

    title: str
    """Its name in a table."""
    count: Callable[[Draft, str, Format], Any]
    """Its value in a draft, of which lengths are counted in a unit."""
    describe: Callable[["Traits"], str]
    """A prompt's words for a drawn value; empty where there is nothing to say."""
    always: bool = False
    """True when a prompt names it even if all seeds are the same in it."""
    plain: Callable[["Traits"], bool] | None = None
    """True for a value that need not be named where it is the commonest, as writers come to it unasked."""
    check: Callable[["Traits", str], str] | None = None
    """Why a text misses the drawn value by too much, else empty; none where every value will do."""


def read_counted_text(draft: Draft) -> str:
    """The text that traits are counted in: of a chat all that the user says, whose lines are its turns, as one."""
    return join_turns(draft.input) if draft.turns else draft.input


def join_turns(text: str) -> str:
    """What the user says in a chat as one text."""
    return " ".join(text.split("\n"))


def _count_input(count: Callable[[str], Any]) -> Callable[[Draft, str, Format], Any]:
    return lambda draft, unit, format: count(read_counted_text(draft))


def _is_choice(draft: Draft, format: Format) -> bool:
    return bool(draft.choices) and not format.labelled


def _count_form(draft: Draft, unit: str, format: Format) -> str:
    return wording.find_form(read_counted_text(draft), choice=_is_choice(draft, format))


def _count_steps(draft: Draft, unit: str, format: Format) -> int:
    # Only where answers come to a result is there a way to it whose length can be asked for.
    worked = format.worked and format.comparable and not draft.choices
    return wording.count_steps(draft.reasoning or draft.output) if worked else 0


def _count_longest_option(draft: Draft, unit: str, format: Format) -> int:
    options = draft.choices if _is_choice(draft, format) else ()
    return max((measure_length(option, unit) for option in options), default=0)


def _describe_length(drawn: "Traits") -> str:
    return f"about {_number(drawn.length, drawn.unit)}{' in the question' if drawn.longest_option else ''}"


def _check_length(wanted: "Traits", text: str) -> str:
    got = measure_length(text, wanted.unit)
    scale = 1 if wanted.unit == WORDS else _CHARACTERS_A_WORD
    least, most = wanted.length * _AT_LEAST - _LESS * scale, wanted.length * _AT_MOST + _MORE * scale
    return "" if least <= got <= most else f"{got} {wanted.unit}, about {wanted.length} are wanted"


def _describe_sentences(drawn: "Traits") -> str:
    if drawn.form == wording.CODE or drawn.is_short:
        return ""  # one sentence is all that so few words can be
    return "one sentence" if drawn.sentences == 1 else f"{drawn.sentences} sentences"


def _check_sentences(wanted: "Traits", text: str) -> str:
    got = wording.count_sentences(text)
    far = abs(got - wanted.sentences) > max(_SENTENCES_OFF, wanted.sentences / 2)
    return f"{got} sentences, {wanted.sentences} are wanted" if far else ""


_FORMS: Final = {
    wording.QUESTION: "a question",
    wording.STATEMENT: "a statement or request",
    wording.WHICH: 'asks "which of the following"',
    wording.STEM: "a beginning that the right option completes",
    wording.GAP: "a sentence with a gap that the right option fills",
}


def _describe_casing(drawn: "Traits") -> str:
    return "begins in lower case" if drawn.lower_case else "begins with a capital"


def _describe_punctuation(drawn: "Traits") -> str:
    if drawn.form not in ("", wording.QUESTION, wording.STATEMENT):
        return ""  # the forms of multiple choice bring their own
    named = {"": "no final punctuation", "!": "ends in an exclamation mark"}
    return named.get(drawn.punctuation, "with final punctuation")


def _describe_figures(drawn: "Traits") -> str:
    if drawn.steps:
        return f"{drawn.figures or 'no'} number{'s' * (drawn.figures != 1)} in digits"
    if drawn.figures:  # in a few words a number would be the whole matter: "name 1 …"
        return "" if drawn.is_short else "with a number"
    return "no numbers"


def _check_lines(wanted: "Traits", text: str) -> str:
    got = wording.count_lines(text)
    far = got > 2 * wanted.lines + 2 or 2 * got < wanted.lines - 1
    return f"{got} lines, {wanted.lines} are wanted" if far else ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun if count != 1 else noun.removesuffix('s')}"


def _trait(
    title: str,
    count: Callable[[Draft, str, Format], Any],
    describe: Callable[["Traits"], str],
    *,
    always: bool = False,
    plain: Callable[["Traits"], bool] | None = None,
    check: Callable[["Traits", str], str] | None = None,
) -> dict[str, _Trait]:
    return {"trait": _Trait(title, count, describe, always, plain, check)}


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of one text, or those that a new one is asked for. Each is at its default where it says nothing."""

    length: int = field(metadata=_trait(
        "length", lambda draft, unit, format: measure_length(draft.input, unit), _describe_length,
        always=True, check=_check_length,
    ))  # fmt: skip
    """In `unit`."""
    unit: str = WORDS
    """`words` or `characters`: no trait, but what lengths are counted in."""
    sentences: int = field(default=1, metadata=_trait(
        "sentences", _count_input(wording.count_sentences), _describe_sentences,
        plain=lambda drawn: drawn.sentences == 1, check=_check_sentences,
    ))  # fmt: skip
    lines: int = field(default=1, metadata=_trait(
        "lines", _count_input(wording.count_lines),
        lambda drawn: "on one line" if drawn.lines == 1 else f"on {drawn.lines} lines",
        plain=lambda drawn: drawn.lines == 1, check=_check_lines,
    ))  # fmt: skip
    form: str = field(default="", metadata=_trait(
        "form", _count_form, lambda drawn: _FORMS.get(drawn.form, ""),
    ))  # fmt: skip
    """One of `wording`'s forms; empty where the writer is to choose, as the label may ask for one."""
    greeting: bool = field(default=False, metadata=_trait(
        "greeting", _count_input(wording.has_greeting),
        lambda drawn: "with a greeting" if drawn.greeting else "no greeting", plain=lambda drawn: True,
    ))  # fmt: skip
    lower_case: bool = field(default=False, metadata=_trait(
        "begins in lower case", _count_input(wording.begins_lower), _describe_casing,
    ))  # fmt: skip
    punctuation: str = field(default="", metadata=_trait(
        "final punctuation", _count_input(wording.find_punctuation), _describe_punctuation,
    ))  # fmt: skip
    """`.`, `?`, `!` or `…`, whatever the script; empty for none."""
    figures: int = field(default=0, metadata=_trait(
        "numbers", _count_input(wording.count_figures), _describe_figures, plain=lambda drawn: not drawn.steps,
    ))  # fmt: skip
    """How many numbers stand in it as digits."""
    steps: int = field(default=0, metadata=_trait(
        "steps of the answer", _count_steps, lambda drawn: f"{_number(drawn.steps, 'steps')} in the solution",
    ))  # fmt: skip
    """Of a worked answer; 0 where there is none."""
    longest_option: int = field(default=0, metadata=_trait(
        "longest option", _count_longest_option,
        lambda drawn: f"options of up to {_number(drawn.longest_option, drawn.unit)}",
    ))  # fmt: skip
    """In `unit`; 0 where there are no options."""

    @property
    def is_short(self) -> bool:
        """True when there is room for one sentence and for nothing but the matter itself."""
        return self.length < SHORT[self.unit]

    def as_dict(self) -> dict[str, Any]:
        """The traits as they stand in a record: the length under its unit's name, others where they say something."""
        told = {
            each.name: getattr(self, each.name) for each in TRAITS if getattr(self, each.name) != each.default
        }
        return {self.unit: told.pop("length"), **told}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; what is no trait is ignored."""
        unit = CHARACTERS if CHARACTERS in data else WORDS
        known = {each.name: data[each.name] for each in TRAITS if each.name in data}
        return cls(**{**known, "length": data[unit], "unit": unit})


TRAITS: Final = tuple(each for each in fields(Traits) if "trait" in each.metadata)
"""The fields of `Traits` that are traits, in the order in which prompts and tables name them."""


def count_traits(draft: Draft, unit: str, format: Format) -> Traits:
    """The traits of an example; options and the steps of the answer where its format has them."""
    return Traits(
        unit=unit, **{each.name: each.metadata["trait"].count(draft, unit, format) for each in TRAITS}
    )


def find_varying(seeds: Sequence[Traits]) -> dict[str, str]:
    """The traits in which seeds differ by a prompt's words for them, each with the commonest words.

    What is the same in all seeds the examples show, so a prompt need not say it: where none begins in lower case,
    nothing is said of casing.
    """
    varying = {}
    for each in TRAITS:
        said = Counter(filter(None, map(each.metadata["trait"].describe, seeds)))
        if len(said) > 1:
            varying[each.name] = said.most_common(1)[0][0]
    return varying


def describe_traits(drawn: Traits, varying: Mapping[str, str]) -> str:
    """The words for one line of a prompt, such as "about 8 words, a question, no final punctuation".

    `varying` is what `find_varying` says of the seeds.
    """
    words = []
    for each in TRAITS:
        trait: _Trait = each.metadata["trait"]
        if each.name in varying or trait.always:
            said = trait.describe(drawn)
            unsaid = trait.plain is not None and trait.plain(drawn) and said == varying.get(each.name)
            words += [said] if said and not unsaid else []
    return ", ".join(words)


def check_traits(wanted: Traits, text: str) -> str:
    """Why a new input is out of tolerance, such as "31 words, about 8 are wanted"; empty where it is within.

    Form, casing, greeting and punctuation are never held against a text: where they and the matter clash, they yield.
    """
    checks = (each.metadata["trait"].check for each in TRAITS)
    return next(filter(None, (check(wanted, text) for check in checks if check)), "")
