"""What is wrong or odd with seeds, said before anything is spent: they are all that a model sees of a task.

Nothing here stops a run. A finding names seeds by their number in the file (from 1). It never quotes personal
data: the finding may end up in a log.

The module knows `PreparedInputs`, which is a layer below: a seed is judged by the format and the labels with
which a run would use it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from aide.gates.language import is_long_enough
from aide.llm.usage import estimate_tokens
from aide.records import Seed
from aide.run.inputs import PreparedInputs
from aide.text.figures import format_plural
from aide.text.language import identify_language
from aide.text.shingles import make_shingles, measure_jaccard
from aide.text.words import fold_words

FEW: Final = 5

ALIKE: Final = 0.7
"""Similarity from which a run rejects a record as a duplicate: two such seeds grow the same records twice."""

LONG: Final = 2000
"""Tokens of an input from which every prompt that repeats it is expensive."""

TIMES: Final = 5
"""A seed so many times as long as the median is probably of another kind."""

COMPARED: Final = 500
"""Seeds that are compared with each other; the time grows with their square."""

SHOWN: Final = 6
"""Seeds, pairs or labels that a finding names."""

_EMAIL: Final = re.compile(r"[\w.+-]+@(?!example\.|test\.)[\w-]+(?:\.[\w-]+)+")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_CARD: Final = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]*\d)")
_PHONE: Final = re.compile(r"(?<![\w.,+/-])(?<!\d )(?:\+\d|\(?0\d)[\d ()/.-]{6,18}\d(?![\w,]*\d)")
_SOCIAL: Final = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to look at."""

    kind: str
    """A word to count it by."""
    seeds: tuple[int, ...]
    """Numbers of the seeds it is about, from 1; empty if it is about all."""
    message: str
    """A sentence for a person."""

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {**asdict(self), "seeds": list(self.seeds)}


def lint_seeds(inputs: PreparedInputs) -> list[LintFinding]:
    """All findings, the gravest kinds first."""
    seeds = inputs.seeds
    checks = (
        find_conflicts(seeds),
        find_missing_outputs(seeds),
        find_repeated_rows(inputs.loaded.repeated),
        find_near_copies(seeds),
        find_odd_shapes(seeds),
        find_odd_lengths(seeds),
        find_odd_languages(seeds),
        find_personal_data(seeds),
        find_small_numbers(inputs),
    )
    return [finding for check in checks for finding in check]


def find_conflicts(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Inputs that occur several times, with different outputs or with the same."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for number, seed in enumerate(seeds, start=1):
        groups[" ".join(fold_words(seed.parts.whole(seed.draft.input)))].append(number)
    for same in groups.values():
        outputs = {_fold(seeds[number - 1].draft.output) for number in same}
        if len(outputs) > 1:
            yield _about("conflict", same, "have the same question and different answers")
        elif len(same) > 1:
            yield _about("duplicate", same, "are the same apart from case or punctuation")


def find_missing_outputs(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds without an output."""
    empty = [number for number, seed in enumerate(seeds, start=1) if not seed.draft.output.strip()]
    if empty:
        yield _about("no_answer", empty, "have no answer", "has no answer")


def find_repeated_rows(count: int) -> Iterator[LintFinding]:
    """Rows that repeat an earlier one and were left out."""
    if count:
        verbs = ("repeats", "is") if count == 1 else ("repeat", "are")
        message = f"{format_plural(count, 'row')} {verbs[0]} an earlier one and {verbs[1]} left out"
        yield LintFinding("duplicate", (), message)


def find_near_copies(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Pairs of inputs that nearly repeat each other: each grows what the other grows."""
    words = [fold_words(seed.draft.input) for seed in seeds[:COMPARED]]
    features = [make_shingles(each) for each in words]
    pairs = [
        (likeness, one, other)
        for other in range(len(features))
        for one in range(other)
        if words[one] != words[other]
        and (likeness := measure_jaccard(features[one], features[other])) >= ALIKE
    ]
    for likeness, one, other in sorted(pairs, reverse=True)[:SHOWN]:
        yield _about("alike", (one + 1, other + 1), f"are nearly the same ({likeness:.0%})")
    if len(pairs) > SHOWN:
        yield LintFinding("alike", (), f"{len(pairs) - SHOWN} more pairs of seeds are nearly the same")


def find_odd_shapes(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds that are built differently from most."""
    for name, shapes in (
        ("number of options", [len(seed.draft.choices) for seed in seeds]),
        ("fixed parts", [tuple(name for name, _ in seed.parts.fixed) for seed in seeds]),
        ("tests", [bool(seed.draft.tests) for seed in seeds]),
        ("worked reasoning", [bool(seed.draft.reasoning) for seed in seeds]),
    ):
        usual = Counter(shapes).most_common(1)[0][0]
        others = [number for number, shape in enumerate(shapes, start=1) if shape != usual]
        if others:
            from_others = f"from the others in: {name}"
            yield _about("shape", others, f"differ {from_others}", f"differs {from_others}")


def find_odd_lengths(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds that are very long, or very long compared with the others."""
    sizes = [estimate_tokens(seed.draft.input) for seed in seeds]
    usual = median(sizes)  # a mean would move with the very seeds that are looked for
    for number, size in enumerate(sizes, start=1):
        if size > LONG:
            message = f"has about {size:,} tokens, which every prompt that shows it repeats"
        elif size > TIMES * max(usual, 20):  # among one-word inputs a sentence is nothing odd
            message = f"is {size / usual:.0f} times as long as most, so longer records are accepted for all"
        else:
            continue
        yield LintFinding("long", (number,), f"seed {number} {message}")


def find_odd_languages(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds in another language than most: a run writes in one, and takes it from all seeds together."""
    for half, texts in (
        ("input", [seed.draft.input for seed in seeds]),
        ("output", [seed.draft.output for seed in seeds]),
    ):
        told = {
            number: language.name
            for number, text in enumerate(texts, start=1)
            if is_long_enough(text) and (language := identify_language([text]))
        }
        usual = Counter(told.values()).most_common(1)
        for name in dict.fromkeys(told.values()):
            if name != usual[0][0]:
                numbers = [number for number, found in told.items() if found == name]
                what = f"an {half} in {name}, where most are in {usual[0][0]}"
                yield _about("language", numbers, f"have {what}", f"has {what}")


def find_personal_data(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds that seem to hold data of a real person, which models repeat and records would spread."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, seed in enumerate(seeds, start=1):
        draft = seed.draft
        texts = (seed.parts.whole(draft.input), draft.output, *draft.choices, draft.reasoning)
        for kind in dict.fromkeys(_find_personal_kinds("\n".join(texts))):
            found[kind].append(number)
    for kind, numbers in found.items():
        what = f"what looks like {kind}"
        yield _about("personal", numbers, f"have {what}", f"has {what}")


def find_small_numbers(inputs: PreparedInputs) -> Iterator[LintFinding]:
    """Too few seeds to show what the task is, or labels without a seed."""
    count = len(inputs.seeds)
    if count < FEW:
        few = f"{format_plural(count, 'seed')} {'says' if count == 1 else 'say'}"
        yield LintFinding("few", (), f"{few} little about a task; about ten are enough")
    if inputs.format.labelled and inputs.labels:
        used = {name for seed in inputs.seeds for name in inputs.format.list_labels(seed.draft)}
        if missing := [label.name for label in inputs.labels if label.name not in used]:
            names = ", ".join(missing[:SHOWN]) + ("…" if len(missing) > SHOWN else "")
            yield LintFinding("label", (), f"no seed has the label {names}")


def _find_personal_kinds(text: str) -> Iterator[str]:
    if _EMAIL.search(text):
        yield "an e-mail address"
    if any(_is_iban(match[0]) for match in _IBAN.finditer(text)):
        yield "a bank account (IBAN)"
    if any(_is_card_number(match[0]) for match in _CARD.finditer(text)):
        yield "a card number"
    if _SOCIAL.search(text):
        yield "a US social security number"
    text = _SOCIAL.sub(" ", text)  # it would look like a telephone number too
    if any(9 <= sum(c.isdigit() for c in match[0]) <= 15 for match in _PHONE.finditer(text)):
        yield "a telephone number"


def _is_iban(text: str) -> bool:
    """ISO 13616: with the check digits the number is 1 modulo 97."""
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _is_card_number(text: str) -> bool:
    """ISO 7812 (Luhn): every second digit doubled, all digits summed, a multiple of ten."""
    digits = [int(c) for c in text if c.isdigit()][::-1]
    doubled = (d if place % 2 == 0 else 2 * d - 9 * (d > 4) for place, d in enumerate(digits))
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _fold(text: str) -> str:
    return " ".join(fold_words(text)) or text


def _about(kind: str, numbers: Iterable[int], plural: str, singular: str = "") -> LintFinding:
    """A finding about these seeds: `seeds 1 and 4 have no answer`."""
    seeds = tuple(numbers)
    *shown, last = map(str, seeds[:SHOWN])
    if len(seeds) == 1:
        return LintFinding(kind, seeds, f"seed {last} {singular}")
    if len(seeds) > SHOWN:
        named = f"{', '.join([*shown, last])} and {len(seeds) - SHOWN} more"
    else:
        named = f"{', '.join(shown)} and {last}"
    return LintFinding(kind, seeds, f"seeds {named} {plural}")
