"""The precheck, before spending: does the model know the seeds' answers, and the judge right from wrong?

The seeds are real, so what the judge makes of them is the measure for what it makes of others. Each is read blind among
others, as a new text would be, and the answer compared; where no code can compare, the judge is shown the seed's answer
and a wrong one. A model that is too weak, a judge that accepts everything or refuses what is real, and a seed whose
answer is wrong show here for a few calls.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from aide.errors import NodeError
from aide.formats import Demonstration, Format, Question, TaskCard
from aide.judging.verdict import Thresholds, apply_thresholds
from aide.records import Ask, Comparison, Draft, Reading, Seed, Verdict
from aide.verify.answers import AnswerChecks
from aide.verify.queries import compare_queries, find_schema

MIN_RIGHT: Final = 0.7
"""Least share of seeds answered as they are, and of their answers that the judge accepts. Good seeds hold a hard one or
two of ten; from three on either the model or the seeds are at fault."""
MAX_FOOLED: Final = 0.2
"""Greatest share of wrong answers that the judge may accept: each becomes a wrong record."""
MAX_SEEDS: Final = 100
"""Seeds checked of one task. At a hundred a share is known to five in a hundred; more would only cost."""

MAX_REFUSED: Final = 0.2
"""Share of real texts that the least relevance may refuse: more, and it is the judge's scale that refuses them."""
_ENOUGH: Final = 4  # grades, from which a scale can be told

_MAX_MISSES: Final = 10  # named one by one: a person looks at that many and no more
_NAME_LETTERS: Final = 48
_MAX_TEXT: Final = 200  # characters kept of an answer, which may be a whole essay
# Names what is drawn at random and what is journaled: another word would make every folder pay again.
_NAME: Final = "exam"


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """One seed: what it says, what the model said, and what the judge made of it."""

    name: str
    expected: str
    said: str
    right: bool | None
    """True when the model gave the seed's answer; `None` where no code can compare."""
    takes_right: bool | None
    """True when the judge finds no fault that would refuse a new record; `None` where it said nothing usable."""
    takes_wrong: bool | None
    """True when the judge takes a wrong answer for right; `None` where code compares answers."""
    relevance: int | None = None
    """The judge's grade, 1 to 10."""
    reason: str = ""
    """The fault that the judge finds."""

    def as_dict(self) -> dict[str, Any]:
        """The check as it is journaled."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(**data)


def _name_seed(seed: Seed) -> str:
    """Its own name, or the beginning of its text: the rows of a table have no names."""
    text = " ".join(seed.draft.input.split())
    return seed.name or repr(text if len(text) <= _NAME_LETTERS else f"{text[: _NAME_LETTERS - 1]}…")


def read_seed(
    seed: Seed,
    format: Format,
    card: TaskCard,
    reading: Reading | None,
    right: Comparison | None,
    wrong: Comparison | None,
) -> SeedCheck:
    """What a blind reading of a seed, and comparisons with its own answer and a wrong one, tell."""
    expected = format.extract_final_answer(seed.draft, card)
    name = _name_seed(seed)
    if reading is None:
        return SeedCheck(
            name,
            expected[:_MAX_TEXT],
            "(unreadable)",
            False if format.is_comparable(card) else None,
            None,
            None,
        )
    compared = format.is_comparable(card) and format.reading
    agrees = format.compare(expected, reading.own_answer) if compared else None
    faults = apply_thresholds(Verdict(reading, right), Thresholds(min_relevance=1, min_diversity=1))
    return SeedCheck(
        name, expected[:_MAX_TEXT], reading.own_answer[:_MAX_TEXT], agrees, faults.accepted,
        None if wrong is None else wrong.correct, reading.relevance, faults.reason,
    )  # fmt: skip


async def answer_seed(
    seed: Seed, checks: AnswerChecks, demos: Sequence[Demonstration], ask: Ask
) -> SeedCheck:
    """The solver's answer to one seed, held against its own: one call where code can compare.

    Raises:
        errors.AideError: of scope `run`; what the model makes of a question never raises.
    """
    draft, card = seed.draft, checks.card
    # A demonstration of this very seed would tell the answer.
    others = tuple(demo for demo in demos if demo.input != draft.input)
    question = Question(f"{_NAME} {seed.id}", draft.input, seed.parts, None, others, card.max_answer_tokens)
    expected = checks.format.extract_final_answer(draft, card)
    said, right = await _answer(checks, ask, question, draft, expected)
    return SeedCheck(_name_seed(seed), expected[:_MAX_TEXT], said[:_MAX_TEXT], right, None, None)


async def _answer(
    checks: AnswerChecks, ask: Ask, question: Question, draft: Draft, expected: str
) -> tuple[str, bool | None]:
    """The model's blind answer, and whether it is the expected one; nothing is asked where no code can tell."""
    format, card = checks.format, checks.card
    run = checks.run if format.runs_tests and draft.tests else None
    query = checks.query if format.runs_queries(card) and find_schema(question.parts) else None
    if run is None and query is None and not format.is_comparable(card):
        return "", None
    try:
        answer = await format.answer_again(ask, card, question, draft)
    except NodeError as fault:  # a model that can't answer in the format at all has not got it right
        return f"({fault.reason})", False
    if run is not None:
        result = await run(answer.output, answer.tests)
        return result.problem or "passed", result.passed
    said = format.extract_final_answer(answer, card)
    if query is not None:
        return said, await compare_queries(query, question, draft.output, answer.output)
    return said, format.compare(said, expected)


@dataclass(frozen=True, slots=True)
class Precheck:
    """The checks of all seeds together, and what follows from them."""

    seeds: tuple[SeedCheck, ...]

    @property
    def right(self) -> tuple[int, int]:
        """Seeds that the model answered as they are, of so many that code could compare."""
        return _count(seed.right for seed in self.seeds)

    @property
    def takes_right(self) -> tuple[int, int]:
        """Right answers that the judge accepted, of so many."""
        return _count(seed.takes_right for seed in self.seeds)

    @property
    def takes_wrong(self) -> tuple[int, int]:
        """Wrong answers that the judge accepted, of so many."""
        return _count(seed.takes_wrong for seed in self.seeds)

    @property
    def share(self) -> float:
        """Share of the seeds answered as they are; 1 where none could be compared."""
        right, asked = self.right
        return right / asked if asked else 1.0

    @property
    def misses(self) -> tuple[SeedCheck, ...]:
        """Seeds that the model answered otherwise: their answer is wrong, or the model does not know it."""
        return tuple(seed for seed in self.seeds if seed.right is False)

    def as_dict(self) -> dict[str, Any]:
        """The precheck as it stands in the summary."""
        names = ("right", "judge_takes_right", "judge_takes_wrong")
        counts = zip(names, (self.right, self.takes_right, self.takes_wrong), strict=True)
        misses = [{"seed": miss.name, "expected": miss.expected, "said": miss.said} for miss in self.misses]
        grades = {"relevance": list(self.grades)} if self.grades else {}
        return {**{name: {"n": n, "of": of} for name, (n, of) in counts}, **grades, "misses": misses}

    @property
    def grades(self) -> tuple[int, ...]:
        """The judge's grades of the seeds, the lowest first."""
        return tuple(sorted(seed.relevance for seed in self.seeds if seed.relevance is not None))

    def calibrate(self, thresholds: Thresholds) -> Thresholds:
        """Thresholds that the seeds themselves would pass: a judge that gives real texts a 6 must not ask for a 7."""
        if len(self.grades) < _ENOUGH:
            return thresholds
        usual = self.grades[int(len(self.grades) * MAX_REFUSED)]
        return replace(thresholds, min_relevance=min(thresholds.min_relevance, usual))

    def describe(self) -> str:
        """One sentence with the counts."""
        (a, n), (b, m), (c, k) = self.right, self.takes_right, self.takes_wrong
        said = [f"the model got {a} of {n} seeds right" if n else "no code can compare the model's answers"]
        said += [f"the judge finds no fault in {b} of {m}"] if m else []
        said += [f"grades them {self.grades[0]} to {self.grades[-1]}"] if self.grades else []
        said += [f"and takes {c} of {k} wrong answers for right"] if k else []
        return f"precheck: {', '.join(said)}"

    def list_misses(self) -> list[str]:
        """The misses by name, and for labels which is taken for which."""
        misses = self.misses
        named = [f"{miss.name}: the seed says {miss.expected!r}, the model {miss.said!r}" for miss in misses]
        more = [f"and {len(named) - _MAX_MISSES} more"] if len(named) > _MAX_MISSES else []
        said = [miss for miss in misses if not miss.said.startswith("(")]  # else it said nothing usable
        pairs = Counter((miss.expected, miss.said) for miss in said).most_common(3)
        often = [f"{a!r} is taken for {b!r} {n} times" for (a, b), n in pairs if n > 1]
        return [*named[:_MAX_MISSES], *more, *often]

    def list_warnings(self) -> list[tuple[str, str]]:
        """What should make a person stop and think, each with a hint."""
        found, (right, asked) = [], self.right
        if self.share < MIN_RIGHT:
            hint = "look at the seeds named above: their answers may be wrong; or take a stronger model"
            found.append((f"the model got {asked - right} of {asked} seeds wrong", hint))
        accepted, shown = self.takes_right
        another = "configure another model for the judge ([steps.reflect] model)"
        if shown and accepted / shown < MIN_RIGHT:
            hint = f"{another}; aide calibrate looks closer"
            often = Counter(seed.reason for seed in self.seeds if seed.reason).most_common(1)[0][0]
            found.append(
                (
                    f"the judge faults {shown - accepted} of {shown} seeds as it would new records, most as {often}",
                    hint,
                )
            )
        fooled, shown = self.takes_wrong
        if shown and fooled / shown > MAX_FOOLED:
            hint = f"{another}, or rely on --agreement"
            found.append((f"the judge takes {fooled} of {shown} wrong answers for right", hint))
        return found


def _count(values: Iterable[bool | None]) -> tuple[int, int]:
    known = [value for value in values if value is not None]
    return sum(known), len(known)
