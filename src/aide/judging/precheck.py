"""The precheck, before spending: does the model know the seeds' answers, and the judge right from wrong?

Each seed is answered blind and judged twice, with its own output and with a wrong one. A model that is too weak, a
judge that accepts everything, and a seed whose answer is wrong show here for three calls a seed.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from aide.errors import NodeError
from aide.formats import Demonstration, Question
from aide.records import Ask, Draft, Seed, rng
from aide.verify.answers import AnswerChecks

MIN_RIGHT: Final = 0.7
"""Least share of seeds answered as they are, and of their answers that the judge accepts. Good seeds hold a hard one or
two of ten; from three on either the model or the seeds are at fault."""
MAX_FOOLED: Final = 0.2
"""Greatest share of wrong answers that the judge may accept: each becomes a wrong record."""
MAX_SEEDS: Final = 100
"""Seeds checked of one task. At a hundred a share is known to five in a hundred; more would only cost."""

_MAX_MISSES: Final = 10  # named one by one: a person looks at that many and no more
_MAX_TEXT: Final = 200  # characters kept of an answer, which may be a whole essay
# Names what is drawn at random and what is journaled: another word would make every folder pay again.
_NAME: Final = "exam"

Judge = Callable[[Draft], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """One seed: what it says, what the model said, and what the judge made of a right and of a wrong answer."""

    name: str
    expected: str
    said: str
    right: bool | None
    """True when the model gave the seed's answer; `None` where no code can compare."""
    takes_right: bool | None
    """True when the judge accepted the seed's answer; `None` where it was not asked or gave nothing usable."""
    takes_wrong: bool | None

    def as_dict(self) -> dict[str, Any]:
        """The check as it is journaled."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(**data)


async def check_seed(
    seed: Seed,
    pool: Sequence[Seed],
    checks: AnswerChecks,
    demos: Sequence[Demonstration],
    ask: Ask,
    judge: Judge | None,
) -> SeedCheck:
    """Check one seed: at most three calls, without `judge` one.

    Raises:
        errors.AideError: of scope `run`; what the model makes of a question never raises.
    """
    draft, card = seed.draft, checks.card
    # A demonstration of this very seed would tell the answer.
    others = tuple(demo for demo in demos if demo.input != draft.input)
    question = Question(f"{_NAME} {seed.id}", draft.input, seed.parts, None, others, card.max_answer_tokens)
    expected = checks.format.extract_final_answer(draft, card)
    said, right = await _answer(checks, ask, question, draft, expected)
    # An answer of another seed that happens to be the same would be right here.
    outputs = [each.draft.output for each in pool if each.draft.output != draft.output]
    wrong = checks.format.make_wrong(draft, card, outputs, rng(_NAME, seed.id))
    return SeedCheck(
        seed.name or seed.id,
        expected[:_MAX_TEXT],
        said[:_MAX_TEXT],
        right,
        await _is_accepted(draft, judge),
        await _is_accepted(wrong, judge),
    )


async def _is_accepted(draft: Draft | None, judge: Judge | None) -> bool | None:
    if draft is None or judge is None:
        return None
    try:
        return await judge(draft)
    except NodeError:
        return None


async def _answer(
    checks: AnswerChecks, ask: Ask, question: Question, draft: Draft, expected: str
) -> tuple[str, bool | None]:
    """The model's blind answer, and whether it is the expected one; nothing is asked where no code can tell."""
    format, card = checks.format, checks.card
    run = checks.run if format.runs_tests and draft.tests else None
    if run is None and not format.comparable:
        return "", None
    try:
        answer = await format.answer_again(ask, card, question, draft)
    except NodeError as fault:  # a model that can't answer in the format at all has not got it right
        return f"({fault.reason})", False
    if run is not None:
        result = await run(answer.output, answer.tests)
        return result.problem or "passed", result.passed
    said = format.extract_final_answer(answer, card)
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
        return {**{name: {"n": n, "of": of} for name, (n, of) in counts}, "misses": misses}

    def describe(self) -> str:
        """One sentence with the three counts."""
        (a, n), (b, m), (c, k) = self.right, self.takes_right, self.takes_wrong
        model = f"the model got {a} of {n} seeds right" if n else "no code can compare the model's answers"
        judge = f"; the judge accepts {b} of {m} right and {c} of {k} wrong answers" if m or k else ""
        return f"precheck: {model}{judge}"

    def list_misses(self) -> list[str]:
        """The misses by name, and for labels which is taken for which."""
        misses = self.misses
        named = [f"{miss.name}: the seed says {miss.expected!r}, the model {miss.said!r}" for miss in misses]
        more = [f"and {len(named) - _MAX_MISSES} more"] if len(named) > _MAX_MISSES else []
        pairs = Counter((miss.expected, miss.said) for miss in misses).most_common(3)
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
            found.append((f"the judge accepts only {accepted} of {shown} of the seeds' own answers", hint))
        fooled, shown = self.takes_wrong
        if shown and fooled / shown > MAX_FOOLED:
            hint = f"{another}, or rely on --agreement"
            found.append((f"the judge accepts {fooled} of {shown} wrong answers", hint))
        return found


def _count(values: Iterable[bool | None]) -> tuple[int, int]:
    known = [value for value in values if value is not None]
    return sum(known), len(known)
