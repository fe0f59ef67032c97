"""What is wrong or odd with seeds, told before anything is spent: they are all that a model sees of a task.

Nothing here stops a run. A finding names seeds by their place in the file (from 1) and never repeats what
it is that should not be there.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from aide.llm.usage import estimate_tokens
from aide.records import Draft, Seed
from aide.run.inputs import PreparedInputs
from aide.text.shingles import compute_features, measure_jaccard
from aide.text.words import fold_words

FEW: Final = 5
ALIKE: Final = 0.7  # as much as a record must not resemble another one
LONG: Final = 2000  # tokens of an input that every prompt repeats
TIMES: Final = 5  # so many times the median length is a seed of another kind
COMPARED: Final = 500  # seeds compared with each other; more would take their square in time
SHOWN: Final = 6

_EMAIL: Final = re.compile(r"[\w.+-]+@(?!example\.|test\.)[\w-]+(?:\.[\w-]+)+")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_CARD: Final = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]*\d)")
_PHONE: Final = re.compile(r"(?<![\w.,+/-])(?<!\d )(?:\+\d|\(?0\d)[\d ()/.-]{6,18}\d(?![\w,]*\d)")
_SOCIAL: Final = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to look at: a word to count it by, the seeds it is about (places from 1), a sentence."""

    kind: str
    seeds: tuple[int, ...]
    message: str

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {"kind": self.kind, "seeds": list(self.seeds), "message": self.message}


def lint_seeds(ground: PreparedInputs, against: Sequence[str] = ()) -> list[LintFinding]:
    """All findings, the gravest kinds first; `against` are files of a test set to look for in the seeds.

    Raises:
        errors.InputError: a file of `against` can't be read.
    """
    seeds = ground.seeds
    checks = (
        find_test_items(seeds, against) if against else (),
        find_conflicts(seeds),
        find_missing_outputs(ground),
        find_repeated_rows(ground),
        find_near_copies(seeds),
        find_odd_shapes(ground),
        find_odd_lengths(seeds),
        find_personal_data(seeds),
        find_small_numbers(ground),
    )
    return [finding for check in checks for finding in check]


def find_test_items(seeds: Sequence[Seed], against: Sequence[str]) -> Iterator[LintFinding]:
    """Seeds that give away an item of a test set: what grows from them spoils the test."""
    from aide.dedup.contamination import Contamination
    from aide.dedup.test_sets import read_test_items

    tests = Contamination(read_test_items(against))
    for place, seed in enumerate(seeds, start=1):
        fixed = "\n".join(text for _, text in seed.parts.fixed)
        if hit := tests.find(seed.draft.input, seed.draft.choices, fixed):
            yield LintFinding("overlap", (place,), f"seed {place} stands in the test set: {hit}")


def find_conflicts(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Inputs that are there twice with different outputs."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, seed in enumerate(seeds, start=1):
        places[" ".join(fold_words(seed.parts.whole(seed.draft.input)))].append(place)
    for same in places.values():
        outputs = {_folded(seeds[place - 1].draft.output) for place in same}
        if len(same) > 1 and len(outputs) > 1:
            yield LintFinding(
                "conflict", tuple(same), f"{_named(same)} ask the same and are answered differently"
            )
        elif len(same) > 1:
            yield LintFinding(
                "duplicate", tuple(same), f"{_named(same)} are the same but for case or punctuation"
            )


def find_missing_outputs(ground: PreparedInputs) -> Iterator[LintFinding]:
    """Seeds without an output where others have one."""
    empty = [place for place, seed in enumerate(ground.seeds, start=1) if not seed.draft.output.strip()]
    if empty:
        yield LintFinding("no_answer", tuple(empty), f"{_named(empty)} {_have(empty)} no answer")


def find_repeated_rows(ground: PreparedInputs) -> Iterator[LintFinding]:
    """Rows that repeat an earlier one and were left out."""
    count = ground.loaded.repeated
    if count:
        rows = "rows repeat" if count > 1 else "row repeats"
        yield LintFinding(
            "duplicate", (), f"{count} {rows} an earlier one and {'are' if count > 1 else 'is'} left out"
        )


def find_near_copies(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Pairs of inputs that nearly repeat each other: each grows what the other grows."""
    known = [compute_features(seed.draft.input) for seed in seeds[:COMPARED]]
    pairs = [
        (likeness, one, other)
        for other, (their_words, theirs) in enumerate(known)
        for one, (words, features) in enumerate(known[:other])
        if words != their_words and (likeness := measure_jaccard(features, theirs)) >= ALIKE
    ]
    for likeness, one, other in sorted(pairs, reverse=True)[:SHOWN]:
        told = f"seeds {one + 1} and {other + 1} are nearly the same ({likeness:.0%})"
        yield LintFinding("alike", (one + 1, other + 1), told)
    if len(pairs) > SHOWN:
        yield LintFinding("alike", (), f"{len(pairs) - SHOWN} more pairs of seeds are nearly the same")


def find_odd_shapes(ground: PreparedInputs) -> Iterator[LintFinding]:
    """Seeds that are built differently from most."""
    for told, kinds in (
        ("number of options", [len(seed.draft.choices) for seed in ground.seeds]),
        ("fixed parts", [tuple(name for name, _ in seed.parts.fixed) for seed in ground.seeds]),
        ("tests", [bool(seed.draft.tests) for seed in ground.seeds]),
        ("worked reasoning", [bool(seed.draft.reasoning) for seed in ground.seeds]),
    ):
        usual = Counter(kinds).most_common(1)[0][0]
        others = [place for place, kind in enumerate(kinds, start=1) if kind != usual]
        if others:
            yield LintFinding(
                "shape", tuple(others), f"{_named(others)} {_differ(others)} from the others in: {told}"
            )


def find_odd_lengths(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds that are very long, by themselves or beside the others."""
    sizes = [estimate_tokens(seed.draft.input) for seed in seeds]
    usual = median(sizes)
    for place, size in enumerate(sizes, start=1):
        if size > LONG:
            yield LintFinding(
                "long",
                (place,),
                f"seed {place} has about {size:,} tokens, which every prompt that shows it repeats",
            )
        elif size > TIMES * max(usual, 20):
            yield LintFinding(
                "long",
                (place,),
                f"seed {place} is {size / usual:.0f} times as long as most: it widens the bounds of all",
            )


def find_personal_data(seeds: Sequence[Seed]) -> Iterator[LintFinding]:
    """Seeds that seem to hold data of a real person, which models repeat and records would carry on."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, seed in enumerate(seeds, start=1):
        for kind in dict.fromkeys(_personal_kinds("\n".join(_texts(seed)))):
            found[kind].append(place)
    for kind, places in found.items():
        yield LintFinding(
            "personal", tuple(places), f"{_named(places)} {_have(places)} what looks like {kind}"
        )


def find_small_numbers(ground: PreparedInputs) -> Iterator[LintFinding]:
    """Too few seeds to tell the task from, or labels with none."""
    count = len(ground.seeds)
    if count < FEW:
        yield LintFinding(
            "few",
            (),
            f"{count} seed{'s tell' if count > 1 else ' tells'} little of a task; about ten do",
        )
    if ground.format.labelled and ground.labels:
        used = {seed.draft.output for seed in ground.seeds}
        if missing := [label.name for label in ground.labels if label.name not in used]:
            yield LintFinding(
                "label",
                (),
                f"no seed has the label {', '.join(missing[:SHOWN])}{'…' if len(missing) > SHOWN else ''}",
            )


def _texts(seed: Seed) -> Iterable[str]:
    draft: Draft = seed.draft
    return (seed.parts.whole(draft.input), draft.output, *draft.choices, draft.reasoning)


def _personal_kinds(text: str) -> Iterator[str]:
    if _EMAIL.search(text):
        yield "an e-mail address"
    if any(_iban(match[0]) for match in _IBAN.finditer(text)):
        yield "a bank account (IBAN)"
    if any(_luhn(match[0]) for match in _CARD.finditer(text)):
        yield "a card number"
    if _SOCIAL.search(text):
        yield "a US social security number"
    text = _SOCIAL.sub(" ", text)
    if any(9 <= sum(c.isdigit() for c in match[0]) <= 15 for match in _PHONE.finditer(text)):
        yield "a telephone number"


def _iban(text: str) -> bool:
    """ISO 13616: the check digits make the number 1 modulo 97."""
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _luhn(text: str) -> bool:
    """ISO 7812: every second digit doubled, all digits summed, a multiple of ten."""
    digits = [int(c) for c in text if c.isdigit()][::-1]
    doubled = (d if place % 2 == 0 else 2 * d - 9 * (d > 4) for place, d in enumerate(digits))
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _folded(text: str) -> str:
    return " ".join(fold_words(text)) or text


def _named(places: Sequence[int]) -> str:
    shown = [str(place) for place in places[:SHOWN]]
    if len(places) > SHOWN:
        return f"seeds {', '.join(shown)} and {len(places) - SHOWN} more"
    return f"seeds {', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else f"seed {shown[0]}"


def _have(places: Sequence[int]) -> str:
    return "have" if len(places) > 1 else "has"


def _differ(places: Sequence[int]) -> str:
    return "differ" if len(places) > 1 else "differs"


__all__ = ["LintFinding", "lint_seeds"]
