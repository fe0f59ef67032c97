"""Answers that are checked: what agreement, blind labels and recomputed equations let through.

Run: `AIDE_TASKS=FOLDER make bench-quality`; the folder holds `gold/<task>.jsonl` of human examples. The examples
are answered by a model that is wrong for a fifth of its answers, at random, through the checks of a run. The
share of wrong ones among the accepted stands beside what the same chances come to by calculation. Then equations
of worked solutions are made wrong, one in each; and those of the human solutions themselves must all pass.
"""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from aide.errors import Rejection
from aide.formats import FORMATS, Label, Question, TaskCard
from aide.formats.choices import NONE
from aide.formats.comparing import is_same_answer
from aide.records import Draft, rng
from aide.verify.agreement import Quorum
from aide.verify.answers import AnswerChecks
from aide.verify.arithmetic import describe_miscalculation

WRONG = 0.2
QUORUM = Quorum(2, 3)
OFFSETS = (-3, -2, -1, 1, 2)  # five wrong numbers, each as likely
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
PLANTED = re.compile(r"(=\s*\$?)<<[^<>]*>>(\d+)(?![\d.,]*\d)")
MARKS = re.compile(r"<<[^<>]*>>")
P, Q = 1 - WRONG, WRONG


@dataclass
class Counted:
    """Accepted answers, right and wrong, and rejected ones."""

    right: int = 0
    wrong: int = 0
    rejected: int = 0

    @property
    def share(self) -> float:
        return self.wrong / max(1, self.right + self.wrong)


class ScriptedModel:
    """A model that says what `say` makes of a payload's question; each answer is drawn anew."""

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say

    async def __call__(self, step: str, payload: Any, /, **context: Any) -> Any:
        return payload.read(self.say(step))


def rows_of(task: str) -> list[dict[str, Any]]:
    path = Path(os.environ["AIDE_TASKS"]) / "gold" / f"{task}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def counted(jobs: Iterable[Callable[[], Awaitable[bool]]]) -> Counted:
    """Each job answers one question and says whether the answer that was accepted is right."""

    async def run() -> Counted:
        found = Counted()
        for job in jobs:
            try:
                right = await job()
            except Rejection:
                found.rejected += 1
            else:
                found.right += right
                found.wrong += not right
        return found

    return asyncio.run(run())


def numbers(rows: Sequence[dict[str, Any]]) -> Counted:
    """Worked solutions whose last number is wrong for a fifth of them."""
    card = TaskCard(format="open", convention="#### <number>")
    checks, dice = AnswerChecks(FORMATS["open"], card, QUORUM), rng("numbers")

    def job(row: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
        before, _, final = row["output"].rpartition("#### ")

        def say(step: str) -> str:
            said = final if dice.random() < P else f"{float(final.replace(',', '')) + dice.choice(OFFSETS):g}"
            return f"{before}#### {said}"

        async def answered() -> bool:
            checked = await checks.answer(ScriptedModel(say), Question(row["id"], row["input"]))
            return is_same_answer(checked.draft.output.rpartition("#### ")[2], final)

        return answered

    return counted(job(row) for row in rows)


def options(rows: Sequence[dict[str, Any]]) -> Counted:
    """Four options, a wrong one marked for a fifth; who checks errs as often, and may say that none is right."""
    card = TaskCard(format="multiple_choice", options=4)
    checks, dice = AnswerChecks(FORMATS["multiple_choice"], card, QUORUM), rng("options")

    def job(row: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
        right, wrong = row["output"], [each for each in row["choices"] if each != row["output"]]
        marked = right if dice.random() < P else dice.choice(wrong)
        first = Draft(row["input"], marked, tuple(row["choices"]))

        def say(step: str) -> str:
            return json.dumps({"label": right if dice.random() < P else dice.choice([*wrong, NONE])})

        async def answered() -> bool:
            checked = await checks.answer(ScriptedModel(say), Question(row["id"], row["input"]), first)
            return checked.draft.output == right

        return answered

    return counted(job(row) for row in rows)


def labels(rows: Sequence[dict[str, Any]]) -> Counted:
    """Texts of which a fifth was written for another label than they have; blind answers err for a fifth, too."""
    names = sorted({row["output"] for row in rows})
    card = TaskCard(format="classification", labels=tuple(Label(name) for name in names))
    checks, dice = AnswerChecks(FORMATS["classification"], card), rng("labels")

    def other(label: str, dice: Random) -> str:
        return dice.choice([name for name in names if name != label])

    def job(row: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
        right = row["output"]
        meant = right if dice.random() < P else other(right, dice)

        def say(step: str) -> str:
            return json.dumps({"label": right if dice.random() < P else other(right, dice)})

        async def answered() -> bool:
            question = Question(row["id"], row["input"], label=meant)
            return (await checks.answer(ScriptedModel(say), question)).draft.output == right

        return answered

    return counted(job(row) for row in rows)


def expected_numbers(ways: int) -> float:
    """Two of three: an answer of chance c is accepted with c²(1 + 2(1 - c))."""
    right, wrong = P * P * (1 + 2 * Q), ways * (Q / ways) ** 2 * (1 + 2 * (1 - Q / ways))
    return wrong / (right + wrong)


def expected_options() -> float:
    """The marked option wins where one of two blind looks says it: 1 - (1 - c)² = c(2 - c); three wrong, and none."""
    right, wrong = P * P * (2 - P), Q * (Q / 4) * (2 - Q / 4)
    return wrong / (right + wrong)


def expected_labels(count: int) -> float:
    """The meant label said once is accepted; any other must be said three times."""
    each = Q / (count - 1)  # the chance of one wrong label
    right = P * P + Q * P**3
    wrong = P * (count - 1) * each**3 + Q * (each + (count - 2) * each**3)
    return wrong / (right + wrong)


def show(name: str, found: Counted, expected: float) -> None:
    taken = found.right + found.wrong
    print(
        f"    {name}: {found.share:.2%} wrong of {taken:,} accepted, {expected:.2%} by calculation;", end=""
    )
    print(f" {found.rejected:,} rejected")


def arithmetic(rows: Sequence[dict[str, Any]]) -> None:
    """One equation of each solution made wrong, as a model writes it (no calculator marks) and with its marks."""
    flagged = [row["id"] for row in rows if describe_miscalculation(row["output"])]
    bare = [row["id"] for row in rows if describe_miscalculation(MARKS.sub("", row["output"]))]
    print(f"gold solutions flagged: {len(flagged)} of {len(rows):,}; without calculator marks {len(bare)}")
    dice, found, planted, held = rng("planted"), 0, 0, 0
    for row in rows:
        places = list(PLANTED.finditer(row["output"]))
        if not places:
            continue
        place = dice.choice(places)
        wrong = str(int(place[2]) + dice.choice((1, 2, 10)))
        text = row["output"]
        broken = f"{text[: place.start()]}{place[1]}{wrong}{text[place.end() :]}"
        planted += 1
        found += bool(describe_miscalculation(MARKS.sub("", broken)))
        mark = dice.choice(list(MARKS.finditer(text)))
        spoiled = f"{mark[0][:-2]}7>>"
        held += bool(describe_miscalculation(text.replace(mark[0], spoiled, 1)))
    print(
        f"    planted in an equation as written: {found:,} of {planted:,} found ({found / planted:.1%});",
        end="",
    )
    print(f" in a calculator mark: {held:,} of {planted:,} ({held / planted:.1%})")


def main() -> None:
    """Print all figures."""
    if not os.environ.get("AIDE_TASKS") or not (Path(os.environ["AIDE_TASKS"]) / "gold").is_dir():
        print("skipped: AIDE_TASKS names a folder with gold/<task>.jsonl")
        return
    solved = [row for row in rows_of("gsm8k") if NUMBER.fullmatch(row["output"].rpartition("#### ")[2])]
    four = [row for task in ("medqa", "arc_challenge", "mmlu_biology") for row in rows_of(task)]
    four = [row for row in four if len(set(row["choices"])) == 4]
    known = rows_of("banking77_10intents")
    print(f"a fifth of all answers wrong at random, accepted where {QUORUM.needed} of {QUORUM.most} agree")
    show("gsm8k, numbers", numbers(solved * 5), expected_numbers(len(OFFSETS)))
    show("four options", options(four * 2), expected_options())
    print("a fifth of the texts written for another label, a fifth of the blind answers wrong")
    count = len({row["output"] for row in known})
    show("banking77", labels(known * 10), expected_labels(count))
    arithmetic(rows_of("gsm8k"))


if __name__ == "__main__":
    main()
