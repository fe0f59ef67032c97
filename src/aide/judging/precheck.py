"""An exam before spending: does the teacher know the seeds' answers, the judge right from wrong?

Each seed is answered blind and judged twice, with its own output and with a wrong one. A teacher that fails,
a judge that takes everything, and a seed whose key is wrong show here for three calls a seed.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from aide.errors import NodeError
from aide.formats import Demonstration, Question
from aide.parsing import parse_python
from aide.records import Ask, Draft, Seed, rng
from aide.verify.agreement import extract_final_answer, is_same_answer
from aide.verify.answers import AnswerChecks, choose_option

PASS: Final = 0.7  # least share of seeds answered as they are
FOOLED: Final = 0.2  # greatest share of wrong answers taken as right
MOST: Final = 100  # seeds examined of one task: more would tell no more and cost
_TOLD: Final = 10
_NUMBER: Final = re.compile(r"\d+(?!.*\d)", re.DOTALL)

Judge = Callable[[Draft], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """One seed: what it says, what the teacher said, and how the judge took a right and a wrong answer.

    `right` is none where no code can compare (free text; code that is not run), the judge's where it
    gave none.
    """

    name: str
    expected: str
    said: str
    right: bool | None
    takes_right: bool | None
    takes_wrong: bool | None

    def as_dict(self) -> dict[str, Any]:
        """The sitting as it is journaled."""
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
    """Examine one seed: at most three calls, without `judge` one.

    Raises:
        errors.AideError: of scope `run`; what the model makes of a question never raises.
    """
    others = tuple(demo for demo in demos if demo.input != seed.draft.input)
    said, right = await _teacher(seed, checks, others, ask)
    wrong = make_wrong_draft(seed, pool, checks)
    return SeedCheck(
        seed.name or seed.id,
        extract_final_answer(seed.draft, checks.card)[:200],
        said[:200],
        right,
        await _taken(seed.draft, judge),
        await _taken(wrong, judge),
    )


async def _taken(draft: Draft | None, judge: Judge | None) -> bool | None:
    if draft is None or judge is None:
        return None
    try:
        return await judge(draft)
    except NodeError:
        return None


async def _teacher(
    seed: Seed, checks: AnswerChecks, demos: tuple[Demonstration, ...], ask: Ask
) -> tuple[str, bool | None]:
    """The teacher's blind answer, and whether it is the seed's own."""
    card, draft = checks.card, seed.draft
    question = Question(f"exam {seed.id}", draft.input, seed.parts, None, demos, card.max_answer_tokens)
    if card.format == "free_text" or (card.format == "code" and not (checks.run and draft.tests)):
        return "", None
    try:
        if card.format == "multiple_choice":
            said = await choose_option(ask, draft, question)
            return said, said == draft.output
        # The seed has its tests: of code the solution alone is wanted, under whatever name.
        alone = replace(card, code="") if card.format == "code" else card
        answer = await checks.format.answer(ask, alone, question)
    except NodeError as fault:
        return f"({fault.reason})", False
    if checks.run is not None and card.format == "code":
        ran = await checks.run(_renamed(answer.output, draft.tests), draft.tests)
        return ran.told or "passed", ran.passed
    said = extract_final_answer(answer, card)
    return said, is_same_answer(said, extract_final_answer(draft, card))


def _renamed(code: str, tests: Sequence[str]) -> str:
    """The solution under the name that the seed's tests call, which its description need not tell."""
    tree, called = parse_python(code), parse_python("\n".join(tests))
    if tree is None or called is None:
        return code
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    asserted = [node for node in called.body if isinstance(node, ast.Assert)]
    wanted = {
        node.func.id
        for each in asserted
        for node in ast.walk(each.test)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    unknown = sorted(wanted - set(defined) - set(dir(builtins)))
    return f"{code}\n\n{unknown[0]} = {defined[-1]}\n" if len(unknown) == 1 and defined else code


def make_wrong_draft(seed: Seed, pool: Sequence[Seed], checks: AnswerChecks) -> Draft | None:
    """The seed with an answer that is wrong: another option, label or number, else another seed's output."""
    draft, dice = seed.draft, rng("exam", seed.id)
    if draft.choices and not checks.format.labelled:
        others = [choice for choice in draft.choices if choice != draft.output]
        return replace(draft, output=dice.choice(others)) if others else None
    if checks.format.labelled:
        others = [name for name in checks.card.label_names if name != draft.output]
        return replace(draft, output=dice.choice(others)) if others else None
    number = _NUMBER.search(draft.output) if checks.card.format == "open" else None
    if number is not None:
        changed = str(int(number[0]) + dice.randint(2, 9)).zfill(len(number[0]))
        wrong = f"{draft.output[: number.start()]}{changed}{draft.output[number.end() :]}"
        return replace(draft, output=wrong, reasoning="")
    outputs = [each.draft.output for each in pool if each.draft.output != draft.output]
    return replace(draft, output=dice.choice(outputs), reasoning="", tests=()) if outputs else None


@dataclass(frozen=True, slots=True)
class Precheck:
    """All sittings together, and what follows from them."""

    sittings: tuple[SeedCheck, ...]

    def _count(self, values: Sequence[bool | None]) -> tuple[int, int]:
        known = [value for value in values if value is not None]
        return sum(known), len(known)

    @property
    def right(self) -> tuple[int, int]:
        """Seeds that the teacher answered as they are, of so many that code could compare."""
        return self._count([each.right for each in self.sittings])

    @property
    def takes_right(self) -> tuple[int, int]:
        """Right answers that the judge took, of so many."""
        return self._count([each.takes_right for each in self.sittings])

    @property
    def takes_wrong(self) -> tuple[int, int]:
        """Wrong answers that the judge took for right, of so many."""
        return self._count([each.takes_wrong for each in self.sittings])

    @property
    def share(self) -> float:
        """Share of the seeds answered as they are; 1 where none could be compared."""
        right, asked = self.right
        return right / asked if asked else 1.0

    @property
    def misses(self) -> tuple[SeedCheck, ...]:
        """Seeds that the teacher answered otherwise: wrong keys, or what it does not know."""
        return tuple(each for each in self.sittings if each.right is False)

    def as_dict(self) -> dict[str, Any]:
        """The exam as it stands in the summary."""
        pairs = {
            "right": self.right,
            "judge_takes_right": self.takes_right,
            "judge_takes_wrong": self.takes_wrong,
        }
        return {
            **{name: {"n": n, "of": of} for name, (n, of) in pairs.items()},
            "misses": [{"seed": m.name, "expected": m.expected, "said": m.said} for m in self.misses],
        }

    def result(self) -> str:
        """One sentence with the three counts."""
        (a, n), (b, m), (c, k) = self.right, self.takes_right, self.takes_wrong
        teacher = f"teacher right on {a} of {n}" if n else "the teacher's answers can't be compared by code"
        judge = f"; judge accepts {b} of {m} right and {c} of {k} wrong answers" if m or k else ""
        return f"exam: {teacher}{judge}"

    def details(self) -> list[str]:
        """The misses by name, and for labels which is taken for which."""
        told = [
            f"{miss.name}: the seed says {miss.expected!r}, the teacher {miss.said!r}" for miss in self.misses
        ]
        pairs = Counter((miss.expected, miss.said) for miss in self.misses)
        often = [f"{a!r} is taken for {b!r} {n} times" for (a, b), n in pairs.most_common(3) if n > 1]
        more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
        return [*told[:_TOLD], *more, *often]

    def warnings(self) -> list[tuple[str, str]]:
        """What should make a person stop and think, each with a hint."""
        found = []
        if self.share < PASS:
            hint = "look at the seeds named above: their answers may be wrong; or take a stronger model"
            found.append((f"the teacher answers only {self.share:.0%} of the seeds as they are", hint))
        taken, shown = self.takes_right
        if shown and taken / shown < PASS:
            hint = (
                "configure another model for the judge ([steps.reflect] model); aide calibrate looks closer"
            )
            found.append(
                (f"the judge takes only {taken} of {shown} of the seeds' own answers for right", hint)
            )
        fooled, asked = self.takes_wrong
        if asked and fooled / asked > FOOLED:
            hint = "configure another model for the judge ([steps.reflect] model), or rely on --agreement"
            found.append((f"the judge takes {fooled} of {asked} wrong answers for right", hint))
        return found
